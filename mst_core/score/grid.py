"""Times of a melody as whole numbers: the steps of written music, the ticks of MIDI."""

from __future__ import annotations

from bisect import bisect_right
from fractions import Fraction

from mst_core.errors import UnwritableRhythm
from mst_core.music import Melody


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
