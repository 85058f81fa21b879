"""Turns a melody into a performance: notes in seconds with velocities.

Accents, articulation, phrase dynamics and grace notes are added here and nowhere else. They are
small and deterministic: the same melody is always played the same way. Beats and barlines stay
where the tempo map puts them; swing moves only positions between two beats (`playback_clock`).
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction

from mst_core.errors import BadOption
from mst_core.music import ControlEvent, Melody, Meter, Note
from mst_core.sound.playback_clock import HALF, PlaybackClock, barlines_with_pickup

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
    grace_note_s: float = 0.06
    """Seconds of a grace note; they end where their note begins."""
    grace_note_share: float = 0.5
    """Share of the note before that its grace notes may take, at the most."""
    grace_note_accent: float = -10
    """Added to the velocity of the note that grace notes lead to."""


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
    """Quarter notes per minute, at the beginning."""
    meter: Meter
    meter_changes: tuple[tuple[float, Meter], ...] = ()
    """Later meters, each with the second at which it begins."""
    tempo_changes: tuple[tuple[float, float], ...] = ()
    """Later tempos in quarter notes per minute, each after the second at which it begins."""
    grace_notes: tuple[PlayedNote, ...] = ()
    """Ornaments before notes; the first may begin before second 0."""
    name: str = ""
    program: int = 0
    """General MIDI program at the beginning, 0 to 127; of drums the kit."""
    drums: bool = False
    """Whether pitches name the drums of a kit."""
    controls: tuple[tuple[float, ControlEvent], ...] = ()
    """Programs, controllers and bends with the seconds at which they come, rising."""

    @property
    def end(self) -> float:
        """Seconds from 0 to the final barline, or to the end of the last note if that is later."""
        return max([self.seconds, *(note.end for note in self.all_notes)])

    @property
    def all_notes(self) -> tuple[PlayedNote, ...]:
        """Notes and grace notes."""
        return self.notes + self.grace_notes


def perform(
    melody: Melody, *, swing: float, config: PerformanceConfig = DEFAULT_CONFIG
) -> Performance:
    """Return the performance of a melody, repeats played once (see `mst_core.sound.repeats`).

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
    clock, lines = open_clock(melody, swing, config), melody.barlines
    notes, grace_notes = _add_grace_notes(melody, list(_play_notes(melody, clock, config)), config)
    tempos = melody.tempo_changes
    return Performance(
        notes,
        seconds=clock.seconds_at(lines[-1]),
        downbeat=clock.seconds_at(Fraction(0)),
        tempo=tempos[0].tempo if tempos else melody.tempo,
        meter=melody.meter,
        meter_changes=tuple(
            (clock.seconds_at(lines[new.bar]), new.meter) for new in melody.meter_changes
        ),
        tempo_changes=tuple((clock.seconds_at(new.onset), new.tempo) for new in tempos[1:]),
        grace_notes=grace_notes,
    )


def open_clock(
    melody: Melody, swing: float, config: PerformanceConfig = DEFAULT_CONFIG
) -> PlaybackClock:
    """Return the clock that plays a melody.

    Args:
        melody: the melody.
        swing: share of a quarter note that its first half lasts, within `SWING_RANGE`.
        config: the shortest offbeat.
    """
    return PlaybackClock.of(melody, swing, config.min_offbeat_s)


def _add_grace_notes(
    melody: Melody, notes: list[PlayedNote], config: PerformanceConfig
) -> tuple[tuple[PlayedNote, ...], tuple[PlayedNote, ...]]:
    """Return the notes, shortened before grace notes, and the grace notes."""
    played: list[PlayedNote] = []
    for grace in melody.grace_notes:
        if not grace.pitches or grace.note >= len(notes):
            continue
        main = notes[grace.note]
        length = config.grace_note_s * len(grace.pitches)
        if grace.note:
            before = notes[grace.note - 1]
            length = min(length, (main.start - before.start) * config.grace_note_share)
            end = min(before.end, main.start - length)
            notes[grace.note - 1] = replace(before, duration=end - before.start)
        step = length / len(grace.pitches)
        velocity = max(1, round(main.velocity + config.grace_note_accent))
        played += [
            PlayedNote(main.start - length + index * step, step, pitch, velocity)
            for index, pitch in enumerate(grace.pitches)
        ]
    return tuple(notes), tuple(played)


def _play_notes(
    melody: Melody, clock: PlaybackClock, config: PerformanceConfig
) -> Iterator[PlayedNote]:
    """Yield each note with its start, duration and velocity."""
    notes, lines = melody.notes, barlines_with_pickup(melody)
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
