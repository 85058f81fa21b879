"""Which notes share a beam: runs of eighths and shorter ones within a group of the pulse."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import groupby

from mst_core.music import TICKS_PER_QUARTER
from mst_core.notation.metrical_grid import EIGHTH_TICKS, MetricalGrid
from mst_core.notation.note_values import WrittenNote


def assign_beams(pieces: Iterable[WrittenNote], pulse: MetricalGrid) -> Iterator[WrittenNote]:
    """Number the beams of a bar's pieces."""
    number = 0
    for _, group in groupby(
        _merge_beat_groups(list(pieces), pulse), key=lambda piece: piece.beat_group
    ):
        for stretch in _split_at_triplets(list(group)):
            for has_flag, notes in groupby(stretch, key=_has_flag):
                run = list(notes)
                if has_flag and len(run) > 1:
                    yield from (replace(piece, beam=number) for piece in run)
                    number += 1
                else:
                    yield from run


def _split_at_triplets(group: list[WrittenNote]) -> Iterator[list[WrittenNote]]:
    """Part a group where no beam may pass: a triplet joins its neighbours only as a whole."""
    stretch: list[WrittenNote] = []
    for number, members in groupby(group, key=lambda piece: piece.triplet):
        part = list(members)
        if number is None or all(map(_has_flag, part)):
            stretch += part
        else:
            yield stretch
            yield part
            stretch = []
    yield stretch


def _has_flag(piece: WrittenNote) -> bool:
    return piece.spelling is not None and piece.value.denominator >= 8


def _merge_beat_groups(pieces: list[WrittenNote], grid: MetricalGrid) -> list[WrittenNote]:
    """Put two quarters of eighths into one group of four, where nothing shorter breaks them up."""
    if (
        grid.is_compound
        or len(grid.strong_positions) < 2
        or grid.group_starts[1] != TICKS_PER_QUARTER
    ):
        return pieces
    edges = sorted(grid.strong_positions)
    joined: list[WrittenNote] = []
    for _, half in groupby(
        pieces, key=lambda piece: bisect_right(edges, piece.onset * TICKS_PER_QUARTER)
    ):
        in_half = list(half)
        if all(
            piece.triplet is None
            and (piece.onset * TICKS_PER_QUARTER) % EIGHTH_TICKS == 0
            and piece.value.denominator <= 8
            for piece in in_half
        ):
            in_half = [replace(piece, beat_group=in_half[0].beat_group) for piece in in_half]
        joined += in_half
    return joined
