"""Renders a melody together with its accompanying parts: each part by itself, then mixed."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np

from mst_core.errors import NoSound
from mst_core.music import Melody, Part
from mst_core.sound.performance import Performance, PlayedNote
from mst_core.sound.synth import Samples, Synth

log = logging.getLogger(__name__)

ACCOMPANIMENT_LEVEL = 0.45
"""Amplitude of the accompanying parts relative to the melody."""
MAX_PARTS = 15
"""Further parts are left out."""
MIN_NOTE_S = 0.02
MAX_NOTE_S = 30.0
"""Longest duration of an accompanying note, in seconds."""


def render_with_parts(
    synth: Synth,
    performance: Performance,
    *,
    program: int,
    melody: Melody,
    parts: Sequence[Part],
    part_level: float = ACCOMPANIMENT_LEVEL,
) -> Samples:
    """Render a melody and its parts; a part that begins earlier delays all others.

    A part that the synthesizer cannot play, for instance because the SoundFont lacks its
    instrument, is left out and logged.

    Args:
        synth: the synthesizer.
        performance: the performance of the melody.
        program: General MIDI program of the melody, 0 to 127.
        melody: the melody, whose tempo the parts follow.
        parts: the accompanying parts; at most `MAX_PARTS` are rendered.
        part_level: amplitude of each part relative to the melody.

    Returns:
        Audio of shape (frames, 2), as long as the longest part.

    Raises:
        MstError: what ``synth`` raises for the melody.
    """
    quarter_s = 60 / melody.tempo
    delay = max(
        [0.0, *(-(performance.downbeat + float(_first_onset(p)) * quarter_s) for p in parts)]
    )
    voices = [synth.render(_delay(performance, delay), program=program)]
    for part in parts[:MAX_PARTS]:
        try:
            voice = synth.render(
                _perform_part(part, performance, delay, quarter_s), program=part.program
            )
        except NoSound as error:
            log.warning("a part is left out of the sound: %s", error)
            continue
        voices.append(voice * np.float32(part_level))
    mixed = np.zeros((max(len(voice) for voice in voices), 2), np.float32)
    for voice in voices:
        mixed[: len(voice)] += voice
    return mixed


def _first_onset(part: Part) -> Fraction:
    """Return the earliest onset in quarter notes from the first downbeat; 0 without notes."""
    return min((note.onset for note in part.notes), default=Fraction(0))


def _delay(performance: Performance, seconds: float) -> Performance:
    """Return the performance with all notes moved later."""
    if not seconds:
        return performance
    notes = tuple(replace(note, start=note.start + seconds) for note in performance.notes)
    return replace(
        performance,
        notes=notes,
        seconds=performance.seconds + seconds,
        downbeat=performance.downbeat + seconds,
    )


def _perform_part(
    part: Part, performance: Performance, delay: float, quarter_s: float
) -> Performance:
    """Return a part in seconds, straight and aligned with the delayed performance of the melody."""
    downbeat = performance.downbeat + delay
    notes = tuple(
        PlayedNote(
            max(0.0, downbeat + float(note.onset) * quarter_s),
            min(max(float(note.duration) * quarter_s, MIN_NOTE_S), MAX_NOTE_S),
            note.pitch,
            note.velocity,
        )
        for note in part.notes
    )
    return replace(_delay(performance, delay), notes=notes, drums=part.drums)
