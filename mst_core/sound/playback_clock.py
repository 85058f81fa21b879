"""The clock of a performance: from quarter notes to seconds, through the tempo map and the swing.

The melody and every accompanying part are played by one clock, so that a band swings and slows
down with its melody.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise

from mst_core.music import Melody

HALF = Fraction(1, 2)
STRAIGHT = 0.5
"""Swing of straight eighths: the share of the beat that its first half lasts."""
_NEAR = 4
"""Quarter notes: a melody that swings this near to its beginning, or its end, swings there."""
EIGHTH_TOLERANCE = Fraction(1, 24)
"""Quarter notes: a note of a part this near to a beat, or to its half, stands there."""


@dataclass(frozen=True, slots=True)
class PlaybackClock:
    """Maps times in quarter notes from the first downbeat to seconds."""

    swing: float
    """Share of a swung quarter note that its first half lasts."""
    swung_beats: tuple[Fraction, ...]
    """Onsets of the quarter notes that swing, rising."""
    start: Fraction
    """Quarter notes: the time that is second 0, where the tune or its pickup begins."""
    quarter_s: float
    """Seconds of a quarter note at the main tempo."""
    tempos: tuple[tuple[float, float, float], ...] = ()
    """The tempo map where the tempo changes: onset in quarter notes, seconds from the first of
    them, and seconds of a quarter note from there on."""
    min_offbeat_s: float = 0.0
    """Shortest second half of a swung beat, in seconds."""
    triplet_beats: tuple[Fraction, ...] = ()
    """Onsets of the quarter notes in which the melody plays triplets; parts swing against them."""
    span: tuple[Fraction, Fraction] = (Fraction(0), Fraction(0))
    """First barline, with full bars for a pickup, and final one, in quarter notes."""

    @classmethod
    def of(cls, melody: Melody, swing: float, min_offbeat_s: float) -> PlaybackClock:
        """Return the clock of a melody; fast tempos get less swing.

        Args:
            melody: whose tempo map, meters and rhythm decide.
            swing: share of a quarter note that its first half lasts: 0.5 is straight.
            min_offbeat_s: shortest second half of a swung beat, in seconds.
        """
        quarter = 60 / melody.tempo
        tempos = tuple(_accumulate_tempos(melody))
        if not tempos:
            swing = _playable_swing(swing, quarter, min_offbeat_s)
        beats = [] if swing == STRAIGHT else list(_find_beats(melody))
        lines = barlines_with_pickup(melody)
        span = lines[0], lines[-1]
        return cls(
            swing,
            tuple(beat for beat, parts in beats if parts == {2}),
            -melody.pickup,
            quarter,
            tempos,
            min_offbeat_s,
            tuple(beat for beat, parts in beats if parts == {3}),
            span,
        )

    def for_part(self, onsets: Iterable[Fraction]) -> PlaybackClock:
        """Return the clock of an accompanying part.

        A beat in which the part has notes finer than eighths, or eighths that are swung already,
        is played as it is. Before and after the melody the part swings as the melody does.

        Args:
            onsets: of the part's notes, in quarter notes from the first downbeat.
        """
        if not self.swung_beats:
            return self
        first, last = self.swung_beats[0], self.swung_beats[-1]
        begin, end = self.span
        swings_before, swings_after = first < begin + _NEAR, last >= end - _NEAR
        swung, finer = {*self.swung_beats, *self.triplet_beats}, set[Fraction]()
        for onset in onsets:
            if (onset < begin and swings_before) or (onset >= end and swings_after):
                swung.add(first + (onset - first) // 1)
            beat = self._beat_of(onset, first)
            inside = onset - beat
            if min(inside, abs(inside - HALF), 1 - inside) > EIGHTH_TOLERANCE:
                finer.add(beat)
        return replace(self, swung_beats=tuple(sorted(swung - finer)))

    def _beat_of(self, time: Fraction, first: Fraction) -> Fraction:
        """The beat of a time: the swung one, or else the one counted from the first of them."""
        beat = self._swung_beat(time)
        return first + (time - first) // 1 if beat is None else beat

    def seconds_at(self, time: Fraction) -> float:
        """Return the seconds from the beginning of the tune.

        Args:
            time: in quarter notes from the first downbeat.
        """
        if self.tempos:
            start = self._integrate(self._swing_time(self.start))
            return self._integrate(self._swing_time(time)) - start
        return (self._swing_time(time) - self._swing_time(self.start)) * self.quarter_s

    def is_swung(self, time: Fraction) -> bool:
        """Whether a time is within a quarter note that swings.

        Args:
            time: in quarter notes from the first downbeat.
        """
        return self._swung_beat(time) is not None

    def _integrate(self, time: float) -> float:
        """Return the seconds from the first tempo of the map to a time in quarter notes."""
        at = max(0, bisect_right(self.tempos, time, key=lambda tempo: tempo[0]) - 1)
        onset, second, quarter = self.tempos[at]
        return second + (time - onset) * quarter

    def _swung_beat(self, time: Fraction) -> Fraction | None:
        """Return the onset of the swung quarter note that contains a time."""
        index = bisect_right(self.swung_beats, time) - 1
        if index < 0 or time - self.swung_beats[index] >= 1:
            return None
        return self.swung_beats[index]

    def _swing_time(self, time: Fraction) -> float:
        """Return a time in quarter notes, moved by the swing of its beat."""
        beat = self._swung_beat(time)
        if beat is None or time == beat:
            return float(time)
        swing = self._swing_at(beat)
        part = time - beat
        if part <= HALF:
            return beat + float(part) * 2 * swing
        return beat + swing + float(part - HALF) * 2 * (1 - swing)

    def _swing_at(self, beat: Fraction) -> float:
        """Return the swing of a beat, less where the tempo is fast there."""
        if not self.tempos:
            return self.swing
        at = max(0, bisect_right(self.tempos, float(beat), key=lambda tempo: tempo[0]) - 1)
        return _playable_swing(self.swing, self.tempos[at][2], self.min_offbeat_s)


def barlines_with_pickup(melody: Melody) -> tuple[Fraction, ...]:
    """Return all barlines in quarter notes, with full bars before the downbeat for a pickup.

    Args:
        melody: the melody.
    """
    bar = melody.meter.bar_length
    return (*(-bar * n for n in range(-(-melody.pickup // bar), 0, -1)), *melody.barlines)


def _playable_swing(swing: float, quarter_s: float, min_offbeat_s: float) -> float:
    """Return a swing whose offbeats are no shorter than allowed; backward swing stays."""
    if swing <= STRAIGHT:
        return swing
    return max(STRAIGHT, min(swing, 1 - min_offbeat_s / quarter_s))


def _accumulate_tempos(melody: Melody) -> Iterator[tuple[float, float, float]]:
    """Yield the onset, the second and the seconds of a quarter note of each tempo."""
    second, onset, quarter = 0.0, 0.0, 0.0
    for index, change in enumerate(melody.tempo_changes):
        if index:
            second += (float(change.onset) - onset) * quarter
        onset, quarter = float(change.onset), 60 / change.tempo
        yield onset, second, quarter


def _find_beats(melody: Melody) -> Iterator[tuple[Fraction, set[int]]]:
    """Yield the onset of each quarter note that is a beat, and the divisions that it needs.

    They are {2} for notes on the beat and its half alone, {3} for triplets, and others for finer
    notes.
    """
    onsets = [note.onset for note in melody.notes]
    lines = barlines_with_pickup(melody)
    for bar, (start, end) in enumerate(pairwise(lines), start=melody.bar_count + 1 - len(lines)):
        meter = melody.meter_at(bar)
        if meter.is_compound or meter.bar_length.denominator != 1:
            continue  # quarter notes cross the barline, so they are not beats
        needed: dict[int, set[int]] = {}
        for onset in onsets[bisect_left(onsets, start) : bisect_left(onsets, end)]:
            beat, inside = divmod(onset - start, 1)
            if inside:
                needed.setdefault(beat, set()).add(inside.denominator)
        yield from ((start + beat, needed.get(beat, {2})) for beat in range(int(end - start)))
