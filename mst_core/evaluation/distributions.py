"""Distances between two collections of tunes, over four distributions of features.

After the objective evaluation of Yang and Lerch 2018, "On the evaluation of generative models in
music": intervals, bigrams of intervals, note values, and onsets in the bar. The distance is the
total variation distance, 0 (equal) to 1 (disjoint).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import msgspec
import numpy as np

from mst_core.corpora.tunes import CorpusTune
from mst_core.corpora.vocabulary import fold_to_octave
from mst_core.training.losses import duration_class


class FeatureDistances(msgspec.Struct, frozen=True):
    """One number for each of the four distributions."""

    interval: float
    bigram: float
    duration: float
    onset: float

    def relative_to(self, other: FeatureDistances) -> FeatureDistances:
        """Return each distance divided by that of ``other``."""
        ours, theirs = msgspec.structs.astuple(self), msgspec.structs.astuple(other)
        return FeatureDistances(*(a / b for a, b in zip(ours, theirs, strict=True)))

    @property
    def largest(self) -> float:
        """The largest of the four."""
        return float(max(msgspec.structs.astuple(self)))


@dataclass(frozen=True, slots=True)
class FeatureCounts:
    """How often each feature value occurs, in one tune or in many."""

    intervals: Counter[Hashable]
    """Semitones, folded into an octave."""
    bigrams: Counter[Hashable]
    """Pairs of consecutive intervals."""
    durations: Counter[Hashable]
    """Duration classes of the common alphabet."""
    onsets: Counter[Hashable]
    """Ticks after the barline."""

    @classmethod
    def of(cls, tune: CorpusTune) -> FeatureCounts:
        """Count one tune."""
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


def _total_variation(ours: Counter[Hashable], theirs: Counter[Hashable]) -> float:
    n_ours, n_theirs = max(ours.total(), 1), max(theirs.total(), 1)
    return sum(abs(ours[key] / n_ours - theirs[key] / n_theirs) for key in ours | theirs) / 2


def feature_distances(
    ours: Sequence[FeatureCounts], theirs: Sequence[FeatureCounts]
) -> FeatureDistances:
    """Compute the distances between two collections of tunes, each pooled.

    Args:
        ours: counts of each tune of one collection.
        theirs: counts of each tune of the other.

    Returns:
        Total variation distances, each 0 (equal) to 1 (disjoint).
    """
    one, other = FeatureCounts.merge(ours), FeatureCounts.merge(theirs)
    return FeatureDistances(
        _total_variation(one.intervals, other.intervals),
        _total_variation(one.bigrams, other.bigrams),
        _total_variation(one.durations, other.durations),
        _total_variation(one.onsets, other.onsets),
    )


def half_distances(
    tunes: Sequence[FeatureCounts], *, splits: int = 20, seed: int = 0
) -> FeatureDistances:
    """Compute the distances between two random halves of a collection, the mean over splits.

    Args:
        tunes: counts of each tune, at least two.
        splits: number of random splits.
        seed: of the random splits.
    """
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(splits):
        order = [tunes[index] for index in rng.permutation(len(tunes))]
        middle = len(order) // 2
        distances = feature_distances(order[:middle], order[middle:])
        found.append(msgspec.structs.astuple(distances))
    return FeatureDistances(*(float(mean) for mean in np.mean(found, axis=0)))
