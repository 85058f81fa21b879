"""The similarity of a melody to a target's: pairs of intervals, scale degrees, and log-odds.

As with rhythm (`rhythm_similarity`), a tune is compared with the mean profile of the target, and
with what separates the target from the style that the tune comes from. Having more of it than the
target's own tunes brings no gain.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mst_core.corpora.vocabulary import OCTAVE, REST_TOKEN
from mst_core.music import Key
from mst_core.statistics.style_statistics import StyleStatistics
from mst_core.transfer.config import TransferConfig

N_INTERVALS = REST_TOKEN
"""Interval tokens: 0 (an octave down) to 24 (an octave up)."""


def folded_intervals(pitches: NDArray[np.int64]) -> NDArray[np.int64]:
    """Interval tokens of a melody: its intervals folded into an octave up or down.

    Args:
        pitches: MIDI numbers, (N,).

    Returns:
        Tokens from 0, an octave down, to 24, an octave up; (N - 1,).
    """
    intervals = np.diff(pitches)
    folded = np.sign(intervals) * ((np.abs(intervals) - 1) % OCTAVE + 1)
    return np.where(intervals == 0, 0, folded) + OCTAVE


def _bigram_counts(statistics: StyleStatistics) -> NDArray[np.float64]:
    """Counts of pairs of consecutive intervals, (25, 25)."""
    counts = np.zeros((N_INTERVALS, N_INTERVALS))
    for before, after, count in statistics.interval_bigrams:
        counts[before, after] = count
    return counts


def interval_bigram_shares(statistics: StyleStatistics) -> NDArray[np.float64]:
    """Shares of pairs of consecutive intervals, (25, 25); they sum to 1, or to 0 without pairs."""
    counts = _bigram_counts(statistics)
    shares: NDArray[np.float64] = counts / max(1.0, counts.sum())
    return shares


def next_interval_probabilities(
    statistics: StyleStatistics, config: TransferConfig = TransferConfig()
) -> NDArray[np.float64]:
    """Probabilities of the next interval (columns) after each interval (rows), (25, 25).

    Args:
        statistics: of a style or of one tune.
        config: the weight of the overall shares that smooth each row.
    """
    counts = _bigram_counts(statistics)
    overall = (counts.sum(axis=0) + 0.5) / (counts.sum() + 0.5 * N_INTERVALS)
    kinds = np.maximum((counts > 0).sum(axis=1, keepdims=True), 1) + config.interval_smoothing
    shares: NDArray[np.float64] = (counts + kinds * overall) / (
        counts.sum(axis=1, keepdims=True) + kinds
    )
    return shares


def scale_degree_shares(statistics: StyleStatistics, minor: bool) -> NDArray[np.float64]:
    """Shares of pitches by semitones above the tonic, (12,).

    Args:
        statistics: of a style or of one tune.
        minor: whether to take the counts of minor keys; a mode without counts takes the other's.
    """
    mode = "minor" if minor else "major"
    counts = statistics.scale_degrees.get(mode) or next(
        iter(statistics.scale_degrees.values()), (1,) * 12
    )
    row = np.array(counts, dtype=float)
    shares: NDArray[np.float64] = row / max(1.0, row.sum())
    return shares


class PitchSimilarity:
    """Similarity of versions of one melody to a target: 0 nothing in common, 1 alike."""

    def __init__(
        self,
        key: Key,
        weighted_statistics: Sequence[tuple[float, StyleStatistics]],
        contrast_statistics: Sequence[StyleStatistics],
        own: NDArray[np.int64],
        config: TransferConfig = TransferConfig(),
    ) -> None:
        """Prepare the comparison.

        Args:
            key: of the tune; scale degrees are counted from its tonic.
            weighted_statistics: of the target, each with its weight; the weights sum to 1.
            contrast_statistics: of the other styles, one of which the tune may come from; empty
                where only the profile counts.
            own: the pitches (N,) of the tune as it is, from where progress is measured.
            config: the weights.
        """
        self._config = config
        self._tonic = key.tonic
        self._interval_bigrams = sum(
            (share * interval_bigram_shares(each) for share, each in weighted_statistics),
            np.zeros((N_INTERVALS, N_INTERVALS)),
        )
        self._degrees = sum(
            (
                share * scale_degree_shares(each, key.is_minor)
                for share, each in weighted_statistics
            ),
            np.zeros(OCTAVE),
        )
        self._log_odds: NDArray[np.float64] | None = None
        self._start = self._distance = 0.0
        if contrast_statistics and len(own) > 2:
            statistics = weighted_statistics[0][1]
            target = next_interval_probabilities(statistics, config)
            pairs = self._interval_pairs(own)
            sources = [
                next_interval_probabilities(each, config)
                for each in contrast_statistics
                if each.interval_bigrams
            ]
            nearest = max([target, *sources], key=lambda table: float(np.log(table[pairs]).sum()))
            if nearest is not target:
                log_odds = np.log(target) - np.log(nearest)
                self._log_odds = log_odds.clip(-config.max_log_odds, config.max_log_odds)
                self._start = float(self._log_odds[pairs].mean())
                target_mean = float((self._log_odds * interval_bigram_shares(statistics)).sum())
                self._distance = target_mean - self._start

    def __call__(self, pitches: NDArray[np.int64]) -> float:
        """Similarity of a version with these MIDI numbers, (N,); 0 where it has fewer than 3."""
        if len(pitches) < 3:
            return 0.0
        config = self._config
        pairs = self._interval_pairs(pitches)
        shares = np.zeros((N_INTERVALS, N_INTERVALS))
        np.add.at(shares, pairs, 1 / len(pairs[0]))
        degrees = np.bincount((pitches - self._tonic) % OCTAVE, minlength=OCTAVE) / len(pitches)
        overlap = (1 - config.degree_weight) * float(
            np.minimum(shares, self._interval_bigrams).sum()
        )
        overlap += config.degree_weight * float(np.minimum(degrees, self._degrees).sum())
        if self._log_odds is None or self._distance <= config.min_distance:
            return overlap
        progress = (float(self._log_odds[pairs].mean()) - self._start) / self._distance
        weight = config.pitch_log_odds_weight
        return (1 - weight) * overlap + weight * min(progress, config.pitch_gain_cap)

    @staticmethod
    def _interval_pairs(pitches: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Pairs of consecutive interval tokens, as two arrays (N - 2,)."""
        intervals = folded_intervals(pitches)
        return intervals[:-1], intervals[1:]
