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
class MeterSpan:
    """Bars of one meter."""

    onset: Fraction
    bar: int
    """Number of its first bar, counted from 0 at the start of the file."""
    meter: Meter


class BarLines:
    """The bars of a whole file, without an end."""

    def __init__(self, meters: Iterable[tuple[Fraction, Meter]]) -> None:
        """Lay the bars out from (onset, meter), rising; 4/4 holds before the first."""
        self.spans = [MeterSpan(Fraction(0), 0, COMMON_TIME)]
        self.moved_changes = 0
        """Meters that waited for, or came back to, a barline."""
        for onset, meter in meters:
            self._add_change(onset, meter)

    def _add_change(self, onset: Fraction, meter: Meter) -> None:
        last = self.spans[-1]
        if meter == last.meter:
            return
        bars, rest = divmod(onset - last.onset, last.meter.bar_length)
        bar, start = last.bar + int(bars), onset - rest
        if rest > 0:
            short = _meter_of_length(rest, last.meter)
            if short:
                self._append(MeterSpan(start, bar, short))
                bar, start = bar + 1, onset
            else:
                self.moved_changes += 1
                if 2 * rest > last.meter.bar_length:
                    bar, start = bar + 1, start + last.meter.bar_length
        self._append(MeterSpan(start, bar, meter))

    def _append(self, span: MeterSpan) -> None:
        while self.spans and self.spans[-1].bar >= span.bar:
            self.spans.pop()
        self.spans.append(span)

    def _span_at(self, time: Fraction) -> MeterSpan:
        place = bisect_right(self.spans, time, key=lambda each: each.onset)
        return self.spans[max(0, place - 1)]

    def bar_at(self, time: Fraction) -> int:
        """The number of the bar in which a time lies; a barline belongs to the bar behind it."""
        stretch = self._span_at(time)
        return stretch.bar + int((time - stretch.onset) // stretch.meter.bar_length)

    def onset(self, bar: int) -> Fraction:
        """Where a bar begins."""
        place = bisect_right(self.spans, bar, key=lambda each: each.bar)
        stretch = self.spans[max(0, place - 1)]
        return stretch.onset + (bar - stretch.bar) * stretch.meter.bar_length

    def meter(self, bar: int) -> Meter:
        """The meter of a bar."""
        place = bisect_right(self.spans, bar, key=lambda each: each.bar)
        return self.spans[max(0, place - 1)].meter

    def changes(self, first: int, end: int) -> tuple[MeterChange, ...]:
        """The changes behind bar ``first`` and before ``end``, in bars counted from ``first``."""
        return tuple(
            MeterChange(each.bar - first, each.meter)
            for each in self.spans
            if first < each.bar < end
        )


def _meter_of_length(length: Fraction, like: Meter) -> Meter | None:
    """A meter of this length in quarter notes, in the unit of ``like`` if that will do."""
    for unit in (like.denominator, 4, 8, 16, 32):
        count = length * unit / 4
        if count.denominator == 1 and 1 <= count <= 32:
            return Meter(int(count), unit)
    return None
