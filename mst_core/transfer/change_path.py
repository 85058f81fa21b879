"""The path of partial changes from a given tune to the same tune wholly transferred.

Each version on the path is an array of one value a note: of rhythm an id of `RhythmIndex`, of pitch
a MIDI number. The path is built once, greedily: each step is the change with the largest gain in
similarity per changed note. A strength then takes the most similar version among those that change
at most its share of the notes. So a stronger change is never farther from the target and never
changes fewer notes, and another strength of the same tune costs almost nothing
(docs/decisions.md#change-path).
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mst_core.generation.composition import SideResult
from mst_core.transfer.config import TransferConfig


@dataclass(frozen=True, slots=True)
class Alternatives:
    """M notes of each of P equal places in the tune, with values that they can have together."""

    notes: NDArray[np.int64]
    """Indices of the notes in the tune, (P, M)."""
    options: tuple[NDArray[np.int64], ...]
    """The values of each option, (P, M), or (M,) where they are the same in all places."""
    after: tuple[int, ...] = ()
    """Indices of the pieces that must be wholly changed before this one."""


@dataclass(frozen=True, slots=True)
class ChangePath:
    """K versions of a tune of N notes, rising in changed notes and in similarity."""

    versions: tuple[NDArray[np.int64], ...]
    """The values of each version, (N,); the first is the tune as it is."""
    results: tuple[SideResult, ...]
    """Share of changed notes and similarity of each version."""

    def at(self, strength: float) -> tuple[NDArray[np.int64], SideResult]:
        """The most similar version that changes at most its share of the notes.

        Args:
            strength: 0 (the tune as it is) to 1 (the last version).

        Returns:
            The values (N,) of the version, and its share of changed notes and similarity.
        """
        allowed = strength * self.results[-1].changed + 1e-9
        at = bisect_right(self.results, allowed, key=lambda result: result.changed) - 1
        return self.versions[at], self.results[at]


def build_path(
    own: NDArray[np.int64],
    alternatives: Sequence[Alternatives],
    similarity: Callable[[NDArray[np.int64]], float],
    config: TransferConfig = TransferConfig(),
    on_step: Callable[[], None] = lambda: None,
) -> ChangePath:
    """Build the path to the values in which all pieces are wholly changed.

    The similarity of a version should be as far on its way as its changed notes are. So each step
    is the change that brings the version nearest to the straight line from the tune as it is to
    the last version. By the largest gain instead, the similarity would be past that of the last
    version long before the end, and the rest of the way would be lost.

    Args:
        own: the values (N,) of the tune as it is.
        alternatives: pieces that change independently of each other. The options (P, M) of each
            lead in order from the tune's own values (the first) to the wholly changed ones.
        similarity: of the values of a version to the target.
        config: bounds of the search.
        on_step: called before each step of the search: a long tune takes minutes.

    Returns:
        The versions that no other version beats. The last is the one in which all is changed; where
        that is no more similar than the tune as it is, the most similar one that was found.
    """
    goal = own.copy()
    for piece in alternatives:
        goal[piece.notes] = piece.options[-1]
    first, last = similarity(own), similarity(goal)
    n_changed = int((goal != own).sum())
    slope = (last - first) / max(1, n_changed)
    is_rising = last > first + config.min_gain
    values = own.copy()
    levels = [0] * len(alternatives)
    changed = 0
    current = first
    visited = [(own, 0.0, first)]
    waiting = deque(range(len(alternatives)))
    max_step = max(1.0, config.max_step * len(own))
    tries = max(
        config.min_tries, min(config.max_tries, config.max_weighed_notes // max(1, len(own)))
    )
    misses = 0
    while misses < len(waiting):
        on_step()
        tried = [waiting[index] for index in range(min(tries, len(waiting)))]
        best: tuple[tuple[float, ...], int, int, float, int] | None = None
        for index in tried:
            piece = alternatives[index]
            if any(levels[other] + 1 < len(alternatives[other].options) for other in piece.after):
                continue
            old = values[piece.notes]
            unchanged = own[piece.notes]
            before = int((old != unchanged).sum())
            for level in range(levels[index] + 1, len(piece.options)):
                option = piece.options[level]
                cost = int((option != old).sum())
                rise = int((option != unchanged).sum()) - before
                values[piece.notes] = option
                found = similarity(values)
                if is_rising:
                    off = abs(found - first - slope * (changed + rise))
                    rank = (float(cost > max_step), off)
                else:
                    gain = found - current
                    if gain <= config.min_gain or not cost:
                        continue
                    rank = (float(cost > max_step), -gain / cost)
                if best is None or rank < best[0]:
                    best = (rank, index, level, found, rise)
            values[piece.notes] = old
        waiting.rotate(-len(tried))
        if best is None:
            misses += len(tried)
            continue
        misses = 0
        _, index, level, current, rise = best
        piece = alternatives[index]
        values[piece.notes] = piece.options[level]
        levels[index] = level
        changed += rise
        visited.append((values.copy(), changed / len(own), current))
        if level + 1 == len(piece.options):
            waiting.remove(index)
    if is_rising:
        ahead = [version for version in visited if version[2] < last - config.min_gain]
        visited = [*ahead, (goal, n_changed / len(own), last)]
    return _undominated(visited, config.min_gain)


def _undominated(
    visited: Sequence[tuple[NDArray[np.int64], float, float]], min_gain: float
) -> ChangePath:
    """The versions (values, changed, similarity) for which none with as few changes is better."""
    versions: list[NDArray[np.int64]] = []
    results: list[SideResult] = []
    highest = -np.inf
    for values, changed, similarity in sorted(visited, key=lambda it: (it[1], -it[2])):
        if not results or similarity > highest + min_gain:
            versions.append(values)
            results.append(SideResult(changed, similarity))
            highest = similarity
    return ChangePath(tuple(versions), tuple(results))


def select_drafts(
    own: NDArray[np.int64],
    classes: Sequence[Alternatives],
    similarity: Callable[[NDArray[np.int64]], float],
    config: TransferConfig = TransferConfig(),
    on_step: Callable[[], None] = lambda: None,
) -> list[int]:
    """Select a draft for each class of bars, by coordinate ascent on the whole tune's similarity.

    It starts from the single draft that is most similar when all classes take it, since its parts
    were written together; then each class in turn takes the draft that raises the similarity most.

    Args:
        own: the values (N,) of the tune as it is.
        classes: for each class its notes and the values in each draft.
        similarity: of the values of a version to the target.
        config: number of passes, and the smallest gain that counts.
        on_step: called before each step of the search.

    Returns:
        For each class the index of its option.
    """
    if not classes:
        return []
    values = own.copy()

    def take(bar_class: Alternatives, pick: int) -> None:
        values[bar_class.notes] = bar_class.options[pick]

    def take_everywhere(pick: int) -> float:
        on_step()
        for bar_class in classes:
            take(bar_class, min(pick, len(bar_class.options) - 1))
        return similarity(values)

    best = max(range(max(len(bar_class.options) for bar_class in classes)), key=take_everywhere)
    picks = [min(best, len(bar_class.options) - 1) for bar_class in classes]
    current = take_everywhere(best)
    for _ in range(config.rounds):
        before = current
        for index, bar_class in enumerate(classes):
            on_step()
            for pick in range(len(bar_class.options)):
                take(bar_class, pick)
                gained = similarity(values)
                if gained > current + config.min_gain:
                    picks[index], current = pick, gained
            take(bar_class, picks[index])
        if current == before:
            break
    return picks
