"""The performance of a band: a melody and the accompanying parts that came with it.

All are played by the clock of the melody (`playback_clock`), with the programs, controllers and
bends of the file. Where the file says how loud its melody is, the melody is played as loud.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from statistics import median

from mst_core.music import ControlEvent, Melody, Part
from mst_core.sound.performance import (
    DEFAULT_CONFIG,
    Performance,
    PerformanceConfig,
    PlayedNote,
    open_clock,
    perform,
)
from mst_core.sound.playback_clock import PlaybackClock, barlines_with_pickup
from mst_core.sound.repeats import play_repeats

MIN_NOTE_S = 0.02
MAX_BEGINNING_S = 90.0
"""Seconds of the beginning of a slow tune, or of one without barlines, at most."""
MAX_NOTE_S = 30.0
"""Longest duration of an accompanying note, in seconds."""
VELOCITY_RANGE = (1, 127)
USUAL_VOLUME = ControlEvent(Fraction(-1_000_000), "control", 7, 100)
"""The volume of every voice of a band from the beginning, as General MIDI has it."""


def perform_band(
    melody: Melody,
    parts: Sequence[Part] = (),
    *,
    swing: float,
    program: int,
    controls: Sequence[ControlEvent] = (),
    velocity: int | None = None,
    repeats: bool = True,
    config: PerformanceConfig = DEFAULT_CONFIG,
) -> tuple[Performance, ...]:
    """Return the performances of a melody and of its parts, which may begin before second 0.

    Args:
        melody: the melody.
        parts: accompanying parts; those without notes are left out.
        swing: share of a quarter note that its first half lasts, for all of them.
        program: General MIDI program of the melody, 0 to 127.
        controls: programs, controllers and bends of the melody.
        velocity: median MIDI velocity that the melody has beside its parts; None for the usual one.
        repeats: whether the repeats that the score draws are played.
        config: accents, dynamics and articulation of the melody.

    Returns:
        The melody first, then each part. Second 0 is where the melody begins.

    Raises:
        BadOption: when the swing is outside `SWING_RANGE`.
    """
    lead = perform(melody, swing=swing, config=config)
    clock = open_clock(melody, swing, config)
    notes = lead.notes
    sounding = [part for part in parts if part.notes]
    if sounding:
        notes = notes if velocity is None else _at_velocity(notes, velocity)
        controls = (USUAL_VOLUME, *controls)
    lead = replace(lead, notes=notes, program=program, controls=tuple(_time(controls, clock)))
    band = [
        replace(
            lead,
            name=part.name,
            notes=tuple(_play_part(part, clock.for_part(note.onset for note in part.notes))),
            grace_notes=(),
            program=part.program,
            drums=part.drums,
            controls=tuple(_time((USUAL_VOLUME, *part.controls), clock)),
        )
        for part in sounding
    ]
    voices = (lead, *band)
    return play_repeats(melody, voices, clock) if repeats and melody.repeats else voices


def perform_beginning(
    melody: Melody, voices: Sequence[Performance], swing: float, bars: int
) -> tuple[Performance, ...]:
    """Return the performances of the first bars, or seconds; what sounds at their end is cut there.

    Args:
        melody: the melody that was performed.
        voices: the performances of the melody and its parts, without repeats.
        swing: with which they were performed.
        bars: number of full bars after the pickup; a shorter tune is returned whole, unless it
            lasts longer than `MAX_BEGINNING_S`.
    """
    lines = [line for line in barlines_with_pickup(melody) if line >= 0]
    is_whole = len(lines) <= bars + 1
    if is_whole and all(voice.seconds <= MAX_BEGINNING_S for voice in voices):
        return tuple(voices)
    end = MAX_BEGINNING_S
    if not is_whole:
        end = min(end, open_clock(melody, swing).seconds_at(lines[bars]))

    def until_end(notes: Iterable[PlayedNote]) -> tuple[PlayedNote, ...]:
        return tuple(
            replace(note, duration=min(note.duration, end - note.start))
            for note in notes
            if note.start < end - MIN_NOTE_S
        )

    return tuple(
        replace(
            voice,
            notes=until_end(voice.notes),
            grace_notes=until_end(voice.grace_notes),
            controls=tuple((time, event) for time, event in voice.controls if time < end),
            seconds=end,
        )
        for voice in voices
    )


def start_at_zero(voices: Sequence[Performance]) -> tuple[Performance, ...]:
    """Return performances moved later together, so that none begins before second 0.

    Args:
        voices: a melody and its parts.
    """
    first = min((note.start for voice in voices for note in voice.all_notes), default=0.0)
    if first >= 0:
        return tuple(voices)

    def later(notes: Iterable[PlayedNote]) -> tuple[PlayedNote, ...]:
        return tuple(replace(note, start=note.start - first) for note in notes)

    return tuple(
        replace(
            voice,
            notes=later(voice.notes),
            grace_notes=later(voice.grace_notes),
            controls=tuple((max(0.0, time - first), event) for time, event in voice.controls),
            seconds=voice.seconds - first,
            downbeat=voice.downbeat - first,
            meter_changes=tuple((time - first, meter) for time, meter in voice.meter_changes),
            tempo_changes=tuple((time - first, tempo) for time, tempo in voice.tempo_changes),
        )
        for voice in voices
    )


def _at_velocity(notes: Sequence[PlayedNote], velocity: int) -> tuple[PlayedNote, ...]:
    """Return the notes with all velocities moved so that their median is ``velocity``."""
    shift = velocity - median(note.velocity for note in notes)
    low, high = VELOCITY_RANGE
    return tuple(
        replace(note, velocity=min(high, max(low, round(note.velocity + shift)))) for note in notes
    )


def _play_part(part: Part, clock: PlaybackClock) -> Iterator[PlayedNote]:
    """Yield the notes of a part; one that is struck again while it sounds ends there."""
    played: list[PlayedNote] = []
    sounding: dict[int, int] = {}
    for note in sorted(part.notes, key=lambda each: each.onset):
        start = clock.seconds_at(note.onset)
        duration = clock.seconds_at(note.onset + note.duration) - start
        earlier = sounding.get(note.pitch)
        if earlier is not None and played[earlier].end > start:
            before = played[earlier]
            played[earlier] = replace(before, duration=max(MIN_NOTE_S, start - before.start))
        sounding[note.pitch] = len(played)
        duration = min(max(duration, MIN_NOTE_S), MAX_NOTE_S)
        played.append(PlayedNote(start, duration, note.pitch, note.velocity))
    return iter(played)


def _time(
    controls: Iterable[ControlEvent], clock: PlaybackClock
) -> Iterator[tuple[float, ControlEvent]]:
    """Yield each event after its second."""
    for event in controls:
        yield clock.seconds_at(event.onset), event
