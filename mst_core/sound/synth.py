"""What it takes to play a performance, whoever plays it."""

from __future__ import annotations

import math
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mst_core.errors import BadOption, NoSound, TooLong
from mst_core.sound.performance import Performance

# What sound is here: float32 samples, shape (frames, 2), 48 kHz, full scale 1.0.

SAMPLE_RATE = 48_000
"""Frames a second. Opus knows no other rate at full quality, and MP3 and WAV take it as it is."""

Samples = NDArray[np.float32]
"""Shape (frames, 2): left and right, full scale 1.0."""

MIN_PEAK = 10 ** (-80 / 20)
"""Below this peak nobody hears anything at any later gain that makes sense."""


def find_peak(samples: Samples) -> float:
    """Return the largest absolute sample; 0 for no samples."""
    return float(np.abs(samples).max()) if samples.size else 0.0


def require_sound(samples: Samples, *, min_seconds: float = 0.0) -> None:
    """Make sure that there is sound, and at least ``seconds`` of it.

    Raises:
        NoSound: when it is too short, silent, or holds values that are no numbers.
    """
    heard = len(samples) / SAMPLE_RATE
    if not samples.size or heard < min_seconds:
        raise NoSound(f"{heard:.1f} seconds came where {min_seconds:.1f} were played")
    peak = find_peak(samples)
    if not np.isfinite(peak):
        raise NoSound("samples that are no numbers")
    if peak < MIN_PEAK:
        raise NoSound(f"{heard:.1f} seconds of silence")


MAX_SECONDS = 600.0
MELODY_CHANNEL = 0
SYNTH_GAIN = 0.2
"""FluidSynth's own. Float samples lose nothing at a low level; mastering sets the loudness."""
INITIAL_CONTROLS = {7: 127, 10: 64, 11: 127, 91: 50, 93: 0}
"""MIDI controls that every performance begins with: volume, pan, expression, reverb, chorus."""


class Synth(Protocol):
    """Anything that turns a performance into samples."""

    def render(self, performance: Performance, *, program: int) -> Samples:
        """Return float32 samples, shape (frames, 2), 48 kHz; never silence."""

    def close(self) -> None:
        """Give back what it holds."""


def require_playable(performance: Performance, program: int) -> None:
    """Look at a performance before a synthesizer spends time and memory on it.

    Raises:
        BadOption: when the program is not of General MIDI.
        TooLong: when it lasts more than ``longest`` seconds.
        NoSound: when there is no note in it.
    """
    if not 0 <= program <= 127:
        raise BadOption("program", program, "General MIDI has 0 to 127")
    seconds = max([performance.seconds, *(stroke.end for stroke in performance.notes)])
    if not math.isfinite(seconds) or seconds > MAX_SECONDS:
        raise TooLong(f"{seconds:.0f} seconds", f"{MAX_SECONDS:.0f} seconds")
    if not performance.notes:
        raise NoSound("a tune without notes")
