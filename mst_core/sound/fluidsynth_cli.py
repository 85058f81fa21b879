"""The room of midi2audio: a performance through the `fluidsynth` command, which loads each time.

It plays where FluidSynth's library cannot be loaded, and the tests hold the synthesizer in the
process against it. midi2audio ignores the command's exit status: a missing SoundFont gives
silence, a broken file a few bytes or none, and a file with huge ticks runs for ever. So it runs in
a process of its own with a time limit, and what came is looked at before it is believed.
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
from pathlib import Path

import numpy as np

from mst_core.errors import NoSound
from mst_core.sound.performance import Performance
from mst_core.sound.performance_midi import lead_in_seconds, write_performance_midi
from mst_core.sound.soundfont import require_soundfont
from mst_core.sound.synth import SAMPLE_RATE, Samples, require_playable, require_sound

COMMAND = "fluidsynth"
TIMEOUT_S = 300.0


class CommandLineSynth:
    """Plays performances as `synthesizer.Synthesizer` does, with FluidSynth's standard reverb."""

    def __init__(self, soundfont: Path, *, timeout_s: float = TIMEOUT_S) -> None:
        """Look for the command and the SoundFont; ``patience`` is in seconds for each tune.

        Raises:
            NoSoundFont: when the SoundFont is missing or is none.
            NoSound: when the command is not installed.
        """
        require_soundfont(soundfont)
        if not shutil.which(COMMAND):
            raise NoSound(f"the command {COMMAND} is not installed; install the package fluidsynth")
        self._soundfont = soundfont
        self._timeout_s = timeout_s

    def render(self, performance: Performance, *, program: int) -> Samples:
        """Play it on a General MIDI program. Returns and raises as `Synthesizer.play` does."""
        require_playable(performance, program)
        midi = write_performance_midi(performance, program=program)
        lead = lead_in_seconds(performance)
        samples = render_midi(
            midi, self._soundfont, seconds=performance.seconds + lead, timeout_s=self._timeout_s
        )
        return samples[round(lead * SAMPLE_RATE) :]

    def close(self) -> None:
        """Nothing is held between two tunes."""


def render_midi(
    midi: bytes, soundfont: Path, *, seconds: float, timeout_s: float = TIMEOUT_S
) -> Samples:
    """Render a MIDI file that lasts ``seconds``, in at most ``patience`` seconds.

    Returns float32 samples, shape (frames, 2), 48 kHz.

    Raises:
        NoSoundFont: when the SoundFont is missing or is none.
        NoSound: when it takes too long, when nothing, silence or too little came, or when
            FluidSynth complained.
    """
    require_soundfont(soundfont)
    with tempfile.TemporaryDirectory(prefix="mst-sound-") as folder:
        score, sound = Path(folder, "tune.mid"), Path(folder, "tune.wav")
        score.write_bytes(midi)
        said = _run_midi2audio(
            ["-s", str(soundfont), "-r", str(SAMPLE_RATE), str(score), str(sound)], timeout_s
        )
        complaints = [line for line in said.splitlines() if "error" in line.lower()]
        if complaints:
            raise NoSound(complaints[0])
        samples = _read_wave(sound)
    require_sound(samples, min_seconds=seconds)
    return samples


def _run_midi2audio(arguments: list[str], timeout_s: float) -> str:
    """Run midi2audio; return what it and FluidSynth said."""
    process = subprocess.Popen(  # noqa: S603  (our own interpreter, no shell)
        [sys.executable, "-m", "midi2audio", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,  # so that its child can be ended with it
    )
    try:
        said, _ = process.communicate(timeout=timeout_s)
    except subprocess.TimeoutExpired:
        raise NoSound(f"no end after {timeout_s:g} seconds") from None
    finally:
        if process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
    return said.decode("utf-8", "replace")


def _read_wave(path: Path) -> Samples:
    """Read a 16-bit stereo WAV file."""
    try:
        with wave.open(str(path), "rb") as file:
            if (file.getnchannels(), file.getsampwidth(), file.getframerate()) != (
                2,
                2,
                SAMPLE_RATE,
            ):
                raise NoSound("a WAV file of another kind")
            raw = file.readframes(file.getnframes())
    except (OSError, EOFError, wave.Error) as error:
        raise NoSound(f"no WAV file ({error})") from error
    return np.frombuffer(raw, "<i2").reshape(-1, 2).astype(np.float32) / np.float32(32768)
