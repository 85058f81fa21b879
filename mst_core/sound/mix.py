"""A melody with what sounds beside it: every part played by itself, then mixed."""

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
"""Level of the other parts against the melody, which they must not cover."""
MAX_PARTS = 15
MAX_NOTE_S = 30.0


def render_with_parts(
    synth: Synth,
    performance: Performance,
    *,
    program: int,
    melody: Melody,
    parts: Sequence[Part],
) -> Samples:
    """Play a melody and its parts; a part that starts earlier makes all the others wait for it.

    Raises what ``synth`` raises for the melody. A part that gives no sound (an instrument that the
    SoundFont lacks, say) is left out and logged: the melody is what was asked for.
    """
    beat = 60 / melody.tempo
    wait = (
        max(
            0.0,
            *(-(performance.downbeat + float(_first_onset(part)) * beat) for part in parts),
        )
        if parts
        else 0.0
    )
    voices = [synth.render(_delay(performance, wait), program=program)]
    for part in parts[:MAX_PARTS]:
        try:
            heard = synth.render(_perform_part(part, performance, wait, beat), program=part.program)
        except NoSound as error:
            log.warning("a part is left out of the sound: %s", error)
            continue
        voices.append(heard * np.float32(ACCOMPANIMENT_LEVEL))
    mixed = np.zeros((max(len(voice) for voice in voices), 2), np.float32)
    for voice in voices:
        mixed[: len(voice)] += voice
    return mixed


def _first_onset(part: Part) -> Fraction:
    return min((note.onset for note in part.notes), default=Fraction(0))


def _delay(performance: Performance, wait: float) -> Performance:
    if not wait:
        return performance
    strokes = tuple(replace(stroke, start=stroke.start + wait) for stroke in performance.notes)
    return replace(
        performance,
        notes=strokes,
        seconds=performance.seconds + wait,
        downbeat=performance.downbeat + wait,
    )


def _perform_part(part: Part, beside: Performance, wait: float, beat: float) -> Performance:
    start = beside.downbeat + wait
    strokes = tuple(
        PlayedNote(
            max(0.0, start + float(note.onset) * beat),
            min(max(float(note.duration) * beat, 0.02), MAX_NOTE_S),
            note.pitch,
            note.velocity,
        )
        for note in part.notes
    )
    return replace(_delay(beside, wait), notes=strokes, drums=part.drums)
