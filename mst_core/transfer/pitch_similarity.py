"""How near a melody is to a target's melody language: its intervals, and the degrees of its key.

As with rhythm (see `likeness`), a tune is held against the usual of the target and against what
tells the target from the style that the tune comes from, and more than the target's own tunes have
is no gain.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from mst_core.corpora.vocabulary import OCTAVE, REST
from mst_core.music import Key
from mst_core.statistics.style_statistics import Habits
from mst_core.transfer.change_path import Values

Table = NDArray[np.float64]
ODDS = 0.5
"""Weight of what tells the target from the tune's own style against its usual profile."""
DEGREES = 0.4
"""Weight of the degrees of the key against the intervals, in the usual profile."""
REACH = 1.0
"""How far a version speaks for its target before more is no gain; the target's own tunes: 1."""
LEAST_WAY = 0.05
"""Nats; see `likeness.LEAST_WAY`."""
LONGEST_ODDS = 4.0
"""Nats; one step alone says no more than this."""
SMOOTH = 3.0
"""Notes' worth of what intervals do anywhere, in the shares of what follows one interval."""


def intervals_of(pitches: Values) -> NDArray[np.int64]:
    """Intervals folded into an octave, as numbers from 0, an octave down, to 24: (N - 1,)."""
    leaps = np.diff(pitches)
    folded = np.sign(leaps) * ((np.abs(leaps) - 1) % OCTAVE + 1)
    return np.where(leaps == 0, 0, folded) + OCTAVE


def step_table(habits: Habits) -> Table:
    """Shares of pairs of intervals in a row, (25, 25)."""
    table = np.zeros((REST, REST))
    for before, after, count in habits.steps:
        table[before, after] = count
    shares: Table = table / max(1.0, table.sum())
    return shares


def follow_table(habits: Habits) -> Table:
    """Shares of the next interval after each one, smoothed by what comes anywhere, (25, 25)."""
    steps = np.zeros((REST, REST))
    for before, after, count in habits.steps:
        steps[before, after] = count
    anywhere = (steps.sum(axis=0) + 0.5) / (steps.sum() + 0.5 * REST)
    kinds = np.maximum((steps > 0).sum(axis=1, keepdims=True), 1) + SMOOTH
    shares: Table = (steps + kinds * anywhere) / (steps.sum(axis=1, keepdims=True) + kinds)
    return shares


def degree_shares(habits: Habits, minor: bool) -> Table:
    """Shares of pitches by semitones above the tonic, (12,)."""
    mode = "minor" if minor else "major"
    counts = habits.degrees.get(mode) or next(iter(habits.degrees.values()), (1,) * 12)
    row = np.array(counts, dtype=float)
    shares: Table = row / max(1.0, row.sum())
    return shares


class MelodyLikeness:
    """A target to hold versions of one melody against."""

    def __init__(
        self,
        key: Key,
        parts: Sequence[tuple[float, Habits]],
        others: Mapping[str, Habits],
        own: Values,
    ) -> None:
        """``parts`` are the target's habits by weight, ``others`` those of the other styles.

        ``own`` are the pitches (N,) from where the way begins.
        """
        self._tonic = key.tonic
        self._steps = sum((share * step_table(h) for share, h in parts), np.zeros((REST, REST)))
        self._degrees = sum(
            (share * degree_shares(h, key.minor) for share, h in parts), np.zeros(OCTAVE)
        )
        self._odds: Table | None = None
        self._from = self._way = 0.0
        if others and len(own) > 2:
            target = follow_table(parts[0][1])
            pairs = self._pairs(own)
            sources = [follow_table(habits) for habits in others.values() if habits.steps]
            nearest = max([target, *sources], key=lambda table: float(np.log(table[pairs]).sum()))
            if nearest is not target:
                odds = np.log(target) - np.log(nearest)
                self._odds = odds.clip(-LONGEST_ODDS, LONGEST_ODDS)
                self._from = float(self._odds[pairs].mean())
                self._way = float((self._odds * step_table(parts[0][1])).sum()) - self._from

    def __call__(self, pitches: Values) -> float:
        """How near a melody is: 1 is alike, 0 nothing in common."""
        if len(pitches) < 3:
            return 0.0
        pairs = self._pairs(pitches)
        ours = np.zeros((REST, REST))
        np.add.at(ours, pairs, 1 / len(pairs[0]))
        degrees = np.bincount((pitches - self._tonic) % OCTAVE, minlength=OCTAVE) / len(pitches)
        near = (1 - DEGREES) * float(np.minimum(ours, self._steps).sum())
        near += DEGREES * float(np.minimum(degrees, self._degrees).sum())
        if self._odds is None or self._way <= LEAST_WAY:
            return near
        progress = (float(self._odds[pairs].mean()) - self._from) / self._way
        return (1 - ODDS) * near + ODDS * min(progress, REACH)

    @staticmethod
    def _pairs(pitches: Values) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        intervals = intervals_of(pitches)
        return intervals[:-1], intervals[1:]
