"""Assigns beams: runs of eighths and shorter notes within a beat group share one."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby

from mst_core.music import TICKS_PER_QUARTER
from mst_core.notation.metrical_grid import EIGHTH_TICKS, MetricalGrid
from mst_core.notation.note_values import WrittenNote


def assign_beams(notes: Iterable[WrittenNote], grid: MetricalGrid) -> Iterator[WrittenNote]:
    """Number the beams of a bar.

    Args:
        notes: the written notes and rests of the bar, in order.
        grid: the grid of the bar.

    Yields:
        The same notes with the index of their beam, and with beat groups merged where eighths are
        beamed in fours.
    """
    number = 0
    merged = _merge_beat_groups(list(notes), grid)
    for _, group in groupby(merged, key=lambda note: note.beat_group):
        for part in _split_at_triplets(list(group)):
            for has_flag, members in groupby(part, key=_has_flag):
                run = list(members)
                if has_flag and len(run) > 1:
                    yield from (replace(note, beam=number) for note in run)
                    number += 1
                else:
                    yield from run


def needs_bracket(triplet: Sequence[WrittenNote], notes: Sequence[WrittenNote]) -> bool:
    """Whether a triplet needs a bracket: it does not when a beam joins exactly its notes.

    Args:
        triplet: the notes of the triplet.
        notes: all notes of the bar.
    """
    beams = {note.beam for note in triplet}
    return None in beams or list(triplet) != [note for note in notes if note.beam in beams]


def _split_at_triplets(group: list[WrittenNote]) -> Iterator[list[WrittenNote]]:
    """Split a group at triplets that are not beamed as a whole: no beam may enter them."""
    part: list[WrittenNote] = []
    for number, members in groupby(group, key=lambda note: note.triplet):
        notes = list(members)
        if number is None or all(map(_has_flag, notes)):
            part += notes
        else:
            yield part
            yield notes
            part = []
    yield part


def _has_flag(note: WrittenNote) -> bool:
    """Whether it is a note (not a rest) of an eighth or shorter."""
    return note.spelling is not None and note.denominator >= 8


def _merge_beat_groups(notes: list[WrittenNote], grid: MetricalGrid) -> list[WrittenNote]:
    """Join the beat groups of half a bar where it has nothing shorter than eighths."""
    is_in_quarters = len(grid.strong_positions) >= 2 and grid.group_starts[1] == TICKS_PER_QUARTER
    if grid.is_compound or not is_in_quarters:
        return notes
    edges = sorted(grid.strong_positions)

    def half_of(note: WrittenNote) -> int:
        return bisect_right(edges, note.onset * TICKS_PER_QUARTER)

    merged: list[WrittenNote] = []
    for _, members in groupby(notes, key=half_of):
        half = list(members)
        if all(
            note.triplet is None
            and (note.onset * TICKS_PER_QUARTER) % EIGHTH_TICKS == 0
            and note.denominator <= 8
            for note in half
        ):
            half = [replace(note, beat_group=half[0].beat_group) for note in half]
        merged += half
    return merged
