"""The room of FluidSynth in the process: a performance becomes samples.

Every tune is played by a synthesizer of its own that is made for it and thrown away after it.
FluidSynth's system reset leaves the state of the reverb and of its gain ramps behind, so a tune
would sound different after another one; a fresh one gives the same samples each time and needs no
lock. Samples of an instrument are read when it is chosen, so that opening costs milliseconds and
not the whole SoundFont in memory.
"""

from __future__ import annotations

import contextlib
import ctypes
import logging
import math
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from mst_core.errors import NoSound, NoSoundFont
from mst_core.sound.performance import Performance
from mst_core.sound.soundfont import require_soundfont
from mst_core.sound.synth import (
    INITIAL_CONTROLS,
    MELODY_CHANNEL,
    SAMPLE_RATE,
    SYNTH_GAIN,
    Samples,
    require_playable,
    require_sound,
)

with contextlib.redirect_stdout(sys.stderr):  # it prints where the library is when CI is set
    import fluidsynth

log = logging.getLogger(__name__)

BLOCK_FRAMES = 64
"""FluidSynth acts on events at multiples of 64 frames, 1.3 ms: onsets are at most 0.7 ms off."""
TAIL_STEP_S = 0.25
MAX_TAIL_S = 8.0
SILENCE_LEVEL = 1e-5
SETTINGS: dict[str, int | float] = {
    "synth.polyphony": 128,
    "synth.dynamic-sample-loading": 1,
    "synth.lock-memory": 0,  # containers forbid it, and nothing here is in real time
    "synth.chorus.active": 0,  # it detunes: a solo instrument needs none
    # A small warm hall; its level is low, for the line has to stay clear at a fast tempo.
    "synth.reverb.room-size": 0.6,
    "synth.reverb.damp": 0.4,
    "synth.reverb.width": 0.8,
    "synth.reverb.level": 0.5,
}

_LOG_FUNCTION = ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.c_char_p, ctypes.c_void_p)
# Panic, error, warning, information, debug. Warnings are about real time; the rest is chatter.
_LEVELS = (logging.ERROR, logging.ERROR, logging.DEBUG, logging.NOTSET, logging.NOTSET)


def _forward_log(level: int, message: bytes | None, _data: object) -> None:
    """Hand a message of the library to our log."""
    if _LEVELS[level] != logging.NOTSET:
        log.log(_LEVELS[level], "FluidSynth: %s", (message or b"").decode("utf-8", "replace"))


_FORWARD = _LOG_FUNCTION(_forward_log)  # the library keeps no reference to it


_set_log_function = fluidsynth.cfunc(
    "fluid_set_log_function",
    ctypes.c_void_p,
    ("level", ctypes.c_int, 1),
    ("function", _LOG_FUNCTION, 1),
    ("data", ctypes.c_void_p, 1),
)
# pyfluidsynth offers 16-bit samples only: they clip, and their dither runs on from tune to tune.
_write_float = fluidsynth.cfunc(
    "fluid_synth_write_float",
    ctypes.c_int,
    ("synth", ctypes.c_void_p, 1),
    ("frames", ctypes.c_int, 1),
    ("left", ctypes.c_void_p, 1),
    ("left_offset", ctypes.c_int, 1),
    ("left_step", ctypes.c_int, 1),
    ("right", ctypes.c_void_p, 1),
    ("right_offset", ctypes.c_int, 1),
    ("right_step", ctypes.c_int, 1),
)


DRUM_BANK = 128
"""Where SoundFonts keep their kits."""


class FluidSynth:
    """Plays performances with the instruments of one SoundFont. Any thread may use it."""

    def __init__(self, soundfont: Path) -> None:
        """Try the SoundFont.

        Raises:
            NoSoundFont: when it is missing, or FluidSynth cannot read it.
        """
        for level in range(len(_LEVELS)):
            _set_log_function(level, _FORWARD, None)
        self._soundfont = soundfont
        with self._open():
            pass

    def render(self, performance: Performance, *, program: int) -> Samples:
        """Play it on a General MIDI program, 0 to 127, with the whole tail of its last note.

        Returns float32 samples, shape (frames, 2), 48 kHz, at the synthesizer's own soft level.
        The same performance gives the same samples, whatever was played before or beside.

        Raises:
            BadOption: when there is no such program.
            TooLong: when it lasts more than ``longest`` seconds.
            NoSound: when silence came.
            NoSoundFont: when the SoundFont went away since the start.
        """
        require_playable(performance, program)
        with self._open() as (synth, font):
            bank, preset = (DRUM_BANK, 0) if performance.drums else (0, program)
            if synth.program_select(MELODY_CHANNEL, font, bank, preset) != fluidsynth.FLUID_OK:
                raise NoSound(f"the SoundFont has no instrument for program {program}")
            for control, value in INITIAL_CONTROLS.items():
                synth.cc(MELODY_CHANNEL, control, value)
            samples = np.concatenate([_render_notes(synth, performance), *_render_tail(synth)])
        require_sound(samples, min_seconds=performance.seconds)
        return samples

    def close(self) -> None:
        """Nothing is held between two tunes."""

    @contextlib.contextmanager
    def _open(self) -> Iterator[tuple[Any, int]]:
        """Make a synthesizer with the SoundFont in it; yields it and the number of the font."""
        require_soundfont(self._soundfont)
        synth = fluidsynth.Synth(
            gain=SYNTH_GAIN, samplerate=float(SAMPLE_RATE), channels=16, **SETTINGS
        )
        try:
            font = synth.sfload(str(self._soundfont))
            if font == fluidsynth.FLUID_FAILED:
                raise NoSoundFont(f"{self._soundfont} (FluidSynth cannot read it)")
            yield synth, font
        finally:
            synth.delete()


def _render_notes(synth: Any, performance: Performance) -> Samples:
    """Play every stroke, up to the last barline."""
    end = max([performance.seconds, *(stroke.end for stroke in performance.notes)])
    samples = np.empty((_to_block(end) * BLOCK_FRAMES, 2), np.float32)
    events = []  # a note ends before another starts in the same block
    for stroke in performance.notes:
        first = _to_block(stroke.start)
        events.append((max(first + 1, _to_block(stroke.end)), 0, stroke.pitch))
        events.append((first, stroke.velocity, stroke.pitch))
    done = 0
    for block, velocity, pitch in sorted(events):
        frame = min(block * BLOCK_FRAMES, len(samples))
        _render_frames(synth, samples[done:frame])
        done = frame
        if velocity:
            synth.noteon(MELODY_CHANNEL, pitch, velocity)
        else:
            synth.noteoff(MELODY_CHANNEL, pitch)
    _render_frames(synth, samples[done:])
    return samples


def _render_tail(synth: Any) -> Iterator[Samples]:
    """Let the last note and the room ring out."""
    for _ in range(math.ceil(MAX_TAIL_S / TAIL_STEP_S)):
        part = np.empty((round(TAIL_STEP_S * SAMPLE_RATE), 2), np.float32)
        _render_frames(synth, part)
        yield part
        if float(np.abs(part).max()) < SILENCE_LEVEL and not synth.get_active_voice_count():
            return


def _render_frames(synth: Any, part: Samples) -> None:
    """Fill ``part``, shape (frames, 2), with the next frames; the library lets the GIL go."""
    if not len(part):
        return
    place = part.ctypes.data
    if _write_float(synth.synth, len(part), place, 0, 2, place, 1, 2) != fluidsynth.FLUID_OK:
        raise NoSound("FluidSynth stopped in the middle")


def _to_block(second: float) -> int:
    return round(second * SAMPLE_RATE / BLOCK_FRAMES)
