"""What a pair of networks may know when it predicts: the context of one event.

`Line` is a tune as far as it is written. Training walks it over real tunes and composing over new
ones, through the same code, so that the networks meet in use what they learned from. A context is
a row of small integers (features); `Layout` gives each feature its range in one embedding table.

Beside the article's inputs (last interval, last duration) it holds what keeps a tune a tune: meter,
place in the bar, bar of the eight-bar period, bars left, degree of the key, and what stood at the
same place 1, 2, 4 and 8 bars ago (the form of dances lives in that look back).
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass

from mst_core.music import Key, Meter
from mst_core.networks.corpus import CorpusTune, Event
from mst_core.networks.dictionary import INTERVALS, REST, START, DurationDictionary, interval_token

LOOK_BACK = (1, 2, 4, 8)
"""Bars."""
METERS = ("2/2", "4/4", "2/4", "3/4", "6/8", "9/8", "12/8", "3/8", "3/2", "6/4", "5/4")
LONGEST_BAR = 240
"""Ticks; places beyond it share one feature."""
NO_DEGREE = 12
UNKNOWN_MODE = 2
PERIOD = 8
"""Bars of a period."""
LONGEST_RUN = 7
"""Events in a row that repeat an earlier bar; longer runs count as this."""
ABSENT = 2 * INTERVALS
"""Looking back beyond the first note."""


@dataclass(frozen=True, slots=True)
class Layout:
    """The sizes of all features of one network, in order; feature f's rows begin at offsets[f]."""

    sizes: tuple[int, ...]

    @classmethod
    def pitch(cls, durations: int) -> Layout:
        """Features of a pitch network for a dictionary of so many durations."""
        shared = (
            START + 1,  # last interval
            durations + 1,  # last duration
            LONGEST_BAR + 1,  # place in the bar
            len(METERS) + 1,
            13 * 3,  # degree of the last pitch, by mode
            PERIOD + 1,  # bar of the period, or pickup
            PERIOD + 1,  # bars left
            (PERIOD + 1) * (LONGEST_BAR // 12 + 1),  # bars left, and the place by half beats
        )
        back = (ABSENT + 1, durations + 2, LONGEST_RUN + 1)
        return cls(shared + back * len(LOOK_BACK))

    @classmethod
    def duration(cls, durations: int) -> Layout:
        """The same, then the pitch just chosen and how it compares with the pitches back."""
        return cls(
            cls.pitch(durations).sizes
            + (START + 1, 13 * 3)
            + (3 * (LONGEST_RUN + 1),) * len(LOOK_BACK)
        )

    @property
    def offsets(self) -> tuple[int, ...]:
        """Where each feature's rows begin in the table."""
        starts, total = [], 0
        for size in self.sizes:
            starts.append(total)
            total += size
        return tuple(starts)

    @property
    def rows(self) -> int:
        """Rows of the table in all."""
        return sum(self.sizes)


@dataclass(frozen=True, slots=True)
class Heading:
    """What is known of a tune before its first note."""

    meter: Meter
    key: Key | None
    barlines: tuple[int, ...]
    """Onsets of full bars in ticks, rising from 0."""
    bar_ticks: int

    @classmethod
    def of(cls, tune: CorpusTune) -> Heading:
        """The heading of a corpus tune."""
        return cls(tune.meter, tune.key, tune.barlines, tune.bar_ticks)

    @classmethod
    def plain(cls, meter: Meter, key: Key | None, bars: int) -> Heading:
        """The heading of a tune of so many regular bars."""
        bar = int(meter.bar * 24)
        return cls(meter, key, tuple(bar * index for index in range(bars)), bar)


class Line:
    """A tune as far as it is written, and the context of its next event."""

    def __init__(self, heading: Heading, durations: DurationDictionary, start: int = 0) -> None:
        self.heading = heading
        self.durations = durations
        self.now = start
        """Onset of the next event, ticks."""
        self.pitch: int | None = None
        """The last pitch that sounded."""
        self.events: list[Event] = []
        self._begin = start
        self._sounding: list[int] = []  # index of the event that sounds, a tick each
        self._last = (START, len(durations))
        self._runs = [0] * len(LOOK_BACK)
        meter = str(heading.meter)
        self._meter = METERS.index(meter) if meter in METERS else len(METERS)
        self._mode = UNKNOWN_MODE if heading.key is None else int(heading.key.minor)

    def place(self, tick: int) -> tuple[int, int]:
        """Bar (-1 is the pickup) and place in it, both counted from 0; the place in ticks."""
        barlines = self.heading.barlines
        bar = bisect_right(barlines, tick) - 1
        if bar < 0:
            return -1, self.heading.bar_ticks + tick
        return bar, tick - barlines[bar]

    def _back(self, bar: int, place: int, bars: int) -> tuple[Event, bool] | None:
        """The event that sounded at the same place some bars ago, and whether it began there."""
        earlier = bar - bars
        if earlier < -1:
            return None
        if earlier == -1:
            tick = place - self.heading.bar_ticks
        else:
            tick = self.heading.barlines[earlier] + place
        index = tick - self._begin
        if not 0 <= index < len(self._sounding):
            return None
        event = self.events[self._sounding[index]]
        return event, event.onset == tick

    def _degree(self, pitch: int | None) -> int:
        key = self.heading.key
        degree = NO_DEGREE if pitch is None or key is None else (pitch - key.tonic) % 12
        return degree * 3 + self._mode

    def pitch_context(self) -> list[int]:
        """Features for predicting the interval of the next event."""
        bar, place = self.place(self.now)
        left = len(self.heading.barlines) - 1 - bar
        left = min(max(left, 0), PERIOD)
        clipped = min(place, LONGEST_BAR)
        row = [
            self._last[0],
            self._last[1],
            clipped,
            self._meter,
            self._degree(self.pitch),
            PERIOD if bar < 0 else bar % PERIOD,
            left,
            left * (LONGEST_BAR // 12 + 1) + clipped // 12,
        ]
        held = len(self.durations)
        for index, bars in enumerate(LOOK_BACK):
            back = self._back(bar, place, bars)
            if back is None:
                row += (ABSENT, held + 1, 0)
                continue
            event, starts = back
            row += (
                self._interval_to(event) + (0 if starts else INTERVALS),
                self.durations.token(event.duration) if starts else held,
                self._runs[index],
            )
        return row

    def duration_context(self, context: list[int], interval: int, pitch: int | None) -> list[int]:
        """Features for predicting the duration, given the pitch context and the pitch chosen."""
        row = [*context, interval, self._degree(self.pitch if pitch is None else pitch)]
        bar, place = self.place(self.now)
        for index, bars in enumerate(LOOK_BACK):
            back = self._back(bar, place, bars)
            same = 0 if back is None else 1 + (back[0].pitch == pitch)
            row.append(same * (LONGEST_RUN + 1) + self._runs[index])
        return row

    def _interval_to(self, event: Event) -> int:
        if event.pitch is None or self.pitch is None:
            return REST
        return interval_token(event.pitch - self.pitch)

    def interval(self, pitch: int | None) -> int:
        """The token of a pitch as the next event; the first counts from the tonic nearest to it."""
        if pitch is None:
            return REST
        if self.pitch is None:
            return interval_token(pitch - first_reference(self.heading.key))
        return interval_token(pitch - self.pitch)

    def write(self, pitch: int | None, duration: int) -> None:
        """Append an event of so many ticks."""
        bar, place = self.place(self.now)
        for index, bars in enumerate(LOOK_BACK):
            back = self._back(bar, place, bars)
            same = (
                back is not None
                and back[1]
                and ((back[0].pitch, back[0].duration) == (pitch, duration))
            )
            self._runs[index] = min(self._runs[index] + 1, LONGEST_RUN) if same else 0
        self._last = (self.interval(pitch), self.durations.token(duration))
        self._sounding.extend([len(self.events)] * duration)
        self.events.append(Event(pitch, self.now, duration))
        self.now += duration
        if pitch is not None:
            self.pitch = pitch


def first_reference(key: Key | None) -> int:
    """The pitch that the first interval of a tune is counted from: a tonic near the middle."""
    tonic = 0 if key is None else key.tonic
    return 66 + (tonic - 66 + 6) % 12 - 6
