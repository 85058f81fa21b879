"""Follows the position within a measure, exact where the file has rounded its durations.

Notation programs round a tuplet that their divisions cannot express, and make up for it with a tiny
``<forward>`` or a longer note, or not at all. The position is therefore kept twice: by the note
values, and as the durations of the file add up.
"""

from __future__ import annotations

from fractions import Fraction

from mst_core.music import TICKS_PER_QUARTER

MAX_DENOMINATOR = 10**6
"""Largest denominator of a position; a finer one is rounded."""
_TINY = Fraction(1, 40)
"""Quarter notes below which a move only makes up for rounding; the shortest note value that is
used, a 128th, is longer."""
_ROUNDING = Fraction(1, 200)
"""Quarter notes by which a file rounds the place of a note."""


class MeasurePosition:
    """The position in a measure, in quarter notes from its beginning."""

    def __init__(self) -> None:
        self._exact = self._written = Fraction(0)
        self.end = Fraction(0)
        """The latest position so far."""

    @property
    def time(self) -> Fraction:
        """Quarter notes from the beginning of the measure."""
        return settle(self._exact)

    def play(self, written: Fraction, exact: Fraction) -> None:
        """Move past a note or rest.

        Args:
            written: Its duration as the file has it, in quarter notes.
            exact: Its duration by its note value, in quarter notes.
        """
        self._written = _bound(self._written + written)
        self._exact = _bound(self._exact + exact)
        self.end = max(self.end, self.time)

    def move(self, distance: Fraction) -> None:
        """Move by a ``<forward>`` or, with a distance below 0, a ``<backup>``.

        Args:
            distance: Quarter notes; the position stays within the measure.
        """
        drift = self._exact - self._written
        self._written = _bound(max(Fraction(0), self._written + distance))
        makes_up = drift and abs(distance) < _TINY and abs(self._exact - self._written) < _TINY
        if not makes_up:
            exact = max(Fraction(0), self._exact + distance)
            if drift and not _is_place(exact) and _is_place(self._written):
                exact = self._written
            self._exact = _bound(exact)
        self.end = max(self.end, self.time)


def settle(time: Fraction) -> Fraction:
    """Return a time on the grid of written music where it is off it by a rounding only.

    Args:
        time: Quarter notes.
    """
    if _is_place(time):
        return time
    place = Fraction(round(time * TICKS_PER_QUARTER), TICKS_PER_QUARTER)
    return place if abs(place - time) <= _ROUNDING else time


def _is_place(time: Fraction) -> bool:
    return TICKS_PER_QUARTER % time.denominator == 0


def _bound(time: Fraction) -> Fraction:
    """The time, rounded where the notes have no beat in common."""
    return time if time.denominator <= MAX_DENOMINATOR else time.limit_denominator(MAX_DENOMINATOR)
