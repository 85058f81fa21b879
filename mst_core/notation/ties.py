"""Splits the notes and rests of a bar into tied notes that have one note value each.

A note value is plain or dotted, and in a triplet where the grid of 32nds does not suffice. It never
hides a position that readers need to see. Positions are ticks from the barline
(`mst_core.notation.metrical_grid`).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from mst_core.music import TICKS_PER_QUARTER
from mst_core.notation.metrical_grid import MetricalGrid
from mst_core.notation.note_values import NOTE_VALUES, WrittenNote
from mst_core.notation.spelling import Spelling
from mst_core.notation.triplets import Triplet


@dataclass(frozen=True, slots=True)
class BarSpan:
    """The part of a note or rest within one bar, in ticks from the start of the full bar."""

    start: int
    end: int
    spelling: Spelling | None
    """The written pitch, None for a rest."""
    continues_after: bool = False
    """Whether its note continues in the next bar."""
    continues_before: bool = False
    """Whether its note began in an earlier bar."""
    grace: tuple[Spelling, ...] = ()
    """Ornaments before the note."""


def split_into_note_values(
    spans: Sequence[BarSpan], triplets: Sequence[Triplet], grid: MetricalGrid
) -> Iterator[WrittenNote]:
    """Split spans into written notes.

    Args:
        spans: the notes and rests of a bar, in order.
        triplets: the triplets of the bar.
        grid: the grid of the bar.

    Yields:
        Written notes and rests in order, tied where several of them are one note.
    """
    edges = sorted({edge for triplet in triplets for edge in (triplet.start, triplet.end)})
    for span in spans:
        is_note = span.spelling is not None
        inner = [edge for edge in edges if span.start < edge < span.end]
        parts: list[tuple[int, int, int | None]] = []
        for start, end in pairwise([span.start, *inner, span.end]):
            number = next((n for n, t in enumerate(triplets) if t.start <= start < t.end), None)
            if number is not None and triplets[number].notes != 3:
                parts.append((start, end, number))  # one of its equal notes
                continue
            strength = grid.strength if number is None else triplets[number].strength
            is_writable = _writable_spans(strength, grid, not is_note, number is not None)
            parts += [(a, b, number) for a, b in _split(start, end, strength, is_writable)]
        for index, (start, end, number) in enumerate(parts):
            ratio = (3, 2)
            if number is not None and triplets[number].notes != 3:
                tuplet = triplets[number]
                ratio = (tuplet.notes, tuplet.in_time_of)
                value = Fraction(tuplet.length, tuplet.in_time_of)
            else:
                value = _written_ticks(end - start, number is not None)
            denominator, dots = NOTE_VALUES[value]
            group_position = start if number is None else triplets[number].start
            is_last = index + 1 == len(parts)
            yield WrittenNote(
                onset=Fraction(start, TICKS_PER_QUARTER),
                duration=Fraction(end - start, TICKS_PER_QUARTER),
                denominator=denominator,
                dots=dots,
                spelling=span.spelling,
                beat_group=bisect_right(grid.group_starts, group_position) - 1,
                tied_to_next=span.continues_after if is_last else is_note,
                tied_to_previous=span.continues_before if index == 0 else is_note,
                triplet=number,
                tuplet_ratio=ratio,
                grace=span.grace if index == 0 else (),
            )


def _written_ticks(ticks: int, in_triplet: bool) -> Fraction:
    """Return the written length of a note that sounds for ``ticks``: 3/2 of it in a triplet."""
    return Fraction(ticks * 3, 2) if in_triplet else Fraction(ticks)


def _split(
    start: int,
    end: int,
    strength: Callable[[int], int],
    is_writable: Callable[[int, int], bool],
) -> list[tuple[int, int]]:
    """Split a span at its strongest positions into as few writable spans as possible.

    Of equally short splits, the one with the earliest cuts is taken. The shortest way is found
    from the end backwards, so that a note of thirty beats costs no more than some hundred tries.
    """
    if is_writable(start, end):
        return [(start, end)]
    inside = [strength(position) for position in range(start + 1, end)]
    strongest = max(inside)
    cuts = [start, *(start + 1 + i for i, each in enumerate(inside) if each == strongest), end]
    shortest: list[list[tuple[int, int]]] = [[]]  # from the last cuts to the end, earliest first
    for index in range(len(cuts) - 2, -1, -1):
        ways = []
        for reach, rest in enumerate(shortest, start=index + 1):
            if is_writable(cuts[index], cuts[reach]):
                ways.append([(cuts[index], cuts[reach]), *rest])
            elif reach == index + 1:
                ways.append([*_split(cuts[index], cuts[reach], strength, is_writable), *rest])
        shortest.insert(0, min(ways, key=len))
    return shortest[0]


def _writable_spans(
    strength: Callable[[int], int], grid: MetricalGrid, is_rest: bool, in_triplet: bool
) -> Callable[[int, int], bool]:
    """Return the predicate on (start, end): one note value may show the span."""

    def is_writable(start: int, end: int) -> bool:
        value = NOTE_VALUES.get(_written_ticks(end - start, in_triplet))
        if value is None or in_triplet:
            return value is not None  # in a triplet, fewer notes are clearer than visible beats
        _, dots = value
        inside = [strength(position) for position in range(start + 1, end)]
        strongest = max(inside, default=-9)
        at_start, at_end = strength(start), strength(end)
        if grid.is_compound and strongest >= 3:
            return at_start >= 3 and at_end >= 3 and not (is_rest and at_start < strongest)
        if is_rest and dots and not grid.is_compound:
            return False
        if is_rest and not dots and start % (end - start):
            return grid.is_compound and at_start >= strongest
        if at_start >= strongest:
            return True
        if is_rest or at_start < strongest - 1:
            return False
        # Two common syncopations: short-long-short, and a short note before a dotted one.
        is_centered = strength((start + end) // 2) == strongest and not dots
        return is_centered or (dots == 1 and at_end > strongest)

    return is_writable
