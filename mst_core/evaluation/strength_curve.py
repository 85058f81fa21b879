"""Whether a knob turns smoothly: falls, jumps, and how well a judge hears where it stands."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from mst_core.evaluation.rhythm_features import (
    PositionDurationCounts,
    RhythmSequence,
    jensen_shannon,
    position_durations,
)
from mst_core.music import Melody

# Whether a rhythm is natural: as varied as real ones, and nothing that no player writes.

WINDOW_NOTES = 64
"""Entropy counted from few notes is too low; windows of one length are alike in that."""


def duration_entropy(rhythm: RhythmSequence) -> float | None:
    """Bits of the durations of its notes, mean of windows; None when it is shorter than one."""
    found = [_bits(Counter(n.duration for n in w.notes)) for w in rhythm.windows(WINDOW_NOTES)]
    return float(np.mean(found)) if found else None


def _bits(counts: Counter[int]) -> float:
    shares = np.array(list(counts.values())) / counts.total()
    return float(-(shares * np.log2(shares)).sum())


class SeenEvents:
    """What players of a style write: each (place, duration) of its real tunes, by kind of bar."""

    def __init__(self, rhythms: Iterable[RhythmSequence]) -> None:
        self._written = {
            (rhythm.kind, note.position, note.duration)
            for rhythm in rhythms
            for note in rhythm.notes
        }

    def unseen_rate(self, rhythm: RhythmSequence) -> float:
        """Share of the notes that no player of the style writes."""
        unheard = sum(
            (rhythm.kind, n.position, n.duration) not in self._written for n in rhythm.notes
        )
        return unheard / max(1, len(rhythm.notes))


STRENGTHS = tuple(step / 20 for step in range(21))
TOLERANCE = 1e-9


def changed_share(before: Melody, after: Melody) -> float:
    """D: the share of notes whose onset or duration is another, a new meter's bars set aside."""
    scale = after.meter.bar_length / before.meter.bar_length
    moved = sum(
        (new.onset, new.duration) != (old.onset * scale, old.duration * scale)
        for old, new in zip(before.notes, after.notes, strict=True)
    )
    return moved / max(1, len(before.notes))


def profile_similarity(rhythm: RhythmSequence, real: PositionDurationCounts) -> float:
    """S: 1 less the Jensen-Shannon distance of places and durations to those of real tunes."""
    return 1 - float(np.sqrt(jensen_shannon(position_durations([rhythm]), real)))


@dataclass(frozen=True, slots=True)
class StrengthCurve:
    """One tune over rising strengths."""

    changed: tuple[float, ...]
    similarity: tuple[float, ...]
    log_odds: dict[str, tuple[float, ...]]
    """The log-odds of each judge."""
    smallest_step: float
    """The smallest step that the tied form allows (`form.smallest_step`)."""
    repeats: tuple[float | None, ...] = ()
    """Share of the repeated bars that are kept."""

    @property
    def decreases(self) -> tuple[int, int]:
        """How often D fell, and how often S."""
        return _falls(self.changed), _falls(self.similarity)

    @property
    def largest_decrease(self) -> float:
        """The largest fall of S between neighbours, 0 when it never falls."""
        return max(0.0, *(a - b for a, b in pairwise(self.similarity)))

    @property
    def fewest_repeats(self) -> float | None:
        """The least share of repeated bars that is kept at any strength."""
        return min((share for share in self.repeats if share is not None), default=None)

    @property
    def largest_jump(self) -> float:
        """The largest rise of D between neighbours."""
        return max((b - a for a, b in pairwise(self.changed)), default=0.0)

    @property
    def jumps_too_far(self) -> bool:
        """Whether D jumps further than it may."""
        return self.largest_jump > max(0.15, self.smallest_step) + TOLERANCE

    def rank_correlation(self, judge: str) -> float | None:
        """Spearman's correlation of a judge with the strength; None where nothing changed."""
        heard = self.log_odds[judge]
        return spearman(range(len(heard)), heard) if len(set(heard)) > 1 else None


def _falls(values: Sequence[float]) -> int:
    return sum(b < a - TOLERANCE for a, b in pairwise(values))


def spearman(one: Sequence[float], other: Sequence[float]) -> float:
    """Correlation of ranks; ties share their mean rank."""
    return float(np.corrcoef(_ranks(one), _ranks(other))[0, 1])


def _ranks(values: Sequence[float]) -> list[float]:
    rising = sorted(values)
    return [rising.index(value) + (rising.count(value) - 1) / 2 for value in values]
