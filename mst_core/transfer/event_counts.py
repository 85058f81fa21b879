"""Counts of the events of a tune's version, brought up to date where the next version differs.

The search weighs thousands of versions of a tune that differ from each other in a few notes. To
count all events of each takes time that grows with the square of the tune's length; to count those
at the notes that differ does not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from mst_core.statistics.style_statistics import ENTROPY_WINDOW_NOTES, duration_entropy

CodeFunction = Callable[[NDArray[np.int64], NDArray[np.int64]], NDArray[np.int64]]
"""Codes (4, M) of notes, of the rests after them, of the bigrams that begin with them, and of those
that begin with the rests, -1 for none; given a version (N,) and the indices (M,) of the notes."""
_MAX_CHANGED = 0.125
"""With a larger share of its notes changed, a version is counted as a whole."""


class _Histogram:
    """How often each code occurs, beside its share in the target and a weight of its own."""

    def __init__(
        self, shares: Mapping[int, float], weight: Callable[[int], float] = lambda code: 0.0
    ) -> None:
        self._ids = {code: index for index, code in enumerate(sorted(shares))}
        self._weight = weight
        self._shares = np.array([shares[code] for code in self._ids])
        self._weights = np.array([weight(code) for code in self._ids])
        self._counts = np.zeros(len(self._ids), dtype=np.int64)
        self.total = 0

    def count(self, codes: NDArray[np.int64]) -> None:
        """Count codes anew, of any shape; those below 0 are none."""
        known, counts = np.unique(codes[codes >= 0], return_counts=True)
        ids = [self._id(code) for code in known.tolist()]
        self._counts[:] = 0
        self._counts[ids] = counts
        self.total = int(counts.sum())

    def exchange(self, old: NDArray[np.int64], new: NDArray[np.int64]) -> None:
        """Count some codes instead of as many others, (M,); those below 0 are none."""
        differ = old != new
        for codes, sign in ((old[differ], -1), (new[differ], 1)):
            for code in codes.tolist():
                if code >= 0:
                    index = self._id(code)  # may replace the array of counts
                    self._counts[index] += sign
                    self.total += sign

    def _id(self, code: int) -> int:
        """The index of a code; a new one is added."""
        found = self._ids.get(code)
        if found is None:
            found = self._ids[code] = len(self._ids)
            self._shares = np.append(self._shares, 0.0)
            self._weights = np.append(self._weights, self._weight(code))
            self._counts = np.append(self._counts, 0)
        return found

    @property
    def overlap(self) -> float:
        """Histogram intersection with the shares of the target, 0 to 1."""
        if not self.total:
            return 0.0
        return float(np.minimum(self._counts / self.total, self._shares).sum())

    @property
    def mean_weight(self) -> float:
        """Mean weight of the codes; 0 without any."""
        return float((self._counts * self._weights).sum()) / self.total if self.total else 0.0


class EventCounts:
    """The events and bigrams of the version that was last given to `update`."""

    def __init__(
        self,
        codes_at: CodeFunction,
        events: Mapping[int, float],
        bigrams: Mapping[int, float],
        log_odds: Callable[[int], float],
        ticks: Callable[[NDArray[np.int64]], NDArray[np.int64]],
    ) -> None:
        """Count nothing yet.

        Args:
            codes_at: see `CodeFunction`.
            events: shares of the target's events by code.
            bigrams: shares of the target's bigrams by code.
            log_odds: of a bigram's code, in nats.
            ticks: durations (M,) of notes with some values (M,).
        """
        self._codes_at, self._ticks = codes_at, ticks
        self.events = _Histogram(events)
        self.bigrams = _Histogram(bigrams, log_odds)
        self._values: NDArray[np.int64] = np.zeros(0, dtype=np.int64)
        self._codes: NDArray[np.int64] = np.zeros((4, 0), dtype=np.int64)
        self._durations = self._values
        self._entropies: list[float] = []

    @property
    def n_rests(self) -> int:
        """Number of rests."""
        return self.events.total - len(self._values)

    @property
    def durations(self) -> NDArray[np.int64]:
        """Durations of the notes in ticks, (N,)."""
        return self._durations

    @property
    def duration_entropy(self) -> float:
        """Mean entropy of the durations in windows, in bits; see `duration_entropy`."""
        return sum(self._entropies) / max(1, len(self._entropies))

    def update(self, values: NDArray[np.int64]) -> None:
        """Count a version (N,) with at least one note; few changed notes take little time."""
        n_notes = len(values)
        changed = np.flatnonzero(values != self._values) if n_notes == len(self._values) else None
        if changed is None or len(changed) > _MAX_CHANGED * n_notes:
            self._codes = self._codes_at(values, np.arange(n_notes))
            self.events.count(self._codes[:2])
            self.bigrams.count(self._codes[2:])
            self._durations = self._ticks(values).copy()
            self._entropies = [0.0] * max(1, n_notes // ENTROPY_WINDOW_NOTES)
            windows = set(range(len(self._entropies)))
        elif not len(changed):
            return
        else:
            # The rest after a note, and the bigram with the next, belong to the note before it.
            affected = np.unique(np.append(changed, np.maximum(changed - 1, 0)))
            old, new = self._codes[:, affected], self._codes_at(values, affected)
            self.events.exchange(old[:2], new[:2])
            self.bigrams.exchange(old[2:], new[2:])
            self._codes[:, affected] = new
            self._durations[changed] = self._ticks(values[changed])
            windows = set((changed // ENTROPY_WINDOW_NOTES).tolist())
        for window in windows:
            if window < len(self._entropies):
                start = window * ENTROPY_WINDOW_NOTES
                self._entropies[window] = duration_entropy(
                    self._durations[start : start + ENTROPY_WINDOW_NOTES]
                )
        self._values = values.copy()
