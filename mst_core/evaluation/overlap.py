"""The longest run of (place in the bar, duration) that a rhythm shares with real tunes."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from mst_core.evaluation.rhythm_features import Rhythm

LONGEST = 255
"""Notes; longer runs count as this."""
_FACTOR = np.uint64(0x9E3779B97F4A7C15)
_SHIFT = np.uint64(29)

Hashes = NDArray[np.uint64]


class Repertoire:
    """Real tunes, searched by hashes of runs: a run of n is shared only if one of n-1 is."""

    def __init__(self, rhythms: Sequence[Rhythm]) -> None:
        parts = [_codes(rhythm) for rhythm in rhythms]
        self._codes = np.concatenate(parts) if parts else np.zeros(0, dtype=np.uint64)
        self._tunes = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
        self._runs = cache(self._hash)

    def longest_run(self, rhythm: Rhythm) -> int:
        """Notes in a row that some tune has too."""
        codes = _codes(rhythm)
        shortest, longest = 0, min(len(codes), LONGEST)
        while shortest < longest:
            middle = (shortest + longest + 1) // 2
            known, asked = self._runs(middle), _hashes(codes, middle)
            places = np.minimum(np.searchsorted(known, asked), max(0, len(known) - 1))
            if len(known) and bool((known[places] == asked).any()):
                shortest = middle
            else:
                longest = middle - 1
        return shortest

    def _hash(self, length: int) -> Hashes:
        """All runs of so many notes within a tune, sorted."""
        found = _hashes(self._codes, length)
        within = self._tunes[: len(found)] == self._tunes[length - 1 : length - 1 + len(found)]
        return np.sort(found[within])


def _codes(rhythm: Rhythm) -> Hashes:
    codes = np.array([(n.place << 12) + n.ticks + 1 for n in rhythm.notes], dtype=np.uint64)
    return np.asarray(_mix(codes * _FACTOR, codes))


def _mix(one: Hashes, other: Hashes) -> Hashes:
    """A hash of two, in this order; overflow is meant."""
    return np.asarray((one * _FACTOR) ^ (other + (one >> _SHIFT)))


def _hashes(codes: Hashes, length: int) -> Hashes:
    """A hash of each run of so many codes, put together from runs of 1, 2, 4 and so on."""
    runs = len(codes) - length + 1
    if runs <= 0:
        return np.zeros(0, dtype=np.uint64)
    whole = np.zeros(runs, dtype=np.uint64)
    block, span, covered = codes, 1, 0
    while True:
        if length & span:
            whole = _mix(whole, block[covered : covered + runs])
            covered += span
        if covered == length:
            return whole
        block, span = _mix(block[:-span], block[span:]), 2 * span
