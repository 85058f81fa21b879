"""How the bar of a meter divides for a reader: its groups, and how strong each place is.

Places are whole steps from the barline; `TICKS_PER_QUARTER` make a quarter note.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from fractions import Fraction
from functools import cache

from mst_core.errors import UnwritableRhythm
from mst_core.music import TICKS_PER_QUARTER, Melody, Meter

# Times of a melody as whole numbers: the steps of written music, the ticks of MIDI.


def exact_ticks(time: Fraction, a_quarter: int, melody: Melody) -> int:
    """Count a time of a melody in parts of a quarter.

    Raises:
        UnwritableRhythm: when it falls between two of them.
    """
    parts = time * a_quarter
    if parts.denominator != 1:
        lines = (-melody.meter.bar_length, *melody.barlines)
        bar = bisect_right(lines, time) - 1
        raise UnwritableRhythm(bar, f"{time - lines[bar]} quarters after the barline")
    return int(parts)


EIGHTH_TICKS = TICKS_PER_QUARTER // 2
SHORTEST_TICKS = 3
"""Steps of the shortest value outside triplets, a 32nd."""
BARLINE_STRENGTH = 5


@dataclass(frozen=True, slots=True)
class MetricalGrid:
    """The division of one bar, in steps."""

    bar_ticks: int
    group_starts: tuple[int, ...]
    """Where the groups begin that are beamed together."""
    strong_positions: frozenset[int]
    """Groups that a reader must see: the middle of 4/4, the beats of 6/8."""
    is_compound: bool

    @classmethod
    @cache
    def for_meter(cls, meter: Meter) -> MetricalGrid:
        """Divide the bar of a meter."""
        unit = 4 * TICKS_PER_QUARTER // meter.denominator
        bar = meter.numerator * unit
        if meter.is_compound:
            beats = tuple(range(0, bar, 3 * unit))
            return cls(bar, beats, frozenset(beats), is_compound=True)
        if meter.denominator >= 8:
            # Twos, and a three at the end of an odd bar: 7/8 is 2+2+3.
            starts = range(0, max(1, meter.numerator - 1), 2)
            return cls(bar, tuple(unit * start for start in starts), frozenset({0}), False)
        quarters = bar // TICKS_PER_QUARTER
        half = TICKS_PER_QUARTER * (3 if meter.denominator == 4 and quarters in (5, 6) else 2)
        strong = range(0, bar, half) if quarters in (5, 6) or bar % half == 0 else (0,)
        return cls(
            bar, tuple(range(0, bar, TICKS_PER_QUARTER)), frozenset(strong), is_compound=False
        )

    def strength(self, position: int) -> int:
        """Rank a place: 5 the barline, then strong groups, groups, eighths, sixteenths..."""
        if position % self.bar_ticks == 0:
            return BARLINE_STRENGTH
        if position in self.strong_positions:
            return 4 if self.is_compound and 2 * position == self.bar_ticks else 3
        if position in self.group_starts:
            return 2
        for strength, length in ((1, EIGHTH_TICKS), (0, EIGHTH_TICKS // 2), (-1, SHORTEST_TICKS)):
            if position % length == 0:
                return strength
        return -2
