"""Renders performances with midi2audio, which runs the `fluidsynth` command.

The only module that uses midi2audio. It is the synthesizer where FluidSynth's library cannot be
loaded, and the tests compare the library's output with it.

midi2audio ignores the command's exit status: a missing SoundFont gives silence, a broken file a few
bytes or none, and a file with huge tick values never ends. Therefore it runs in a process of its
own with a time limit, and its output is checked.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import wave
from dataclasses import replace
from pathlib import Path

import numpy as np

from mst_core.errors import NoSound
from mst_core.sound.performance import Performance
from mst_core.sound.performance_midi import lead_in_seconds, write_performance_midi
from mst_core.sound.soundfont import require_soundfont
from mst_core.sound.synth import SAMPLE_RATE, Samples, require_playable, require_sound

COMMAND = "fluidsynth"
TIMEOUT_S = 300.0
"""Time limit for one tune."""


class CommandLineSynth:
    """A `Synth` that runs the `fluidsynth` command for each tune, with its default reverb."""

    def __init__(self, soundfont: Path, *, timeout_s: float = TIMEOUT_S) -> None:
        """Check that the command and the SoundFont exist.

        Args:
            soundfont: path of the SoundFont.
            timeout_s: time limit for one tune, in seconds.

        Raises:
            NoSoundFont: when the SoundFont is missing or is not one.
            NoSound: when the command is not installed.
        """
        require_soundfont(soundfont)
        if not shutil.which(COMMAND):
            raise NoSound(f"the command {COMMAND} is not installed; install the package fluidsynth")
        self._soundfont = soundfont
        self._timeout_s = timeout_s

    def render(self, performance: Performance, *, program: int) -> Samples:
        """Render a performance.

        Args:
            performance: notes in seconds.
            program: General MIDI program, 0 to 127.

        Returns:
            Audio of shape (frames, 2), from the beginning of the performance.

        Raises:
            BadOption: when there is no such program.
            TooLong: when the performance is longer than `MAX_SECONDS`.
            NoSound: when rendering exceeds the time limit or the result is silent.
            NoSoundFont: when the SoundFont was removed meanwhile.
        """
        require_playable(performance, program)
        midi = write_performance_midi([replace(performance, program=program)])
        lead = lead_in_seconds([performance])
        samples = render_midi(
            midi, self._soundfont, seconds=performance.seconds + lead, timeout_s=self._timeout_s
        )
        return samples[round(lead * SAMPLE_RATE) :]

    def close(self) -> None:
        """Do nothing: no resource is held between two tunes."""


def render_midi(
    midi: bytes, soundfont: Path, *, seconds: float, timeout_s: float = TIMEOUT_S
) -> Samples:
    """Render a MIDI file with midi2audio.

    Args:
        midi: the bytes of the file.
        soundfont: path of the SoundFont.
        seconds: duration of the music; shorter audio is an error.
        timeout_s: time limit, in seconds.

    Returns:
        Audio of shape (frames, 2) at 48 kHz.

    Raises:
        NoSoundFont: when the SoundFont is missing or is not one.
        NoSound: when it exceeds the time limit, when the result is silent or too short, or when
            FluidSynth reported an error.
    """
    require_soundfont(soundfont)
    with tempfile.TemporaryDirectory(prefix="mst-sound-") as folder:
        score, sound = Path(folder, "tune.mid"), Path(folder, "tune.wav")
        score.write_bytes(midi)
        output = _run_midi2audio(
            ["-s", str(soundfont), "-r", str(SAMPLE_RATE), str(score), str(sound)], timeout_s
        )
        errors = [line for line in output.splitlines() if "error" in line.lower()]
        if errors:
            raise NoSound(errors[0])
        samples = _read_wave(sound)
    require_sound(samples, min_seconds=seconds)
    return samples


def _run_midi2audio(arguments: list[str], timeout_s: float) -> str:
    """Run midi2audio; return its and FluidSynth's output."""
    process = subprocess.Popen(  # noqa: S603  (our own interpreter, no shell)
        [sys.executable, "-m", "midi2audio", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,  # so that the command it starts can be killed with it
    )
    try:
        output, _ = process.communicate(timeout=timeout_s)
    except subprocess.TimeoutExpired:
        raise NoSound(f"not finished after {timeout_s:g} seconds") from None
    finally:
        if process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
    return output.decode("utf-8", "replace")


def _read_wave(path: Path) -> Samples:
    """Return the samples of a 16-bit stereo WAV file, shape (frames, 2)."""
    try:
        with wave.open(str(path), "rb") as file:
            form = (file.getnchannels(), file.getsampwidth(), file.getframerate())
            if form != (2, 2, SAMPLE_RATE):
                raise NoSound("a WAV file of another kind")
            raw = file.readframes(file.getnframes())
    except (OSError, EOFError, wave.Error) as error:
        raise NoSound(f"no WAV file ({error})") from error
    return np.frombuffer(raw, "<i2").reshape(-1, 2).astype(np.float32) / np.float32(32768)
