"""Which notes share a beam: runs of eighths and shorter ones within a group of the pulse."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import groupby

from mst_core.notation.metrical_grid import EIGHTH, STEPS, Pulse
from mst_core.notation.note_values import Piece


def beam(pieces: Iterable[Piece], pulse: Pulse) -> Iterator[Piece]:
    """Number the beams of a bar's pieces."""
    number = 0
    for _, group in groupby(_join_groups(list(pieces), pulse), key=lambda piece: piece.group):
        for stretch in _stretches(list(group)):
            for has_flag, notes in groupby(stretch, key=_beamable):
                run = list(notes)
                if has_flag and len(run) > 1:
                    yield from (replace(piece, beam=number) for piece in run)
                    number += 1
                else:
                    yield from run


def _stretches(group: list[Piece]) -> Iterator[list[Piece]]:
    """Part a group where no beam may pass: a triplet joins its neighbours only as a whole."""
    stretch: list[Piece] = []
    for number, members in groupby(group, key=lambda piece: piece.triplet):
        part = list(members)
        if number is None or all(map(_beamable, part)):
            stretch += part
        else:
            yield stretch
            yield part
            stretch = []
    yield stretch


def _beamable(piece: Piece) -> bool:
    return piece.spelling is not None and piece.value.kind >= 8


def _join_groups(pieces: list[Piece], pulse: Pulse) -> list[Piece]:
    """Put two quarters of eighths into one group of four, where nothing shorter breaks them up."""
    if pulse.compound or len(pulse.strong) < 2 or pulse.groups[1] != STEPS:
        return pieces
    edges = sorted(pulse.strong)
    joined: list[Piece] = []
    for _, half in groupby(pieces, key=lambda piece: bisect_right(edges, piece.onset * STEPS)):
        in_half = list(half)
        if all(
            piece.triplet is None and (piece.onset * STEPS) % EIGHTH == 0 and piece.value.kind <= 8
            for piece in in_half
        ):
            in_half = [replace(piece, group=in_half[0].group) for piece in in_half]
        joined += in_half
    return joined
