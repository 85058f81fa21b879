"""The metrical grid: how the bar of a meter divides into beat groups, and how strong each tick is.

Positions are ticks from the barline; `TICKS_PER_QUARTER` of them make a quarter note.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from fractions import Fraction
from functools import cache

from mst_core.errors import UnwritableRhythm
from mst_core.music import TICKS_PER_QUARTER, Melody, Meter

EIGHTH_TICKS = TICKS_PER_QUARTER // 2
SHORTEST_TICKS = 3
"""Ticks of the shortest note value outside triplets, a 32nd."""
BARLINE_STRENGTH = 5


def exact_ticks(time: Fraction, ticks_per_quarter: int, melody: Melody) -> int:
    """Convert a time of a melody to ticks without rounding.

    Args:
        time: quarter notes from the first downbeat.
        ticks_per_quarter: resolution.
        melody: the melody, which the error needs to name the bar.

    Returns:
        The time in ticks.

    Raises:
        UnwritableRhythm: when the time is between two ticks.
    """
    ticks = time * ticks_per_quarter
    if ticks.denominator != 1:
        lines = (-melody.meter.bar_length, *melody.barlines)
        bar = bisect_right(lines, time) - 1
        raise UnwritableRhythm(bar, f"{time - lines[bar]} quarters after the barline")
    return int(ticks)


@dataclass(frozen=True, slots=True)
class MetricalGrid:
    """The division of a bar, in ticks."""

    bar_ticks: int
    """Length of the bar."""
    group_starts: tuple[int, ...]
    """Positions at which beat groups begin; notes of one group are beamed together."""
    strong_positions: frozenset[int]
    """Starts of groups that must stay visible: the middle of 4/4, the beats of 6/8."""
    is_compound: bool

    @classmethod
    @cache
    def for_meter(cls, meter: Meter) -> MetricalGrid:
        """Return the division of a meter's bar.

        Args:
            meter: the meter.

        Returns:
            Its grid, the same object for equal meters.
        """
        unit = 4 * TICKS_PER_QUARTER // meter.denominator
        bar = meter.numerator * unit
        if meter.is_compound:
            beats = tuple(range(0, bar, 3 * unit))
            return cls(bar, beats, frozenset(beats), is_compound=True)
        if meter.denominator >= 8:
            # Groups of two, and one of three at the end of an odd bar: 7/8 is 2+2+3.
            starts = range(0, max(1, meter.numerator - 1), 2)
            return cls(bar, tuple(unit * start for start in starts), frozenset({0}), False)
        quarters = bar // TICKS_PER_QUARTER
        half = TICKS_PER_QUARTER * (3 if meter.denominator == 4 and quarters in (5, 6) else 2)
        strong = range(0, bar, half) if quarters in (5, 6) or bar % half == 0 else (0,)
        groups = tuple(range(0, bar, TICKS_PER_QUARTER))
        return cls(bar, groups, frozenset(strong), is_compound=False)

    def strength(self, position: int) -> int:
        """Return the metrical strength of a position.

        Args:
            position: ticks from the barline.

        Returns:
            5 for the barline, 4 for the middle of a compound bar, 3 for strong positions, 2 for
            starts of groups, 1 for eighths, 0 for sixteenths, -1 for 32nds, -2 for other ticks.
        """
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
