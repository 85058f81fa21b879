"""Measures how the onsets of a part lie on the grid of its file: exactly, late, or not at all.

Times are quarter notes.
"""

from __future__ import annotations

import cmath
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean, median

_BINS = 96
"""Places of a quarter at which onsets are counted."""
_PLACES = {0: 1.0, 48: 0.8, 24: 0.55, 72: 0.55, 32: 0.5, 64: 0.5, 16: 0.25, 80: 0.25}
"""Places in 1/96 quarter where onsets are usual, and how usual."""
_WIDTH = 2.5
"""Bins (standard deviation) around a place in which an onset belongs to it."""
_RESONANCES = (1, 2, 3, 4)
"""Parts of a quarter to which onsets may be bound."""
_BOUND, _HARDLY_BOUND = 0.75, 0.35
"""Shares of onsets bound to one of them from which a part surely keeps to the beats, or may."""
_RARITY_COST = 0.05
"""Beats that the rarest place of a beat costs."""
_STEADY = 0.03
"""Quarters of wander up to which a part keeps to the beats of the file."""
_WANDERING = 0.06
"""Quarters of wander above which a part must be bound well to keep to the beats."""
_BOUND_BUT_WANDERING = 0.6
_WINDOW = 16
"""Onsets within which a player's tempo hardly changes."""
_KNOWN_DELAY = 0.93
"""Of the best fit, which no delay must reach to be preferred."""


@dataclass(frozen=True, slots=True)
class GridFit:
    """How the onsets lie on the grid."""

    bound: float
    """Share (0 to 1) of the onsets that are bound to beats or parts of beats."""
    delay: float
    """Quarters by which all come late, -1/2 to 1/2; negative for early."""
    wander: float
    """Quarters (root mean square) by which the delay changes on the way, beyond accident."""

    @property
    def keeps_time(self) -> bool:
        """Whether the onsets surely keep to the beats of the file, with or without a delay."""
        return self.bound >= _BOUND and self.wander <= _STEADY

    @property
    def may_keep_time(self) -> bool:
        """Whether they may: beats found from the notes must be clearly better."""
        return self.bound >= (_HARDLY_BOUND if self.wander <= _WANDERING else _BOUND_BUT_WANDERING)


def misfit(positions: Iterable[float]) -> float:
    """Return how far onsets are from usual places of a beat, in beats, rarer places counting more.

    Args:
        positions: onsets in beats, one or more.
    """
    return fmean(
        min(
            abs((position - place / _BINS + 0.5) % 1 - 0.5) + _RARITY_COST * (1 - weight)
            for place, weight in _PLACES.items()
        )
        for position in positions
    )


def fit_grid(onsets: Iterable[float], lengths: Iterable[float]) -> GridFit:
    """Measure how onsets lie on the grid.

    Args:
        onsets: quarter notes from the start of the file, one or more.
        lengths: quarters from each onset to the next one; long notes are likelier on beats.

    Returns:
        The fit; its delay is 0 where the onsets fit about as well without one.
    """
    times = list(onsets)
    phases = [each % 1 for each in times]
    bound, parts = max((_resultant(phases, parts), parts) for parts in _RESONANCES)
    wander = _wander(phases, parts)
    counts = [0.0] * _BINS
    for phase, length in zip(phases, lengths, strict=True):
        counts[int(phase * _BINS) % _BINS] += 0.5 + min(2.0, length)
    template = _template()
    scores = [
        sum(counts[(place + shift) % _BINS] * weight for place, weight in enumerate(template))
        for shift in range(_BINS)
    ]
    best = max(range(_BINS), key=lambda shift: (scores[shift], -abs(_signed(shift))))
    if max(scores[0], scores[1], scores[-1]) >= _KNOWN_DELAY * scores[best]:
        best = max((0, 1, _BINS - 1), key=lambda shift: scores[shift])
    delay = (_signed(best) + 0.5) / _BINS
    residuals = sorted(
        rest
        for phase in phases
        for place in (0.0, 0.5)
        if abs(rest := (phase - delay - place + 0.5) % 1 - 0.5) < 0.07
    )
    delay += median(residuals) if residuals else 0.0
    return GridFit(bound, delay, wander)


def exact_delay(onsets: Sequence[int], ticks_per_quarter: int, reach: int) -> int:
    """Return the ticks by which written onsets are late, all alike; 0 where they are in time.

    Args:
        onsets: ticks, one or more.
        ticks_per_quarter: of the file.
        reach: the largest delay in ticks, early or late, that is looked for.
    """
    if len(onsets) < _MIN_ONSETS:
        return 0
    weights = {
        round(place * ticks_per_quarter / _BINS): weight
        for place, weight in _PLACES.items()
        if (place * ticks_per_quarter) % _BINS == 0 or ticks_per_quarter >= 96
    }
    residues = [each % ticks_per_quarter for each in onsets]
    counts: dict[int, int] = {}
    for residue in residues:
        counts[residue] = counts.get(residue, 0) + 1
    slack = 1 if ticks_per_quarter >= 192 else 0

    def fit(delay: int) -> tuple[float, float]:
        """Mean weight of the onsets, and the share on any place."""
        total = hits = 0.0
        for residue, count in counts.items():
            near = [
                weights.get((residue - delay + each) % ticks_per_quarter, 0.0)
                for each in range(-slack, slack + 1)
            ]
            total += count * max(near)
            hits += count * (max(near) > 0)
        return total / len(onsets), hits / len(onsets)

    now, now_share = fit(0)
    if now_share > _FEW_IN_TIME:
        return 0
    # Only the places of frequent onsets can be the answer.
    frequent = sorted(counts, key=lambda residue: -counts[residue])[:8]
    candidates = {
        delay
        for residue in frequent
        for place in weights
        if abs(delay := _wrap(residue - place, ticks_per_quarter)) <= reach
    }
    best = max(candidates, key=lambda delay: (fit(delay)[0], -abs(delay)), default=0)
    score, share = fit(best)
    return best if share >= _MOST_IN_TIME and score > now + 0.2 else 0


_MIN_ONSETS = 10
_FEW_IN_TIME, _MOST_IN_TIME = 0.4, 0.85  # shares of onsets on usual places, without and with


def _wrap(ticks: int, period: int) -> int:
    """Ticks as the nearest equal place of a period: -period/2 to period/2."""
    return (ticks + period // 2) % period - period // 2


def _resultant(phases: Sequence[float], parts: int) -> float:
    """Length (0 to 1) of the mean direction of phases that go round ``parts`` times a quarter."""
    angle = 2 * math.pi * parts
    real = sum(math.cos(angle * each) for each in phases)
    imaginary = sum(math.sin(angle * each) for each in phases)
    return math.hypot(real, imaginary) / max(1, len(phases))


def _wander(phases: Sequence[float], parts: int) -> float:
    """How far the mean phases of windows scatter, in quarters, beyond that of steady ones."""
    angle = 2 * math.pi * parts
    means, noise = [], []
    for start in range(0, len(phases) - _WINDOW // 2, _WINDOW // 2):
        window = phases[start : start + _WINDOW]
        mean = sum(cmath.exp(1j * angle * each) for each in window) / len(window)
        if abs(mean) > 0.3:
            means.append(mean / abs(mean))
            noise.append((1 - abs(mean) ** 2) / (2 * len(window) * abs(mean) ** 2))
    if len(means) < 3:
        return 0.0
    together = min(1.0, max(1e-9, abs(sum(means)) / len(means)))
    excess = -2 * math.log(together) - 2 * fmean(noise)
    return math.sqrt(max(0.0, excess)) / angle


def _template() -> list[float]:
    """How usual an onset is in each bin of a quarter."""
    values = []
    for center in range(_BINS):
        near = 0.0
        for place, weight in _PLACES.items():
            distance = abs((center + 0.5 - place + _BINS / 2) % _BINS - _BINS / 2)
            near = max(near, weight * math.exp(-((distance / _WIDTH) ** 2) / 2))
        values.append(near)
    return values


def _signed(shift: int) -> int:
    """A number of bins as -half to half a quarter."""
    return (shift + _BINS // 2) % _BINS - _BINS // 2
