"""Note values (quarter, dotted eighth, ...) and the written notes that have them.

Stands alone because layout, ties, beams and the writers of ABC, MEI and MusicXML share them.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from mst_core.music import TICKS_PER_QUARTER
from mst_core.notation.spelling import Spelling

NOTE_VALUES = {
    Fraction(4 * TICKS_PER_QUARTER, denominator) * (1 + Fraction(dots, 2)): (denominator, dots)
    for denominator in (1, 2, 4, 8, 16, 32, 64)
    for dots in (0, 1)
}
"""Denominator (4 for a quarter) and dots (0 or 1) of each note value, by its length in ticks."""


@dataclass(frozen=True, slots=True)
class WrittenNote:
    """A note or rest that is written with one symbol; tied notes are several of them."""

    onset: Fraction
    """Quarter notes from the start of the full bar."""
    duration: Fraction
    """Sounding duration in quarter notes; in a triplet 2/3 of the note value's length."""
    denominator: int
    """The note value: 4 for a quarter, 8 for an eighth, and so on."""
    dots: int
    """0 or 1."""
    spelling: Spelling | None
    """The written pitch, None for a rest."""
    beat_group: int
    """Index of the beat group in which it begins."""
    tied_to_next: bool = False
    tied_to_previous: bool = False
    triplet: int | None = None
    """Index of its triplet (three in the time of two), or of another tuplet, within the bar."""
    tuplet_ratio: tuple[int, int] = (3, 2)
    """Notes of its tuplet, and in the time of how many."""
    beam: int | None = None
    """Index of its beam within the bar."""
    grace: tuple[Spelling, ...] = ()
    """Ornaments before the note, in order."""
