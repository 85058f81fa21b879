"""The continuous cache: what a tune did so far, mixed into a network's predictions.

After Grave, Joulin and Usunier 2017, "Improving Neural Language Models with a Continuous Cache",
with the last events as keys in place of hidden states: tokens that followed the same context
earlier in the tune gain probability, the more the oftener the context occurred. The mixture weights
are fitted on validation tunes. Each tune has a cache of its own, and only the past enters.

Shapes: T events, F features, V vocabulary size, K context kinds.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from mst_core.music import TICKS_PER_QUARTER
from mst_core.networks.features import DURATION_FEATURES, PITCH_FEATURES

DECAY = 0.97
"""Factor on a context's counts at each new occurrence."""
COUNT_BUCKETS = (0.5, 1.5, 3.5, 8.0, 16.0)
"""Upper bounds of the buckets of decayed counts; a context that never occurred is in the first."""
BUCKET_COUNT = len(COUNT_BUCKETS) + 1
CANDIDATE_WEIGHTS = (0.0, 0.005, 0.01, 0.02, 0.04, 0.07, 0.1, 0.15, 0.2, 0.3)
"""The mixture weights that `fit_cache_weights` tries."""
PITCH_CONTEXTS = (
    ("tone", "interval", "interval before"),
    ("tone", "duration"),
    ("degree", "interval"),
)
"""For each context kind, the names of the features that make up the key."""
DURATION_CONTEXTS = (
    ("position", "duration", "duration before"),
    ("position", "interval now"),
    ("position", "interval now", "duration"),
)
"""The same for the duration network; positions count within the quarter note."""
CONTEXT_COUNT = len(PITCH_CONTEXTS)
_COLUMNS = {feature.name: column for column, feature in enumerate(DURATION_FEATURES)}


class ContinuousCache:
    """The cache of one network for one tune; it must get every row that the network gets."""

    def __init__(self, n_features: int, weights: tuple[tuple[float, ...], ...]) -> None:
        """Begin an empty cache.

        Args:
            n_features: F, which distinguishes the two networks.
            weights: share of the cache in the mixture, by context kind and count bucket,
                (K, `BUCKET_COUNT`).
        """
        is_pitch = n_features == len(PITCH_FEATURES)
        contexts = PITCH_CONTEXTS if is_pitch else DURATION_CONTEXTS
        self._columns = [[_COLUMNS[name] for name in names] for names in contexts]
        self._observed_column = _COLUMNS["interval" if is_pitch else "duration"]
        self._counts: list[dict[tuple[int, ...], NDArray[np.float64]]] = [{} for _ in contexts]
        self._keys: list[tuple[int, ...]] = []
        self._weights = weights

    def update(self, row: Sequence[int], vocabulary_size: int) -> list[NDArray[np.float64] | None]:
        """Count the last event and look up the context of the next one.

        Args:
            row: the features of the next event, (F,); they contain the last event's token.
            vocabulary_size: V.

        Returns:
            For each context kind the decayed counts (V,) of the tokens that followed the same
            context; None where it never occurred.
        """
        position = _COLUMNS["position"]
        observed = row[self._observed_column]
        for by_key, key in zip(self._counts, self._keys, strict=False):
            counts = by_key.setdefault(key, np.zeros(vocabulary_size))  # (V,)
            counts *= DECAY
            counts[observed] += 1
        self._keys = [
            tuple(
                row[column] % TICKS_PER_QUARTER if column == position else row[column]
                for column in columns
            )
            for columns in self._columns
        ]
        return [by_key.get(key) for by_key, key in zip(self._counts, self._keys, strict=True)]

    def mix(self, row: Sequence[int], probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return a network's probabilities (V,) for a row of features (F,), with the cache's.

        Args:
            row: the features of the next event, (F,), as in `update`, which this calls.
            probabilities: what the network predicts for it, (V,), with the sum 1.

        Returns:
            Probabilities (V,) with the sum 1.
        """
        found = self.update(row, len(probabilities))
        for counts, weights in zip(found, self._weights, strict=True):
            if counts is None:
                continue
            total = counts.sum()
            weight = weights[bisect_right(COUNT_BUCKETS, total)]
            probabilities = (1 - weight) * probabilities + weight / total * counts  # (V,)
        return probabilities


def fit_cache_weights(
    tunes: Iterable[tuple[Sequence[Sequence[int]], Sequence[int], NDArray[np.float64]]],
) -> tuple[tuple[float, ...], ...]:
    """Choose the mixture weights that minimize the negative log-likelihood of some tunes.

    Args:
        tunes: for each tune the features (T, F), the tokens that came (T,), and the network's
            probabilities (T, V).

    Returns:
        A weight for each context kind and count bucket, (K, `BUCKET_COUNT`), fitted one after the
        other.
    """
    by_network: list[float] = []
    by_cache: list[list[tuple[int, float]]] = []
    for rows, targets, predicted in tunes:
        cache = ContinuousCache(len(rows[0]), ())
        for row, target, probabilities in zip(rows, targets, predicted, strict=True):
            by_network.append(float(probabilities[target]))
            found = cache.update(row, len(probabilities))
            by_cache.append([_bucket_and_probability(counts, target) for counts in found])
    mixed = np.array(by_network)  # (N,) of all events of all tunes
    cached = np.array(by_cache)  # (N, K, 2)
    fitted = []
    for buckets, probability in zip(cached[..., 0].T, cached[..., 1].T, strict=True):  # (N,) each
        weights = [0.0]
        for bucket in range(1, BUCKET_COUNT):
            here = buckets == bucket
            losses = [
                -np.log((1 - weight) * mixed[here] + weight * probability[here]).sum()
                for weight in CANDIDATE_WEIGHTS
            ]
            best = CANDIDATE_WEIGHTS[int(np.argmin(losses))]
            mixed[here] = (1 - best) * mixed[here] + best * probability[here]
            weights.append(best)
        fitted.append(tuple(weights))
    return tuple(fitted)


def _bucket_and_probability(counts: NDArray[np.float64] | None, target: int) -> tuple[int, float]:
    """Return the bucket of a context's counts (V,) and the probability they give a token."""
    if counts is None:
        return 0, 0.0
    total = float(counts.sum())
    return bisect_right(COUNT_BUCKETS, total), float(counts[target]) / total
