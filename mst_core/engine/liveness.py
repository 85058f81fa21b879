"""Whether a process, a start or a job goes on: it takes steps, computes, or does neither.

Neither for eight looks is a hang: a lock, a device or a signal holds it. What computes and takes no
step is given much longer, because engraving a long score or reading a large file honestly takes
seconds without a step. Looks are counted, not seconds: a machine that sleeps makes nobody late.
"""

from __future__ import annotations

import os
from pathlib import Path

MAX_IDLE_LOOKS = 8
"""Looks in a row, a second each, without a step and without computing, after which it hangs."""
MAX_BLIND_LOOKS = 4 * MAX_IDLE_LOOKS
"""The same where the system does not say what a process computes."""
MAX_STEP_S = 20.0
"""CPU seconds without a step, after which what computes counts as hung: an endless loop."""
MIN_WORK_S = 0.02
"""CPU seconds that count as computing; the signs of life of an idle worker cost far less."""
FAULT_S = 0.01
"""What a page fault counts in CPU seconds: who waits for the disk goes on as well."""
_TICK_S = 1 / os.sysconf("SC_CLK_TCK")
_STATE, _FAULTS, _CPU = 0, 9, slice(11, 13)  # fields of a stat file after the name


class HangWatch:
    """Counts the looks at one thing that should go on."""

    def __init__(self) -> None:
        self.silent_looks = 0
        """Looks since the last step."""
        self._idle_looks = 0  # since the last step or computing
        self._steps: object = None
        self._step_work_s: float | None = None  # at the last step
        self._idle_work_s: float | None = None  # at the last look at which it had computed

    def look(self, steps: object, work_s: float | None) -> str:
        """Look once more; return why it hangs, such as ``for 8 seconds``, empty while it goes on.

        Args:
            steps: changes with every step.
            work_s: CPU seconds that it has computed so far; None where the system does not say.
        """
        if steps != self._steps or (self._step_work_s is None and work_s is not None):
            self._steps, self._step_work_s, self._idle_work_s = steps, work_s, work_s
            self.silent_looks = self._idle_looks = 0
            return ""
        self.silent_looks += 1
        self._idle_looks += 1
        if work_s is None or self._step_work_s is None or self._idle_work_s is None:
            return _for_seconds(self.silent_looks) * (self.silent_looks >= MAX_BLIND_LOOKS)
        if work_s - self._idle_work_s >= MIN_WORK_S:
            self._idle_looks, self._idle_work_s = 0, work_s
        if work_s - self._step_work_s >= MAX_STEP_S:
            return f"for {work_s - self._step_work_s:.0f} seconds of computing"
        return _for_seconds(self._idle_looks) * (self._idle_looks >= MAX_IDLE_LOOKS)


def process_work_s(pid: int) -> float | None:
    """Return the CPU seconds of a process so far; None where the system does not say.

    Each page that it had to wait for counts `FAULT_S`.

    Args:
        pid: the id of the process.
    """
    return _work_s(Path(f"/proc/{pid}/stat"))


def waits_for_disk(pid: int) -> bool:
    """Return whether a process waits for a device at this moment; False where nothing says so."""
    fields = _stat_fields(Path(f"/proc/{pid}/stat"))
    return bool(fields) and fields[_STATE] == "D"


def thread_work_s(thread_id: int) -> float | None:
    """Return the CPU seconds of a thread of this process and of the processes that it started.

    Args:
        thread_id: as `threading.get_native_id` returns it.

    Returns:
        The seconds so far; None where the system does not say, of the programs either, or the
        thread has ended.
    """
    folder = Path(f"/proc/self/task/{thread_id}")
    own, children = _work_s(folder / "stat"), _children(folder)
    if own is None or children is None:  # some kernels and containers do not name children
        return None
    return own + sum(map(_tree_work_s, children))


def _tree_work_s(pid: str) -> float:
    """Return the CPU seconds of a process and of those that it started and that still run."""
    own = _work_s(Path(f"/proc/{pid}/stat")) or 0.0
    threads = Path(f"/proc/{pid}/task").glob("*")
    return own + sum(_tree_work_s(child) for thread in threads for child in _children(thread) or ())


def _children(thread: Path) -> list[str] | None:
    """Return the ids of the processes that a thread started; None where the system says nothing."""
    try:
        return (thread / "children").read_text(encoding="ascii").split()
    except OSError:
        return None


def _work_s(stat: Path) -> float | None:
    """Return what a stat file says of computing and of waiting for pages."""
    fields = _stat_fields(stat)
    if not fields:
        return None
    return sum(map(int, fields[_CPU])) * _TICK_S + int(fields[_FAULTS]) * FAULT_S


def _stat_fields(stat: Path) -> list[str]:
    """Return the fields of a stat file after the name; none where there is no such file."""
    try:
        text = stat.read_text(encoding="ascii", errors="replace")
    except OSError:
        return []
    return text.rpartition(") ")[2].split()  # the name before it may hold anything


def _for_seconds(looks: int) -> str:
    return f"for {looks} seconds"
