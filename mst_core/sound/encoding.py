"""The room of pydub: samples become the bytes of an audio file, by way of ffmpeg.

The same samples give the same bytes. Any thread may encode; nothing is left on the disk.
"""

from __future__ import annotations

import io
import shutil
import tempfile
import threading
import wave
from typing import Any

import numpy as np

from mst_core.errors import BadOption, NoEncoder
from mst_core.jobs import AUDIO_FORMATS
from mst_core.sound.synth import SAMPLE_RATE, Samples, require_sound

BITEXACT_FLAGS = ["-fflags", "+bitexact", "-flags:a", "+bitexact", "-map_metadata", "-1"]
# What ffmpeg is told for each format. LAME at level 7 takes 40 % of the time of its standard and
# the ear is the limit at 128k either way; Ogg holds Opus, which Discord and browsers play.
CODECS: dict[str, dict[str, Any]] = {
    "mp3": {
        "codec": "libmp3lame",
        "bitrate": "128k",
        "parameters": ["-compression_level", "7", *BITEXACT_FLAGS],
    },
    "ogg": {"codec": "libopus", "bitrate": "96k", "parameters": BITEXACT_FLAGS},
}


def encode(samples: Samples, format: str) -> bytes:
    """Return an audio file: ``mp3`` (128k), ``ogg`` (Opus, 96k) or ``wav`` (16 bit), all stereo.

    ``samples`` is float32, shape (frames, 2), 48 kHz; what is above full scale is cut.

    Raises:
        BadOption: when the format is none of these.
        NoSound: when there is nothing to be heard.
        NoEncoder: when ffmpeg is not installed, or fails.
    """
    if format not in AUDIO_FORMATS:
        raise BadOption("format", format, "the audio formats are " + ", ".join(AUDIO_FORMATS))
    require_sound(samples)
    pcm = np.rint(np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes()
    return _write_wave(pcm) if format == "wav" else _write_compressed(pcm, format)


def _write_wave(pcm: bytes) -> bytes:
    target = io.BytesIO()
    with wave.open(target, "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes(pcm)
    return target.getvalue()


def _write_compressed(pcm: bytes, format: str) -> bytes:
    if not shutil.which("ffmpeg"):
        raise NoEncoder(format, "ffmpeg is not installed; install the package ffmpeg")
    # Imported here, for without ffmpeg the import only warns and the failure comes much later.
    import pydub

    pydub.audio_segment.NamedTemporaryFile = _open_file
    segment = pydub.AudioSegment(data=pcm, sample_width=2, frame_rate=SAMPLE_RATE, channels=2)
    target = io.BytesIO()
    with tempfile.TemporaryDirectory(prefix="mst-sound-") as folder:
        _room.folder = folder
        try:
            segment.export(target, format=format, **CODECS[format])
        except pydub.exceptions.CouldntEncodeError as error:
            # The last line of ffmpeg says why; the whole story stays with the cause.
            raise NoEncoder(format, f"ffmpeg: {str(error).strip().splitlines()[-1]}") from error
        except OSError as error:
            raise NoEncoder(format, str(error)) from error
        finally:
            _room.folder = None
    encoded = target.getvalue()
    if not encoded:
        raise NoEncoder(format, "ffmpeg wrote nothing")
    return encoded


class _Room(threading.local):
    """The folder in which pydub works for this thread."""

    folder: str | None = None


_room = _Room()


def _open_file(mode: str, *, delete: bool) -> Any:
    """Stand in for pydub's NamedTemporaryFile: it leaves its files behind when ffmpeg fails."""
    return tempfile.NamedTemporaryFile(mode, delete=delete, dir=_room.folder)
