"""How far a job is, told from several threads and never falling."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock

from mst_core.jobs import Progress

COMPOSING_SHARE = 0.5
"""Share of a job that is done when its tune is composed."""


class Rising:
    """Tells a share that never falls, whoever calls and in whatever order."""

    def __init__(self, tell: Callable[[Progress], None]) -> None:
        self._tell = tell
        self._told = 0.0
        self._lock = Lock()

    def __call__(self, stage: str, share: float) -> None:
        """Tell a stage and the share of the whole."""
        with self._lock:
            self._told = min(1.0, max(self._told, share))
            self._tell(Progress(stage, self._told))


class Steps:
    """Counts the files of the second half, which two threads make."""

    def __init__(self, tell: Callable[[Progress], None], total: int) -> None:
        self._tell = Rising(tell)
        self._total = max(1, total)
        self._done = 0
        self._lock = Lock()

    def done(self, stage: str) -> None:
        """Note that one more is made."""
        with self._lock:
            self._done += 1
            share = self._done / self._total
        self._tell(stage, COMPOSING_SHARE + (1 - COMPOSING_SHARE) * share)
