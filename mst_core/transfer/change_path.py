"""The ladder from a tune as it is to the same tune wholly changed: the knob climbs it.

Every rung is one version of the tune. Of a side of the music (rhythm or pitch) each note has a
value; stretches are notes that change together, in all places of their class at once, by steps. The
ladder is climbed once, always by the change that brings the tune nearer to its target for the
fewest notes. The strength then takes the nearest version among those that change no more than its
share: so a stronger change is never farther from the target, never changes fewer notes, and costs
nothing once the ladder stands.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.int64]
"""What each note of a tune has, as numbers: (N,)."""
SimilarityFunction = Callable[[IntArray], float]

MOST_TRIES, FEWEST_TRIES = 48, 4
"""Stretches weighed before each step: more make a tune slow and hardly a better ladder."""
MOST_WEIGHED = 12_000
"""Notes looked at before each step: a long tune weighs fewer stretches (3,008 notes took 104 s)."""
STRIDE = 0.1
"""Share of the notes that one step may change, as long as smaller steps help."""
LEAST_GAIN = 1e-9


@dataclass(frozen=True, slots=True)
class Alternatives:
    """Notes that change together: M of them in each of P places."""

    notes: NDArray[np.int64]
    """Their indices in the tune, (P, M)."""
    options: tuple[IntArray, ...]
    """Their values (P, M), from the tune's own to the new ones."""


@dataclass(frozen=True, slots=True)
class PathStep:
    """One version of a tune."""

    values: IntArray
    changed: float
    """Share of the notes whose value is another than their own."""
    similarity: float
    """To the target: 1 is alike."""


@dataclass(frozen=True, slots=True)
class ChangePath:
    """Versions of a tune, rising in both the share of changed notes and the closeness."""

    steps: tuple[PathStep, ...]
    """The first is the tune as it is."""

    def at(self, strength: float) -> PathStep:
        """The nearest to the target among those that change at most their share of the notes."""
        allowed = strength * self.steps[-1].changed + 1e-9
        return self.steps[bisect_right(self.steps, allowed, key=lambda rung: rung.changed) - 1]


def build_path(
    own: IntArray, stretches: Sequence[Alternatives], closeness: SimilarityFunction
) -> ChangePath:
    """Build the ladder of a tune whose notes have the values ``own``."""
    values = own.copy()
    levels = [0] * len(stretches)
    here = closeness(values)
    visited = [PathStep(own, 0.0, here)]
    waiting = deque(range(len(stretches)))
    stride = max(1.0, STRIDE * len(own))
    tries = max(FEWEST_TRIES, min(MOST_TRIES, MOST_WEIGHED // max(1, len(own))))
    vain = 0
    while vain < len(waiting):
        tried = [waiting[place] for place in range(min(tries, len(waiting)))]
        best: tuple[bool, float, int, int, float] | None = None
        for place in tried:
            stretch = stretches[place]
            old = values[stretch.notes]
            for level in range(levels[place] + 1, len(stretch.options)):
                cost = int((stretch.options[level] != old).sum())
                small = cost <= stride
                if best is not None and best[0] > small:
                    continue
                values[stretch.notes] = stretch.options[level]
                gain = closeness(values) - here
                if gain > LEAST_GAIN and (best is None or (small, gain / cost) > best[:2]):
                    best = (small, gain / cost, place, level, gain)
            values[stretch.notes] = old
        waiting.rotate(-len(tried))
        if best is None:
            vain += len(tried)
            continue
        vain = 0
        _, _, place, level, gain = best
        stretch = stretches[place]
        values[stretch.notes] = stretch.options[level]
        levels[place], here = level, here + gain
        visited.append(PathStep(values.copy(), float((values != own).mean()), here))
        if level + 1 == len(stretch.options):
            waiting.remove(place)
    return ChangePath(_undominated(visited))


def _undominated(visited: Sequence[PathStep]) -> tuple[PathStep, ...]:
    """Those that no other beats: none with fewer changes is as near to the target."""
    rungs: list[PathStep] = []
    for rung in sorted(visited, key=lambda rung: (rung.changed, -rung.similarity)):
        if not rungs or rung.similarity > rungs[-1].similarity + LEAST_GAIN:
            rungs.append(rung)
    return tuple(rungs)


# Which draft each class of bars takes, chosen for the tune as a whole.

ROUNDS = 3
"""How often every class may choose again, now that the others have chosen."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A class of units and its drafts: M notes in each of P places."""

    notes: IntArray
    """Their indices in the tune, (P, M)."""
    options: tuple[IntArray, ...]
    """The values of each draft, (P, M) or (M,)."""


def select_drafts(
    own: IntArray, choices: Sequence[Choice], closeness: SimilarityFunction
) -> list[int]:
    """Choose a draft for each class.

    The nearest whole draft first, since its parts were written together; then class by class
    whatever brings the tune nearer.
    """
    if not choices:
        return []
    values = own.copy()

    def put(choice: Choice, pick: int) -> None:
        values[choice.notes] = choice.options[pick]

    def whole(pick: int) -> float:
        for choice in choices:
            put(choice, min(pick, len(choice.options) - 1))
        return closeness(values)

    best = max(range(max(len(choice.options) for choice in choices)), key=whole)
    picks = [min(best, len(choice.options) - 1) for choice in choices]
    here = whole(best)
    for _ in range(ROUNDS):
        before = here
        for place, choice in enumerate(choices):
            for pick in range(len(choice.options)):
                put(choice, pick)
                there = closeness(values)
                if there > here + LEAST_GAIN:
                    picks[place], here = pick, there
            put(choice, picks[place])
        if here == before:
            break
    return picks
