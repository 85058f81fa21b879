"""Match models: predictions from the latest earlier position in the tune with the same end.

As in data compression (Mahoney's lpaq) and in the long contexts of PPM and of Pearce's IDyOM. They
find licks and sequences anywhere in a tune, where looking back by whole bars does not. Their
predictions are input features of the networks. Intervals and durations are tokens here, times are
ticks.
"""

from __future__ import annotations

from collections.abc import Hashable

from mst_core.corpora.vocabulary import START_TOKEN

NO_INTERVAL = START_TOKEN + 1
"""The token of "no prediction"."""
MAX_MATCH = 16
"""Symbols; a longer match counts as this."""
_CONFIDENCE_BY_LENGTH = (0, 1, 2, 3, 3, 4, 4, 4, 4, *[5] * 8)
CONFIDENCE_LEVELS = 6
"""Levels of match length: none, 1, 2, 3-4, 5-8, 9 symbols or more."""
LAST_SEEN_LEVELS = 4
"""Levels of `LastSeen`: never, the last time, the last two times, the last three or more."""


class MatchModel:
    """Follows the latest earlier position whose last symbols equal those at the end of a tune."""

    def __init__(self, order: int) -> None:
        self._order = order
        """Symbols that must agree before a position is followed."""
        self._symbols: list[Hashable] = []
        self._seen: dict[tuple[Hashable, ...], int] = {}
        self._predicted = -1
        self._length = 0

    def append(self, symbol: Hashable) -> None:
        """Append the symbol of the next event."""
        symbols = self._symbols
        if self._length and symbols[self._predicted] == symbol:
            self._predicted += 1
            self._length += 1
        else:
            self._length = 0
        symbols.append(symbol)
        if len(symbols) < self._order:
            return
        key = tuple(symbols[-self._order :])
        if not self._length and (found := self._seen.get(key)) is not None:
            self._predicted, self._length = found, self._order
            while (
                self._length < min(MAX_MATCH, found)
                and symbols[found - self._length - 1] == symbols[-self._length - 1]
            ):
                self._length += 1
        self._seen[key] = len(symbols)

    @property
    def confidence(self) -> int:
        """Level of the match's length, 0 (no match) to `CONFIDENCE_LEVELS` - 1."""
        return _CONFIDENCE_BY_LENGTH[min(self._length, MAX_MATCH)]

    @property
    def predicted_index(self) -> int | None:
        """Index of the event that followed the matching position; None without a match."""
        return self._predicted if self._length else None


class LastSeen:
    """The token that last followed each context, and how often in a row it did."""

    def __init__(self) -> None:
        self._last: dict[Hashable, tuple[int, int]] = {}

    def update(self, context: Hashable, token: int) -> None:
        """Store the token that followed a context.

        Args:
            context: the key, such as a tuple of features.
            token: index of the token, 0 or more.
        """
        previous, times = self._last.get(context, (token, 0))
        times = min(times + 1, LAST_SEEN_LEVELS - 1) if previous == token else 1
        self._last[context] = (token, times)

    def predict(self, context: Hashable, unknown: int) -> int:
        """Return ``token * LAST_SEEN_LEVELS + times``; the token is ``unknown`` for a new context.

        The result is below ``(unknown + 1) * LAST_SEEN_LEVELS``.

        Args:
            context: the key, such as a tuple of features.
            unknown: the token for a context that was not stored; larger than every real token.
        """
        token, times = self._last.get(context, (unknown, 0))
        return token * LAST_SEEN_LEVELS + times


class ContextMemory:
    """All match models of one tune, updated event by event."""

    def __init__(self, vocabulary_size: int) -> None:
        self._no_duration = vocabulary_size
        self.intervals: list[int] = []
        """Interval tokens of all events so far."""
        self.durations: list[int] = []
        """Duration tokens of all events so far."""
        self._events = MatchModel(2)
        self._contour = MatchModel(3)
        self._pitches_in_bar = MatchModel(1)
        self._rhythm = MatchModel(2)
        # The interval or duration that last followed a context of one or two features.
        self._duration_at_position = LastSeen()
        self._interval_at_pitch_position = LastSeen()
        self._interval_at_pitch_interval = LastSeen()
        self._interval_at_two_intervals = LastSeen()
        self._duration_at_position_interval = LastSeen()
        self._duration_at_position_pitch = LastSeen()
        self._duration_at_all = LastSeen()

    def append(
        self,
        position: int,
        previous_pitch: int | None,
        pitch: int | None,
        interval: int,
        duration: int,
    ) -> None:
        """Append an event.

        Args:
            position: its onset in the bar, in ticks.
            previous_pitch: MIDI number of the last note before it; None before the first.
            pitch: its MIDI number; None for a rest.
            interval: its pitch token.
            duration: its duration token.
        """
        last, last_but_one, last_duration = self._last_tokens()
        self._duration_at_position.update(position, duration)
        self._interval_at_pitch_position.update((position, previous_pitch), interval)
        self._interval_at_pitch_interval.update((previous_pitch, last), interval)
        self._interval_at_two_intervals.update((last, last_but_one), interval)
        self._duration_at_position_interval.update((position, interval), duration)
        self._duration_at_position_pitch.update((position, pitch), duration)
        self._duration_at_all.update((last_duration, position, interval), duration)
        self.intervals.append(interval)
        self.durations.append(duration)
        self._events.append((interval, duration))
        self._contour.append(interval)
        self._pitches_in_bar.append((pitch, position))
        self._rhythm.append((duration, position))

    def _last_tokens(self) -> tuple[int, int, int]:
        """Return the last two interval tokens, latest first, and the last duration token."""
        intervals, durations = self.intervals, self.durations
        return (
            intervals[-1] if intervals else START_TOKEN,
            intervals[-2] if len(intervals) > 1 else START_TOKEN,
            durations[-1] if durations else self._no_duration,
        )

    def pitch_features(self, position: int, pitch: int | None) -> list[int]:
        """Return the features (9,) of the next event, in the order of `PITCH_FEATURES`.

        Args:
            position: its onset in the bar, in ticks.
            pitch: MIDI number of the last note; None before the first.
        """
        row = []
        for match in (self._events, self._contour, self._pitches_in_bar):
            index = match.predicted_index
            interval = NO_INTERVAL if index is None else self.intervals[index]
            row.append(interval * CONFIDENCE_LEVELS + match.confidence)
        for match in (self._events, self._rhythm):
            index = match.predicted_index
            duration = self._no_duration if index is None else self.durations[index]
            row.append(duration * CONFIDENCE_LEVELS + match.confidence)
        last, last_but_one, _ = self._last_tokens()
        row += (
            self._duration_at_position.predict(position, self._no_duration),
            self._interval_at_pitch_position.predict((position, pitch), NO_INTERVAL),
            self._interval_at_pitch_interval.predict((pitch, last), NO_INTERVAL),
            self._interval_at_two_intervals.predict((last, last_but_one), NO_INTERVAL),
        )
        return row

    def duration_features(self, position: int, pitch: int | None, interval: int) -> list[int]:
        """Return the features (6,) of the next event's duration, now that its pitch is known.

        Args:
            position: its onset in the bar, in ticks.
            pitch: its MIDI number; None for a rest.
            interval: its pitch token.
        """
        row = []
        for match in (self._events, self._contour, self._pitches_in_bar):
            index = match.predicted_index
            if index is None:
                row.append((self._no_duration * CONFIDENCE_LEVELS) * 2)
                continue
            agrees = self.intervals[index] == interval
            row.append((self.durations[index] * CONFIDENCE_LEVELS + match.confidence) * 2 + agrees)
        *_, last_duration = self._last_tokens()
        row += (
            self._duration_at_position_interval.predict((position, interval), self._no_duration),
            self._duration_at_position_pitch.predict((position, pitch), self._no_duration),
            self._duration_at_all.predict((last_duration, position, interval), self._no_duration),
        )
        return row
