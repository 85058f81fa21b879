"""What a pair of networks may know when it predicts: the context of one event.

`MelodyState` is a tune as far as it is written. Training walks it over real tunes and composing
over new ones, through the same code, so that the networks meet in use what they learned from. A
context is a row of small integers, the features that `layout` names.

Beside the article's inputs (last interval, last duration) it holds what keeps a tune a tune: meter,
place in the bar, in the period and between the lines of the grid (a repeat sign may split a bar),
the degree of the key, the range so far, what stood at the same place some bars ago, and what the
line recalls of itself.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass

from mst_core.corpora.tunes import CorpusTune, TuneEvent
from mst_core.corpora.vocabulary import (
    N_PITCH_TOKENS,
    REST_TOKEN,
    START_TOKEN,
    DurationVocabulary,
    interval_token,
)
from mst_core.music import TICKS_PER_QUARTER, Key, Meter
from mst_core.networks.features import (
    CONTOUR_LEVEL_BY_RUN,
    CONTOUR_LEVELS,
    HALF_BEAT_TICKS,
    HALF_BEATS,
    KNOWN_METERS,
    LOOK_BACK_BARS,
    LOWEST_PITCH,
    MAX_BAR_TICKS,
    MAX_COUNT,
    MAX_DISTANCE,
    MAX_PICKUP_TICKS,
    MAX_RUN,
    MAX_TONE,
    NO_DEGREE,
    NO_EARLIER_EVENT,
    PERIOD_BARS,
    PITCH_VALUES,
    POSITIONS,
    RUN_VALUES,
)
from mst_core.networks.match_model import NO_INTERVAL, ContextMemory

# Where a line moves: its range so far, and when each pitch class was last heard.

MEAN_WINDOW = 24
"""Notes that the running mean of pitches looks back to."""
NO_DISTANCE = MAX_DISTANCE + 1
NO_PITCH = PITCH_VALUES - 1


class RangeTracker:
    """The range of the pitches of a line, in semitones, and the ticks at which classes ended."""

    def __init__(self, bar_ticks: int) -> None:
        self._bar = bar_ticks
        self._last_ends: list[int | None] = [None] * 12
        self._lowest = self._highest = 0
        self._mean = 0.0
        self._notes = 0

    def add(self, pitch: int, end: int) -> None:
        """Note a pitch that sounded until so many ticks."""
        if not self._notes:
            self._lowest = self._highest = pitch
            self._mean = pitch
        self._notes += 1
        self._lowest = min(self._lowest, pitch)
        self._highest = max(self._highest, pitch)
        self._mean += (pitch - self._mean) / min(self._notes, MEAN_WINDOW)
        self._last_ends[pitch % 12] = end

    def features(self, pitch: int | None, now: int) -> list[int]:
        """Range and pitch classes as seen from the last pitch; None before the first."""
        if pitch is None:
            return [NO_DISTANCE, NO_DISTANCE, NO_DISTANCE, NO_PITCH, *[0] * 12]
        row = [
            min(pitch - self._lowest, MAX_DISTANCE),
            min(self._highest - pitch, MAX_DISTANCE),
            min(max(round(pitch - self._mean) + MAX_DISTANCE // 2, 0), MAX_DISTANCE),
            min(max(pitch - LOWEST_PITCH, 0), NO_PITCH - 1),
        ]
        bar = self._bar
        for interval in range(12):
            end = self._last_ends[(pitch + interval) % 12]
            if end is None:
                row.append(0)
                continue
            ago = now - end
            row.append(4 if 2 * ago <= bar else 3 if ago <= bar else 2 if ago <= 4 * bar else 1)
        return row


UNKNOWN_MODE = 2
NO_COUNT = MAX_COUNT + 1
"""Nothing to count."""
NO_TONE = 2 * MAX_TONE + 1


@dataclass(frozen=True, slots=True)
class TuneHeader:
    """What is known of a tune before its first note."""

    meter: Meter
    key: Key | None
    barlines: tuple[int, ...]
    """Onsets of full bars in ticks, rising from 0."""
    bar_ticks: int
    splits: tuple[int, ...] = ()
    """Where a repeat sign splits a bar: a part ends there and the next begins with a pickup."""

    @classmethod
    def from_tune(cls, tune: CorpusTune) -> TuneHeader:
        """The heading of a corpus tune."""
        return cls(tune.meter, tune.key, tune.barlines, tune.bar_ticks, tune.bar_splits)

    @classmethod
    def regular(cls, meter: Meter, key: Key | None, bars: int) -> TuneHeader:
        """The heading of a tune of so many regular bars."""
        bar = int(meter.bar_length * TICKS_PER_QUARTER)
        return cls(meter, key, tuple(bar * index for index in range(bars)), bar)


class MelodyState:
    """A tune as far as it is written, and the context of its next event."""

    def __init__(self, header: TuneHeader, vocabulary: DurationVocabulary, start: int = 0) -> None:
        self.header = header
        self.vocabulary = vocabulary
        self.next_onset = start
        """Onset of the next event, ticks."""
        self.last_pitch: int | None = None
        """The last pitch that sounded."""
        self.events: list[TuneEvent] = []
        self._first_onset = start
        self._pickup = max(-start, 0)
        self._boundaries = sorted((*header.barlines, *header.splits))
        self._event_at_tick: list[int] = []  # index of the event that sounds, a tick each
        self._memory = ContextMemory(len(vocabulary))
        self._range = RangeTracker(header.bar_ticks)
        self._runs = [0] * len(LOOK_BACK_BARS)  # events that are those of some bars ago
        self._contour_runs = [0] * len(LOOK_BACK_BARS)  # events that move as those of some bars ago
        self._notes_since_rest, self._last_rest_end = 0, start
        meter = str(header.meter)
        self._meter = KNOWN_METERS.index(meter) if meter in KNOWN_METERS else len(KNOWN_METERS)
        self._mode = UNKNOWN_MODE if header.key is None else int(header.key.is_minor)
        self._tonic = initial_pitch(header.key)
        self._locate_next_event()

    def bar_and_position(self, tick: int) -> tuple[int, int]:
        """Bar (-1 is the pickup) and place in it, both counted from 0; the place in ticks."""
        barlines = self.header.barlines
        bar = bisect_right(barlines, tick) - 1
        if bar < 0:
            return -1, self.header.bar_ticks + tick
        return bar, tick - barlines[bar]

    def _locate_next_event(self) -> None:
        """Look around where the next event begins."""
        self._bar, self._position = self.bar_and_position(self.next_onset)
        self._clipped_position = min(self._position, MAX_BAR_TICKS)
        self._earlier_events = [self._event_bars_ago(bars) for bars in LOOK_BACK_BARS]

    def _event_bars_ago(self, bars: int) -> tuple[int, TuneEvent, bool] | None:
        """The event that sounded at the same place some bars ago, and whether it began there."""
        earlier = self._bar - bars
        if earlier < -1:
            return None
        if earlier == -1:
            tick = self._position - self.header.bar_ticks
        else:
            tick = self.header.barlines[earlier] + self._position
        passed = tick - self._first_onset
        if not 0 <= passed < len(self._event_at_tick):
            return None
        index = self._event_at_tick[passed]
        event = self.events[index]
        return index, event, event.onset == tick

    def _degree(self, pitch: int | None) -> int:
        key = self.header.key
        degree = NO_DEGREE if pitch is None or key is None else (pitch - key.tonic) % 12
        return degree * 3 + self._mode

    def _tone(self, pitch: int | None) -> int:
        if pitch is None:
            return NO_TONE * 3 + self._mode
        return min(max(pitch - self._tonic + MAX_TONE, 0), 2 * MAX_TONE) * 3 + self._mode

    def _metrical_features(self) -> list[int]:
        """Where the next event begins among bars, periods and sections."""
        heading, now, bar = self.header, self.next_onset, self._bar
        left = max(len(heading.barlines) - 1 - bar, 0)
        following = bisect_right(self._boundaries, now)
        if following < len(self._boundaries):
            line = self._boundaries[following]
            kind = int(line in heading.splits)
        else:  # a last bar makes up for the pickup
            line = heading.barlines[-1] + heading.bar_ticks
            line -= self._pickup if now < line - self._pickup else 0
            kind = 2
        since = until = NO_COUNT
        if splits := heading.splits:
            section = bisect_right(splits, now)
            begun = splits[section - 1] if section else -self._pickup
            since = min((now - begun) // heading.bar_ticks, MAX_COUNT)
            if section < len(splits):
                until = min((splits[section] - now) // heading.bar_ticks, MAX_COUNT)
        return [
            self._meter,
            self._clipped_position,
            PERIOD_BARS if bar < 0 else bar % PERIOD_BARS,
            min(left, PERIOD_BARS) * HALF_BEATS + self._clipped_position // HALF_BEAT_TICKS,
            min(bar + 1, NO_COUNT),
            min(left, NO_COUNT),
            min(self._pickup, MAX_PICKUP_TICKS),
            kind * POSITIONS + min(max(line - now, 0), MAX_BAR_TICKS),
            since,
            until,
            self._length_class(bar) * 3 + self._length_class(bar - 1),
        ]

    def _length_class(self, bar: int) -> int:
        """Whether a bar is regular (0), shorter (1) or longer (2)."""
        barlines = self.header.barlines
        if not 0 <= bar < len(barlines) - 1:
            return 0
        difference = barlines[bar + 1] - barlines[bar] - self.header.bar_ticks
        return 0 if difference == 0 else 1 if difference < 0 else 2

    def pitch_context(self) -> list[int]:
        """Features for predicting the interval of the next event."""
        held, memory = len(self.vocabulary), self._memory
        key = self.header.key
        row = [
            *_last_three(memory.intervals, START_TOKEN),
            *_last_three(memory.durations, held),
            *self._metrical_features(),
            (NO_DEGREE if key is None else key.tonic) * 3 + self._mode,
            self._degree(self.last_pitch),
            self._tone(self.last_pitch),
            *self._range.features(self.last_pitch, self.next_onset),
            min(self._notes_since_rest, NO_COUNT),
            min((self.next_onset - self._last_rest_end) // HALF_BEAT_TICKS, NO_COUNT),
            *memory.pitch_features(self._clipped_position, self.last_pitch),
        ]
        for place, back in enumerate(self._earlier_events):
            if back is None:
                row += (
                    NO_EARLIER_EVENT,
                    NO_EARLIER_EVENT,
                    NO_INTERVAL * CONTOUR_LEVELS,
                    held + 1,
                    0,
                )
                continue
            index, event, starts = back
            after = index + 1
            row += (
                self._interval_to_event(event) + (0 if starts else N_PITCH_TOKENS),
                self._interval_to_event(self.events[after])
                if after < len(self.events)
                else NO_EARLIER_EVENT,
                (memory.intervals[index] if starts else START_TOKEN) * CONTOUR_LEVELS
                + CONTOUR_LEVEL_BY_RUN[self._contour_runs[place]],
                memory.durations[index] if starts else held,
                self._runs[place],
            )
        return row

    def duration_context(self, context: list[int], interval: int, pitch: int | None) -> list[int]:
        """Features for predicting the duration, given the pitch context and the pitch chosen."""
        sounding = self.last_pitch if pitch is None else pitch
        row = [
            *context,
            interval,
            self._degree(sounding),
            self._tone(sounding),
            *self._memory.duration_features(self._clipped_position, pitch, interval),
        ]
        held = len(self.vocabulary)
        for place, back in enumerate(self._earlier_events):
            if back is None:
                row += (self._runs[place], (held + 1) * 4)
                continue
            index, event, starts = back
            same = event.pitch == pitch
            moves = starts and self._memory.intervals[index] == interval
            duration = self._memory.durations[index] if starts else held
            row += ((1 + same) * RUN_VALUES + self._runs[place], duration * 4 + 2 * same + moves)
        return row

    def _interval_to_event(self, event: TuneEvent) -> int:
        if event.pitch is None or self.last_pitch is None:
            return REST_TOKEN
        return interval_token(event.pitch - self.last_pitch)

    def interval_to(self, pitch: int | None) -> int:
        """The token of a pitch as the next event; the first counts from the tonic nearest to it."""
        if pitch is None:
            return REST_TOKEN
        return interval_token(pitch - (self._tonic if self.last_pitch is None else self.last_pitch))

    def append(self, pitch: int | None, duration: int) -> None:
        """Append an event of so many ticks."""
        interval, token = self.interval_to(pitch), self.vocabulary.token(duration)
        for place, back in enumerate(self._earlier_events):
            same = moves = False
            if back is not None and back[2] and back[1].duration == duration:
                same = back[1].pitch == pitch
                moves = self._memory.intervals[back[0]] == interval
            self._runs[place] = min(self._runs[place] + 1, MAX_RUN) if same else 0
            self._contour_runs[place] = min(self._contour_runs[place] + 1, MAX_RUN) if moves else 0
        self._memory.append(self._clipped_position, self.last_pitch, pitch, interval, token)
        self._event_at_tick.extend([len(self.events)] * duration)
        self.events.append(TuneEvent(pitch, self.next_onset, duration))
        self.next_onset += duration
        if pitch is None:
            self._notes_since_rest, self._last_rest_end = 0, self.next_onset
        else:
            self.last_pitch = pitch
            self._notes_since_rest += 1
            self._range.add(pitch, self.next_onset)
        self._locate_next_event()


def _last_three(tokens: list[int], nothing: int) -> list[int]:
    """The last three tokens, the latest first."""
    return [*tokens[:-4:-1], nothing, nothing, nothing][:3]


def initial_pitch(key: Key | None) -> int:
    """The pitch that the first interval of a tune is counted from: a tonic near the middle."""
    tonic = 0 if key is None else key.tonic
    return 66 + (tonic - 66 + 6) % 12 - 6
