"""Tests of encoding: formats, equal bytes, and failures of ffmpeg."""

from __future__ import annotations

import io
import wave
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from mst_core.errors import BadOption, NoEncoder, NoSound
from mst_core.sound import encoding
from mst_core.sound.encoding import CODECS, PAUSE_MS, encode, encode_in_turn
from mst_core.sound.loudness import measure_loudness
from mst_core.sound.mastering import DEFAULT_CONFIG
from mst_core.sound.recording import Recording
from mst_core.sound.synth import SAMPLE_RATE
from tests.support.audio import decode, record


@pytest.mark.parametrize(
    ("format", "magic", "lost"), [("mp3", b"ID3", 0.1), ("ogg", b"OggS", 0.1), ("wav", b"RIFF", 0)]
)
def test_an_encoded_file_keeps_duration_and_loudness(
    recording: Recording, format: str, magic: bytes, lost: float
) -> None:
    audio = encode(recording, format)
    assert audio.startswith(magic)
    decoded = decode(audio)
    assert len(decoded) / SAMPLE_RATE == pytest.approx(recording.seconds, abs=lost)
    assert measure_loudness(record(decoded)) == pytest.approx(DEFAULT_CONFIG.target_lufs, abs=0.5)
    assert np.abs(decoded).max() < 1


@pytest.mark.parametrize(("format", "lost"), [("mp3", 0.1), ("ogg", 0.1), ("wav", 0)])
def test_two_recordings_are_joined_with_silence_between(
    recording: Recording, format: str, lost: float
) -> None:
    decoded = decode(encode_in_turn((recording, recording), format))
    pause = PAUSE_MS / 1000
    assert len(decoded) / SAMPLE_RATE == pytest.approx(
        2 * recording.seconds + pause, abs=lost + 1e-3
    )
    first = int((recording.seconds + 0.3) * SAMPLE_RATE)
    assert np.abs(decoded[first : first + SAMPLE_RATE // 10]).max() < 0.001
    again = int((recording.seconds + pause) * SAMPLE_RATE)
    both = decoded[: recording.frames], decoded[again : again + recording.frames]
    loudness = [measure_loudness(record(each)) for each in both]
    assert loudness == pytest.approx([DEFAULT_CONFIG.target_lufs] * 2, abs=0.5)


def test_recordings_that_are_too_long_together_are_not_joined(
    recording: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(encoding, "MAX_PYDUB_SECONDS", recording.seconds * 1.5)
    with pytest.raises(ValueError, match="too long"):
        encode_in_turn((recording, recording), "mp3")
    assert encode_in_turn((recording,), "mp3")


def test_a_wav_file_has_16_bit_stereo_at_48_khz(recording: Recording) -> None:
    with wave.open(io.BytesIO(encode(recording, "wav"))) as file:
        assert file.getparams()[:4] == (2, 2, SAMPLE_RATE, recording.frames)


def test_an_ogg_file_contains_opus(recording: Recording) -> None:
    assert b"OpusHead" in encode(recording, "ogg")[:100]


def test_encoding_in_threads_gives_the_same_bytes_and_leaves_no_files(
    recording: Recording, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    formats = ["mp3", "ogg", "wav"] * 2
    alone = {format: encode(recording, format) for format in formats}
    with ThreadPoolExecutor(4) as threads:
        together = list(threads.map(lambda format: encode(recording, format), formats))
    assert together == [alone[format] for format in formats]
    assert not list(tmp_path.iterdir())


def test_without_ffmpeg_the_error_says_what_to_install(
    recording: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(NoEncoder, match="install the package ffmpeg"):
        encode(recording, "mp3")
    assert encode(recording, "wav").startswith(b"RIFF")


def test_a_failure_of_ffmpeg_is_an_error_and_leaves_no_files(
    recording: Recording, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    unknown = {"codec": "no_such_codec", "bitrate": "128k"}
    monkeypatch.setitem(CODECS, "mp3", unknown)
    # ffmpeg 5 says the one, ffmpeg 7 the other.
    with pytest.raises(NoEncoder, match=r"no_such_codec|Encoder not found"):
        encode(recording, "mp3")
    assert not list(tmp_path.iterdir())


def test_silence_and_unknown_formats_are_errors(recording: Recording) -> None:
    with pytest.raises(NoSound):
        encode(record(np.zeros((SAMPLE_RATE, 2), np.float32)), "mp3")
    with pytest.raises(BadOption, match="mp3, ogg, wav"):
        encode(recording, "flac")


@pytest.mark.parametrize("format", ["mp3", "ogg"])
def test_a_long_recording_is_piped_and_sounds_the_same(
    recording: Recording, format: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = decode(encode(recording, format))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(encoding, "MAX_PYDUB_SECONDS", 0.0)
    assert np.array_equal(decode(encode(recording, format)), whole)
    assert not list(tmp_path.iterdir())
    monkeypatch.setitem(CODECS, format, {"codec": "no_such_codec", "bitrate": "128k"})
    with pytest.raises(NoEncoder, match=r"ffmpeg: .*|Encoder not found"):
        encode(recording, format)
    assert not list(tmp_path.iterdir())


def test_the_file_of_a_long_recording_stays_small_enough_for_discord(
    recording: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = len(encode(recording, "mp3"))
    monkeypatch.setattr(encoding, "MAX_BYTES", usual * 4 // 5)
    assert usual // 2 < len(encode(recording, "mp3")) <= usual * 4 // 5
