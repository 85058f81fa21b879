"""Converts ticks to seconds by the tempo changes of a MIDI file.

Stands alone because the melody choice and the reader share it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Sequence

_DEFAULT_TEMPO = 500_000
"""Microseconds per quarter where a file names no tempo, by the standard: 120 quarters a minute."""
_SAME_TEMPO = 1.12
"""Ratio up to which two tempos are the same tempo with the freedom of a player."""


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
        index = max(0, bisect_right(self.changes, tick, key=lambda each: each[0]) - 1)
        start, tempo = self.changes[index]
        return self._seconds[index] + self._duration(tick - start, tempo)

    def main_tempo(self, start: int, end: int) -> float:
        """Return the tempo about which the music of start..end goes for the most seconds.

        Tempos within `_SAME_TEMPO` of each other count as one, so that a file with a tempo for
        every beat has a main tempo too, which a count-in or a fermata does not move.

        Args:
            start: tick of the file, 0 or more.
            end: tick of the file after ``start``.

        Returns:
            Quarters per minute: one of the file if it holds for most of these seconds, else their
            median as a whole number.
        """
        held: defaultdict[int, float] = defaultdict(float)
        edges = [tick for tick, _ in self.changes[1:]]
        for (begins, tempo), ends in zip(self.changes, [*edges, end], strict=True):
            ticks = max(0, min(ends, end) - max(begins, start))
            held[tempo] += self._duration(ticks, tempo)
        tempos = sorted(held)
        best, first, total = (0.0, 0, 0), 0, 0.0
        for last, tempo in enumerate(tempos):
            total += held[tempo]
            while tempos[first] * _SAME_TEMPO < tempo:
                total -= held[tempos[first]]
                first += 1
            best = max(best, (total, first, last))
        total, first, last = best
        alike = tempos[first : last + 1]
        longest = max(alike, key=lambda tempo: held[tempo])
        if held[longest] >= total / 2:
            return quarters_per_minute(longest)
        passed = 0.0
        for tempo in alike:
            passed += held[tempo]
            if passed >= total / 2:
                break
        return float(max(1, round(60e6 / tempo)))

    def tempo_changes(self, start: int, end: int) -> list[tuple[int, float]]:
        """Return the tempos of start..end, rising by tick; one entry where the tempo is constant.

        Args:
            start: tick of the file, 0 or more.
            end: tick of the file after ``start``.

        Returns:
            (tick, quarters per minute); the first is at ``start`` or before it.
        """
        first = bisect_right(self.changes, start, key=lambda each: each[0]) - 1
        return [
            (tick, quarters_per_minute(tempo))
            for tick, tempo in self.changes[max(0, first) :]
            if tick < end or tick <= start
        ]


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
