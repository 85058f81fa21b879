"""Two classifiers between two styles, cross-fitted: no tune is classified by a model it trained.

Real pieces lie in folds by title. For each fold, an n-gram model of each style and a logistic
regression are trained on the pieces of the other folds; a real piece, and whatever is made from it,
is classified by the models of its fold.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from mst_core.evaluation.config import EvaluationConfig
from mst_core.evaluation.logistic_regression import (
    feature_rows,
    fit_regression,
    select_features,
)
from mst_core.evaluation.ngram_classifier import NgramModel
from mst_core.evaluation.pieces import EvaluationPiece, sample
from mst_core.evaluation.rhythm_features import RhythmSequence

CLASSIFIERS = ("3-gram", "regression")


class CrossFittedClassifiers:
    """Log-odds that a rhythm belongs to the second of two styles."""

    def __init__(
        self,
        first: Sequence[EvaluationPiece],
        second: Sequence[EvaluationPiece],
        config: EvaluationConfig = EvaluationConfig(),
    ) -> None:
        """Take real pieces of both styles; the models of a fold are trained when first used."""
        self._config = config
        self._styles = [sample(style, config.max_training_pieces) for style in (first, second)]
        rhythms = (piece.rhythm for style in self._styles for piece in style)
        self._columns = select_features(rhythms, config)
        self._rows = [
            [feature_rows(piece.rhythm, self._columns, config) for piece in style]
            for style in self._styles
        ]
        self._models = cache(self._fit_fold)

    def log_odds(self, rhythm: RhythmSequence, fold: int) -> dict[str, float]:
        """Classify a rhythm by the models of a fold.

        Args:
            rhythm: the rhythm to classify, of at least one note.
            fold: fold of its tune, from 0; the models were trained on the other folds.

        Returns:
            By classifier: the n-gram models' log-odds an event, the regression's mean log-odds of
            a window; above 0 for the second style.
        """
        first, second, weights = self._models(fold)
        rows = feature_rows(rhythm, self._columns, self._config)
        difference = second.log_likelihood(rhythm) - first.log_likelihood(rhythm)
        return {
            "3-gram": difference / max(1, len(rhythm.events)),
            "regression": float(np.mean(rows @ weights)),
        }

    def _fit_fold(self, fold: int) -> tuple[NgramModel, NgramModel, NDArray[np.float64]]:
        """Train on the pieces of all other folds: both n-gram models, and weights ``(F,)``."""
        kept = [
            [index for index, piece in enumerate(style) if piece.fold != fold]
            for style in self._styles
        ]
        first, second = (
            NgramModel((style[index].rhythm for index in indices), self._config.ngram_order)
            for style, indices in zip(self._styles, kept, strict=True)
        )
        first_rows, second_rows = (
            [rows[index] for index in indices]
            for rows, indices in zip(self._rows, kept, strict=True)
        )
        return first, second, fit_regression(first_rows, second_rows, self._config)
