"""What a pair of networks may know when it predicts: the context of one event.

`Line` is a tune as far as it is written. Training walks it over real tunes and composing over new
ones, through the same code, so that the networks meet in use what they learned from. A context is
a row of small integers, the features that `layout` names.

Beside the article's inputs (last interval, last duration) it holds what keeps a tune a tune: meter,
place in the bar, in the period and between the lines of the grid (a repeat sign may split a bar),
the degree of the key, the range so far, what stood at the same place some bars ago, and what the
line recalls of itself.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass

from mst_core.corpora.tunes import CorpusTune, Event
from mst_core.corpora.vocabulary import INTERVALS, REST, START, DurationDictionary, interval_token
from mst_core.music import Key, Meter
from mst_core.networks.features import (
    ABSENT,
    HALF_BEAT,
    HALF_BEATS,
    LONGEST_BAR,
    LONGEST_PICKUP,
    LONGEST_RUN,
    LOOK_BACK,
    LOWEST_PITCH,
    METERS,
    MOST,
    MOVE_GRADES,
    MOVES,
    NO_DEGREE,
    PERIOD,
    PITCHES,
    PLACES,
    RUNS,
    SPREAD,
    WIDEST,
)
from mst_core.networks.match_model import NO_INTERVAL, Memory

# Where a line moves: its range so far, and when each pitch class was last heard.

NEAR = 24
"""Notes that the running mean of pitches looks back to."""
NO_DISTANCE = WIDEST + 1
NO_PITCH = PITCHES - 1


class Register:
    """The range of the pitches of a line, in semitones, and the ticks at which classes ended."""

    def __init__(self, bar_ticks: int) -> None:
        self._bar = bar_ticks
        self._heard: list[int | None] = [None] * 12
        self._lowest = self._highest = 0
        self._mean = 0.0
        self._notes = 0

    def write(self, pitch: int, end: int) -> None:
        """Note a pitch that sounded until so many ticks."""
        if not self._notes:
            self._lowest = self._highest = pitch
            self._mean = pitch
        self._notes += 1
        self._lowest = min(self._lowest, pitch)
        self._highest = max(self._highest, pitch)
        self._mean += (pitch - self._mean) / min(self._notes, NEAR)
        self._heard[pitch % 12] = end

    def features(self, pitch: int | None, now: int) -> list[int]:
        """Range and pitch classes as seen from the last pitch; None before the first."""
        if pitch is None:
            return [NO_DISTANCE, NO_DISTANCE, NO_DISTANCE, NO_PITCH, *[0] * 12]
        row = [
            min(pitch - self._lowest, WIDEST),
            min(self._highest - pitch, WIDEST),
            min(max(round(pitch - self._mean) + WIDEST // 2, 0), WIDEST),
            min(max(pitch - LOWEST_PITCH, 0), NO_PITCH - 1),
        ]
        bar = self._bar
        for interval in range(12):
            end = self._heard[(pitch + interval) % 12]
            if end is None:
                row.append(0)
                continue
            ago = now - end
            row.append(4 if 2 * ago <= bar else 3 if ago <= bar else 2 if ago <= 4 * bar else 1)
        return row


UNKNOWN_MODE = 2
NONE = MOST + 1
"""Nothing to count."""
NO_TONE = 2 * SPREAD + 1


@dataclass(frozen=True, slots=True)
class Heading:
    """What is known of a tune before its first note."""

    meter: Meter
    key: Key | None
    barlines: tuple[int, ...]
    """Onsets of full bars in ticks, rising from 0."""
    bar_ticks: int
    splits: tuple[int, ...] = ()
    """Where a repeat sign splits a bar: a part ends there and the next begins with a pickup."""

    @classmethod
    def of(cls, tune: CorpusTune) -> Heading:
        """The heading of a corpus tune."""
        return cls(tune.meter, tune.key, tune.barlines, tune.bar_ticks, tune.splits)

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
        self._pickup = max(-start, 0)
        self._lines = sorted((*heading.barlines, *heading.splits))
        self._sounding: list[int] = []  # index of the event that sounds, a tick each
        self._memory = Memory(len(durations))
        self._register = Register(heading.bar_ticks)
        self._runs = [0] * len(LOOK_BACK)  # events that are those of some bars ago
        self._moves = [0] * len(LOOK_BACK)  # events that move as those of some bars ago
        self._notes, self._silent_until = 0, start
        meter = str(heading.meter)
        self._meter = METERS.index(meter) if meter in METERS else len(METERS)
        self._mode = UNKNOWN_MODE if heading.key is None else int(heading.key.minor)
        self._tonic = first_reference(heading.key)
        self._arrive()

    def place(self, tick: int) -> tuple[int, int]:
        """Bar (-1 is the pickup) and place in it, both counted from 0; the place in ticks."""
        barlines = self.heading.barlines
        bar = bisect_right(barlines, tick) - 1
        if bar < 0:
            return -1, self.heading.bar_ticks + tick
        return bar, tick - barlines[bar]

    def _arrive(self) -> None:
        """Look around where the next event begins."""
        self._bar, self._place = self.place(self.now)
        self._clipped = min(self._place, LONGEST_BAR)
        self._backs = [self._back(bars) for bars in LOOK_BACK]

    def _back(self, bars: int) -> tuple[int, Event, bool] | None:
        """The event that sounded at the same place some bars ago, and whether it began there."""
        earlier = self._bar - bars
        if earlier < -1:
            return None
        if earlier == -1:
            tick = self._place - self.heading.bar_ticks
        else:
            tick = self.heading.barlines[earlier] + self._place
        passed = tick - self._begin
        if not 0 <= passed < len(self._sounding):
            return None
        index = self._sounding[passed]
        event = self.events[index]
        return index, event, event.onset == tick

    def _degree(self, pitch: int | None) -> int:
        key = self.heading.key
        degree = NO_DEGREE if pitch is None or key is None else (pitch - key.tonic) % 12
        return degree * 3 + self._mode

    def _tone(self, pitch: int | None) -> int:
        if pitch is None:
            return NO_TONE * 3 + self._mode
        return min(max(pitch - self._tonic + SPREAD, 0), 2 * SPREAD) * 3 + self._mode

    def _grid(self) -> list[int]:
        """Where the next event begins among bars, periods and sections."""
        heading, now, bar = self.heading, self.now, self._bar
        left = max(len(heading.barlines) - 1 - bar, 0)
        following = bisect_right(self._lines, now)
        if following < len(self._lines):
            line = self._lines[following]
            kind = int(line in heading.splits)
        else:  # a last bar makes up for the pickup
            line = heading.barlines[-1] + heading.bar_ticks
            line -= self._pickup if now < line - self._pickup else 0
            kind = 2
        since = until = NONE
        if splits := heading.splits:
            section = bisect_right(splits, now)
            begun = splits[section - 1] if section else -self._pickup
            since = min((now - begun) // heading.bar_ticks, MOST)
            if section < len(splits):
                until = min((splits[section] - now) // heading.bar_ticks, MOST)
        return [
            self._meter,
            self._clipped,
            PERIOD if bar < 0 else bar % PERIOD,
            min(left, PERIOD) * HALF_BEATS + self._clipped // HALF_BEAT,
            min(bar + 1, NONE),
            min(left, NONE),
            min(self._pickup, LONGEST_PICKUP),
            kind * PLACES + min(max(line - now, 0), LONGEST_BAR),
            since,
            until,
            self._length(bar) * 3 + self._length(bar - 1),
        ]

    def _length(self, bar: int) -> int:
        """Whether a bar is regular (0), shorter (1) or longer (2)."""
        barlines = self.heading.barlines
        if not 0 <= bar < len(barlines) - 1:
            return 0
        difference = barlines[bar + 1] - barlines[bar] - self.heading.bar_ticks
        return 0 if difference == 0 else 1 if difference < 0 else 2

    def pitch_context(self) -> list[int]:
        """Features for predicting the interval of the next event."""
        held, memory = len(self.durations), self._memory
        key = self.heading.key
        row = [
            *_last_three(memory.intervals, START),
            *_last_three(memory.durations, held),
            *self._grid(),
            (NO_DEGREE if key is None else key.tonic) * 3 + self._mode,
            self._degree(self.pitch),
            self._tone(self.pitch),
            *self._register.features(self.pitch, self.now),
            min(self._notes, NONE),
            min((self.now - self._silent_until) // HALF_BEAT, NONE),
            *memory.pitch_features(self._clipped, self.pitch),
        ]
        for place, back in enumerate(self._backs):
            if back is None:
                row += (ABSENT, ABSENT, NO_INTERVAL * MOVES, held + 1, 0)
                continue
            index, event, starts = back
            after = index + 1
            row += (
                self._interval_to(event) + (0 if starts else INTERVALS),
                self._interval_to(self.events[after]) if after < len(self.events) else ABSENT,
                (memory.intervals[index] if starts else START) * MOVES
                + MOVE_GRADES[self._moves[place]],
                memory.durations[index] if starts else held,
                self._runs[place],
            )
        return row

    def duration_context(self, context: list[int], interval: int, pitch: int | None) -> list[int]:
        """Features for predicting the duration, given the pitch context and the pitch chosen."""
        sounding = self.pitch if pitch is None else pitch
        row = [
            *context,
            interval,
            self._degree(sounding),
            self._tone(sounding),
            *self._memory.duration_features(self._clipped, pitch, interval),
        ]
        held = len(self.durations)
        for place, back in enumerate(self._backs):
            if back is None:
                row += (self._runs[place], (held + 1) * 4)
                continue
            index, event, starts = back
            same = event.pitch == pitch
            moves = starts and self._memory.intervals[index] == interval
            duration = self._memory.durations[index] if starts else held
            row += ((1 + same) * RUNS + self._runs[place], duration * 4 + 2 * same + moves)
        return row

    def _interval_to(self, event: Event) -> int:
        if event.pitch is None or self.pitch is None:
            return REST
        return interval_token(event.pitch - self.pitch)

    def interval(self, pitch: int | None) -> int:
        """The token of a pitch as the next event; the first counts from the tonic nearest to it."""
        if pitch is None:
            return REST
        return interval_token(pitch - (self._tonic if self.pitch is None else self.pitch))

    def write(self, pitch: int | None, duration: int) -> None:
        """Append an event of so many ticks."""
        interval, token = self.interval(pitch), self.durations.token(duration)
        for place, back in enumerate(self._backs):
            same = moves = False
            if back is not None and back[2] and back[1].duration == duration:
                same = back[1].pitch == pitch
                moves = self._memory.intervals[back[0]] == interval
            self._runs[place] = min(self._runs[place] + 1, LONGEST_RUN) if same else 0
            self._moves[place] = min(self._moves[place] + 1, LONGEST_RUN) if moves else 0
        self._memory.write(self._clipped, self.pitch, pitch, interval, token)
        self._sounding.extend([len(self.events)] * duration)
        self.events.append(Event(pitch, self.now, duration))
        self.now += duration
        if pitch is None:
            self._notes, self._silent_until = 0, self.now
        else:
            self.pitch = pitch
            self._notes += 1
            self._register.write(pitch, self.now)
        self._arrive()


def _last_three(tokens: list[int], nothing: int) -> list[int]:
    """The last three tokens, the latest first."""
    return [*tokens[:-4:-1], nothing, nothing, nothing][:3]


def first_reference(key: Key | None) -> int:
    """The pitch that the first interval of a tune is counted from: a tonic near the middle."""
    tonic = 0 if key is None else key.tonic
    return 66 + (tonic - 66 + 6) % 12 - 6
