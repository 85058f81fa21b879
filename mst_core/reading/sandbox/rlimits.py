"""Resource limits of the parser process, set before the readers are imported.

Stands alone so that `__main__` can import it without them. Limits cannot be raised again.
"""

from __future__ import annotations

import resource

_MAX_OPEN_FILES = 32  # enough for importing modules


def apply_rlimits(*, memory_mib: int, cpu_s: int) -> None:
    """Limit this process: it may write no files, start no processes and dump no core.

    Args:
        memory_mib: address space in MiB.
        cpu_s: seconds of CPU; SIGXCPU ends the process then, SIGKILL one second later.
    """
    for what, most in (
        (resource.RLIMIT_AS, memory_mib * 2**20),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, _MAX_OPEN_FILES),
        (resource.RLIMIT_NPROC, 0),  # not enforced by the kernel for root
    ):
        _lower_limit(what, most, most)
    _lower_limit(resource.RLIMIT_CPU, cpu_s, cpu_s + 1)


def _lower_limit(what: int, soft: int, hard: int) -> None:
    """Set a limit, or keep the present hard limit where that is lower."""
    present = resource.getrlimit(what)[1]
    if present != resource.RLIM_INFINITY:
        soft, hard = min(soft, present), min(hard, present)
    resource.setrlimit(what, (soft, hard))
