"""Encodes samples as the bytes of an audio file: pydub for MP3 and Ogg (through ffmpeg), or WAV.

The only module that uses pydub. The same samples give the same bytes. Any thread may encode, and
no file is left on the disk.
"""

from __future__ import annotations

import io
import shutil
import tempfile
import wave
from contextvars import ContextVar
from typing import Any

import numpy as np

from mst_core.errors import BadOption, NoEncoder
from mst_core.jobs import AUDIO_FORMATS
from mst_core.sound.synth import SAMPLE_RATE, Samples, require_sound

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

_temp_folder: ContextVar[str | None] = ContextVar("temp_folder", default=None)
"""The folder for pydub's temporary files in this thread."""


def encode(samples: Samples, format: str) -> bytes:
    """Encode audio as a stereo file.

    Args:
        samples: audio of shape (frames, 2) at 48 kHz; values beyond full scale are clipped.
        format: ``mp3`` (128 kbit/s), ``ogg`` (Opus, 96 kbit/s) or ``wav`` (16 bit).

    Returns:
        The bytes of the file.

    Raises:
        BadOption: when the format is none of these.
        NoSound: when the samples are silent.
        NoEncoder: when ffmpeg is not installed or fails.
    """
    if format not in AUDIO_FORMATS:
        raise BadOption("format", format, "the audio formats are " + ", ".join(AUDIO_FORMATS))
    require_sound(samples)
    pcm = np.rint(np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes()
    return _encode_wave(pcm) if format == "wav" else _encode_with_pydub(pcm, format)


def _encode_wave(pcm: bytes) -> bytes:
    """Return a WAV file of 16-bit stereo samples."""
    target = io.BytesIO()
    with wave.open(target, "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes(pcm)
    return target.getvalue()


def _encode_with_pydub(pcm: bytes, format: str) -> bytes:
    """Return a compressed file of 16-bit stereo samples."""
    if not shutil.which("ffmpeg"):
        raise NoEncoder(format, "ffmpeg is not installed; install the package ffmpeg")
    # Imported here: without ffmpeg, the import warns and the failure comes much later.
    import pydub

    # When ffmpeg fails, pydub does not delete its temporary files: the folder is deleted instead.
    pydub.audio_segment.NamedTemporaryFile = _open_temp_file
    segment = pydub.AudioSegment(data=pcm, sample_width=2, frame_rate=SAMPLE_RATE, channels=2)
    target = io.BytesIO()
    with tempfile.TemporaryDirectory(prefix="mst-sound-") as folder:
        token = _temp_folder.set(folder)
        try:
            segment.export(target, format=format, **CODECS[format])
        except pydub.exceptions.CouldntEncodeError as error:
            # The last line of ffmpeg's output is the reason; the whole output is in the cause.
            raise NoEncoder(format, f"ffmpeg: {str(error).strip().splitlines()[-1]}") from error
        except OSError as error:
            raise NoEncoder(format, str(error)) from error
        finally:
            _temp_folder.reset(token)
    encoded = target.getvalue()
    if not encoded:
        raise NoEncoder(format, "ffmpeg wrote nothing")
    return encoded


def _open_temp_file(mode: str, *, delete: bool) -> Any:
    """Open a temporary file in this thread's folder; replaces pydub's NamedTemporaryFile."""
    return tempfile.NamedTemporaryFile(mode, delete=delete, dir=_temp_folder.get())
