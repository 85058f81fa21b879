"""The context of an event: the row of features from which the networks predict it.

`MelodyState` is a melody up to the current event. Training steps it through real tunes and
generation through new ones, by the same code, so that both see the same features
(`mst_core.networks.features` names them).

Besides the inputs of Pati's article (last interval, last duration) a context has what gives a tune
its form: meter; position in the bar, in the period and between bar and section boundaries (a repeat
sign may split a bar); degree of the key; range so far; the event at the same position some bars
earlier; and the predictions of match models. F is the number of features. Times are ticks.
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

MEAN_WINDOW = 24
"""Notes that the running mean of pitches averages over."""
NO_DISTANCE = MAX_DISTANCE + 1
NO_PITCH = PITCH_VALUES - 1
UNKNOWN_MODE = 2
NO_COUNT = MAX_COUNT + 1
NO_TONE = 2 * MAX_TONE + 1
MIDDLE_PITCH = 66
"""MIDI number; the first interval of a tune counts from the tonic nearest to it."""


class RangeTracker:
    """The range of the pitches so far, and when each pitch class last ended."""

    def __init__(self, bar_ticks: int) -> None:
        self._bar_ticks = bar_ticks
        self._last_ends: list[int | None] = [None] * 12
        self._lowest = self._highest = 0
        self._mean = 0.0
        self._notes = 0

    def add(self, pitch: int, end: int) -> None:
        """Add a note by its MIDI number and the tick where it ended.

        Args:
            pitch: MIDI number, 0-127.
            end: ticks from the first downbeat.
        """
        if not self._notes:
            self._lowest = self._highest = pitch
            self._mean = pitch
        self._notes += 1
        self._lowest = min(self._lowest, pitch)
        self._highest = max(self._highest, pitch)
        self._mean += (pitch - self._mean) / min(self._notes, MEAN_WINDOW)
        self._last_ends[pitch % 12] = end

    def features(self, pitch: int | None, now: int) -> list[int]:
        """Return distances in semitones and the recency of pitch classes, (16,).

        Args:
            pitch: MIDI number of the last note, which distances count from; None before the first.
            now: onset of the next event.
        """
        if pitch is None:
            return [NO_DISTANCE, NO_DISTANCE, NO_DISTANCE, NO_PITCH, *[0] * 12]
        row = [
            min(pitch - self._lowest, MAX_DISTANCE),
            min(self._highest - pitch, MAX_DISTANCE),
            min(max(round(pitch - self._mean) + MAX_DISTANCE // 2, 0), MAX_DISTANCE),
            min(max(pitch - LOWEST_PITCH, 0), NO_PITCH - 1),
        ]
        bar = self._bar_ticks
        for interval in range(12):
            end = self._last_ends[(pitch + interval) % 12]
            if end is None:
                row.append(0)
                continue
            ago = now - end
            row.append(4 if 2 * ago <= bar else 3 if ago <= bar else 2 if ago <= 4 * bar else 1)
        return row


@dataclass(frozen=True, slots=True)
class TuneHeader:
    """What is known of a tune before its first note."""

    meter: Meter
    key: Key | None
    barlines: tuple[int, ...]
    """Onsets of full bars, ascending from 0."""
    bar_ticks: int
    """Length of a regular bar."""
    splits: tuple[int, ...] = ()
    """Where a repeat sign splits a bar: a section ends there and the next begins with a pickup."""

    @classmethod
    def from_tune(cls, tune: CorpusTune) -> TuneHeader:
        """Return the header of a corpus tune."""
        return cls(tune.meter, tune.key, tune.barlines, tune.bar_ticks, tune.bar_splits)

    @classmethod
    def regular(cls, meter: Meter, key: Key | None, bar_count: int) -> TuneHeader:
        """Return the header of a tune of ``bar_count`` equal bars.

        Args:
            meter: of all bars.
            key: key of the tune; None where it is unknown.
            bar_count: number of bars.
        """
        bar_ticks = int(meter.bar_length * TICKS_PER_QUARTER)
        return cls(meter, key, tuple(bar_ticks * index for index in range(bar_count)), bar_ticks)


class MelodyState:
    """A melody up to the current event, and the context of the next one."""

    def __init__(self, header: TuneHeader, vocabulary: DurationVocabulary, start: int = 0) -> None:
        """Begin an empty melody.

        Args:
            header: what is known of the tune.
            vocabulary: the durations of the style whose networks predict.
            start: onset of the first event, negative for a pickup.
        """
        self.header = header
        self.vocabulary = vocabulary
        self.next_onset = start
        """Onset of the next event."""
        self.last_pitch: int | None = None
        """MIDI number of the last note; None before the first."""
        self.events: list[TuneEvent] = []
        self._first_onset = start
        self._pickup = max(-start, 0)
        self._boundaries = sorted((*header.barlines, *header.splits))
        self._event_at_tick: list[int] = []  # index of the event at each tick
        self._memory = ContextMemory(len(vocabulary))
        self._range = RangeTracker(header.bar_ticks)
        # By number of bars looked back: the last events that have the pitches and durations, or
        # the intervals and durations, of those some bars earlier.
        self._runs = [0] * len(LOOK_BACK_BARS)
        self._contour_runs = [0] * len(LOOK_BACK_BARS)
        self._notes_since_rest, self._last_rest_end = 0, start
        meter = str(header.meter)
        self._meter = KNOWN_METERS.index(meter) if meter in KNOWN_METERS else len(KNOWN_METERS)
        self._mode = UNKNOWN_MODE if header.key is None else int(header.key.is_minor)
        self._tonic = initial_pitch(header.key)
        self._locate_next_event()

    def bar_and_position(self, tick: int) -> tuple[int, int]:
        """Return the bar of a tick, from 0 (-1 is the pickup), and the position in it in ticks."""
        barlines = self.header.barlines
        bar = bisect_right(barlines, tick) - 1
        if bar < 0:
            return -1, self.header.bar_ticks + tick
        return bar, tick - barlines[bar]

    def _locate_next_event(self) -> None:
        """Find bar and position of the next event, and the events at that position bars earlier."""
        self._bar, self._position = self.bar_and_position(self.next_onset)
        self._clipped_position = min(self._position, MAX_BAR_TICKS)
        self._earlier_events = [self._event_bars_ago(bars) for bars in LOOK_BACK_BARS]

    def _event_bars_ago(self, bars: int) -> tuple[int, TuneEvent, bool] | None:
        """Return index and event at the same position, and whether its onset is there."""
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
        """Return the chromatic degree of the key, by mode."""
        key = self.header.key
        degree = NO_DEGREE if pitch is None or key is None else (pitch - key.tonic) % 12
        return degree * 3 + self._mode

    def _tone(self, pitch: int | None) -> int:
        """Return the distance in semitones from a tonic near the middle, by mode."""
        if pitch is None:
            return NO_TONE * 3 + self._mode
        return min(max(pitch - self._tonic + MAX_TONE, 0), 2 * MAX_TONE) * 3 + self._mode

    def _metrical_features(self) -> list[int]:
        """Return the features (11,) of the next onset among bars, periods and sections."""
        header, now, bar = self.header, self.next_onset, self._bar
        left = max(len(header.barlines) - 1 - bar, 0)
        upcoming = bisect_right(self._boundaries, now)
        if upcoming < len(self._boundaries):
            boundary = self._boundaries[upcoming]
            kind = int(boundary in header.splits)
        else:  # the last bar is shorter by the pickup
            boundary = header.barlines[-1] + header.bar_ticks
            boundary -= self._pickup if now < boundary - self._pickup else 0
            kind = 2
        since = until = NO_COUNT
        if splits := header.splits:
            section = bisect_right(splits, now)
            section_start = splits[section - 1] if section else -self._pickup
            since = min((now - section_start) // header.bar_ticks, MAX_COUNT)
            if section < len(splits):
                until = min((splits[section] - now) // header.bar_ticks, MAX_COUNT)
        return [
            self._meter,
            self._clipped_position,
            PERIOD_BARS if bar < 0 else bar % PERIOD_BARS,
            min(left, PERIOD_BARS) * HALF_BEATS + self._clipped_position // HALF_BEAT_TICKS,
            min(bar + 1, NO_COUNT),
            min(left, NO_COUNT),
            min(self._pickup, MAX_PICKUP_TICKS),
            kind * POSITIONS + min(max(boundary - now, 0), MAX_BAR_TICKS),
            since,
            until,
            self._length_class(bar) * 3 + self._length_class(bar - 1),
        ]

    def _length_class(self, bar: int) -> int:
        """Return 0 for a regular bar, 1 for a shorter one, 2 for a longer one."""
        barlines = self.header.barlines
        if not 0 <= bar < len(barlines) - 1:
            return 0
        difference = barlines[bar + 1] - barlines[bar] - self.header.bar_ticks
        return 0 if difference == 0 else 1 if difference < 0 else 2

    def pitch_context(self) -> list[int]:
        """Return the features (F,) from which the interval of the next event is predicted."""
        no_duration, memory = len(self.vocabulary), self._memory
        key = self.header.key
        row = [
            *_last_three(memory.intervals, START_TOKEN),
            *_last_three(memory.durations, no_duration),
            *self._metrical_features(),
            (NO_DEGREE if key is None else key.tonic) * 3 + self._mode,
            self._degree(self.last_pitch),
            self._tone(self.last_pitch),
            *self._range.features(self.last_pitch, self.next_onset),
            min(self._notes_since_rest, NO_COUNT),
            min((self.next_onset - self._last_rest_end) // HALF_BEAT_TICKS, NO_COUNT),
            *memory.pitch_features(self._clipped_position, self.last_pitch),
        ]
        for place, earlier in enumerate(self._earlier_events):
            if earlier is None:
                row += (
                    NO_EARLIER_EVENT,
                    NO_EARLIER_EVENT,
                    NO_INTERVAL * CONTOUR_LEVELS,
                    no_duration + 1,
                    0,
                )
                continue
            index, event, is_onset = earlier
            after = index + 1
            row += (
                self._interval_to_event(event) + (0 if is_onset else N_PITCH_TOKENS),
                self._interval_to_event(self.events[after])
                if after < len(self.events)
                else NO_EARLIER_EVENT,
                (memory.intervals[index] if is_onset else START_TOKEN) * CONTOUR_LEVELS
                + CONTOUR_LEVEL_BY_RUN[self._contour_runs[place]],
                memory.durations[index] if is_onset else no_duration,
                self._runs[place],
            )
        return row

    def duration_context(self, context: list[int], interval: int, pitch: int | None) -> list[int]:
        """Return the features (F,) from which the duration of the next event is predicted.

        Args:
            context: what `pitch_context` returned.
            interval: the pitch token that was chosen.
            pitch: its MIDI number; None for a rest.
        """
        sounding = self.last_pitch if pitch is None else pitch
        row = [
            *context,
            interval,
            self._degree(sounding),
            self._tone(sounding),
            *self._memory.duration_features(self._clipped_position, pitch, interval),
        ]
        no_duration = len(self.vocabulary)
        for place, earlier in enumerate(self._earlier_events):
            if earlier is None:
                row += (self._runs[place], (no_duration + 1) * 4)
                continue
            index, event, is_onset = earlier
            same_pitch = event.pitch == pitch
            same_interval = is_onset and self._memory.intervals[index] == interval
            duration = self._memory.durations[index] if is_onset else no_duration
            row += (
                (1 + same_pitch) * RUN_VALUES + self._runs[place],
                duration * 4 + 2 * same_pitch + same_interval,
            )
        return row

    def _interval_to_event(self, event: TuneEvent) -> int:
        """Return the pitch token of an earlier event, seen from the last note."""
        if event.pitch is None or self.last_pitch is None:
            return REST_TOKEN
        return interval_token(event.pitch - self.last_pitch)

    def interval_to(self, pitch: int | None) -> int:
        """Return the pitch token of a MIDI number (None: a rest) as the next event."""
        if pitch is None:
            return REST_TOKEN
        return interval_token(pitch - (self._tonic if self.last_pitch is None else self.last_pitch))

    def append(self, pitch: int | None, duration: int) -> None:
        """Append a note by its MIDI number, or a rest (None), with its duration in ticks.

        Args:
            pitch: MIDI number, 0-127; None for a rest.
            duration: ticks, one of the vocabulary or near one.
        """
        interval, token = self.interval_to(pitch), self.vocabulary.token(duration)
        for place, earlier in enumerate(self._earlier_events):
            same_pitch = same_interval = False
            if earlier is not None and earlier[2] and earlier[1].duration == duration:
                same_pitch = earlier[1].pitch == pitch
                same_interval = self._memory.intervals[earlier[0]] == interval
            self._runs[place] = min(self._runs[place] + 1, MAX_RUN) if same_pitch else 0
            contour_run = min(self._contour_runs[place] + 1, MAX_RUN)
            self._contour_runs[place] = contour_run if same_interval else 0
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
    """Return the last three tokens, the latest first, filled up with ``nothing``."""
    return [*tokens[:-4:-1], nothing, nothing, nothing][:3]


def initial_pitch(key: Key | None) -> int:
    """Return the MIDI number that the first interval counts from: a tonic, C without a key."""
    tonic = 0 if key is None else key.tonic
    return MIDDLE_PITCH + (tonic - MIDDLE_PITCH + 6) % 12 - 6
