"""The tunable constants of the statistics of a corpus.

Stands alone because several modules of the package and `mst_core.composing` take it as an argument.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StatisticsConfig:
    """What an experiment may change; style folders of another configuration stay readable."""

    min_count: int = 3
    """Bar rhythms and interval bigrams with fewer occurrences in a corpus are left out."""

    min_rhythm_tunes: int = 3
    """Tunes that a whole-bar rhythm must occur in: no rhythm of one player alone is kept."""
    max_bar_rhythms: int = 80
    """Whole-bar rhythms that are kept of each number of notes, the commonest ones."""
    compared_bars: int = 16
    """Bars of a tune whose rhythms are compared: the share falls with the length of a tune."""

    min_bar_notes: int = 3
    """A bar with fewer notes repeats nothing: it would be like too many others."""
    min_variation_overlap: float = 0.6
    """Share of notes with equal onset and pitch from which a bar is a variation of another."""

    min_profile_notes: int = 16
    """Notes of a tune below which its profile is left out: a histogram of a few notes is noise."""
    min_other_tunes: int = 10
    """Other tunes of a meter that a rank among them needs."""

    unrelated_tunes: int = 200
    """Tunes that a style was not trained on whose shared runs are measured, at most."""
    max_shared_melody: float = 0.25
    """Share of a tune's events in one run above which it counts as a variant of a training tune."""
    run_pairs: int = 1000
    """Pairs of training tunes whose shared run is measured."""
    min_percentile_tunes: int = 20
    """Values that a 95th percentile needs."""
