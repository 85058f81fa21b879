"""Where a line moves: its range so far, and when each pitch class was last heard."""

from __future__ import annotations

from mst_core.networks.features import LOWEST_PITCH, PITCHES, WIDEST

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
