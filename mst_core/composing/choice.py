"""Choosing among candidates: the one whose profile lies nearest to the style's own.

Neither likelihood (which favours the bland) nor a classifier (which favours the alien) chooses:
candidates are sampled, and the most typical in intervals and rhythms wins, if its joints are
smooth.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import groupby, pairwise

import numpy as np
from numpy.typing import NDArray

from mst_core.composing.form import Plan
from mst_core.composing.line_writer import LineWriter
from mst_core.networks.corpus import Event
from mst_core.networks.dictionary import REST, interval_token
from mst_core.networks.habits import Habits, MeterHabits

Profile = NDArray[np.float64]


def distance(ours: Profile, theirs: Profile) -> float:
    """Half the sum of differences between two distributions: 0 alike, 1 nothing in common."""
    return float(np.abs(ours / max(ours.sum(), 1) - theirs / max(theirs.sum(), 1)).sum() / 2)


def interval_distance(events: Sequence[Event], habits: Habits) -> float:
    """How far the intervals of a line are from those of a style."""
    pitches = [event.pitch for event in events if event.pitch is not None]
    ours = np.zeros(REST)
    for first, second in pairwise(pitches):
        ours[interval_token(second - first)] += 1
    return distance(ours, np.array(habits.intervals[:REST], dtype=float))


def rhythm_distance(events: Sequence[Event], habits: MeterHabits, bar: int) -> float:
    """How far a line's note values and their places in the bar are from those of a style."""
    places = {(r.place, r.ticks): index for index, r in enumerate(habits.rhythms)}
    theirs = np.array([r.notes for r in habits.rhythms] + [0.0])
    ours = np.zeros(len(theirs))
    counts = Counter((e.onset % bar, e.duration) for e in events if e.pitch is not None)
    for rhythm, count in counts.items():
        ours[places.get(rhythm, -1)] += count
    return distance(ours, theirs)


def monotony(events: Sequence[Event]) -> float:
    """A penalty for a pitch that is hammered or a line that never leaves a few pitches."""
    pitches = [event.pitch for event in events if event.pitch is not None]
    longest = max((len(list(run)) for _, run in groupby(pitches)), default=0)
    few = len(set(pitches)) < 6
    return 0.1 * max(0, longest - 3) + 0.3 * few


def sameness(events: Sequence[Event], plan: Plan, bar: int) -> float:
    """A penalty for parts of different letters that begin alike: a new part should sound new."""

    def begins(section: int) -> list[tuple[int | None, int, int]]:
        first = section * bar
        return [
            (event.pitch, event.onset - first, event.duration)
            for event in events
            if first <= event.onset < first + bar
        ]

    first_of = dict(zip(reversed(plan.form), reversed(plan.sections), strict=True))
    openings = [begins(section) for section in first_of.values()]
    alike = sum(a == b for place, a in enumerate(openings) for b in openings[:place])
    return 0.5 * alike


def choose(
    writers: Sequence[LineWriter], melody: Habits, rhythm: MeterHabits, bar: int
) -> LineWriter:
    """Take the candidate nearest to the melody language of one style and the rhythm of another."""

    def strangeness(writer: LineWriter) -> float:
        events = writer.line.events
        return (
            interval_distance(events, melody)
            + rhythm_distance(events, rhythm, bar)
            + 0.02 * writer.surprise
            + monotony(events)
            + sameness(events, writer.frame.plan, bar)
        )

    return min(writers, key=strangeness)
