"""Cutting time into the signs that show it: notes and rests of a bar into pieces of one value.

A piece is plain or dotted, in a triplet where the grid of 32nds does not do. It never hides a place
that a reader needs to see. Places are whole steps from the barline,
see `mst_core.notation.metrical_grid`.
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
    """A note or a rest within one bar, in steps from the place where the full bar begins."""

    start: int
    end: int
    spelling: Spelling | None
    """None for a rest."""
    tied: bool = False
    """Whether its note goes on in the next bar."""
    continues: bool = False
    """Whether its note began in a bar before."""


def split_into_note_values(
    spans: Sequence[BarSpan], triplets: Sequence[Triplet], pulse: MetricalGrid
) -> Iterator[WrittenNote]:
    """Cut spans into pieces that one sign can show."""
    edges = sorted({edge for triplet in triplets for edge in (triplet.start, triplet.end)})
    for span in spans:
        inner = [edge for edge in edges if span.start < edge < span.end]
        parts: list[tuple[int, int, int | None]] = []
        for start, end in pairwise([span.start, *inner, span.end]):
            number = next((n for n, t in enumerate(triplets) if t.start <= start < t.end), None)
            strength = pulse.strength if number is None else triplets[number].strength
            writable = _is_writable(strength, pulse, span.spelling is None, number is not None)
            parts += [(a, b, number) for a, b in _split(start, end, strength, writable)]
        for part, (start, end, number) in enumerate(parts):
            whole = start if number is None else triplets[number].start
            yield WrittenNote(
                onset=Fraction(start, TICKS_PER_QUARTER),
                duration=Fraction(end - start, TICKS_PER_QUARTER),
                value=NOTE_VALUES[_shown_ticks(end - start, number is not None)],
                spelling=span.spelling,
                beat_group=bisect_right(pulse.group_starts, whole) - 1,
                tied_to_next=span.tied if part + 1 == len(parts) else span.spelling is not None,
                tied_to_previous=span.continues if part == 0 else span.spelling is not None,
                triplet=number,
            )


def _shown_ticks(steps: int, in_triplet: bool) -> Fraction:
    return Fraction(steps * 3, 2) if in_triplet else Fraction(steps)


def _split(
    start: int,
    end: int,
    strength: Callable[[int], int],
    writable: Callable[[int, int], bool],
) -> list[tuple[int, int]]:
    """Split at the strongest places inside, into as few pieces as can be."""
    if writable(start, end):
        return [(start, end)]
    strongest = max(strength(place) for place in range(start + 1, end))
    ways = (
        _split(start, place, strength, writable) + _split(place, end, strength, writable)
        for place in range(start + 1, end)
        if strength(place) == strongest
    )
    return min(ways, key=len)


def _is_writable(
    strength: Callable[[int], int], grid: MetricalGrid, rest: bool, in_triplet: bool
) -> Callable[[int, int], bool]:
    """Tell which stretches one sign may show without hiding the pulse."""

    def writable(start: int, end: int) -> bool:
        value = NOTE_VALUES.get(_shown_ticks(end - start, in_triplet))
        if value is None or in_triplet:
            return value is not None  # in a triplet fewer signs are clearer than its inner pulse
        inside = [strength(place) for place in range(start + 1, end)]
        strongest = max(inside, default=-9)
        opens, closes = strength(start), strength(end)
        if grid.is_compound and strongest >= 3:
            return opens >= 3 and closes >= 3 and not (rest and opens < strongest)
        if rest and value.dots and not grid.is_compound:
            return False
        if rest and not value.dots and start % (end - start):
            return grid.is_compound and opens >= strongest
        if opens >= strongest:
            return True
        if rest or opens < strongest - 1:
            return False
        # Syncopations that every reader knows: short-long-short, and short-dotted.
        centred = strength((start + end) // 2) == strongest and not value.dots
        return centred or (value.dots == 1 and closes > strongest)

    return writable
