"""Longest shared runs: how many consecutive notes one tune has in common with others.

A tune is coded as a row of steps, one unsigned 64-bit number each (`StepCodes`, shape ``(N,)``). A
step of rhythm is (onset in bar, duration) of a note; a step of melody is (interval from the note
before, duration). Rests are not steps: in rhythm the next onset implies them, in melody they are
skipped.

`longest_shared_run` compares two tunes exactly. `SharedRunIndex` compares a tune with a whole
corpus by the hashes of runs.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from mst_core.corpora.tunes import CorpusTune

StepCodes = NDArray[np.uint64]
"""Steps of a tune, shape ``(N,)``, or hashes of runs of them."""
MAX_RUN = 255
"""Steps; `SharedRunIndex` counts a longer run as this."""
_WIDTH = 1 << 20  # more ticks than a note can last
_LOWEST = 128  # more semitones than an interval can fall
_FACTOR = 0xD1342543DE82EF95


@dataclass(frozen=True, slots=True)
class SharedRun:
    """The longest run that a tune shares."""

    length: int
    """Steps; 0 when nothing is shared."""
    start: int
    """Index of its first step in the query."""
    p95: int | None = None
    """95th percentile of this length for unrelated tunes of the style; None where not measured."""

    @property
    def is_suspicious(self) -> bool:
        """Whether it is longer than in 95 % of unrelated tunes."""
        return self.p95 is not None and self.length > self.p95


def rhythm_steps(tune: CorpusTune) -> StepCodes:
    """Code every note as (onset in bar, duration), both in ticks: shape ``(N,)``."""
    steps = []
    for event in tune.events:
        if event.pitch is not None:
            bar = bisect_right(tune.barlines, event.onset) - 1
            start = tune.barlines[bar] if bar >= 0 else -tune.bar_ticks
            steps.append(max(0, event.onset - start) * _WIDTH + event.duration)
    return np.array(steps, dtype=np.uint64)


def melody_steps(tune: CorpusTune) -> StepCodes:
    """Code every note but the first as (interval in semitones, duration in ticks): ``(N - 1,)``."""
    notes = [(event.pitch, event.duration) for event in tune.events if event.pitch is not None]
    return np.array(
        [
            (pitch - before + _LOWEST) * _WIDTH + duration
            for (before, _), (pitch, duration) in pairwise(notes)
        ],
        dtype=np.uint64,
    )


def longest_shared_run(query: StepCodes, other: StepCodes) -> SharedRun:
    """Find the longest run of steps in both rows, exactly; of several the first in ``query``.

    Args:
        query: steps of the tune that is asked about, shape ``(N,)``.
        other: steps of the tune it is compared with, shape ``(M,)``.

    Returns:
        The run, without a percentile. Takes N vectorised comparisons of M steps.
    """
    best, first = 0, 0
    ends = np.zeros(len(other) + 1, dtype=np.int64)  # length of the run that ends before each index
    for index, step in enumerate(query):
        ends[1:] = np.where(other == step, ends[:-1] + 1, 0)
        longest = int(ends.max())
        if longest > best:
            best, first = longest, index - longest + 1
    return SharedRun(best, first)


class SharedRunIndex:
    """A corpus, searched for the longest run that any of its tunes shares with a query.

    Hashes of all runs of a length are computed when that length is first asked for, and kept. A
    run of n steps can be shared only if one of n - 1 is, so the length is found by bisection. Two
    runs may share a 64-bit hash by chance; no run that is shared is missed.
    """

    def __init__(self, rows: Sequence[StepCodes]) -> None:
        """Index the steps of each tune, shape ``(N,)`` a row."""
        self._steps = np.concatenate([np.zeros(0, np.uint64), *rows])
        self._tunes = np.repeat(np.arange(len(rows)), [len(row) for row in rows])
        self._runs = cache(self._sorted_hashes)

    def longest(self, query: StepCodes) -> int:
        """Count the steps of the longest run that some tune shares with a query (N,), 0 to 255."""
        shared, longest = 0, min(len(query), MAX_RUN)
        while shared < longest:
            middle = (shared + longest + 1) // 2
            known, asked = self._runs(middle), ngram_hashes(query, middle)
            indices = np.minimum(np.searchsorted(known, asked), max(0, len(known) - 1))
            if len(known) and bool((known[indices] == asked).any()):
                shared = middle
            else:
                longest = middle - 1
        return shared

    def _sorted_hashes(self, length: int) -> StepCodes:
        """Hashes of all runs of ``length`` steps within one tune, ascending: ``(R,)``."""
        hashes = ngram_hashes(self._steps, length)
        count = len(hashes)
        within = self._tunes[:count] == self._tunes[length - 1 : length - 1 + count]
        return np.sort(hashes[within])


def ngram_hashes(steps: StepCodes, length: int) -> StepCodes:
    """Hash every run of ``length`` steps: shape ``(max(0, N - length + 1),)``.

    A polynomial hash modulo 2^64 of the mixed steps, composed of runs of 1, 2, 4, ... steps. The
    fingerprints on disk depend on its value.

    Args:
        steps: the coded tune, shape ``(N,)``.
        length: steps of a run, at least 1.
    """
    count = max(0, len(steps) - length + 1)
    total = np.zeros(count, dtype=np.uint64)
    block, span, covered = mix64(steps), 1, 0
    while count and covered < length:
        factor = np.uint64(pow(_FACTOR, span, 2**64))
        if length & span:
            total = total * factor + block[covered : covered + count]
            covered += span
        if covered < length:
            block, span = block[:-span] * factor + block[span:], 2 * span
    return mix64(total)


def mix64(numbers: StepCodes) -> StepCodes:
    """Scatter numbers over 64 bits with the finalizer of SplitMix64 (Steele et al. 2014).

    Args:
        numbers: of any shape; the result has the same shape.
    """
    mixed = numbers + np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))
