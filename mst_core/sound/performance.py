"""Turns a melody into a performance: notes in seconds with velocities.

Tempo, swing, accents, articulation and phrase dynamics are added here and nowhere else. They are
small and deterministic: the same melody is always played the same way. Beats and barlines stay
where the tempo puts them; swing moves only positions between two beats.
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
"""Swing of straight eighths: the share of the beat that its first half lasts."""
SWING_RANGE = (1 / 3, 0.8)


@dataclass(frozen=True, slots=True)
class PerformanceConfig:
    """Constants of the performance: velocities are MIDI velocities, times are seconds."""

    base_velocity: float = 80
    """Velocity before accents and dynamics."""
    downbeat_accent: float = 12
    """Added on the first beat of a bar."""
    swung_downbeat_accent: float = 8
    """The same in a bar that swings."""
    half_bar_accent: float = 7
    """Added on the middle beat of a bar with an even number of beats."""
    beat_accent: float = 4
    """Added on the other beats."""
    swung_offbeat_accent: float = 6
    """Added on the second half of a swung beat."""
    weak_accent: float = -3
    """Added in the first half of a beat, after its start."""
    phrase_dynamics: float = 4
    """Added in the middle of a phrase, falling to 0 at both ends."""
    pitch_dynamics: float = 0.5
    """Added for each semitone above the mean pitch of the tune."""
    max_pitch_dynamics: float = 5
    """Limit of that, up and down."""
    variation: float = 4
    """Width of a deterministic variation, so that neighbouring notes differ."""
    min_offbeat_s: float = 0.08
    """Shortest second half of a swung beat: at fast tempos the swing is reduced."""
    phrase_bars: int = 4
    """Bars of a phrase, counted from the start of each section."""
    phrase_gap: tuple[float, float] = (0.3, 0.12)
    """Silence after the last note of a phrase: largest share of the note, largest duration."""
    repeated_note_gap: tuple[float, float] = (0.3, 0.05)
    """The same before a note of the same pitch, which would otherwise sound like one note."""
    legato_gap: tuple[float, float] = (0.1, 0.02)
    """The same before any other note."""


DEFAULT_CONFIG = PerformanceConfig()


@dataclass(frozen=True, slots=True)
class PlayedNote:
    """One note of a performance."""

    start: float
    """Seconds from the beginning of the tune."""
    duration: float
    """Seconds, above 0; a note of a melody ends before the next one starts."""
    pitch: int
    """MIDI number, 0 to 127."""
    velocity: int
    """MIDI velocity, 1 to 127."""

    @property
    def end(self) -> float:
        """Seconds from the beginning of the tune."""
        return self.start + self.duration


@dataclass(frozen=True, slots=True)
class Performance:
    """Notes in seconds, and the tempo and meters that barlines follow from."""

    notes: tuple[PlayedNote, ...]
    seconds: float
    """Duration from 0, where a pickup begins, to the final barline."""
    downbeat: float
    """Seconds from 0 to the first downbeat: the length of the pickup."""
    tempo: float
    """Quarter notes per minute."""
    meter: Meter
    meter_changes: tuple[tuple[float, Meter], ...] = ()
    """Later meters, each with the second at which it begins."""
    drums: bool = False
    """Whether pitches name the drums of a kit."""


def perform(
    melody: Melody, *, swing: float, config: PerformanceConfig = DEFAULT_CONFIG
) -> Performance:
    """Return the performance of a melody; repeats are played once.

    Only quarter notes of simple meters with no onset finer than eighths swing. All other quarters,
    and compound meters, are played as written.

    Args:
        melody: the melody.
        swing: share of a quarter note that its first half lasts: 0.5 is straight, 2/3 a triplet.
        config: accents, dynamics and articulation.

    Returns:
        The performance, with one played note for each note of the melody, in the same order.

    Raises:
        BadOption: when the swing is outside `SWING_RANGE`.
    """
    if not SWING_RANGE[0] <= swing <= SWING_RANGE[1]:
        raise BadOption("swing", f"{swing:g}", "give the first half 0.34 to 0.8 of the beat")
    clock, lines = _SwingClock.of(melody, swing, config.min_offbeat_s), melody.barlines
    notes = tuple(_play_notes(melody, clock, config))
    end, downbeat = clock.seconds_at(lines[-1]), clock.seconds_at(Fraction(0))
    changes = tuple((clock.seconds_at(lines[new.bar]), new.meter) for new in melody.meter_changes)
    return Performance(notes, end, downbeat, melody.tempo, melody.meter, changes)


@dataclass(frozen=True, slots=True)
class _SwingClock:
    """Maps times in quarter notes from the first downbeat to seconds, with tempo and swing."""

    swing: float
    swung_beats: tuple[Fraction, ...]
    """Onsets of the quarter notes that swing, rising."""
    pickup: Fraction
    quarter_s: float
    """Seconds of a quarter note."""

    @classmethod
    def of(cls, melody: Melody, swing: float, min_offbeat_s: float) -> _SwingClock:
        """Return the clock of a melody; fast tempos get less swing."""
        quarter = 60 / melody.tempo
        if swing > STRAIGHT:
            swing = max(STRAIGHT, min(swing, 1 - min_offbeat_s / quarter))
        swung_beats = () if swing == STRAIGHT else tuple(_find_swung_beats(melody))
        return cls(swing, swung_beats, melody.pickup, quarter)

    def seconds_at(self, time: Fraction) -> float:
        """Return the seconds from the beginning of the tune at a time in quarter notes."""
        return (self._swing_time(time) - self._swing_time(-self.pickup)) * self.quarter_s

    def is_swung(self, time: Fraction) -> bool:
        """Whether a time is within a quarter note that swings."""
        return self._swung_beat(time) is not None

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
        part = time - beat
        if part <= HALF:
            return beat + float(part) * 2 * self.swing
        return beat + self.swing + float(part - HALF) * 2 * (1 - self.swing)


def _find_swung_beats(melody: Melody) -> Iterator[Fraction]:
    """Yield the onsets of quarter notes in which notes begin only on the beat or its half."""
    onsets = [note.onset for note in melody.notes]
    lines = _barlines_with_pickup(melody)
    for bar, (start, end) in enumerate(pairwise(lines), start=melody.bar_count + 1 - len(lines)):
        meter = melody.meter_at(bar)
        if meter.is_compound or meter.bar_length.denominator != 1:
            continue  # quarter notes cross the barline, so they are not beats
        inside = onsets[bisect_left(onsets, start) : bisect_left(onsets, end)]
        finer = {(onset - start) // 1 for onset in inside if (onset - start) % 1 not in (0, HALF)}
        yield from (start + beat for beat in range(int(end - start)) if beat not in finer)


def _barlines_with_pickup(melody: Melody) -> tuple[Fraction, ...]:
    """Return all barlines in quarter notes, with full bars before the downbeat for a pickup."""
    bar = melody.meter.bar_length
    return (*(-bar * n for n in range(-(-melody.pickup // bar), 0, -1)), *melody.barlines)


def _play_notes(
    melody: Melody, clock: _SwingClock, config: PerformanceConfig
) -> Iterator[PlayedNote]:
    """Yield each note with its start, duration and velocity."""
    notes, lines = melody.notes, _barlines_with_pickup(melody)
    mean_pitch = sum(melody.pitches) / max(1, len(notes))
    phrases = _phrase_starts(melody, config.phrase_bars)
    for index, note in enumerate(notes):
        following = notes[index + 1] if index + 1 < len(notes) else None
        start, end = clock.seconds_at(note.onset), clock.seconds_at(note.end)
        ends_phrase = following is not None and (
            _phrase_index(note, phrases) != _phrase_index(following, phrases)
        )
        gap = _articulation_gap(note, following, end - start, ends_phrase, config)
        bar = bisect_right(lines, note.onset) - 1
        meter = melody.meter_at(bar + melody.bar_count + 1 - len(lines))
        swung = clock.is_swung(note.onset)
        high = config.max_pitch_dynamics
        velocity = (
            config.base_velocity
            + _metrical_accent(note.onset - lines[bar], meter, swung, config)
            + config.phrase_dynamics * _phrase_arch(note, phrases)
            + max(-high, min(high, (note.pitch - mean_pitch) * config.pitch_dynamics))
            # Multiples of the golden ratio are spread evenly over 0 to 1.
            + config.variation * ((index * 0.618034) % 1 - 0.5)
        )
        yield PlayedNote(start, (end - start) - gap, note.pitch, round(velocity))


def _articulation_gap(
    note: Note,
    following: Note | None,
    duration: float,
    ends_phrase: bool,
    config: PerformanceConfig,
) -> float:
    """Return the seconds of silence at the end of a note that lasts ``duration`` seconds."""
    if following is None or following.onset > note.end:
        return 0.0  # a rest or nothing follows
    if ends_phrase:
        share, longest = config.phrase_gap
    elif following.pitch == note.pitch:
        share, longest = config.repeated_note_gap
    else:
        share, longest = config.legato_gap
    return min(share * duration, longest)


def _metrical_accent(
    position: Fraction, meter: Meter, swung: bool, config: PerformanceConfig
) -> float:
    """Return the velocity to add for a position in the bar, in quarter notes."""
    if position == 0:
        return config.swung_downbeat_accent if swung else config.downbeat_accent
    beat, bar = meter.beat_length, meter.bar_length
    if position % beat == 0:
        is_half_bar = (bar / beat) % 2 == 0 and position == bar / 2
        return config.half_bar_accent if is_half_bar and not swung else config.beat_accent
    if swung and position % 1 == HALF:
        return config.swung_offbeat_accent
    return 0 if (position % beat) * 2 >= beat else config.weak_accent


def _phrase_starts(melody: Melody, phrase_bars: int) -> list[Fraction]:
    """Return the onsets of phrases in quarter notes, each before its pickup."""
    starts = [bar for bar in melody.sections if 0 <= bar < melody.bar_count] or [0]
    bars: set[int] = set()
    for start, end in zip(starts, [*starts[1:], melody.bar_count], strict=True):
        bars.update(range(start, end, phrase_bars))
    lines = melody.barlines
    return sorted(lines[bar] - melody.pickup for bar in bars)


def _phrase_index(note: Note, phrases: list[Fraction]) -> int:
    """Return the index of the phrase in which a note begins."""
    return bisect_right(phrases, note.onset) - 1


def _phrase_arch(note: Note, phrases: list[Fraction]) -> float:
    """Return half a period of a sine over the phrase: 0 at both ends, 1 in the middle."""
    phrase = max(0, _phrase_index(note, phrases))
    if phrase + 1 >= len(phrases):
        return 0.0
    share = (note.onset - phrases[phrase]) / (phrases[phrase + 1] - phrases[phrase])
    return math.sin(math.pi * float(share))
