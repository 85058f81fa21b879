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
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from mst_core.errors import NoSound
from mst_core.sound.performance import Performance
from mst_core.sound.performance_midi import lead_in_seconds, write_performance_midi
from mst_core.sound.sample_file import CHUNK_FRAMES
from mst_core.sound.soundfont import require_soundfont
from mst_core.sound.synth import SAMPLE_RATE, Samples, require_playable

COMMAND = "fluidsynth"
TIMEOUT_S = 300.0
"""Time limit for one file."""
VOICES_PER_FILE = 14
"""Performances that one MIDI file has channels for, beside that of drums and one for ornaments."""


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

    def stream(self, voices: Sequence[Performance]) -> Iterator[Samples]:
        """Render performances together.

        Args:
            voices: performances with their programs; none begins before second 0.

        Returns:
            Audio in pieces of shape (frames, 2), from the beginning of the performances.

        Raises:
            BadOption: when there is no such program.
            TooLong: when a performance is longer than `MAX_SECONDS`.
            NoSound: when rendering exceeds the time limit or the result is too short.
            NoSoundFont: when the SoundFont was removed meanwhile.
        """
        for voice in voices:
            require_playable(voice)
        with tempfile.TemporaryDirectory(prefix="mst-sound-") as folder:
            paths = []
            # A MIDI file has sixteen channels for the command: more parts are further files.
            for number, first in enumerate(range(0, len(voices), VOICES_PER_FILE)):
                group = voices[first : first + VOICES_PER_FILE]
                lead = lead_in_seconds(group)
                path = Path(folder, f"{number}.wav")
                render_midi(
                    write_performance_midi(group),
                    self._soundfont,
                    path,
                    seconds=group[0].seconds + lead,
                    timeout_s=self._timeout_s,
                )
                paths.append((path, round(lead * SAMPLE_RATE)))
            yield from _add_waves(paths)

    def close(self) -> None:
        """Do nothing: no resource is held between two tunes."""


def render_midi(
    midi: bytes, soundfont: Path, sound: Path, *, seconds: float, timeout_s: float = TIMEOUT_S
) -> None:
    """Render a MIDI file with midi2audio.

    Args:
        midi: the bytes of the file.
        soundfont: path of the SoundFont.
        sound: path of the WAV file that is written, 16 bit stereo at 48 kHz.
        seconds: duration of the music; shorter audio is an error.
        timeout_s: time limit, in seconds.

    Raises:
        NoSoundFont: when the SoundFont is missing or is not one.
        NoSound: when it exceeds the time limit, when the result is too short, or when FluidSynth
            reported an error.
    """
    require_soundfont(soundfont)
    score = sound.with_suffix(".mid")
    score.write_bytes(midi)
    output = _run_midi2audio(
        ["-s", str(soundfont), "-r", str(SAMPLE_RATE), str(score), str(sound)], timeout_s
    )
    errors = [line for line in output.splitlines() if "error" in line.lower()]
    if errors:
        raise NoSound(errors[0])
    with _open_wave(sound) as file:
        found = file.getnframes() / SAMPLE_RATE
    if not found or found < seconds:
        raise NoSound(f"{found:.1f} seconds instead of {seconds:.1f}")


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


@contextlib.contextmanager
def _open_wave(path: Path) -> Iterator[wave.Wave_read]:
    """Yield an open 16-bit stereo WAV file. Raises NoSound."""
    try:
        with wave.open(str(path), "rb") as file:
            form = (file.getnchannels(), file.getsampwidth(), file.getframerate())
            if form != (2, 2, SAMPLE_RATE):
                raise NoSound("a WAV file of another kind")
            yield file
    except (OSError, EOFError, wave.Error) as error:
        raise NoSound(f"no WAV file ({error})") from error


def _add_waves(paths: Sequence[tuple[Path, int]]) -> Iterator[Samples]:
    """Yield the sum of WAV files, each after the frames that are skipped at its beginning."""
    with contextlib.ExitStack() as stack:
        files = [stack.enter_context(_open_wave(path)) for path, _ in paths]
        for file, (_, skipped) in zip(files, paths, strict=True):
            file.setpos(min(skipped, file.getnframes()))
        while pieces := [raw for file in files if (raw := file.readframes(CHUNK_FRAMES))]:
            total = np.zeros((max(map(len, pieces)) // 4, 2), np.float32)
            for raw in pieces:
                samples = np.frombuffer(raw, "<i2").reshape(-1, 2).astype(np.float32)
                total[: len(samples)] += samples / np.float32(32768)
            yield total
