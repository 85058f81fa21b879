"""How near a melody is to a target's melody language: its intervals, and the degrees of its key.

As with rhythm (see `likeness`), a tune is held against the usual of the target and against what
tells the target from the style that the tune comes from, and more than the target's own tunes have
is no gain.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from mst_core.corpora.vocabulary import OCTAVE, REST_TOKEN
from mst_core.music import Key
from mst_core.statistics.style_statistics import StyleStatistics
from mst_core.transfer.change_path import IntArray

FloatArray = NDArray[np.float64]
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


def folded_intervals(pitches: IntArray) -> NDArray[np.int64]:
    """Intervals folded into an octave, as numbers from 0, an octave down, to 24: (N - 1,)."""
    leaps = np.diff(pitches)
    folded = np.sign(leaps) * ((np.abs(leaps) - 1) % OCTAVE + 1)
    return np.where(leaps == 0, 0, folded) + OCTAVE


def interval_bigram_shares(habits: StyleStatistics) -> FloatArray:
    """Shares of pairs of intervals in a row, (25, 25)."""
    table = np.zeros((REST_TOKEN, REST_TOKEN))
    for before, after, count in habits.interval_bigrams:
        table[before, after] = count
    shares: FloatArray = table / max(1.0, table.sum())
    return shares


def next_interval_probabilities(habits: StyleStatistics) -> FloatArray:
    """Shares of the next interval after each one, smoothed by what comes anywhere, (25, 25)."""
    steps = np.zeros((REST_TOKEN, REST_TOKEN))
    for before, after, count in habits.interval_bigrams:
        steps[before, after] = count
    anywhere = (steps.sum(axis=0) + 0.5) / (steps.sum() + 0.5 * REST_TOKEN)
    kinds = np.maximum((steps > 0).sum(axis=1, keepdims=True), 1) + SMOOTH
    shares: FloatArray = (steps + kinds * anywhere) / (steps.sum(axis=1, keepdims=True) + kinds)
    return shares


def scale_degree_shares(habits: StyleStatistics, minor: bool) -> FloatArray:
    """Shares of pitches by semitones above the tonic, (12,)."""
    mode = "minor" if minor else "major"
    counts = habits.scale_degrees.get(mode) or next(iter(habits.scale_degrees.values()), (1,) * 12)
    row = np.array(counts, dtype=float)
    shares: FloatArray = row / max(1.0, row.sum())
    return shares


class PitchSimilarity:
    """A target to hold versions of one melody against."""

    def __init__(
        self,
        key: Key,
        weighted_statistics: Sequence[tuple[float, StyleStatistics]],
        contrast_statistics: Mapping[str, StyleStatistics],
        own: IntArray,
    ) -> None:
        """``parts`` are the target's habits by weight, ``others`` those of the other styles.

        ``own`` are the pitches (N,) from where the way begins.
        """
        self._tonic = key.tonic
        self._interval_bigrams = sum(
            (share * interval_bigram_shares(h) for share, h in weighted_statistics),
            np.zeros((REST_TOKEN, REST_TOKEN)),
        )
        self._degrees = sum(
            (share * scale_degree_shares(h, key.is_minor) for share, h in weighted_statistics),
            np.zeros(OCTAVE),
        )
        self._log_odds: FloatArray | None = None
        self._start = self._distance = 0.0
        if contrast_statistics and len(own) > 2:
            target = next_interval_probabilities(weighted_statistics[0][1])
            pairs = self._interval_pairs(own)
            sources = [
                next_interval_probabilities(habits)
                for habits in contrast_statistics.values()
                if habits.interval_bigrams
            ]
            nearest = max([target, *sources], key=lambda table: float(np.log(table[pairs]).sum()))
            if nearest is not target:
                odds = np.log(target) - np.log(nearest)
                self._log_odds = odds.clip(-LONGEST_ODDS, LONGEST_ODDS)
                self._start = float(self._log_odds[pairs].mean())
                self._distance = (
                    float(
                        (self._log_odds * interval_bigram_shares(weighted_statistics[0][1])).sum()
                    )
                    - self._start
                )

    def __call__(self, pitches: IntArray) -> float:
        """How near a melody is: 1 is alike, 0 nothing in common."""
        if len(pitches) < 3:
            return 0.0
        pairs = self._interval_pairs(pitches)
        ours = np.zeros((REST_TOKEN, REST_TOKEN))
        np.add.at(ours, pairs, 1 / len(pairs[0]))
        degrees = np.bincount((pitches - self._tonic) % OCTAVE, minlength=OCTAVE) / len(pitches)
        near = (1 - DEGREES) * float(np.minimum(ours, self._interval_bigrams).sum())
        near += DEGREES * float(np.minimum(degrees, self._degrees).sum())
        if self._log_odds is None or self._distance <= LEAST_WAY:
            return near
        progress = (float(self._log_odds[pairs].mean()) - self._start) / self._distance
        return (1 - ODDS) * near + ODDS * min(progress, REACH)

    @staticmethod
    def _interval_pairs(pitches: IntArray) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        intervals = folded_intervals(pitches)
        return intervals[:-1], intervals[1:]
