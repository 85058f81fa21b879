"""The interface of synthesizers, the format of samples, and the checks that all of them share."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mst_core.errors import BadOption, NoSound, TooLong
from mst_core.reading.parsed_score import Limits
from mst_core.sound.performance import Performance

SAMPLE_RATE = 48_000
"""Frames per second: the rate of Opus, which MP3 and WAV support too."""
Samples = NDArray[np.float32]
"""Audio of shape (frames, 2): left and right at `SAMPLE_RATE`, full scale 1.0."""
MIN_PEAK = 10 ** (-80 / 20)
"""Audio whose peak is below -80 dBFS counts as silence."""
MAX_SECONDS = Limits().seconds + 100.0
"""Longest performance that is rendered: the longest melody that is read, and its band around it."""
MELODY_CHANNEL = 0
"""MIDI channel of a performance without drums."""
SYNTH_GAIN = 0.2
"""FluidSynth's default gain. Float samples lose nothing at a low level; mastering sets the
loudness."""
INITIAL_CONTROLS = {7: 127, 10: 64, 11: 127, 91: 50, 93: 0}
"""MIDI controls at the start of every performance: volume, pan, expression, reverb, chorus."""


class Synth(Protocol):
    """A synthesizer that renders performances; any thread may use it."""

    def stream(self, voices: Sequence[Performance]) -> Iterator[Samples]:
        """Render performances together, from second 0 to the decay of the last note.

        Args:
            voices: performances with their programs; none begins before second 0.

        Returns:
            Audio in pieces of shape (frames, 2), so that a long piece never lies in memory as a
            whole.

        Raises:
            BadOption: when there is no such program.
            TooLong: when a performance is longer than `MAX_SECONDS`.
            NoSound: when it cannot be rendered.
        """

    def close(self) -> None:
        """Free its resources."""


def find_peak(samples: Samples) -> float:
    """Return the largest absolute sample; 0 for no samples.

    Args:
        samples: audio of shape (frames, 2).
    """
    return float(np.abs(samples).max()) if samples.size else 0.0


def require_sound(seconds: float, peak: float, *, min_seconds: float = 0.0) -> None:
    """Check that audio is not silent.

    Args:
        seconds: its duration.
        peak: its largest absolute sample; full scale is 1.
        min_seconds: shortest accepted duration.

    Raises:
        NoSound: when it is too short, silent, or contains values that are not finite.
    """
    if not seconds or seconds < min_seconds:
        raise NoSound(f"{seconds:.1f} seconds instead of {min_seconds:.1f}")
    if not np.isfinite(peak):
        raise NoSound("samples that are not finite")
    if peak < MIN_PEAK:
        raise NoSound(f"{seconds:.1f} seconds of silence")


def require_playable(performance: Performance) -> None:
    """Check a performance before a synthesizer spends time and memory on it.

    Args:
        performance: notes in seconds.

    Raises:
        BadOption: when the program is outside 0 to 127.
        TooLong: when the performance is longer than `MAX_SECONDS`.
        NoSound: when it has no notes.
    """
    if not 0 <= performance.program <= 127:
        raise BadOption("program", performance.program, "General MIDI has 0 to 127")
    seconds = performance.end
    if not math.isfinite(seconds) or seconds > MAX_SECONDS:
        raise TooLong(f"{seconds:.0f} seconds", f"{MAX_SECONDS:.0f} seconds")
    if not performance.notes:
        raise NoSound("a tune without notes")
