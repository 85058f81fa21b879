"""The first judge: a 3-gram of events with Witten-Bell smoothing, one for each style.

An event is its place in the bar, its duration class in the common alphabet and whether it sounds;
bars of another length or beat are another language. Witten and Bell 1991, "The zero-frequency
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

ORDER = 3
BITS = 16
"""Of one event as a number; three of them make one key."""
BASE = 1 / (24 * 4 * 26 * 2)
"""Share of any event before anything was heard: places of a bar, durations, note or rest."""

EventCodes = NDArray[np.int64]
_class = cache(duration_class)


def codes(rhythm: RhythmSequence) -> EventCodes:
    """The events of a rhythm in the judge's alphabet, as numbers: (N,)."""
    return np.array(
        [(s.position % 1024) << 6 | _class(s.duration) << 1 | s.sounds for s in rhythm.events],
        dtype=np.int64,
    )


def _keys(events: EventCodes, back: int) -> EventCodes:
    """Each event that has so many before it, together with them, as one number."""
    keys = events[back:].copy()
    for step in range(1, back + 1):
        keys += events[back - step : len(events) - step] << (BITS * step)
    return keys


@dataclass(frozen=True)
class _OrderCounts:
    """Counts of events behind so many others."""

    back: int
    keys: EventCodes
    counts: EventCodes
    contexts: EventCodes
    totals: EventCodes
    kinds: EventCodes
    """How many different events each context was followed by."""

    @classmethod
    def of(cls, tunes: Sequence[EventCodes], back: int) -> _OrderCounts:
        heard = np.concatenate([_keys(events, back) for events in tunes])
        keys, counts = np.unique(heard, return_counts=True)
        contexts, starts, kinds = np.unique(keys >> BITS, return_index=True, return_counts=True)
        totals = np.add.reduceat(counts, starts) if len(keys) else counts
        return cls(back, keys, counts, contexts, totals, kinds)

    def shares(self, events: EventCodes, below: NDArray[np.float64]) -> NDArray[np.float64]:
        """Smooth the shares of a lower order (N,); events too near to the start keep them."""
        keys = _keys(events, self.back)
        counts = _look_up(self.keys, self.counts, keys)
        totals = _look_up(self.contexts, self.totals, keys >> BITS)
        kinds = _look_up(self.contexts, self.kinds, keys >> BITS)
        old = below[self.back :]
        smooth = (counts + kinds * old) / np.maximum(totals + kinds, 1)
        return np.concatenate((below[: self.back], np.where(totals > 0, smooth, old)))


def _look_up(known: EventCodes, values: EventCodes, asked: EventCodes) -> EventCodes:
    if not len(known):
        return np.zeros_like(asked)
    places = np.minimum(np.searchsorted(known, asked), len(known) - 1)
    return np.where(known[places] == asked, values[places], 0)


class NgramModel:
    """Learns from rhythms once; tells the nats of others."""

    def __init__(self, rhythms: Iterable[RhythmSequence]) -> None:
        tunes: dict[str, list[EventCodes]] = defaultdict(list)
        for rhythm in rhythms:
            tunes[rhythm.kind].append(codes(rhythm))
        self._orders = {
            kind: [_OrderCounts.of(found, back) for back in range(ORDER)]
            for kind, found in tunes.items()
        }

    def log_likelihood(self, rhythm: RhythmSequence) -> float:
        """Sum of ln p over all events of a rhythm."""
        events = codes(rhythm)
        shares = np.full(len(events), BASE)
        for order in self._orders.get(rhythm.kind, ()):
            if len(events) > order.back:
                shares = order.shares(events, shares)
        return float(np.log(shares).sum())
