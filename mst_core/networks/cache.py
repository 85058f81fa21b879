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

Shares = NDArray[np.float64]
Trust = tuple[tuple[float, ...], ...]
"""For each kind of circumstances, the share of the cache by how often they came."""

BEAT = 24
"""Ticks: a place counts within its beat."""
FADING = 0.97
"""What is left of older counts each time that the circumstances come again."""
OFTEN = (0.5, 1.5, 3.5, 8.0, 16.0)
"""Where one grade of counts ends and the next begins; the first grade is "never"."""
TRIED = (0.0, 0.005, 0.01, 0.02, 0.04, 0.07, 0.1, 0.15, 0.2, 0.3)
PITCH_CIRCUMSTANCES = (
    ("tone", "interval", "interval before"),
    ("tone", "duration"),
    ("degree", "interval"),
)
DURATION_CIRCUMSTANCES = (
    ("place", "duration", "duration before"),
    ("place", "interval now"),
    ("place", "interval now", "duration"),
)
KINDS, GRADES = len(PITCH_CIRCUMSTANCES), len(OFTEN) + 1
_COLUMNS = {feature.name: column for column, feature in enumerate(DURATION_FEATURES)}


class Cache:
    """The cache of one line. It needs each row that its network sees, in order."""

    def __init__(self, features: int, trust: Trust) -> None:
        of_pitch = features == len(PITCH_FEATURES)
        named = PITCH_CIRCUMSTANCES if of_pitch else DURATION_CIRCUMSTANCES
        self._columns = [[_COLUMNS[name] for name in names] for names in named]
        self._came = _COLUMNS["interval" if of_pitch else "duration"]
        self._counts: list[dict[tuple[int, ...], Shares]] = [{} for _ in named]
        self._keys: list[tuple[int, ...]] = []
        self._trust = trust

    def arrive(self, row: Sequence[int], tokens: int) -> list[Shares | None]:
        """Learn from a row what came last; return what followed its own circumstances so far."""
        place = _COLUMNS["place"]
        came = row[self._came]
        for counts, key in zip(self._counts, self._keys, strict=False):
            known = counts.setdefault(key, np.zeros(tokens))
            known *= FADING
            known[came] += 1
        self._keys = [
            tuple(row[column] % BEAT if column == place else row[column] for column in columns)
            for columns in self._columns
        ]
        return [counts.get(key) for counts, key in zip(self._counts, self._keys, strict=True)]

    def mix(self, row: Sequence[int], shares: Shares) -> Shares:
        """Mix the cache into the shares (V,) that a network gives for a row of features."""
        found = self.arrive(row, len(shares))
        for counts, trust in zip(found, self._trust, strict=True):
            if counts is None:
                continue
            total = counts.sum()
            share = trust[bisect_right(OFTEN, total)]
            shares = (1 - share) * shares + share / total * counts
        return shares


def learn_trust(
    lines: Iterable[tuple[Sequence[Sequence[int]], Sequence[int], Shares]],
) -> Trust:
    """Find how much to trust the cache of a network.

    Each line has rows (T, F), what came (T,), and the network's shares (T, V).
    """
    known: list[float] = []
    cached: list[list[tuple[int, float]]] = []
    for rows, targets, expected in lines:
        cache = Cache(len(rows[0]), ())
        for row, target, chances in zip(rows, targets, expected, strict=True):
            known.append(float(chances[target]))
            cached.append([_grade(counts, target) for counts in cache.arrive(row, len(chances))])
    likely = np.array(known)  # (N,)
    found = np.array(cached)  # (N, K, 2)
    trust = []
    for grades, shares in zip(found[..., 0].T, found[..., 1].T, strict=True):
        shares_by_grade = [0.0]
        for grade in range(1, len(OFTEN) + 1):
            here = grades == grade
            losses = [-np.log((1 - a) * likely[here] + a * shares[here]).sum() for a in TRIED]
            share = TRIED[int(np.argmin(losses))]
            likely[here] = (1 - share) * likely[here] + share * shares[here]
            shares_by_grade.append(share)
        trust.append(tuple(shares_by_grade))
    return tuple(trust)


def _grade(counts: Shares | None, target: int) -> tuple[int, float]:
    if counts is None:
        return 0, 0.0
    total = float(counts.sum())
    return bisect_right(OFTEN, total), float(counts[target]) / total
