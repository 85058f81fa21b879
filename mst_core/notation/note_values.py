"""The signs of written music: the value that a note head shows, and the piece it stands for."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from mst_core.music import TICKS_PER_QUARTER
from mst_core.notation.spelling import Spelling


@dataclass(frozen=True, slots=True)
class NoteValue:
    """What a note head shows: 4 is a quarter, 8 an eighth; with a dot or without."""

    denominator: int
    dots: int = 0


NOTE_VALUES = {
    Fraction(4 * TICKS_PER_QUARTER, kind) * (1 + Fraction(dots, 2)): NoteValue(kind, dots)
    for kind in (1, 2, 4, 8, 16, 32, 64)
    for dots in (0, 1)
}
"""The values by their length in steps."""


@dataclass(frozen=True, slots=True)
class WrittenNote:
    """A note, a rest, or a part of one, that is written with one sign."""

    onset: Fraction
    """Quarter notes from the place where the full bar begins."""
    duration: Fraction
    """Sounding length in quarter notes; in a triplet 2/3 of what the value shows."""
    value: NoteValue
    spelling: Spelling | None
    """None for a rest."""
    beat_group: int
    """Number of the pulse group in the bar in which it begins."""
    tied_to_next: bool = False
    """Whether the next piece goes on with the same note."""
    tied_to_previous: bool = False
    """Whether it goes on with the note of the piece before."""
    triplet: int | None = None
    """Number of its triplet (three in the time of two) in the bar."""
    beam: int | None = None
    """Number of its beam in the bar."""
