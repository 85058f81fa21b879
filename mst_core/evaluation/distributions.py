"""What tunes are made of, counted, and how far two collections of tunes are apart.

Four distributions (after the objective evaluation of Yang and Lerch 2018, "On the evaluation of
generative models in music"): intervals, pairs of intervals in a row, note values, and places in the
bar where notes begin. A distance is half the sum of differences of two distributions: 0 alike, 1
nothing in common.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import astuple, dataclass
from itertools import pairwise

import numpy as np

from mst_core.corpora.tunes import CorpusTune
from mst_core.corpora.vocabulary import fold_to_octave
from mst_core.training.losses import duration_class

Counts = Counter[Hashable]


@dataclass(frozen=True, slots=True)
class FeatureDistances:
    """One figure for each of the four distributions."""

    interval: float
    bigram: float
    duration: float
    onset: float

    def over(self, other: FeatureDistances) -> FeatureDistances:
        """How many times the other's figures these are."""
        return FeatureDistances(
            *(a / b for a, b in zip(astuple(self), astuple(other), strict=True))
        )

    @property
    def largest(self) -> float:
        """The largest of the four."""
        return float(max(astuple(self)))


@dataclass(frozen=True, slots=True)
class FeatureCounts:
    """The counts of one tune or of many."""

    intervals: Counts
    bigrams: Counts
    durations: Counts
    onsets: Counts

    @classmethod
    def of(cls, tune: CorpusTune) -> FeatureCounts:
        """Count one tune; intervals are folded by octaves, note values are the common classes."""
        sounding = [event for event in tune.events if event.pitch is not None]
        pitches = [event.pitch for event in sounding if event.pitch is not None]
        steps = [fold_to_octave(second - first) for first, second in pairwise(pitches)]
        return cls(
            Counter(steps),
            Counter(pairwise(steps)),
            Counter(duration_class(event.duration) for event in sounding),
            Counter(event.onset % tune.bar_ticks for event in sounding),
        )

    @classmethod
    def merge(cls, parts: Sequence[FeatureCounts]) -> FeatureCounts:
        """Add the counts of many tunes."""
        total = cls(Counter(), Counter(), Counter(), Counter())
        for part in parts:
            total.intervals.update(part.intervals)
            total.bigrams.update(part.bigrams)
            total.durations.update(part.durations)
            total.onsets.update(part.onsets)
        return total


def _apart(ours: Counts, theirs: Counts) -> float:
    mine, yours = max(ours.total(), 1), max(theirs.total(), 1)
    return sum(abs(ours[key] / mine - theirs[key] / yours) for key in ours | theirs) / 2


def distances(ours: Sequence[FeatureCounts], theirs: Sequence[FeatureCounts]) -> FeatureDistances:
    """How far two collections of tunes are apart, distribution by distribution."""
    one, other = FeatureCounts.merge(ours), FeatureCounts.merge(theirs)
    return FeatureDistances(
        _apart(one.intervals, other.intervals),
        _apart(one.bigrams, other.bigrams),
        _apart(one.durations, other.durations),
        _apart(one.onsets, other.onsets),
    )


def halves(tunes: Sequence[FeatureCounts], *, splits: int = 20, seed: int = 0) -> FeatureDistances:
    """How far two halves of a collection are apart, on average over random splits."""
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(splits):
        order = [tunes[place] for place in rng.permutation(len(tunes))]
        middle = len(order) // 2
        found.append(astuple(distances(order[:middle], order[middle:])))
    return FeatureDistances(*(float(mean) for mean in np.mean(found, axis=0)))
