"""Two judges for two styles, cross-fitted: none has heard the tune that it judges.

Real pieces lie in folds by title. For each fold a pair of judges learns from the pieces of the
other folds; a real piece, and whatever is made from it, comes before the judges of its fold.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from mst_core.evaluation.logistic_regression import Contrast, Ear
from mst_core.evaluation.ngram_classifier import Ngram
from mst_core.evaluation.pieces import Piece, sample
from mst_core.evaluation.rhythm_features import Rhythm

JUDGES = ("3-gram", "regression")
MOST_HEARD = 600
"""Pieces of a style that the judges learn from."""


@dataclass(frozen=True, slots=True)
class _Bench:
    """The judges of one fold."""

    first: Ngram
    second: Ngram
    contrast: Contrast


class Court:
    """Tells how much more a rhythm belongs to the second style than to the first, log-odds."""

    def __init__(self, first: Sequence[Piece], second: Sequence[Piece]) -> None:
        self._styles = (sample(first, MOST_HEARD), sample(second, MOST_HEARD))
        self._ear = Ear.of(piece.rhythm for style in self._styles for piece in style)
        self._rows = [[self._ear.hear(piece.rhythm) for piece in style] for style in self._styles]
        self._bench = cache(self._make_bench)

    def verdicts(self, rhythm: Rhythm, fold: int) -> dict[str, float]:
        """The log-odds of each judge: the 3-gram's an event, the regression's of a window."""
        bench = self._bench(fold)
        odds = bench.second.likelihood(rhythm) - bench.first.likelihood(rhythm)
        return {
            "3-gram": odds / max(1, len(rhythm.strokes)),
            "regression": bench.contrast.verdict(self._ear.hear(rhythm)),
        }

    def _make_bench(self, fold: int) -> _Bench:
        heard = [
            [place for place, piece in enumerate(style) if piece.fold != fold]
            for style in self._styles
        ]
        first, second = (
            Ngram(style[place].rhythm for place in places)
            for style, places in zip(self._styles, heard, strict=True)
        )
        rows = [
            [all_of[place] for place in places]
            for all_of, places in zip(self._rows, heard, strict=True)
        ]
        return _Bench(first, second, Contrast(*rows))
