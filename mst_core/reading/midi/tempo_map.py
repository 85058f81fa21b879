"""Converts ticks to seconds by the tempo changes of a MIDI file.

Stands alone because the melody choice and the reader share it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Sequence

_DEFAULT_TEMPO = 500_000
"""Microseconds per quarter where a file names no tempo, by the standard: 120 quarters a minute."""


class TempoMap:
    """Tempo as a function of time, constant between changes."""

    def __init__(self, changes: Sequence[tuple[int, int]], ticks_per_quarter: int) -> None:
        """Build the map.

        Args:
            changes: (tick, microseconds per quarter), increasing by tick.
            ticks_per_quarter: of the file.
        """
        self.ticks_per_quarter = ticks_per_quarter
        self.is_specified = bool(changes)
        """Whether the file names a tempo at all."""
        if not changes or changes[0][0] > 0:
            changes = [(0, _DEFAULT_TEMPO), *changes]
        self.changes: list[tuple[int, int]] = []
        """As given, from tick 0, without changes to the tempo that holds already."""
        for tick, tempo in changes:
            if not self.changes or tempo != self.changes[-1][1]:
                self.changes.append((tick, tempo))
        self._seconds = [0.0]  # at each change
        for (start, tempo), (end, _) in zip(self.changes, self.changes[1:], strict=False):
            self._seconds.append(self._seconds[-1] + self._duration(end - start, tempo))

    def _duration(self, ticks: int, tempo: int) -> float:
        """Seconds of ``ticks`` at one tempo."""
        return ticks * tempo / 1e6 / self.ticks_per_quarter

    def seconds(self, tick: int) -> float:
        """Return the seconds from the start of the file to a tick."""
        index = bisect_right(self.changes, tick, key=lambda each: each[0]) - 1
        start, tempo = self.changes[index]
        return self._seconds[index] + self._duration(tick - start, tempo)

    def prevailing_tempo(self, start: int, end: int) -> float:
        """Return the tempo that holds for most ticks of start..end, in quarters per minute.

        Args:
            start: tick of the file, 0 or more.
            end: tick of the file after ``start``.
        """
        held: defaultdict[int, int] = defaultdict(int)
        edges = [tick for tick, _ in self.changes[1:]]
        for (begins, tempo), ends in zip(self.changes, [*edges, end], strict=True):
            held[tempo] += max(0, min(ends, end) - max(begins, start))
        longest = max(held.values())
        return quarters_per_minute(next(tempo for tempo, ticks in held.items() if ticks == longest))


def quarters_per_minute(tempo: int) -> float:
    """Convert a tempo of a MIDI file, undoing its rounding to whole microseconds.

    Args:
        tempo: microseconds per quarter, above 0.

    Returns:
        Quarters per minute with the fewest decimals (at most 3) that are written as ``tempo``, or
        the exact quotient.
    """
    exact = 60e6 / tempo
    for digits in range(4):
        rounded = round(exact, digits)
        if rounded > 0 and abs(60e6 / rounded - tempo) <= 1:
            return rounded
    return exact
