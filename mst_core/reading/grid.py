"""Moves notes between the places of the written grid to the nearest one, and keeps every note.

The readers of ABC and MusicXML give exact fractions: a quintuplet, a 64th or a rounded tuplet lies
between two places of the grid of 1/24 quarter. The nearest rising places, in the sense of least
squares, are found by isotonic regression (pool adjacent violators) of each onset less its number.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from math import ceil, floor

from mst_core.errors import UnreadableScore
from mst_core.music import TICKS_PER_QUARTER, Note


def nearest_place(time: Fraction) -> Fraction:
    """Return the place of the grid that is nearest to a time, the later one of two.

    Args:
        time: quarter notes from the first downbeat.

    Returns:
        A multiple of 1/24 quarter.
    """
    return Fraction(floor(time * TICKS_PER_QUARTER + Fraction(1, 2)), TICKS_PER_QUARTER)


def fit_to_grid(notes: Sequence[Note], barlines: Sequence[Fraction]) -> tuple[Note, ...]:
    """Return the notes on the grid: each at the nearest place, no two at one, in the same order.

    A note stays in its bar wherever the bar has a place for each of its notes, notes on the grid
    that have room stay where they are, and notes that followed each other without a gap still do.

    Args:
        notes: notes of a melody, rising by onset, none overlapping.
        barlines: times of all barlines from the first downbeat to the end, in quarter notes, on
            the grid.

    Returns:
        As many notes, note i for note i; the same ones where all were on the grid.

    Raises:
        UnreadableScore: when there are more notes than places.
    """
    if all(_is_place(note.onset) and _is_place(note.end) for note in notes):
        return tuple(notes)
    places: list[int] = []
    for first, last, begin, end in _groups(notes, barlines):
        places += _rising_places([notes[i].onset for i in range(first, last)], begin, end)
    fitted = []
    final = round(barlines[-1] * TICKS_PER_QUARTER)
    for i, (note, place) in enumerate(zip(notes, places, strict=True)):
        after = places[i + 1] if i + 1 < len(notes) else final
        legato = i + 1 < len(notes) and note.end == notes[i + 1].onset
        end = after if legato else round(nearest_place(note.end) * TICKS_PER_QUARTER)
        duration = max(1, min(end, after) - place)
        fitted.append(
            Note(
                Fraction(place, TICKS_PER_QUARTER),
                Fraction(duration, TICKS_PER_QUARTER),
                note.pitch,
            )
        )
    return tuple(fitted)


def describe_moved(before: Sequence[Note], after: Sequence[Note]) -> str | None:
    """Word the remark on the notes that `fit_to_grid` moved.

    Args:
        before: the notes as they were read.
        after: as many notes on the grid.

    Returns:
        A sentence; None where no onset and no duration changed.
    """
    moved = sum(old != new for old, new in zip(before, after, strict=True))
    if not moved:
        return None
    notes = "1 note was" if moved == 1 else f"{moved} notes were"
    return (
        f"{notes} moved slightly to the nearest step of 1/24 of a quarter note, since tuplets of "
        "5, 7 or more and the shortest values lie between two steps."
    )


def _is_place(time: Fraction) -> bool:
    return TICKS_PER_QUARTER % time.denominator == 0


def _groups(
    notes: Sequence[Note], barlines: Sequence[Fraction]
) -> list[tuple[int, int, int | None, int]]:
    """Cut the notes at barlines so that each group has a place for each of its notes.

    A group is (first note, end note, first place, end place); the pickup has no first place.
    """
    lines = [round(line * TICKS_PER_QUARTER) for line in barlines]
    groups: list[tuple[int, int, int | None, int]] = []
    first = 0
    bars: list[tuple[int | None, int]] = [*pairwise(lines)]
    if notes[0].onset < barlines[0]:
        bars.insert(0, (None, lines[0]))
    for begin, end in bars:
        last = first
        limit = Fraction(end, TICKS_PER_QUARTER)
        is_final = end == lines[-1]
        while last < len(notes) and (is_final or notes[last].onset < limit):
            last += 1
        groups.append((first, last, begin, end))
        first = last
        while len(groups) > 1 and _is_full(groups[-2]):
            _merge_last(groups)
    while len(groups) > 1 and _is_full(groups[-1]):
        _merge_last(groups)
    if _is_full(groups[-1]):
        raise UnreadableScore(
            f"{len(notes)} notes in {float(barlines[-1]):g} quarter notes",
            "at most 24 notes a quarter note are accepted",
        )
    return groups


def _is_full(group: tuple[int, int, int | None, int]) -> bool:
    first, last, begin, end = group
    return begin is not None and last - first > end - begin


def _merge_last(groups: list[tuple[int, int, int | None, int]]) -> None:
    """Make one group of the last two."""
    later, earlier = groups.pop(), groups.pop()
    groups.append((earlier[0], later[1], earlier[2], later[3]))


def _rising_places(onsets: Sequence[Fraction], begin: int | None, end: int) -> list[int]:
    """The nearest rising places from ``begin`` up to ``end`` (exclusive), by least squares."""
    blocks: list[tuple[Fraction, int]] = []  # (sum, count) of the onsets less their numbers
    for number, onset in enumerate(onsets):
        total, count = onset * TICKS_PER_QUARTER - number, 1
        while blocks and blocks[-1][0] * count >= total * blocks[-1][1]:
            total += blocks[-1][0]
            count += blocks.pop()[1]
        blocks.append((total, count))
    highest = end - len(onsets)
    lowest = highest if begin is None else begin
    places: list[int] = []
    for total, count in blocks:
        place = ceil(total / count - Fraction(1, 2))  # of two the earlier: barlines keep room
        place = min(place, highest) if begin is None else max(lowest, min(place, highest))
        places += range(place + len(places), place + len(places) + count)
    return places
