"""Encodes recordings as an audio file: pydub for MP3 and Ogg (through ffmpeg), or WAV.

The only module that uses pydub, which also joins two recordings. It holds all samples at once; a
long recording goes to ffmpeg through a pipe instead. The same samples give the same bytes. Any
thread may encode, and no file is left on the disk.
"""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import subprocess
import tempfile
import wave
from collections.abc import Iterator, Sequence
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import numpy as np

from mst_core.errors import BadOption, NoEncoder
from mst_core.jobs import AUDIO_FORMATS
from mst_core.sound.recording import Recording
from mst_core.sound.synth import SAMPLE_RATE

BITEXACT_FLAGS = ["-fflags", "+bitexact", "-flags:a", "+bitexact", "-map_metadata", "-1"]
CODECS: dict[str, dict[str, Any]] = {
    # Level 7 of LAME takes 40 % of the time of its default, with no audible difference at 128k.
    "mp3": {
        "codec": "libmp3lame",
        "bitrate": "128k",
        "parameters": ["-compression_level", "7", *BITEXACT_FLAGS],
    },
    # Opus, which Discord and browsers play.
    "ogg": {"codec": "libopus", "bitrate": "96k", "parameters": BITEXACT_FLAGS},
}
"""Arguments of pydub's ``export`` by format."""
BITRATES = (128, 96, 80, 64, 48)
"""Thousands of bits a second that a long recording may have."""
MAX_BYTES = 9_600_000
"""Bytes of a compressed file: ten minutes at 128 kbit/s. Discord takes ten million."""
MAX_PYDUB_SECONDS = 300.0
"""Longest recording whose samples are held in memory at once, for pydub."""
PAUSE_MS = 700
"""Silence between two recordings that are joined, in milliseconds."""

_temp_folder: ContextVar[str | None] = ContextVar("temp_folder", default=None)
"""The folder for pydub's temporary files in this thread."""


def encode(recording: Recording, format: str) -> bytes:
    """Encode a recording as a stereo file; values beyond full scale are clipped.

    Args:
        recording: the audio.
        format: ``mp3`` (128 kbit/s), ``ogg`` (Opus, 96 kbit/s) or ``wav`` (16 bit). A long
            recording has fewer bits a second, so that its file stays below `MAX_BYTES`.

    Returns:
        The bytes of the file.

    Raises:
        BadOption: when the format is none of these.
        NoSound: when the recording is silent.
        NoEncoder: when ffmpeg is not installed or fails.
    """
    return encode_in_turn((recording,), format)


def encode_in_turn(recordings: Sequence[Recording], format: str) -> bytes:
    """Encode recordings as one stereo file, with `PAUSE_MS` of silence between them.

    Args:
        recordings: one or more; several are at most `MAX_PYDUB_SECONDS` long together.
        format: as for `encode`.

    Returns:
        The bytes of the file.

    Raises:
        BadOption: when the format is none of these.
        NoSound: when a recording is silent.
        NoEncoder: when ffmpeg is not installed or fails.
        ValueError: when several recordings are too long together.
    """
    if format not in AUDIO_FORMATS:
        raise BadOption("format", format, "the audio formats are " + ", ".join(AUDIO_FORMATS))
    for recording in recordings:
        recording.require_sound()
    seconds = sum(recording.seconds for recording in recordings)
    if len(recordings) > 1 and seconds > MAX_PYDUB_SECONDS:
        raise ValueError(f"{seconds:.0f} s are too long to be joined")
    if format == "wav" and len(recordings) == 1:
        return _encode_wave(recordings[0])
    if format in CODECS and not shutil.which("ffmpeg"):
        raise NoEncoder(format, "ffmpeg is not installed; install the package ffmpeg")
    options = _fit_bitrate(CODECS[format], seconds) if format in CODECS else {}
    with tempfile.TemporaryDirectory(prefix="mst-sound-") as folder:
        try:
            if seconds > MAX_PYDUB_SECONDS:
                encoded = _encode_with_pipe(recordings[0], format, options, Path(folder, "sound"))
            else:
                encoded = _encode_with_pydub(recordings, format, options, folder)
        except OSError as error:
            raise NoEncoder(format, str(error)) from error
    if not encoded:
        raise NoEncoder(format, "ffmpeg wrote nothing")
    return encoded


def _fit_bitrate(options: dict[str, Any], seconds: float) -> dict[str, Any]:
    """Return the options of a codec with the bitrate that a recording of a duration has."""
    usual = int(str(options["bitrate"]).removesuffix("k"))
    fitting = [rate for rate in BITRATES if rate * 125 * seconds <= MAX_BYTES]
    rate = min(usual, max(fitting, default=min(BITRATES)))
    return options | {"bitrate": f"{rate}k"}


def _to_pcm(recording: Recording) -> Iterator[bytes]:
    """Yield a recording as 16-bit samples, in pieces."""
    for chunk in recording.chunks():
        yield np.rint(np.clip(chunk, -1, 1) * 32767).astype("<i2").tobytes()


def _encode_wave(recording: Recording) -> bytes:
    """Return a WAV file of 16-bit stereo samples."""
    target = io.BytesIO()
    with wave.open(target, "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        for pcm in _to_pcm(recording):
            file.writeframes(pcm)
    return target.getvalue()


def _mix_in_turn(recordings: Sequence[Recording]) -> Any:
    """Return 16-bit stereo samples of recordings, each `PAUSE_MS` after the one before."""
    import pydub

    segments = [
        pydub.AudioSegment(
            data=b"".join(_to_pcm(each)), sample_width=2, frame_rate=SAMPLE_RATE, channels=2
        )
        for each in recordings
    ]
    mixed = segments[0]
    for segment in segments[1:]:
        pause = pydub.AudioSegment.silent(PAUSE_MS, frame_rate=SAMPLE_RATE)
        mixed = mixed.append(pause, crossfade=0).append(segment, crossfade=0)
    return mixed


def _encode_with_pydub(
    recordings: Sequence[Recording], format: str, options: dict[str, Any], folder: str
) -> bytes:
    """Return a compressed file of 16-bit stereo samples."""
    # Imported here: without ffmpeg, the import warns and the failure comes much later.
    import pydub

    # When ffmpeg fails, pydub does not delete its temporary files: the folder is deleted instead.
    pydub.audio_segment.NamedTemporaryFile = _open_temp_file
    target = io.BytesIO()
    token = _temp_folder.set(folder)
    try:
        _mix_in_turn(recordings).export(target, format=format, **options)
    except pydub.exceptions.CouldntEncodeError as error:
        # The last line of ffmpeg's output is the reason; the whole output is in the cause.
        raise NoEncoder(format, f"ffmpeg: {str(error).strip().splitlines()[-1]}") from error
    finally:
        _temp_folder.reset(token)
    return target.getvalue()


def _encode_with_pipe(
    recording: Recording, format: str, options: dict[str, Any], target: Path
) -> bytes:
    """Return a compressed file, fed to ffmpeg piece by piece; pydub needs all samples at once."""
    with target.with_suffix(".log").open("w+b") as said:
        read_end, write_end = os.pipe()
        process = subprocess.Popen(  # noqa: S603  (no shell)
            [
                *("ffmpeg", "-y", "-f", "s16le", "-ar", str(SAMPLE_RATE), "-ac", "2"),
                *("-i", "pipe:0", "-acodec", options["codec"], "-b:a", options["bitrate"]),
                *(*options.get("parameters", ()), "-f", format, str(target)),
            ],
            stdin=read_end,
            stdout=subprocess.DEVNULL,
            stderr=said,
        )
        os.close(read_end)
        feed = os.fdopen(write_end, "wb")
        try:
            # Where ffmpeg ends early, its message says more than the broken pipe.
            with contextlib.suppress(BrokenPipeError):
                for pcm in _to_pcm(recording):
                    feed.write(pcm)
        finally:
            with contextlib.suppress(BrokenPipeError):
                feed.close()
            status = process.wait()
        if status:
            said.seek(0)
            lines = said.read().decode("utf-8", "replace").strip().splitlines()
            raise NoEncoder(format, f"ffmpeg: {lines[-1] if lines else status}")
    return target.read_bytes()


def _open_temp_file(mode: str, *, delete: bool) -> Any:
    """Open a temporary file in this thread's folder; replaces pydub's NamedTemporaryFile."""
    return tempfile.NamedTemporaryFile(mode, delete=delete, dir=_temp_folder.get())
