"""A reel to render, detection of onsets in samples, and decoding with ffmpeg."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from mst_core.music import Key, Melody, Meter, Note
from mst_core.sound.mix import render_band
from mst_core.sound.performance import Performance, perform
from mst_core.sound.recording import Recording
from mst_core.sound.sample_file import SampleFile
from mst_core.sound.synth import SAMPLE_RATE, Samples, Synth

HALF = Fraction(1, 2)
SCALE = (0, 4, 7, 9, 12, 11, 7, 2, 5, 4)
PIANO, VIBRAPHONE, XYLOPHONE, VIOLIN, FLUTE = 0, 11, 13, 40, 73


def play_reel(
    lowest: int = 62, *, bars: int = 4, swing: float = 0.5, pickup: Fraction = Fraction(0)
) -> Performance:
    """Return the performance of eighths at 180 quarters per minute, ending on a quarter."""
    count = bars * 8 - 2 + int(pickup * 2)
    notes = [
        Note(index * HALF - pickup, HALF, lowest + SCALE[index % 10]) for index in range(count)
    ]
    notes.append(Note(Fraction(bars * 4 - 1), Fraction(1), lowest))
    return perform(Melody(tuple(notes), Meter(4, 4), Key(2), 180, bars), swing=swing)


def render(synth: Synth, performance: Performance, *, program: int | None = None) -> Samples:
    """Return the whole sound of a performance, shape (frames, 2), with a program of its own."""
    if program is not None:
        performance = replace(performance, program=program)
    with render_band(synth, [performance]) as sound:
        return sound.read(0, sound.frames)


class HeldSamples(SampleFile):
    """Samples of shape (frames, 2) in memory; nothing is to be closed."""

    def __init__(self, samples: Samples) -> None:
        self.frames = len(samples)
        self._samples = samples

    def read(self, start: int, count: int) -> Samples:
        return self._samples[start : start + count].copy()

    def close(self) -> None:
        """Do nothing."""


def record(samples: Samples) -> Recording:
    """Return samples of shape (frames, 2) as a recording."""
    return Recording.of(HeldSamples(samples))


def read_all(recording: Recording) -> Samples:
    """Return the samples of a recording, shape (frames, 2)."""
    return recording.read(0, recording.frames)


def find_onsets(samples: Samples) -> NDArray[np.float64]:
    """Return the onsets of a percussive instrument in seconds, to a millisecond."""
    step = SAMPLE_RATE // 1000
    level = np.abs(samples[: len(samples) // step * step]).max(axis=1).reshape(-1, step).max(axis=1)
    onsets: list[int] = []
    for now in range(1, len(level)):
        before = level[max(0, now - 10) : now].max()
        new = not onsets or now - onsets[-1] > 50
        if new and level[now] > 1.6 * before and level[now] > 0.1 * level.max():
            onsets.append(now)
    return np.array(onsets) / 1000


def ask_ffmpeg(audio: bytes, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    """Run ffmpeg with an audio file on its standard input."""
    command = ["ffmpeg", "-hide_banner", "-i", "pipe:0", *arguments]
    return subprocess.run(command, input=audio, capture_output=True, check=True)


def decode(audio: bytes) -> Samples:
    """Decode an audio file to float samples, which may be beyond full scale; shape (frames, 2)."""
    raw = ask_ffmpeg(audio, "-f", "f32le", "-ac", "2", "-ar", str(SAMPLE_RATE), "pipe:1").stdout
    return np.frombuffer(raw, "<f4").reshape(-1, 2)
