"""The longest run of (place in the bar, duration) that a rhythm shares with real tunes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from mst_core.corpora.tunes import CorpusTune
from mst_core.evaluation.rhythm_features import RhythmSequence

# How long a tune walks in the steps of another: the longest run of equal (interval, duration).

MIN_RUN = 4
"""Runs below this are everybody's; they count as one less."""

IntervalStep = tuple[int, int]


def interval_steps(tune: CorpusTune) -> tuple[IntervalStep, ...]:
    """The interval to each note, in semitones, and its duration, in ticks; rests are left out."""
    sounding = [event for event in tune.events if event.pitch is not None]
    return tuple(
        ((after.pitch or 0) - (before.pitch or 0), after.duration)
        for before, after in pairwise(sounding)
    )


class StepRunIndex:
    """The tunes that could have been copied from, by their runs of `MIN_RUN` steps."""

    def __init__(self, tunes: Iterable[CorpusTune]) -> None:
        self._starts: dict[tuple[IntervalStep, ...], list[tuple[int, int]]] = defaultdict(list)
        for number, tune in enumerate(tunes):
            steps = interval_steps(tune)
            for start in range(len(steps) - MIN_RUN + 1):
                self._starts[steps[start : start + MIN_RUN]].append((number, start))

    def longest_run(self, tune: CorpusTune) -> int:
        """Steps in the longest run that the tune shares with any other."""
        steps = interval_steps(tune)
        best = MIN_RUN - 1
        # How long the runs are that end at the step before, by where they stand in the lenders: a
        # run grows when it stands one step further.
        reach: dict[tuple[int, int], int] = {}
        for start in range(len(steps) - MIN_RUN + 1):
            grown: dict[tuple[int, int], int] = {}
            for number, place in self._starts.get(steps[start : start + MIN_RUN], ()):
                length = reach.get((number, place - 1), MIN_RUN - 1) + 1
                grown[number, place] = length
                best = max(best, length)
            reach = grown
        return best


MAX_RUN = 255
"""Notes; longer runs count as this."""
_FACTOR = np.uint64(0x9E3779B97F4A7C15)
_SHIFT = np.uint64(29)

RunHashes = NDArray[np.uint64]


class RhythmRunIndex:
    """Real tunes, searched by hashes of runs: a run of n is shared only if one of n-1 is."""

    def __init__(self, rhythms: Sequence[RhythmSequence]) -> None:
        parts = [_codes(rhythm) for rhythm in rhythms]
        self._codes = np.concatenate(parts) if parts else np.zeros(0, dtype=np.uint64)
        self._tunes = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
        self._runs = cache(self._hash)

    def longest_run(self, rhythm: RhythmSequence) -> int:
        """Notes in a row that some tune has too."""
        codes = _codes(rhythm)
        shortest, longest = 0, min(len(codes), MAX_RUN)
        while shortest < longest:
            middle = (shortest + longest + 1) // 2
            known, asked = self._runs(middle), _hashes(codes, middle)
            places = np.minimum(np.searchsorted(known, asked), max(0, len(known) - 1))
            if len(known) and bool((known[places] == asked).any()):
                shortest = middle
            else:
                longest = middle - 1
        return shortest

    def _hash(self, length: int) -> RunHashes:
        """All runs of so many notes within a tune, sorted."""
        found = _hashes(self._codes, length)
        within = self._tunes[: len(found)] == self._tunes[length - 1 : length - 1 + len(found)]
        return np.sort(found[within])


def _codes(rhythm: RhythmSequence) -> RunHashes:
    codes = np.array([(n.position << 12) + n.duration + 1 for n in rhythm.notes], dtype=np.uint64)
    return np.asarray(_mix(codes * _FACTOR, codes))


def _mix(one: RunHashes, other: RunHashes) -> RunHashes:
    """A hash of two, in this order; overflow is meant."""
    return np.asarray((one * _FACTOR) ^ (other + (one >> _SHIFT)))


def _hashes(codes: RunHashes, length: int) -> RunHashes:
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
