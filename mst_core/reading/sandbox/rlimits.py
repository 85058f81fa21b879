"""What the process may use, told to the kernel before anything else is done. No way back up."""

from __future__ import annotations

import resource

_MAX_OPEN_FILES = 32  # open at once: its modules as they load


def apply_rlimits(*, memory_mib: int, cpu_s: int) -> None:
    """Limit this process: memory, seconds of CPU; no files written, no children, no core dumps."""
    for what, most in (
        (resource.RLIMIT_AS, memory_mib * 2**20),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, _MAX_OPEN_FILES),
        (resource.RLIMIT_NPROC, 0),  # the kernel lets root pass here
    ):
        _lower_limit(what, most, most)
    _lower_limit(resource.RLIMIT_CPU, cpu_s, cpu_s + 1)  # SIGXCPU, then SIGKILL


def _lower_limit(what: int, soft: int, hard: int) -> None:
    present = resource.getrlimit(what)[1]
    if present != resource.RLIM_INFINITY:
        soft, hard = min(soft, present), min(hard, present)
    resource.setrlimit(what, (soft, hard))
