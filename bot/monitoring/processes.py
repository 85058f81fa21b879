"""Resident memory of the bot and of its engine, read from ``/proc``.

A module of its own, because only Linux has these files: elsewhere it reports nothing.
"""

from __future__ import annotations

import os
from pathlib import Path

ENGINE_MODULE = b"mst_core.engine"
"""What the command line of the engine's process holds."""


def resident_bytes() -> dict[str, int]:
    """Return the resident memory in bytes by process: ``bot``, and ``engine`` while there is one.

    A process that ends meanwhile, or that may not be looked at, is left out.
    """
    sizes = {"bot": _resident_bytes(os.getpid())}
    for pid in _child_pids():
        try:
            is_engine = ENGINE_MODULE in Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            continue
        if is_engine:
            sizes["engine"] = sizes.get("engine", 0) + _resident_bytes(pid)
    return {process: size for process, size in sizes.items() if size}


def _child_pids() -> list[int]:
    """List the children of this process; each thread has those that it started."""
    found: list[int] = []
    for path in Path("/proc/self/task").glob("*/children"):
        try:
            found += map(int, path.read_text(encoding="ascii").split())
        except OSError:  # the thread has ended
            continue
    return found


def _resident_bytes(pid: int) -> int:
    """Return the resident memory of a process, 0 when it cannot be read."""
    try:
        _, pages, *_ = Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()
    except (OSError, ValueError):
        return 0
    return int(pages) * os.sysconf("SC_PAGE_SIZE")
