"""Logistic regression between two styles over windows of notes.

Features are square roots of shares (Hellinger): of (position in the bar, duration), and of pairs of
consecutive durations. It has no order beyond two notes, unlike the n-gram model. L2-penalised,
fitted by Newton's method; styles have equal weight.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from mst_core.evaluation.config import EvaluationConfig
from mst_core.evaluation.rhythm_features import RhythmSequence


def select_features(
    rhythms: Iterable[RhythmSequence], config: EvaluationConfig = EvaluationConfig()
) -> dict[Hashable, int]:
    """Select the features that occur in at least ``config.regression_min_windows`` windows.

    Args:
        rhythms: the rhythms of all tunes that a classifier is trained or tested on.
        config: the length of a window in notes, and the windows that a feature needs.

    Returns:
        The column of each feature; F is their number.
    """
    seen = Counter(
        name
        for rhythm in rhythms
        for window in _windows(rhythm, config.regression_window_notes)
        for name in _shares(window)
    )
    kept = sorted(
        (name for name, count in seen.items() if count >= config.regression_min_windows),
        key=repr,
    )
    return {name: column for column, name in enumerate(kept)}


def feature_rows(
    rhythm: RhythmSequence,
    columns: Mapping[Hashable, int],
    config: EvaluationConfig = EvaluationConfig(),
) -> NDArray[np.float64]:
    """Compute one row a window, ``(W, F + 1)``; the last column is the intercept's 1.

    Args:
        rhythm: a tune that is cut into W windows.
        columns: the column of each of F features, from `select_features`.
        config: the length of a window in notes.

    Returns:
        Square roots of the shares, 0 to 1, that each feature has in a window.
    """
    windows = _windows(rhythm, config.regression_window_notes)
    rows = np.zeros((len(windows), len(columns) + 1))
    rows[:, -1] = 1.0
    for row, window in zip(rows, windows, strict=True):
        for name, share in _shares(window).items():
            column = columns.get(name)
            if column is not None:
                row[column] = np.sqrt(share)
    return rows


def fit_regression(
    first: Sequence[NDArray[np.float64]],
    second: Sequence[NDArray[np.float64]],
    config: EvaluationConfig = EvaluationConfig(),
) -> NDArray[np.float64]:
    """Fit a binary classifier of windows.

    Args:
        first: feature matrices ``(W, F + 1)`` of the tunes of the first style.
        second: the same of the second style.
        config: penalty and number of Newton steps.

    Returns:
        Weights, ``(F + 1,)``: their product with a row is the log-odds of the second style.
    """
    one, other = np.concatenate(first), np.concatenate(second)
    rows = np.concatenate((one, other))
    sizes = (len(one), len(other))
    labels = np.repeat((0.0, 1.0), sizes)
    weights = np.repeat([0.5 * len(rows) / size for size in sizes], sizes)
    return _fit(rows, labels, weights, config)


def _windows(rhythm: RhythmSequence, length: int) -> list[RhythmSequence]:
    return rhythm.windows(length) or [rhythm]


def _shares(rhythm: RhythmSequence) -> dict[Hashable, float]:
    """Share of each feature among the notes of a window."""
    notes = rhythm.notes
    counts: Counter[Hashable] = Counter(("at", note.position, note.duration) for note in notes)
    counts.update(("pair", one.duration, other.duration) for one, other in pairwise(notes))
    return {name: count / len(notes) for name, count in counts.items()}


def _fit(
    rows: NDArray[np.float64],
    labels: NDArray[np.float64],
    weights: NDArray[np.float64],
    config: EvaluationConfig,
) -> NDArray[np.float64]:
    """Maximise the penalised log-likelihood of rows (N, F + 1) by Newton's method: (F + 1,)."""
    slope = np.zeros(rows.shape[1])
    ridge = np.full(rows.shape[1], config.ridge)
    ridge[-1] = 1e-6  # the intercept is free
    for _ in range(config.newton_steps):
        probability = 1 / (1 + np.exp(-np.clip(rows @ slope, -30, 30)))
        gradient = rows.T @ (weights * (probability - labels)) + ridge * slope
        hessian = (rows * (weights * probability * (1 - probability))[:, None]).T @ rows
        slope -= np.linalg.solve(hessian + np.diag(ridge), gradient)
    return slope
