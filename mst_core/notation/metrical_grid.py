"""How the bar of a meter divides for a reader: its groups, and how strong each place is.

Places are whole steps from the barline; `STEPS` make a quarter note.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from fractions import Fraction
from functools import cache

from mst_core.errors import UnwritableRhythm
from mst_core.music import Melody, Meter

# Times of a melody as whole numbers: the steps of written music, the ticks of MIDI.


def count(time: Fraction, a_quarter: int, melody: Melody) -> int:
    """Count a time of a melody in parts of a quarter.

    Raises:
        UnwritableRhythm: when it falls between two of them.
    """
    parts = time * a_quarter
    if parts.denominator != 1:
        lines = (-melody.meter.bar, *melody.barlines)
        bar = bisect_right(lines, time) - 1
        raise UnwritableRhythm(bar, f"{time - lines[bar]} quarters after the barline")
    return int(parts)


STEPS = 24
"""The grid of written music: steps in a quarter note. It has 32nds, and triplets down to 64ths."""
EIGHTH = STEPS // 2
SHORTEST = 3
"""Steps of the shortest value outside triplets, a 32nd."""
BARLINE = 5


@dataclass(frozen=True, slots=True)
class Pulse:
    """The division of one bar, in steps."""

    bar: int
    groups: tuple[int, ...]
    """Where the groups begin that are beamed together."""
    strong: frozenset[int]
    """Groups that a reader must see: the middle of 4/4, the beats of 6/8."""
    compound: bool

    @classmethod
    @cache
    def of(cls, meter: Meter) -> Pulse:
        """Divide the bar of a meter."""
        unit = 4 * STEPS // meter.denominator
        bar = meter.numerator * unit
        if meter.compound:
            beats = tuple(range(0, bar, 3 * unit))
            return cls(bar, beats, frozenset(beats), compound=True)
        if meter.denominator >= 8:
            # Twos, and a three at the end of an odd bar: 7/8 is 2+2+3.
            starts = range(0, max(1, meter.numerator - 1), 2)
            return cls(bar, tuple(unit * start for start in starts), frozenset({0}), False)
        quarters = bar // STEPS
        half = STEPS * (3 if meter.denominator == 4 and quarters in (5, 6) else 2)
        strong = range(0, bar, half) if quarters in (5, 6) or bar % half == 0 else (0,)
        return cls(bar, tuple(range(0, bar, STEPS)), frozenset(strong), compound=False)

    def strength(self, place: int) -> int:
        """Rank a place: 5 the barline, then strong groups, groups, eighths, sixteenths..."""
        if place % self.bar == 0:
            return BARLINE
        if place in self.strong:
            return 4 if self.compound and 2 * place == self.bar else 3
        if place in self.groups:
            return 2
        for strength, length in ((1, EIGHTH), (0, EIGHTH // 2), (-1, SHORTEST)):
            if place % length == 0:
                return strength
        return -2
