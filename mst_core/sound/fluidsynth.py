"""Renders performances with FluidSynth's library, through pyfluidsynth.

The only module that loads the library. Each tune gets a new synthesizer: FluidSynth's system reset
keeps the state of the reverb and of its gain ramps, so that a tune would sound different after
another one. A new synthesizer gives the same samples each time and needs no lock. An instrument is
read when it is selected, so opening takes milliseconds and does not load the whole SoundFont.
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

with contextlib.redirect_stdout(sys.stderr):  # it prints the library's path when CI is set
    import fluidsynth

log = logging.getLogger(__name__)

BLOCK_FRAMES = 64
"""FluidSynth processes events every 64 frames (1.3 ms), so an onset is at most 0.7 ms off."""
TAIL_STEP_S = 0.25
"""After the last note, audio is rendered in steps of this many seconds until it is silent."""
MAX_TAIL_S = 8.0
SILENCE_LEVEL = 1e-5
"""Peak below which a step of the tail counts as silent; full scale is 1."""
DRUM_BANK = 128
"""MIDI bank in which SoundFonts keep drum kits."""
SETTINGS: dict[str, int | float] = {
    "synth.polyphony": 128,
    "synth.dynamic-sample-loading": 1,
    "synth.lock-memory": 0,  # containers forbid it, and nothing runs in real time
    "synth.chorus.active": 0,  # it detunes a solo instrument
    # A small room at a low level, so that fast tunes stay clear.
    "synth.reverb.room-size": 0.6,
    "synth.reverb.damp": 0.4,
    "synth.reverb.width": 0.8,
    "synth.reverb.level": 0.5,
}

_LOG_FUNCTION = ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.c_char_p, ctypes.c_void_p)
# For panic, error, warning, information and debug; warnings are only about real time.
_LEVELS = (logging.ERROR, logging.ERROR, logging.DEBUG, logging.NOTSET, logging.NOTSET)


def _forward_log(level: int, message: bytes | None, _data: object) -> None:
    """Pass a message of the library on to the log."""
    if _LEVELS[level] != logging.NOTSET:
        log.log(_LEVELS[level], "FluidSynth: %s", (message or b"").decode("utf-8", "replace"))


_FORWARD = _LOG_FUNCTION(_forward_log)  # kept here: the library holds no reference to it


_set_log_function = fluidsynth.cfunc(
    "fluid_set_log_function",
    ctypes.c_void_p,
    ("level", ctypes.c_int, 1),
    ("function", _LOG_FUNCTION, 1),
    ("data", ctypes.c_void_p, 1),
)
# pyfluidsynth has 16-bit samples only: they clip, and their dither differs from tune to tune.
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


class FluidSynth:
    """A `Synth` that uses the library and one SoundFont; any thread may use it."""

    def __init__(self, soundfont: Path) -> None:
        """Load the SoundFont once to check it.

        Args:
            soundfont: path of the SoundFont.

        Raises:
            NoSoundFont: when it is missing, or FluidSynth cannot read it.
        """
        for level in range(len(_LEVELS)):
            _set_log_function(level, _FORWARD, None)
        self._soundfont = soundfont
        with self._open():
            pass

    def render(self, performance: Performance, *, program: int) -> Samples:
        """Render a performance with the decay of its last note.

        The same performance gives the same samples, independent of earlier and concurrent ones.

        Args:
            performance: notes in seconds.
            program: General MIDI program, 0 to 127; ignored for drums.

        Returns:
            Audio of shape (frames, 2) at 48 kHz, at the library's low default level.

        Raises:
            BadOption: when there is no such program.
            TooLong: when the performance is longer than `MAX_SECONDS`.
            NoSound: when the result is silent.
            NoSoundFont: when the SoundFont was removed meanwhile.
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
        """Do nothing: no resource is held between two tunes."""

    @contextlib.contextmanager
    def _open(self) -> Iterator[tuple[Any, int]]:
        """Yield a new synthesizer with the SoundFont loaded, and the number of the SoundFont."""
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
    """Return the audio of all notes up to the final barline, shape (frames, 2)."""
    end = max([performance.seconds, *(note.end for note in performance.all_notes)])
    samples = np.empty((_to_block(end) * BLOCK_FRAMES, 2), np.float32)
    events = []  # (block, velocity or 0 for an end, pitch): sorted, ends come before starts
    for note in performance.all_notes:
        first = _to_block(note.start)
        events.append((max(first + 1, _to_block(note.end)), 0, note.pitch))
        events.append((first, note.velocity, note.pitch))
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
    """Yield the decay of the last note and of the reverb, in parts of shape (frames, 2)."""
    for _ in range(math.ceil(MAX_TAIL_S / TAIL_STEP_S)):
        part = np.empty((round(TAIL_STEP_S * SAMPLE_RATE), 2), np.float32)
        _render_frames(synth, part)
        yield part
        if float(np.abs(part).max()) < SILENCE_LEVEL and not synth.get_active_voice_count():
            return


def _render_frames(synth: Any, part: Samples) -> None:
    """Fill ``part``, shape (frames, 2), with the next frames; the library releases the GIL."""
    if not len(part):
        return
    address = part.ctypes.data
    if _write_float(synth.synth, len(part), address, 0, 2, address, 1, 2) != fluidsynth.FLUID_OK:
        raise NoSound("FluidSynth stopped in the middle")


def _to_block(second: float) -> int:
    """Return the index of the block of 64 frames nearest to a time in seconds."""
    return round(second * SAMPLE_RATE / BLOCK_FRAMES)
