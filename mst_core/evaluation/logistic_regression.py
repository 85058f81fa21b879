"""The second judge: logistic regression between two styles, by what a tune is made of.

It hears no order beyond two notes: the shares of (place in the bar, duration) and of pairs of
durations in a window, their square roots weighted (Hellinger), so that one judge's blind spot is
not the other's. Ridge-penalised and fitted by Newton's method.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from mst_core.evaluation.rhythm_features import RhythmSequence

MIN_WINDOWS = 6
"""Windows that a feature must occur in to be heard at all."""
RIDGE = 0.3
NEWTON_STEPS = 8
"""Of Newton's method: more change no digit that is printed."""
WINDOW_NOTES = 48
"""Windows of equal length, since shares in short ones scatter more."""

FeatureMatrix = NDArray[np.float64]


@dataclass(frozen=True)
class FeatureExtractor:
    """Turns rhythms into rows of numbers."""

    columns: dict[Hashable, int]
    """The column of each feature."""

    @classmethod
    def fit(cls, rhythms: Iterable[RhythmSequence]) -> FeatureExtractor:
        """An ear for all that is not too rare in these."""
        seen = Counter(name for rhythm in rhythms for w in _windows(rhythm) for name in _shares(w))
        kept = sorted((name for name, windows in seen.items() if windows >= MIN_WINDOWS), key=repr)
        return cls({name: place for place, name in enumerate(kept)})

    def transform(self, rhythm: RhythmSequence) -> FeatureMatrix:
        """A row for each window: (windows, F), the last column is 1."""
        windows = _windows(rhythm)
        rows = np.zeros((len(windows), len(self.columns) + 1))
        rows[:, -1] = 1.0
        for row, window in zip(rows, windows, strict=True):
            for name, share in _shares(window).items():
                place = self.columns.get(name)
                if place is not None:
                    row[place] = np.sqrt(share)
        return rows


class LogisticRegression:
    """Learns to tell one style from another; the verdict is log-odds for the second."""

    def __init__(self, first: Sequence[FeatureMatrix], second: Sequence[FeatureMatrix]) -> None:
        one, other = np.concatenate(first), np.concatenate(second)
        rows = np.concatenate((one, other))
        sizes = (len(one), len(other))
        wanted = np.repeat((0.0, 1.0), sizes)
        # Each style weighs the same, however many tunes it has.
        weights = np.repeat([0.5 * len(rows) / size for size in sizes], sizes)
        self._slope = _fit(rows, wanted, weights)

    def log_odds(self, rows: FeatureMatrix) -> float:
        """Log-odds for the second style, the mean over the windows of a tune."""
        return float(np.mean(rows @ self._slope))


def _windows(rhythm: RhythmSequence) -> list[RhythmSequence]:
    return rhythm.windows(WINDOW_NOTES) or [rhythm]


def _shares(rhythm: RhythmSequence) -> dict[Hashable, float]:
    notes = rhythm.notes
    counts: Counter[Hashable] = Counter(("at", note.position, note.duration) for note in notes)
    counts.update(("pair", one.duration, other.duration) for one, other in pairwise(notes))
    return {name: count / len(notes) for name, count in counts.items()}


def _fit(rows: FeatureMatrix, wanted: FeatureMatrix, weights: FeatureMatrix) -> FeatureMatrix:
    """Newton's method on the penalised log-likelihood; rows (N, F), returns (F,)."""
    slope = np.zeros(rows.shape[1])
    ridge = np.full(rows.shape[1], RIDGE)
    ridge[-1] = 1e-6  # the intercept is free
    for _ in range(NEWTON_STEPS):
        share = 1 / (1 + np.exp(-np.clip(rows @ slope, -30, 30)))
        gradient = rows.T @ (weights * (share - wanted)) + ridge * slope
        curve = (rows * (weights * share * (1 - share))[:, None]).T @ rows + np.diag(ridge)
        slope -= np.linalg.solve(curve, gradient)
    return slope
