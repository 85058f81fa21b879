"""The second judge: logistic regression between two styles, by what a tune is made of.

It hears no order beyond two notes: the shares of (place in the bar, duration) and of pairs of
durations in a window, their square roots weighted (Hellinger), so that one judge's blind spot is
not the other's. Ridge-penalised and fitted by Newton's method.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from mst_core.judging.rhythm import Rhythm

FEWEST = 4
"""Windows that a feature must occur in to be heard at all."""
RIDGE = 0.3
STEPS = 12
WINDOW_NOTES = 48
"""Windows of equal length, since shares in short ones scatter more."""


class Contrast:
    """Learns to tell one style from another; the verdict is log-odds for the second."""

    def __init__(self, first: Sequence[Rhythm], second: Sequence[Rhythm]) -> None:
        windows = [[_shares(w) for rhythm in style for w in _windows(rhythm)]
                   for style in (first, second)]  # fmt: skip
        seen = Counter(name for style in windows for shares in style for name in shares)
        self._names = {
            name: index
            for index, name in enumerate(sorted((n for n in seen if seen[n] >= FEWEST), key=repr))
        }
        rows = np.array([self._row(shares) for style in windows for shares in style])
        wanted = np.repeat([0.0, 1.0], [len(style) for style in windows])
        # Each style weighs the same, however many tunes it has.
        weights = np.repeat([0.5 * len(wanted) / max(1, len(style)) for style in windows],
                            [len(style) for style in windows])  # fmt: skip
        self._slope = _fit(rows, wanted, weights)

    def verdict(self, rhythm: Rhythm) -> float:
        """Log-odds for the second style, the mean over windows of the tune."""
        rows = np.array([self._row(_shares(window)) for window in _windows(rhythm)])
        return float(np.mean(rows @ self._slope))

    def _row(self, shares: dict[Hashable, float]) -> NDArray[np.float64]:
        row = np.zeros(len(self._names) + 1)
        row[-1] = 1.0
        for name, share in shares.items():
            index = self._names.get(name)
            if index is not None:
                row[index] = np.sqrt(share)
        return row


def _windows(rhythm: Rhythm) -> list[Rhythm]:
    return rhythm.cut(WINDOW_NOTES) or [rhythm]


def _shares(rhythm: Rhythm) -> dict[Hashable, float]:
    notes = rhythm.notes
    counts: Counter[Hashable] = Counter(("at", note.place, note.ticks) for note in notes)
    counts.update(("pair", one.ticks, other.ticks) for one, other in pairwise(notes))
    return {name: count / len(notes) for name, count in counts.items()}


def _fit(
    rows: NDArray[np.float64], wanted: NDArray[np.float64], weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Newton's method on the penalised log-likelihood; rows (N, F), returns (F,)."""
    slope = np.zeros(rows.shape[1])
    ridge = RIDGE * np.eye(rows.shape[1])
    ridge[-1, -1] = 1e-6  # the intercept is free
    for _ in range(STEPS):
        share = 1 / (1 + np.exp(-np.clip(rows @ slope, -30, 30)))
        gradient = rows.T @ (weights * (share - wanted)) + ridge @ slope
        curve = (rows * (weights * share * (1 - share))[:, None]).T @ rows + ridge
        slope -= np.linalg.solve(curve, gradient)
    return slope
