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
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mst_core.errors import NoSound, NoSoundFont
from mst_core.music import ControlEvent
from mst_core.sound.performance import Performance
from mst_core.sound.soundfont import require_soundfont
from mst_core.sound.synth import (
    INITIAL_CONTROLS,
    SAMPLE_RATE,
    SYNTH_GAIN,
    Samples,
    require_playable,
)

with contextlib.redirect_stdout(sys.stderr):  # it prints the library's path when CI is set
    import fluidsynth

log = logging.getLogger(__name__)

BLOCK_FRAMES = 64
"""FluidSynth processes events every 64 frames (1.3 ms), so an onset is at most 0.7 ms off."""
MOST_BLOCKS = 3000
"""Blocks that are rendered at once: 4 seconds."""
POLYPHONY = 128
"""Notes of a melody that may sound at once; a band has as many for each part, up to ..."""
MOST_POLYPHONY = 1024
DRUM_CHANNEL = 9
"""Channel that is left free in each sixteen: FluidSynth plays drums on it."""
BANK_SELECT = 0
"""Controller whose value is the bank of the next program."""
PEDAL = 64
"""Controller that lets notes sound on after their ends."""
FIRST_CHANNEL_MODE = 120
"""Controllers from this number on are no controllers but commands such as all notes off."""
TAIL_STEP_S = 0.25
"""After the last note, audio is rendered in steps of this many seconds until it is silent."""
MAX_TAIL_S = 8.0
SILENCE_LEVEL = 1e-5
"""Peak below which a step of the tail counts as silent; full scale is 1."""
DRUM_BANK = 128
"""MIDI bank in which SoundFonts keep drum kits."""
SETTINGS: dict[str, int | float] = {
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

    def stream(self, voices: Sequence[Performance]) -> Iterator[Samples]:
        """Render performances together with the decay of their last note.

        The same performances give the same samples, independent of earlier and concurrent ones. A
        part whose instrument the SoundFont lacks is played on the nearest one.

        Args:
            voices: performances with their programs; none begins before second 0.

        Returns:
            Audio in pieces of shape (frames, 2) at 48 kHz, at the library's low default level.

        Raises:
            BadOption: when there is no such program.
            TooLong: when a performance is longer than `MAX_SECONDS`.
            NoSound: when the SoundFont has no instruments.
            NoSoundFont: when the SoundFont was removed meanwhile.
        """
        for voice in voices:
            require_playable(voice)
        channels = [number for number in range(2 * len(voices) + 1) if number % 16 != DRUM_CHANNEL]
        last = channels[len(voices) - 1]
        with self._open(channels=-(-(last + 1) // 16) * 16, polyphony=_polyphony(voices)) as opened:
            synth, font = opened
            used = [
                _Channel(synth, font, number, voice)
                for number, voice in zip(channels, voices, strict=False)
            ]
            yield from _render_notes(synth, list(zip(used, voices, strict=True)))
            yield from _render_tail(synth)

    def close(self) -> None:
        """Do nothing: no resource is held between two tunes."""

    @contextlib.contextmanager
    def _open(self, *, channels: int = 16, polyphony: int = POLYPHONY) -> Iterator[tuple[Any, int]]:
        """Yield a new synthesizer with the SoundFont loaded, and the number of the SoundFont."""
        require_soundfont(self._soundfont)
        settings = SETTINGS | {"synth.polyphony": polyphony}
        synth = fluidsynth.Synth(
            gain=SYNTH_GAIN, samplerate=float(SAMPLE_RATE), channels=channels, **settings
        )
        try:
            font = synth.sfload(str(self._soundfont))
            if font == fluidsynth.FLUID_FAILED:
                raise NoSoundFont(f"{self._soundfont} (FluidSynth cannot read it)")
            yield synth, font
        finally:
            synth.delete()


class _Channel:
    """A channel of a synthesizer, with the instruments that a voice selects."""

    def __init__(self, synth: Any, font: int, number: int, voice: Performance) -> None:
        self._synth, self._font, self.number = synth, font, number
        self._drums, self._bank = voice.drums, 0
        self.select(voice.program)
        for control, value in INITIAL_CONTROLS.items():
            synth.cc(number, control, value)

    def select(self, program: int) -> None:
        """Select a program of the bank, or else of the first one, or its first. Raises NoSound."""
        bank = DRUM_BANK if self._drums else self._bank
        first = DRUM_BANK if self._drums else 0
        for candidate in dict.fromkeys(((bank, program), (first, program), (first, 0))):
            # Asked for by name first: selecting what is not there logs an error.
            if self._synth.sfpreset_name(self._font, *candidate) is None:
                continue
            found = self._synth.program_select(self.number, self._font, *candidate)
            if found == fluidsynth.FLUID_OK:
                return
        raise NoSound(f"the SoundFont has no instrument for program {program}")

    def apply(self, control: ControlEvent) -> None:
        """Obey a program, a controller or a bend."""
        match control.kind:
            case "program":
                self.select(control.number)
            case "control" if control.number == BANK_SELECT:
                self._bank = control.value
            case "control" if control.number < FIRST_CHANNEL_MODE:
                self._synth.cc(self.number, control.number, control.value)
            case "bend":
                self._synth.pitch_bend(self.number, control.value)


def _polyphony(voices: Sequence[Performance]) -> int:
    """Return how many notes may sound at once; their decay counts too."""
    return POLYPHONY * min(MOST_POLYPHONY // POLYPHONY, len(voices))


def _list_events(
    voices: Sequence[tuple[_Channel, Performance]],
) -> list[tuple[int, int, int, _Channel, ControlEvent | None]]:
    """Return all that happens, in order: at the same time ends come first, then controllers.

    Returns:
        Block, rank in it (0 an end, 1 a controller, 1 + velocity a note), pitch, channel,
        controller.
    """
    events: list[tuple[int, int, int, _Channel, ControlEvent | None]] = []
    for channel, voice in voices:
        for time, control in voice.controls:
            events.append((_to_block(max(0.0, time)), 1, 0, channel, control))
        for note in voice.all_notes:
            first = _to_block(note.start)
            events.append((max(first + 1, _to_block(note.end)), 0, note.pitch, channel, None))
            events.append((first, 1 + note.velocity, note.pitch, channel, None))
    events.sort(key=lambda event: event[:3])
    return events


def _render_notes(synth: Any, voices: Sequence[tuple[_Channel, Performance]]) -> Iterator[Samples]:
    """Yield the audio of all notes up to the final barline, in pieces of shape (frames, 2)."""
    end = _to_block(max(voice.end for _, voice in voices))
    done = 0
    for block, order, pitch, channel, control in _list_events(voices):
        yield from _render_blocks(synth, min(block, end) - done)
        done = max(done, min(block, end))
        if control is not None:
            channel.apply(control)
        elif order:
            synth.noteon(channel.number, pitch, order - 1)
        else:
            synth.noteoff(channel.number, pitch)
    yield from _render_blocks(synth, end - done)
    for channel, _ in voices:  # a file may end with the pedal down
        synth.cc(channel.number, PEDAL, 0)


def _render_blocks(synth: Any, blocks: int) -> Iterator[Samples]:
    """Yield the next blocks of audio, in pieces that are not too long."""
    while blocks > 0:
        part = np.empty((min(blocks, MOST_BLOCKS) * BLOCK_FRAMES, 2), np.float32)
        _render_frames(synth, part)
        yield part
        blocks -= MOST_BLOCKS


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
