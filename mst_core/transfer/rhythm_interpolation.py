"""From an old rhythm of a few bars to a new one with as many notes, by small steps.

Old and new are cut wherever the same note begins at the same time in both: what lies between two
cuts can change by itself. Longer pieces get steps between, where the first notes have moved already
and the others not yet (or the last ones first); a step is kept only when every note of it is one
that players write at its place.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise

RhythmPattern = tuple[tuple[Fraction, Fraction], ...]
"""Onset from the start of a unit of bars, and duration, of each note; in quarter notes."""
IsIdiomatic = Callable[[Fraction, Fraction, bool], bool]
"""Whether players begin a note (or, with True, a rest) at this time with this duration."""

PLAIN_DURATIONS = tuple(Fraction(n, 4) for n in (1, 2, 3, 4, 6, 8, 12))
"""Note values that need no style, in quarter notes: a sixteenth to a dotted half."""


def differing_pieces(old: RhythmPattern, new: RhythmPattern) -> list[tuple[int, int]]:
    """The pieces that differ, as (first note, note behind the last)."""
    shared = [i for i in range(len(old)) if old[i][0] == new[i][0]]
    edges = sorted({0, *shared, len(old)})
    return [(a, b) for a, b in pairwise(edges) if old[a:b] != new[a:b]]


def intermediate_rhythms(
    old: RhythmPattern, new: RhythmPattern, usual: IsIdiomatic
) -> list[RhythmPattern]:
    """The steps from one piece to the other: the old first, the new last."""
    ways = [
        [_join(new[:k], old[k:], usual) for k in range(1, len(old))],
        [_join(old[:k], new[k:], usual) for k in range(len(old) - 1, 0, -1)],
    ]
    between = max(
        ([step for step in way if step is not None] for way in ways), key=lambda way: len(set(way))
    )
    return [old, *(step for step in dict.fromkeys(between) if step not in (old, new)), new]


def _join(
    first: RhythmPattern, second: RhythmPattern, is_idiomatic: IsIdiomatic
) -> RhythmPattern | None:
    """The notes of both; the last of the first meets the next one, or leaves a usual rest."""
    onset, duration = first[-1]
    following = second[0][0]
    if onset >= following:
        return None
    legato = following - onset
    if is_idiomatic(onset, legato, False) or _plain(onset, legato):
        return (*first[:-1], (onset, legato), *second)
    rest = legato - duration
    played = is_idiomatic(onset, duration, False) or _plain(onset, duration)
    silent = is_idiomatic(onset + duration, rest, True) or _plain(onset + duration, rest)
    if rest > 0 and played and silent:
        return (*first, *second)
    return None


def _plain(onset: Fraction, duration: Fraction) -> bool:
    """Whether anybody reads and plays it: a plain note value not too far off the beat."""
    return duration in PLAIN_DURATIONS and (onset / min(duration, Fraction(1, 2))).denominator <= 2
