"""Two judges for two styles, cross-fitted: none has heard the tune that it judges.

Real pieces lie in folds by title. For each fold a pair of judges learns from the pieces of the
other folds; a real piece, and whatever is made from it, comes before the judges of its fold.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from mst_core.evaluation.logistic_regression import FeatureExtractor, LogisticRegression
from mst_core.evaluation.ngram_classifier import NgramModel
from mst_core.evaluation.pieces import EvaluationPiece, sample
from mst_core.evaluation.rhythm_features import RhythmSequence

CLASSIFIERS = ("3-gram", "regression")
MAX_TRAINING_PIECES = 600
"""Pieces of a style that the judges learn from."""


@dataclass(frozen=True, slots=True)
class _FoldClassifiers:
    """The judges of one fold."""

    first: NgramModel
    second: NgramModel
    contrast: LogisticRegression


class CrossFittedClassifiers:
    """Tells how much more a rhythm belongs to the second style than to the first, log-odds."""

    def __init__(self, first: Sequence[EvaluationPiece], second: Sequence[EvaluationPiece]) -> None:
        self._styles = (sample(first, MAX_TRAINING_PIECES), sample(second, MAX_TRAINING_PIECES))
        self._ear = FeatureExtractor.fit(piece.rhythm for style in self._styles for piece in style)
        self._rows = [
            [self._ear.transform(piece.rhythm) for piece in style] for style in self._styles
        ]
        self._bench = cache(self._fit_fold)

    def log_odds(self, rhythm: RhythmSequence, fold: int) -> dict[str, float]:
        """The log-odds of each judge: the 3-gram's an event, the regression's of a window."""
        bench = self._bench(fold)
        odds = bench.second.log_likelihood(rhythm) - bench.first.log_likelihood(rhythm)
        return {
            "3-gram": odds / max(1, len(rhythm.events)),
            "regression": bench.contrast.log_odds(self._ear.transform(rhythm)),
        }

    def _fit_fold(self, fold: int) -> _FoldClassifiers:
        heard = [
            [place for place, piece in enumerate(style) if piece.fold != fold]
            for style in self._styles
        ]
        first, second = (
            NgramModel(style[place].rhythm for place in places)
            for style, places in zip(self._styles, heard, strict=True)
        )
        rows = [
            [all_of[place] for place in places]
            for all_of, places in zip(self._rows, heard, strict=True)
        ]
        return _FoldClassifiers(first, second, LogisticRegression(*rows))
