"""What a line remembers of itself: the latest earlier place that went like its end.

Match models as in data compression (Mahoney's lpaq; the long contexts of PPM and of Pearce's
IDyOM): they find licks and sequences anywhere in a tune, where looking back by whole bars does not.
Intervals and durations are tokens here, times are ticks.
"""

from __future__ import annotations

from collections.abc import Hashable

from mst_core.corpora.vocabulary import START_TOKEN

NO_INTERVAL = START_TOKEN + 1
"""Nothing to recall."""
MAX_MATCH = 16
"""Symbols; longer matches count as this."""
_CONFIDENCE_BY_LENGTH = (0, 1, 2, 3, 3, 4, 4, 4, 4, *[5] * 8)
CONFIDENCE_LEVELS = 6
"""How sure a match is: 0 is none, then by its length 1, 2, 3-4, 5-8, 9 and more."""
LAST_SEEN_LEVELS = 4
"""How sure a habit is: none, seen last time, the last two times, more often."""


class MatchModel:
    """Follows the latest earlier place whose last symbols were those at the end of a line."""

    def __init__(self, order: int) -> None:
        self._order = order
        """Symbols that must agree before a place is followed."""
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
        """How long the match is, 0 to GRADES - 1."""
        return _CONFIDENCE_BY_LENGTH[min(self._length, MAX_MATCH)]

    @property
    def predicted_index(self) -> int | None:
        """The index of the event that came next at the place that is followed."""
        return self._predicted if self._length else None


class LastSeen:
    """What came last time after each of some circumstances, and how often in a row."""

    def __init__(self) -> None:
        self._last: dict[Hashable, tuple[int, int]] = {}

    def update(self, circumstance: Hashable, token: int) -> None:
        """Note what came."""
        before, times = self._last.get(circumstance, (token, 0))
        times = min(times + 1, LAST_SEEN_LEVELS - 1) if before == token else 1
        self._last[circumstance] = (token, times)

    def predict(self, circumstance: Hashable, nothing: int) -> int:
        """Token and sureness as one number below (nothing + 1) * SURENESS."""
        token, times = self._last.get(circumstance, (nothing, 0))
        return token * LAST_SEEN_LEVELS + times


class ContextMemory:
    """All that a line recalls of itself, event by event."""

    def __init__(self, vocabulary_size: int) -> None:
        self._no_duration = vocabulary_size
        self.intervals: list[int] = []
        """Tokens of all events so far."""
        self.durations: list[int] = []
        self._line, self._tune, self._place, self._rhythm = (
            MatchModel(2),
            MatchModel(3),
            MatchModel(1),
            MatchModel(2),
        )
        self._at_place, self._at_pitch, self._of_pitch, self._of_two = (
            LastSeen() for _ in range(4)
        )
        self._long_move, self._long_pitch, self._long_both = (LastSeen() for _ in range(3))

    def append(
        self, place: int, before: int | None, pitch: int | None, interval: int, duration: int
    ) -> None:
        """Note an event by its place in the bar, the pitch before it, its own, and its tokens."""
        last, last_but_one, last_duration = self._last_tokens()
        self._at_place.update(place, duration)
        self._at_pitch.update((place, before), interval)
        self._of_pitch.update((before, last), interval)
        self._of_two.update((last, last_but_one), interval)
        self._long_move.update((place, interval), duration)
        self._long_pitch.update((place, pitch), duration)
        self._long_both.update((last_duration, place, interval), duration)
        self.intervals.append(interval)
        self.durations.append(duration)
        self._line.append((interval, duration))
        self._tune.append(interval)
        self._place.append((pitch, place))
        self._rhythm.append((duration, place))

    def _last_tokens(self) -> tuple[int, int, int]:
        intervals, durations = self.intervals, self.durations
        return (
            intervals[-1] if intervals else START_TOKEN,
            intervals[-2] if len(intervals) > 1 else START_TOKEN,
            durations[-1] if durations else self._no_duration,
        )

    def pitch_features(self, position: int, pitch: int | None) -> list[int]:
        """What may come next, at a place in the bar after a pitch."""
        row = []
        for recall in (self._line, self._tune, self._place):
            index = recall.predicted_index
            interval = NO_INTERVAL if index is None else self.intervals[index]
            row.append(interval * CONFIDENCE_LEVELS + recall.confidence)
        for recall in (self._line, self._rhythm):
            index = recall.predicted_index
            duration = self._no_duration if index is None else self.durations[index]
            row.append(duration * CONFIDENCE_LEVELS + recall.confidence)
        last, last_but_one, _ = self._last_tokens()
        row += (
            self._at_place.predict(position, self._no_duration),
            self._at_pitch.predict((position, pitch), NO_INTERVAL),
            self._of_pitch.predict((pitch, last), NO_INTERVAL),
            self._of_two.predict((last, last_but_one), NO_INTERVAL),
        )
        return row

    def duration_features(self, position: int, pitch: int | None, interval: int) -> list[int]:
        """How long the next event may be, now that its pitch and interval are known."""
        row = []
        for recall in (self._line, self._tune, self._place):
            index = recall.predicted_index
            if index is None:
                row.append((self._no_duration * CONFIDENCE_LEVELS) * 2)
                continue
            agrees = self.intervals[index] == interval
            row.append((self.durations[index] * CONFIDENCE_LEVELS + recall.confidence) * 2 + agrees)
        *_, last_duration = self._last_tokens()
        row += (
            self._long_move.predict((position, interval), self._no_duration),
            self._long_pitch.predict((position, pitch), self._no_duration),
            self._long_both.predict((last_duration, position, interval), self._no_duration),
        )
        return row
