"""A recording: a piece of audio as it will sound, computed while it is read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from mst_core.sound.sample_file import CHUNK_FRAMES, SampleFile
from mst_core.sound.synth import SAMPLE_RATE, Samples, find_peak, require_sound

GAIN_STEP = SAMPLE_RATE // 1000
"""Frames for which one gain of the limiter is computed: 1 ms."""


@dataclass(frozen=True)
class Recording:
    """A part of an audio file with fades, a gain, and the gain curve of a limiter."""

    source: SampleFile
    first: int
    """First frame of the source of the result."""
    frames: int
    """Number of frames of the result."""
    fade_in: int = 0
    """Frames over which it rises at the beginning."""
    fade_out: int = 0
    """Frames over which it falls at the end."""
    gain: float | None = None
    """Amplitude by which every frame is multiplied; None for 1."""
    limiter: NDArray[np.float64] | None = None
    """Gain at the middle of each `GAIN_STEP`; None where nothing is limited."""

    @classmethod
    def of(cls, source: SampleFile) -> Recording:
        """Return a whole audio file as it is.

        Args:
            source: the audio; it must stay open while the recording is read.
        """
        return cls(source, 0, source.frames)

    @property
    def seconds(self) -> float:
        """Duration in seconds."""
        return self.frames / SAMPLE_RATE

    @cached_property
    def peak(self) -> float:
        """Largest absolute sample; full scale is 1."""
        return float(np.max([find_peak(chunk) for chunk in self.chunks()], initial=0.0))

    def require_sound(self, *, min_seconds: float = 0.0) -> None:
        """Check that it is not silent.

        Args:
            min_seconds: shortest accepted duration.

        Raises:
            NoSound: when it is too short, silent, or contains values that are not finite.
        """
        require_sound(self.seconds, self.peak, min_seconds=min_seconds)

    def chunks(self, frames: int = CHUNK_FRAMES) -> Iterator[Samples]:
        """Yield all of it in pieces of shape (frames, 2), the last one shorter.

        Args:
            frames: length of a piece.
        """
        for start in range(0, self.frames, frames):
            yield self.read(start, frames)

    def read(self, start: int, count: int) -> Samples:
        """Return some frames, shape (up to count, 2).

        Args:
            start: index of the first frame, at least 0.
            count: number of frames; fewer come at the end.
        """
        count = max(0, min(count, self.frames - start))
        samples = self.source.read(self.first + start, count)
        if start < self.fade_in:
            rise = np.linspace(0, 1, self.fade_in, dtype=np.float32)[start : start + count, None]
            samples[: len(rise)] *= rise
        fall_start = self.frames - self.fade_out
        if start + count > fall_start:
            fall = np.linspace(1, 0, self.fade_out, dtype=np.float32)[:, None] ** 2
            inside = slice(max(0, start - fall_start), start + count - fall_start)
            samples[max(0, fall_start - start) :] *= fall[inside]
        if self.gain is not None:
            samples *= np.float32(self.gain)
        if self.limiter is not None:
            samples *= _interpolate(self.limiter, start, len(samples))[:, None]
        return samples


def _interpolate(gains: NDArray[np.float64], start: int, count: int) -> NDArray[np.float32]:
    """The limiter's gain of each of some frames, shape (count,), from those of its steps."""
    low = max(0, start // GAIN_STEP - 2)
    near = gains[low : (start + count) // GAIN_STEP + 3]
    centers = (np.arange(len(near)) + low) * GAIN_STEP + GAIN_STEP / 2
    return np.interp(np.arange(start, start + count), centers, near).astype(np.float32)
