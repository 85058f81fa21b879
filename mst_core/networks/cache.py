"""What a tune did so far, mixed into what its networks expect.

A continuous cache after Grave, Joulin and Usunier 2017 ("Improving Neural Language Models with a
Continuous Cache"), with the last events as keys in place of hidden states: how a tune went on in
the same circumstances counts the more, the oftener they came. How much is learned on the validation
part, a few numbers a network. A line of its own for each tune; nothing that comes later is known.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from mst_core.networks.features import DURATION_FEATURES, PITCH_FEATURES

Probabilities = NDArray[np.float64]
CacheWeights = tuple[tuple[float, ...], ...]
"""For each kind of circumstances, the share of the cache by how often they came."""

BEAT_TICKS = 24
"""Ticks: a place counts within its beat."""
DECAY = 0.97
"""What is left of older counts each time that the circumstances come again."""
COUNT_BUCKETS = (0.5, 1.5, 3.5, 8.0, 16.0)
"""Where one grade of counts ends and the next begins; the first grade is "never"."""
CANDIDATE_WEIGHTS = (0.0, 0.005, 0.01, 0.02, 0.04, 0.07, 0.1, 0.15, 0.2, 0.3)
PITCH_CONTEXTS = (
    ("tone", "interval", "interval before"),
    ("tone", "duration"),
    ("degree", "interval"),
)
DURATION_CONTEXTS = (
    ("place", "duration", "duration before"),
    ("place", "interval now"),
    ("place", "interval now", "duration"),
)
KINDS, GRADES = len(PITCH_CONTEXTS), len(COUNT_BUCKETS) + 1
_COLUMNS = {feature.name: column for column, feature in enumerate(DURATION_FEATURES)}


class ContinuousCache:
    """The cache of one line. It needs each row that its network sees, in order."""

    def __init__(self, features: int, weights: CacheWeights) -> None:
        of_pitch = features == len(PITCH_FEATURES)
        named = PITCH_CONTEXTS if of_pitch else DURATION_CONTEXTS
        self._columns = [[_COLUMNS[name] for name in names] for names in named]
        self._observed_column = _COLUMNS["interval" if of_pitch else "duration"]
        self._counts: list[dict[tuple[int, ...], Probabilities]] = [{} for _ in named]
        self._keys: list[tuple[int, ...]] = []
        self._weights = weights

    def update(self, row: Sequence[int], tokens: int) -> list[Probabilities | None]:
        """Learn from a row what came last; return what followed its own circumstances so far."""
        place = _COLUMNS["place"]
        came = row[self._observed_column]
        for counts, key in zip(self._counts, self._keys, strict=False):
            known = counts.setdefault(key, np.zeros(tokens))
            known *= DECAY
            known[came] += 1
        self._keys = [
            tuple(
                row[column] % BEAT_TICKS if column == place else row[column] for column in columns
            )
            for columns in self._columns
        ]
        return [counts.get(key) for counts, key in zip(self._counts, self._keys, strict=True)]

    def mix(self, row: Sequence[int], probabilities: Probabilities) -> Probabilities:
        """Mix the cache into the shares (V,) that a network gives for a row of features."""
        found = self.update(row, len(probabilities))
        for counts, trust in zip(found, self._weights, strict=True):
            if counts is None:
                continue
            total = counts.sum()
            share = trust[bisect_right(COUNT_BUCKETS, total)]
            probabilities = (1 - share) * probabilities + share / total * counts
        return probabilities


def fit_cache_weights(
    lines: Iterable[tuple[Sequence[Sequence[int]], Sequence[int], Probabilities]],
) -> CacheWeights:
    """Find how much to trust the cache of a network.

    Each line has rows (T, F), what came (T,), and the network's shares (T, V).
    """
    known: list[float] = []
    cached: list[list[tuple[int, float]]] = []
    for rows, targets, expected in lines:
        cache = ContinuousCache(len(rows[0]), ())
        for row, target, chances in zip(rows, targets, expected, strict=True):
            known.append(float(chances[target]))
            cached.append(
                [
                    _bucket_and_probability(counts, target)
                    for counts in cache.update(row, len(chances))
                ]
            )
    likely = np.array(known)  # (N,)
    found = np.array(cached)  # (N, K, 2)
    trust = []
    for grades, shares in zip(found[..., 0].T, found[..., 1].T, strict=True):
        shares_by_grade = [0.0]
        for grade in range(1, len(COUNT_BUCKETS) + 1):
            here = grades == grade
            losses = [
                -np.log((1 - a) * likely[here] + a * shares[here]).sum() for a in CANDIDATE_WEIGHTS
            ]
            share = CANDIDATE_WEIGHTS[int(np.argmin(losses))]
            likely[here] = (1 - share) * likely[here] + share * shares[here]
            shares_by_grade.append(share)
        trust.append(tuple(shares_by_grade))
    return tuple(trust)


def _bucket_and_probability(counts: Probabilities | None, target: int) -> tuple[int, float]:
    if counts is None:
        return 0, 0.0
    total = float(counts.sum())
    return bisect_right(COUNT_BUCKETS, total), float(counts[target]) / total
