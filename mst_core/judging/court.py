"""Two judges for two styles, cross-fitted: none has heard the tune that it judges.

Real pieces lie in folds by title. For each fold a pair of judges learns from the pieces of the
other folds; a real piece, and whatever is made from it, comes before the judges of its fold.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from mst_core.judging.contrast import Contrast
from mst_core.judging.ngram import Ngram
from mst_core.judging.real_tunes import FOLDS, Piece
from mst_core.judging.rhythm import Rhythm

JUDGES = ("3-gram", "regression")


@dataclass(frozen=True, slots=True)
class _Bench:
    """The judges of one fold."""

    first: Ngram
    second: Ngram
    contrast: Contrast


class Court:
    """Tells how much more a rhythm belongs to the second style than to the first, log-odds."""

    def __init__(self, first: Sequence[Piece], second: Sequence[Piece]) -> None:
        self._styles = (tuple(first), tuple(second))
        self._bench = cache(self._make_bench)

    def verdicts(self, rhythm: Rhythm, fold: int) -> dict[str, float]:
        """The log-odds of each judge: the 3-gram's an event, the regression's of a window."""
        bench = self._bench(fold)
        odds = bench.second.likelihood(rhythm) - bench.first.likelihood(rhythm)
        return {
            "3-gram": odds / max(1, len(rhythm.strokes)),
            "regression": bench.contrast.verdict(rhythm),
        }

    def _make_bench(self, fold: int) -> _Bench:
        first, second = (
            [piece.rhythm for piece in style if piece.fold != fold % FOLDS]
            for style in self._styles
        )
        return _Bench(Ngram(first), Ngram(second), Contrast(first, second))
