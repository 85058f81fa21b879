"""Where the bars of a file stand that names its meters and their places, but no bars: MIDI.

Times are quarter notes from the start of the file. A meter that begins inside a bar cuts that bar
short, where notation has a meter for what is left; else it waits for the nearest barline.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from mst_core.music import Meter, MeterChange

COMMON_TIME = Meter(4, 4)


@dataclass(frozen=True, slots=True)
class Stretch:
    """Bars of one meter."""

    onset: Fraction
    bar: int
    """Number of its first bar, counted from 0 at the start of the file."""
    meter: Meter


class BarLines:
    """The bars of a whole file, without an end."""

    def __init__(self, meters: Iterable[tuple[Fraction, Meter]]) -> None:
        """Lay the bars out from (onset, meter), rising; 4/4 holds before the first."""
        self.stretches = [Stretch(Fraction(0), 0, COMMON_TIME)]
        self.moved = 0
        """Meters that waited for, or came back to, a barline."""
        for onset, meter in meters:
            self._change(onset, meter)

    def _change(self, onset: Fraction, meter: Meter) -> None:
        last = self.stretches[-1]
        if meter == last.meter:
            return
        bars, rest = divmod(onset - last.onset, last.meter.bar)
        bar, start = last.bar + int(bars), onset - rest
        if rest > 0:
            short = _meter_of(rest, last.meter)
            if short:
                self._begin(Stretch(start, bar, short))
                bar, start = bar + 1, onset
            else:
                self.moved += 1
                if 2 * rest > last.meter.bar:
                    bar, start = bar + 1, start + last.meter.bar
        self._begin(Stretch(start, bar, meter))

    def _begin(self, stretch: Stretch) -> None:
        while self.stretches and self.stretches[-1].bar >= stretch.bar:
            self.stretches.pop()
        self.stretches.append(stretch)

    def _stretch(self, time: Fraction) -> Stretch:
        place = bisect_right(self.stretches, time, key=lambda each: each.onset)
        return self.stretches[max(0, place - 1)]

    def bar_at(self, time: Fraction) -> int:
        """The number of the bar in which a time lies; a barline belongs to the bar behind it."""
        stretch = self._stretch(time)
        return stretch.bar + int((time - stretch.onset) // stretch.meter.bar)

    def onset(self, bar: int) -> Fraction:
        """Where a bar begins."""
        place = bisect_right(self.stretches, bar, key=lambda each: each.bar)
        stretch = self.stretches[max(0, place - 1)]
        return stretch.onset + (bar - stretch.bar) * stretch.meter.bar

    def meter(self, bar: int) -> Meter:
        """The meter of a bar."""
        place = bisect_right(self.stretches, bar, key=lambda each: each.bar)
        return self.stretches[max(0, place - 1)].meter

    def changes(self, first: int, end: int) -> tuple[MeterChange, ...]:
        """The changes behind bar ``first`` and before ``end``, in bars counted from ``first``."""
        return tuple(
            MeterChange(each.bar - first, each.meter)
            for each in self.stretches
            if first < each.bar < end
        )


def _meter_of(length: Fraction, like: Meter) -> Meter | None:
    """A meter of this length in quarter notes, in the unit of ``like`` if that will do."""
    for unit in (like.denominator, 4, 8, 16, 32):
        count = length * unit / 4
        if count.denominator == 1 and 1 <= count <= 32:
            return Meter(int(count), unit)
    return None
