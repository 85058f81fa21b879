"""Configuration of an evaluation: sample sizes and the parameters of the metrics.

Stands alone because every module of the package imports it.
"""

from __future__ import annotations

import msgspec


class EvaluationConfig(msgspec.Struct, frozen=True, kw_only=True):
    """How much is measured, and the parameters of classifiers and metrics."""

    tunes: int = 40
    """Source tunes in each direction from style to style."""
    tasks: frozenset[str] = frozenset({"losses", "new", "transfers", "one-tune"})
    """What is evaluated."""
    seeds: tuple[int, ...] = (0, 1, 2)
    """Seeds of each transfer."""
    strengths: tuple[float, ...] = tuple(step / 20 for step in range(21))
    """Strengths, 0 to 1, at which each tune is transferred."""
    shown_strengths: tuple[float, ...] = (0.25, 0.5, 0.75, 1.0)
    """Strengths that get a row of their own in the report."""
    targets: int = 50
    """Target tunes of the retrieval task."""
    new_tunes: int = 200
    """New tunes that are composed in each style."""
    new_tune_bars: int = 16
    """Bars of a new tune."""

    min_real_tunes: int = 20
    """Real tunes that a style needs to be evaluated."""
    min_targets: int = 10
    """Targets that the retrieval task needs."""
    reference_pieces: int = 200
    """Real pieces that percentiles and the classifiers' mean on real tunes are taken over."""
    max_training_pieces: int = 600
    """Pieces of a style that the classifiers are trained on."""

    folds: int = 5
    """Folds of cross-fitting."""
    window_bars: int = 16
    """Bars of a window of a long tune."""
    max_piece_bars: int = 40
    """Bars up to which a tune is one piece; a longer one, a solo, is cut into windows."""
    max_windows: int = 4
    """Windows of one tune, evenly spread, so that no long solo dominates its style."""
    min_piece_notes: int = 16
    """Notes that a piece needs."""
    min_half_bars: int = 8
    """Bars that each half of a target of the retrieval task needs."""
    min_half_notes: int = 16
    """Notes that each half of a target of the retrieval task needs."""
    max_jump: float = 0.15
    """Share of notes that neighbouring strengths may differ by."""
    jump_strengths: int = 21
    """Strengths from which a larger difference is a jump: with fewer each step is larger."""

    ngram_order: int = 3
    """Events of an n-gram."""
    regression_window_notes: int = 48
    """Notes of a window of the regression: shares in shorter windows scatter more."""
    regression_min_windows: int = 6
    """Windows that a feature must occur in to be used."""
    ridge: float = 0.3
    """L2 penalty of the regression's weights."""
    newton_steps: int = 8
    """Steps of Newton's method; more change no printed digit."""


QUICK = EvaluationConfig(
    tunes=10, seeds=(0,), strengths=(0.0, 0.25, 0.5, 0.75, 1.0), targets=15, new_tunes=20
)
"""Minutes on two busy cores, with intervals as wide as the small samples make them."""
