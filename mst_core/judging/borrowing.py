"""How long a tune walks in the steps of another: the longest run of equal (interval, duration)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from itertools import pairwise

from mst_core.corpora.tunes import CorpusTune

SHORTEST = 4
"""Runs below this are everybody's; they count as one less."""

Step = tuple[int, int]


def steps_of(tune: CorpusTune) -> tuple[Step, ...]:
    """The interval to each note, in semitones, and its duration, in ticks; rests are left out."""
    sounding = [event for event in tune.events if event.pitch is not None]
    return tuple(
        ((after.pitch or 0) - (before.pitch or 0), after.duration)
        for before, after in pairwise(sounding)
    )


class Lenders:
    """The tunes that could have been copied from, by their runs of `SHORTEST` steps."""

    def __init__(self, tunes: Iterable[CorpusTune]) -> None:
        self._starts: dict[tuple[Step, ...], list[tuple[int, int]]] = defaultdict(list)
        for number, tune in enumerate(tunes):
            steps = steps_of(tune)
            for start in range(len(steps) - SHORTEST + 1):
                self._starts[steps[start : start + SHORTEST]].append((number, start))

    def longest(self, tune: CorpusTune) -> int:
        """Steps in the longest run that the tune shares with any other."""
        steps = steps_of(tune)
        best = SHORTEST - 1
        # How long the runs are that end at the step before, by where they stand in the lenders: a
        # run grows when it stands one step further.
        reach: dict[tuple[int, int], int] = {}
        for start in range(len(steps) - SHORTEST + 1):
            grown: dict[tuple[int, int], int] = {}
            for number, place in self._starts.get(steps[start : start + SHORTEST], ()):
                length = reach.get((number, place - 1), SHORTEST - 1) + 1
                grown[number, place] = length
                best = max(best, length)
            reach = grown
        return best
