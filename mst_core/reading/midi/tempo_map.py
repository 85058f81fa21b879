"""How ticks become seconds: the tempo changes of a MIDI file."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Sequence

_DEFAULT_TEMPO = 500_000  # microseconds a quarter, where a file says nothing: 120 quarters a minute


class TempoMap:
    """Tempo as a function of time; ``changes`` are (tick, microseconds a quarter), rising."""

    def __init__(self, changes: Sequence[tuple[int, int]], ticks_per_quarter: int) -> None:
        self.ticks_per_quarter = ticks_per_quarter
        self.is_specified = bool(changes)
        """Whether the file names a tempo at all."""
        if not changes or changes[0][0] > 0:
            changes = [(0, _DEFAULT_TEMPO), *changes]
        self.changes: list[tuple[int, int]] = []
        for tick, tempo in changes:
            if not self.changes or tempo != self.changes[-1][1]:
                self.changes.append((tick, tempo))
        self._seconds = [0.0]
        for (start, tempo), (end, _) in zip(self.changes, self.changes[1:], strict=False):
            self._seconds.append(self._seconds[-1] + self._duration(end - start, tempo))

    def _duration(self, ticks: int, tempo: int) -> float:
        return ticks * tempo / 1e6 / self.ticks_per_quarter

    def seconds(self, tick: int) -> float:
        """Seconds from the start of the file."""
        place = bisect_right(self.changes, tick, key=lambda each: each[0]) - 1
        start, tempo = self.changes[place]
        return self._seconds[place] + self._duration(tick - start, tempo)

    def prevailing_tempo(self, start: int, end: int) -> float:
        """The tempo that holds longest between two ticks, in quarters a minute."""
        held: defaultdict[int, int] = defaultdict(int)
        edges = [tick for tick, _ in self.changes[1:]]
        for (begins, tempo), ends in zip(self.changes, [*edges, end], strict=True):
            held[tempo] += max(0, min(ends, end) - max(begins, start))
        longest = max(held.values())
        return quarters_per_minute(next(tempo for tempo, ticks in held.items() if ticks == longest))


def quarters_per_minute(tempo: int) -> float:
    """The roundest figure that a file may have written as this many microseconds a quarter."""
    exact = 60e6 / tempo
    for digits in range(4):
        rounded = round(exact, digits)
        if rounded > 0 and abs(60e6 / rounded - tempo) <= 1:
            return rounded
    return exact
