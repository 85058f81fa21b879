"""How a tune is played: a melody of exact beats becomes strokes in seconds.

Feel lives here and nowhere else: tempo, swing, accents, articulation, breath. It is subtle and
without chance: the same melody is always played the same way. Beats and barlines stay where the
tempo puts them; swing moves only what lies between two beats.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from mst_core.errors import BadOption
from mst_core.music import Melody, Meter, Note

HALF = Fraction(1, 2)
STRAIGHT = 0.5
SWING_RANGE = (1 / 3, 0.8)
MIN_OFFBEAT_S = 0.08
"""Players keep about this much for the short half of a fast beat, and swing less instead."""
PHRASE_BARS = 4


@dataclass(frozen=True, slots=True)
class PlayedNote:
    """One note as it is played."""

    start: float
    """Seconds from the beginning of the tune."""
    duration: float
    """Seconds, more than 0; it ends before the next one starts."""
    pitch: int
    """MIDI number, 0 to 127."""
    velocity: int
    """How hard, 1 to 127."""

    @property
    def end(self) -> float:
        """Seconds from the beginning of the tune."""
        return self.start + self.duration


@dataclass(frozen=True, slots=True)
class Performance:
    """Strokes in time, and where its bars lie."""

    notes: tuple[PlayedNote, ...]
    seconds: float
    """From 0, where a pickup begins, to the final barline."""
    downbeat: float
    """Seconds to the first downbeat: the length of the pickup."""
    tempo: float
    """Quarter notes per minute."""
    meter: Meter
    meter_changes: tuple[tuple[float, Meter], ...] = ()
    """Other meters on the way, and the seconds at which they begin."""
    drums: bool = False
    """Whether pitches name the drums of a kit instead of notes."""


def perform(melody: Melody, *, swing: float) -> Performance:
    """Play a melody; its repeats are played once.

    ``swing`` is the share of a quarter that its first half takes: 0.5 straight, 2/3 triplet. Only
    quarters of simple meters with nothing finer than eighths swing; all others, and compound
    meters, are played as written.

    Raises:
        BadOption: when the swing is outside `SWING_RANGE`.
    """
    if not SWING_RANGE[0] <= swing <= SWING_RANGE[1]:
        raise BadOption("swing", f"{swing:g}", "give the first half 0.34 to 0.8 of the beat")
    clock, lines = _SwingClock.of(melody, swing), melody.barlines
    strokes = tuple(_play_notes(melody, clock))
    end, downbeat = clock.seconds(lines[-1]), clock.seconds(Fraction(0))
    changes = tuple((clock.seconds(lines[new.bar]), new.meter) for new in melody.meter_changes)
    return Performance(strokes, end, downbeat, melody.tempo, melody.meter, changes)


@dataclass(frozen=True, slots=True)
class _SwingClock:
    """Tells the second of each place of a melody; the one owner of tempo and swing."""

    swing: float
    swung_beats: tuple[Fraction, ...]
    """Where the quarters begin that swing, in order."""
    pickup: Fraction
    quarter_seconds: float
    """Seconds."""

    @classmethod
    def of(cls, melody: Melody, swing: float) -> _SwingClock:
        quarter = 60 / melody.tempo
        if swing > STRAIGHT:
            swing = max(STRAIGHT, min(swing, 1 - MIN_OFFBEAT_S / quarter))
        swinging = () if swing == STRAIGHT else tuple(_find_swung_beats(melody))
        return cls(swing, swinging, melody.pickup, quarter)

    def seconds(self, place: Fraction) -> float:
        """Return the second at which a place, in quarters from the first downbeat, is reached."""
        return (self._swing_time(place) - self._swing_time(-self.pickup)) * self.quarter_seconds

    def is_swung(self, place: Fraction) -> bool:
        """Whether a place is in a quarter that swings."""
        return self._swung_beat(place) is not None

    def _swung_beat(self, place: Fraction) -> Fraction | None:
        """Return where the swinging quarter begins that a place is in."""
        index = bisect_right(self.swung_beats, place) - 1
        if index < 0 or place - self.swung_beats[index] >= 1:
            return None
        return self.swung_beats[index]

    def _swing_time(self, place: Fraction) -> float:
        """Return a place in quarters, moved as the swing of its beat moves it."""
        beat = self._swung_beat(place)
        if beat is None or place == beat:
            return float(place)
        part = place - beat
        if part <= HALF:
            return beat + float(part) * 2 * self.swing
        return beat + self.swing + float(part - HALF) * 2 * (1 - self.swing)


def _find_swung_beats(melody: Melody) -> Iterator[Fraction]:
    """Yield the quarters in which notes begin on the beat or its half only."""
    onsets = [note.onset for note in melody.notes]
    bars = _all_barlines(melody)
    for bar, (start, end) in enumerate(pairwise(bars), start=melody.bar_count + 1 - len(bars)):
        meter = melody.meter_at(bar)
        if meter.is_compound or meter.bar_length.denominator != 1:
            continue  # a quarter that crosses the barline is no beat
        inside = onsets[bisect_left(onsets, start) : bisect_left(onsets, end)]
        finer = {(onset - start) // 1 for onset in inside if (onset - start) % 1 not in (0, HALF)}
        yield from (start + beat for beat in range(int(end - start)) if beat not in finer)


def _all_barlines(melody: Melody) -> tuple[Fraction, ...]:
    """Return the barlines, with those of a pickup as if its bars were full."""
    bar = melody.meter.bar_length
    return (*(-bar * n for n in range(-(-melody.pickup // bar), 0, -1)), *melody.barlines)


def _play_notes(melody: Melody, clock: _SwingClock) -> list[PlayedNote]:
    """Play each note: when, how long, how hard."""
    notes, bars = melody.notes, _all_barlines(melody)
    middle = sum(melody.pitches) / max(1, len(notes))
    phrases = _phrase_starts(melody)
    strokes = []
    for index, note in enumerate(notes):
        following = notes[index + 1] if index + 1 < len(notes) else None
        start, end = clock.seconds(note.onset), clock.seconds(note.end)
        last = following is not None and _phrase_index(note, phrases) != _phrase_index(
            following, phrases
        )
        length = (end - start) - _articulation_gap(
            note, following, end - start, last_of_phrase=last
        )
        bar = bisect_right(bars, note.onset) - 1
        meter = melody.meter_at(bar + melody.bar_count + 1 - len(bars))
        velocity = (
            80
            + _metrical_accent(note.onset - bars[bar], meter, swings=clock.is_swung(note.onset))
            + _phrase_dynamics(note, phrases)
            + max(-5.0, min(5.0, (note.pitch - middle) / 2))  # a higher note sings a little more
            + 4 * ((index * 0.618034) % 1 - 0.5)  # evenly spread, so no two neighbours are alike
        )
        strokes.append(PlayedNote(start, length, note.pitch, round(velocity)))
    return strokes


def _articulation_gap(
    note: Note, following: Note | None, length: float, *, last_of_phrase: bool
) -> float:
    """Return the seconds of silence that a player leaves at the end of a note of that length."""
    if following is None or following.onset > note.end:
        return 0.0  # a rest follows, or nothing
    if last_of_phrase:
        return min(0.3 * length, 0.12)
    if following.pitch == note.pitch:
        return min(0.3 * length, 0.05)  # else the second would not be heard as a new note
    return min(0.1 * length, 0.02)


def _metrical_accent(place: Fraction, meter: Meter, *, swings: bool) -> float:
    """Return the velocity that a note owes to its place in the bar."""
    if place == 0:
        return 8 if swings else 12
    if place % meter.beat_length == 0:
        strong = (meter.bar_length / meter.beat_length) % 2 == 0 and place == meter.bar_length / 2
        return 7 if strong and not swings else 4
    if swings and place % 1 == HALF:
        return 6  # the offbeat leans into the next beat
    return 0 if (place % meter.beat_length) * 2 >= meter.beat_length else -3


def _phrase_starts(melody: Melody) -> list[Fraction]:
    """Return where phrases begin, in quarters: sections, cut into fours, pickup before each."""
    starts = [bar for bar in melody.sections if 0 <= bar < melody.bar_count] or [0]
    bars: set[int] = set()
    for start, end in zip(starts, [*starts[1:], melody.bar_count], strict=True):
        bars.update(range(start, end, PHRASE_BARS))
    lines = melody.barlines
    return sorted(lines[bar] - melody.pickup for bar in bars)


def _phrase_index(note: Note, phrases: list[Fraction]) -> int:
    return bisect_right(phrases, note.onset) - 1


def _phrase_dynamics(note: Note, phrases: list[Fraction]) -> float:
    """Return 0 at the ends of a phrase and 4 in its middle: it swells and falls."""
    phrase = max(0, _phrase_index(note, phrases))
    if phrase + 1 >= len(phrases):
        return 0.0
    share = (note.onset - phrases[phrase]) / (phrases[phrase + 1] - phrases[phrase])
    return 4 * math.sin(math.pi * float(share))
