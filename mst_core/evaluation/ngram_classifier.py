"""N-gram language model of rhythm with Witten-Bell smoothing, one for each style.

An event is its position in the bar, its duration class in the common alphabet and whether it is a
note; each kind of bar has counts of its own. Smoothing: Witten and Bell 1991, "The zero-frequency
problem"; interpolated as in Chen and Goodman 1999.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from mst_core.evaluation.rhythm_features import RhythmSequence
from mst_core.training.losses import duration_class

EVENT_BITS = 16
"""Bits of one event in a key; up to four events fit into 64 bits."""
UNIFORM_PROBABILITY = 1 / (24 * 4 * 26 * 2)
"""Probability of an event without counts: positions in the bar, duration classes, note or rest."""
_cached_duration_class = cache(duration_class)


def event_codes(rhythm: RhythmSequence) -> NDArray[np.int64]:
    """Encode the events of a rhythm as integers below 2^16, ``(N,)``."""
    return np.array(
        [
            (event.position % 1024) << 6
            | _cached_duration_class(event.duration) << 1
            | event.is_note
            for event in rhythm.events
        ],
        dtype=np.int64,
    )


def _ngram_keys(events: NDArray[np.int64], context: int) -> NDArray[np.int64]:
    """Pack each event with the ``context`` events before it: integers, ``(N - context,)``."""
    keys = events[context:].copy()
    for step in range(1, context + 1):
        keys += events[context - step : len(events) - step] << (EVENT_BITS * step)
    return keys


@dataclass(frozen=True)
class _OrderCounts:
    """Counts of events after contexts of one length; arrays are sorted by key."""

    context: int
    """Events of the context, 0 for unigrams."""
    keys: NDArray[np.int64]
    """Distinct n-grams, ``(K,)``."""
    counts: NDArray[np.int64]
    """Occurrences of each n-gram, ``(K,)``."""
    contexts: NDArray[np.int64]
    """Distinct contexts, ``(C,)``."""
    totals: NDArray[np.int64]
    """Occurrences of each context, ``(C,)``."""
    successors: NDArray[np.int64]
    """Number of different events after each context, ``(C,)``."""

    @classmethod
    def of(cls, tunes: Sequence[NDArray[np.int64]], context: int) -> _OrderCounts:
        """Count the n-grams of the tunes' event codes, one row ``(N,)`` a tune."""
        found = np.concatenate([_ngram_keys(events, context) for events in tunes])
        keys, counts = np.unique(found, return_counts=True)
        contexts, starts, successors = np.unique(
            keys >> EVENT_BITS, return_index=True, return_counts=True
        )
        totals = np.add.reduceat(counts, starts) if len(keys) else counts
        return cls(context, keys, counts, contexts, totals, successors)

    def probabilities(
        self, events: NDArray[np.int64], lower: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Interpolate with the probabilities of the next lower order, both ``(N,)``.

        The first ``context`` events have no full context and keep the lower order's probability.
        """
        keys = _ngram_keys(events, self.context)
        counts = _look_up(self.keys, self.counts, keys)
        totals = _look_up(self.contexts, self.totals, keys >> EVENT_BITS)
        successors = _look_up(self.contexts, self.successors, keys >> EVENT_BITS)
        old = lower[self.context :]
        smooth = (counts + successors * old) / np.maximum(totals + successors, 1)
        return np.concatenate((lower[: self.context], np.where(totals > 0, smooth, old)))


def _look_up(
    known: NDArray[np.int64], values: NDArray[np.int64], asked: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return the value of each asked key, both ``(N,)``; 0 for a key that is not in ``known``.

    ``known``, rising, and ``values`` have shape ``(K,)``.
    """
    if not len(known):
        return np.zeros_like(asked)
    indices = np.minimum(np.searchsorted(known, asked), len(known) - 1)
    return np.where(known[indices] == asked, values[indices], 0)


class NgramModel:
    """An n-gram model of the rhythms of one style."""

    def __init__(self, rhythms: Iterable[RhythmSequence], order: int = 3) -> None:
        """Count the n-grams of ``rhythms`` up to ``order`` events."""
        tunes: dict[str, list[NDArray[np.int64]]] = defaultdict(list)
        for rhythm in rhythms:
            tunes[rhythm.bar_kind].append(event_codes(rhythm))
        self._orders = {
            kind: [_OrderCounts.of(found, context) for context in range(order)]
            for kind, found in tunes.items()
        }

    def log_likelihood(self, rhythm: RhythmSequence) -> float:
        """Sum the natural logarithms of the probabilities of all events of a rhythm, in nats."""
        events = event_codes(rhythm)
        probabilities = np.full(len(events), UNIFORM_PROBABILITY)
        for counts in self._orders.get(rhythm.bar_kind, ()):
            if len(events) > counts.context:
                probabilities = counts.probabilities(events, probabilities)
        return float(np.log(probabilities).sum())
