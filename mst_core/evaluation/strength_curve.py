"""Strength curves: how changed notes, similarity and log-odds rise with the strength.

A good curve never falls, has no jumps, and its log-odds order the strengths. Two metrics of a
single rhythm are here too: entropy of its durations, and the share of its events that no real tune
has.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from mst_core.evaluation.config import EvaluationConfig
from mst_core.evaluation.rhythm_features import RhythmSequence, jensen_shannon, position_durations
from mst_core.music import Melody
from mst_core.statistics.style_statistics import ENTROPY_WINDOW_NOTES, duration_entropy

TOLERANCE = 1e-9
"""Differences of this size are rounding errors."""


def rhythm_entropy(rhythm: RhythmSequence) -> float | None:
    """Compute the entropy of durations in bits, the mean of windows; None below one window."""
    if len(rhythm.notes) < ENTROPY_WINDOW_NOTES:
        return None
    return duration_entropy([note.duration for note in rhythm.notes])


def seen_events(rhythms: Iterable[RhythmSequence]) -> frozenset[tuple[str, int, int]]:
    """Collect (kind of bar, position, duration) of all notes of a style's real tunes."""
    return frozenset(
        (rhythm.bar_kind, note.position, note.duration)
        for rhythm in rhythms
        for note in rhythm.notes
    )


def unseen_rate(rhythm: RhythmSequence, seen: frozenset[tuple[str, int, int]]) -> float:
    """Compute the share of notes, 0 to 1, that are not among `seen_events` of real tunes.

    Args:
        rhythm: the rhythm of a result.
        seen: (kind of bar, position, duration), both times in ticks.
    """
    unseen = sum(
        (rhythm.bar_kind, note.position, note.duration) not in seen for note in rhythm.notes
    )
    return unseen / max(1, len(rhythm.notes))


def changed_share(before: Melody, after: Melody) -> float:
    """Compute D: the share of notes whose onset or duration changed, scaled to the new bar.

    Args:
        before: the original tune of N notes.
        after: a version of it with N notes, in any meter.

    Returns:
        0 (every note kept) to 1.
    """
    scale = after.meter.bar_length / before.meter.bar_length
    changed = sum(
        (new.onset, new.duration) != (old.onset * scale, old.duration * scale)
        for old, new in zip(before.notes, after.notes, strict=True)
    )
    return changed / max(1, len(before.notes))


def profile_similarity(rhythm: RhythmSequence, real: Counter[tuple[int, int]]) -> float:
    """Compute S: 1 less the Jensen-Shannon distance of (position, duration) to real tunes.

    Args:
        rhythm: the rhythm of a result.
        real: how often each (position, duration) in ticks occurs in real tunes of the style.

    Returns:
        0 (nothing in common) to 1 (the same shares).
    """
    return 1 - float(np.sqrt(jensen_shannon(position_durations([rhythm]), real)))


@dataclass(frozen=True, slots=True)
class StrengthCurve:
    """Metrics of one tune at rising strengths, one value a strength."""

    changed: tuple[float, ...]
    """D, see `changed_share`."""
    similarity: tuple[float, ...]
    """S, see `profile_similarity`."""
    log_odds: dict[str, tuple[float, ...]]
    """Log-odds of the target style by classifier."""
    smallest_step: float
    """See `form_preservation.smallest_step`."""
    repeats: tuple[float | None, ...] = ()
    """Share of the pairs of identical bars that are kept."""
    max_jump: float = EvaluationConfig().max_jump
    """Largest rise of D between neighbouring strengths that is no jump."""

    @property
    def decreases(self) -> tuple[int, int]:
        """Number of steps at which D falls, and at which S falls."""
        return _count_decreases(self.changed), _count_decreases(self.similarity)

    @property
    def largest_decrease(self) -> float:
        """The largest fall of S between neighbouring strengths, 0 when it never falls."""
        return max(0.0, *(a - b for a, b in pairwise(self.similarity)))

    @property
    def fewest_repeats(self) -> float | None:
        """The smallest share of kept repeats at any strength."""
        return min((share for share in self.repeats if share is not None), default=None)

    @property
    def largest_jump(self) -> float:
        """The largest rise of D between neighbouring strengths."""
        return max((b - a for a, b in pairwise(self.changed)), default=0.0)

    @property
    def jumps_too_far(self) -> bool:
        """Whether D jumps by more than ``max_jump`` and more than the smallest possible step."""
        return self.largest_jump > max(self.max_jump, self.smallest_step) + TOLERANCE

    def rank_correlation(self, classifier: str) -> float | None:
        """Spearman correlation of log-odds and strength; None where nothing changed."""
        values = self.log_odds[classifier]
        return spearman(range(len(values)), values) if len(set(values)) > 1 else None


def _count_decreases(values: Sequence[float]) -> int:
    return sum(b < a - TOLERANCE for a, b in pairwise(values))


def spearman(one: Sequence[float], other: Sequence[float]) -> float:
    """Compute Spearman's rank correlation, -1 to 1; ties share their mean rank.

    Args:
        one: N values, at least two.
        other: N values that belong to them.

    Returns:
        The correlation; NaN where all values of one side are equal.
    """
    return float(np.corrcoef(_ranks(one), _ranks(other))[0, 1])


def _ranks(values: Sequence[float]) -> list[float]:
    rising = sorted(values)
    return [rising.index(value) + (rising.count(value) - 1) / 2 for value in values]
