"""Measures how the onsets of a part lie on the grid of its file: exactly, late, or not at all.

Times are quarter notes.
"""

from __future__ import annotations

import cmath
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
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


def exact_delay(onsets: Sequence[int], others: Sequence[int], ticks_per_quarter: int) -> int:
    """Return the ticks by which written onsets are late, all alike; 0 where they are in time.

    Args:
        onsets: ticks of the melody, one or more.
        others: ticks of all notes of the file, which say what is a beat and what is off it.
        ticks_per_quarter: of the file.

    Returns:
        A delay of half a quarter at most, negative for early.
    """
    counts = Counter(each % ticks_per_quarter for each in onsets)
    most = sum(count for _, count in counts.most_common(3 * len(_PLACES)))
    if len(onsets) < _MIN_ONSETS or most < _MOST_IN_TIME * len(onsets):
        return 0
    now = share_in_time(onsets, ticks_per_quarter, 0)
    if now > _FEW_IN_TIME:
        return 0
    all_counts = Counter(each % ticks_per_quarter for each in others)
    # Only the places of frequent onsets can be the answer.
    candidates = {
        _wrap(residue - place, ticks_per_quarter)
        for residue, _ in counts.most_common(8)
        for place in _written_places(ticks_per_quarter)
    }
    candidates = {
        delay
        for delay in candidates
        if share_in_time(onsets, ticks_per_quarter, delay) >= max(_MOST_IN_TIME, now + 0.3)
    }

    def preference(delay: int) -> tuple[float, int]:
        size = abs(delay) / ticks_per_quarter
        reluctance = _LARGE_DELAY_COST * (size > _LARGE_DELAY + 1e-9) + 0.05 * size
        return _mean_weight(all_counts, ticks_per_quarter, delay) - reluctance, -abs(delay)

    return max(candidates, key=preference, default=0)


def share_in_time(onsets: Sequence[int], ticks_per_quarter: int, delay: int) -> float:
    """Return the share (0 to 1) of onsets on usual places of a quarter, after a delay.

    Args:
        onsets: ticks, one or more.
        ticks_per_quarter: of the file.
        delay: ticks that are subtracted.
    """
    slack = _written_slack(ticks_per_quarter)
    places = {
        (place + each) % ticks_per_quarter
        for place in _written_places(ticks_per_quarter)
        for each in range(-slack, slack + 1)
    }
    return sum((each - delay) % ticks_per_quarter in places for each in onsets) / len(onsets)


def _written_places(ticks_per_quarter: int) -> dict[int, float]:
    """The usual places of a quarter in ticks, and how usual."""
    return {
        round(place * ticks_per_quarter / _BINS): weight
        for place, weight in _PLACES.items()
        if (place * ticks_per_quarter) % _BINS == 0 or ticks_per_quarter >= _BINS
    }


def _written_slack(ticks_per_quarter: int) -> int:
    """Ticks by which a written onset may be off its place."""
    return 1 if ticks_per_quarter >= 2 * _BINS else 0


def _mean_weight(counts: Mapping[int, int], ticks_per_quarter: int, delay: int) -> float:
    """How usual the places of onsets are after a delay; ``counts`` are by tick of a quarter."""
    places, slack = _written_places(ticks_per_quarter), _written_slack(ticks_per_quarter)
    total = 0.0
    for place, weight in places.items():
        for each in range(-slack, slack + 1):
            total += weight * counts.get((place + delay + each) % ticks_per_quarter, 0)
    return total / max(1, sum(counts.values()))


_MIN_ONSETS = 10
_FEW_IN_TIME, _MOST_IN_TIME = 0.6, 0.85
"""Shares of onsets on usual places without the delay, at most, and with it, at least."""
_LARGE_DELAY = 1 / 8
"""Quarters up to which a delay is as likely as any other."""
_LARGE_DELAY_COST = 0.12
"""Weight that a larger delay must win."""


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
