"""Places the barlines of a MIDI file, which names its meters and their onsets but no bars.

Times are quarter notes from the start of the file. A meter that begins inside a bar cuts that bar
short where some meter has the remaining length; otherwise it begins at the nearest barline.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from mst_core.music import Meter, MeterChange
from mst_core.reading.measures import meter_of_length

COMMON_TIME = Meter(4, 4)


@dataclass(frozen=True, slots=True)
class MeterSpan:
    """Consecutive bars of one meter."""

    onset: Fraction
    """Of its first bar."""
    bar: int
    """Number of its first bar, from 0 at the start of the file."""
    meter: Meter


class BarLines:
    """The bars of a file, without an end."""

    def __init__(self, meters: Iterable[tuple[Fraction, Meter]]) -> None:
        """Place the bars.

        Args:
            meters: (onset, meter), increasing by onset; 4/4 holds before the first.
        """
        self.spans = [MeterSpan(Fraction(0), 0, COMMON_TIME)]
        self.moved_changes = 0
        """Meter changes that were moved to a barline."""
        for onset, meter in meters:
            self._add_change(onset, meter)

    def _add_change(self, onset: Fraction, meter: Meter) -> None:
        last = self.spans[-1]
        if meter == last.meter:
            return
        # A change before this one may have been moved to a barline beyond it.
        onset = max(onset, last.onset)
        bars, rest = divmod(onset - last.onset, last.meter.bar_length)
        bar, start = last.bar + int(bars), onset - rest
        if rest > 0:
            short = meter_of_length(rest, last.meter)
            if short:
                self._append(MeterSpan(start, bar, short))
                bar, start = bar + 1, onset
            else:
                self.moved_changes += 1
                if 2 * rest > last.meter.bar_length:
                    bar, start = bar + 1, start + last.meter.bar_length
        self._append(MeterSpan(start, bar, meter))

    def _append(self, span: MeterSpan) -> None:
        """Append a span; it replaces those that begin at its first bar or after."""
        while self.spans and self.spans[-1].bar >= span.bar:
            self.spans.pop()
        self.spans.append(span)

    def _span_of_bar(self, bar: int) -> MeterSpan:
        index = bisect_right(self.spans, bar, key=lambda each: each.bar)
        return self.spans[max(0, index - 1)]

    def bar_at(self, time: Fraction) -> int:
        """Return the number of the bar that contains a time; a barline is in the bar after it."""
        index = bisect_right(self.spans, time, key=lambda each: each.onset)
        span = self.spans[max(0, index - 1)]
        return span.bar + int((time - span.onset) // span.meter.bar_length)

    def onset(self, bar: int) -> Fraction:
        """Return the time at which a bar begins."""
        span = self._span_of_bar(bar)
        return span.onset + (bar - span.bar) * span.meter.bar_length

    def meter(self, bar: int) -> Meter:
        """Return the meter of a bar."""
        return self._span_of_bar(bar).meter

    def changes(self, first: int, end: int) -> tuple[MeterChange, ...]:
        """Return the meter changes between bars ``first`` and ``end``, counted from ``first``.

        Args:
            first: number of the bar that becomes bar 0.
            end: number of the bar after the last one.
        """
        return tuple(
            MeterChange(each.bar - first, each.meter)
            for each in self.spans
            if first < each.bar < end
        )
