"""From samples to a recording, by figures: loudness, peaks, silence, files. Real ffmpeg."""

from __future__ import annotations

import io
import re
import wave
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from mst_core.errors import BadOption, NoEncoder, NoSound
from mst_core.sound.encoding import CODECS, encode
from mst_core.sound.fluidsynth import FluidSynth
from mst_core.sound.mastering import (
    DEFAULT_CONFIG,
    find_true_peaks,
    limit,
    master,
    measure_loudness,
)
from mst_core.sound.soundfont import find_soundfont
from mst_core.sound.synth import SAMPLE_RATE, Samples
from tests.support.audio import FLUTE, PIANO, XYLOPHONE, ask_ffmpeg, decode, find_onsets, play_reel

# Program and lowest note of what may play: plucked, struck, blown, bowed.
BAND = {40: 62, 110: 62, 73: 66, 66: 50, 56: 60, 0: 60, 21: 62, 11: 60, 24: 52, 71: 58, 78: 72}


@pytest.fixture(scope="module")
def synthesizer() -> Iterator[FluidSynth]:
    synthesizer = FluidSynth(find_soundfont(None))
    yield synthesizer
    synthesizer.close()


@pytest.fixture(scope="module")
def recording(synthesizer: FluidSynth) -> Samples:
    return master(synthesizer.render(play_reel(), program=FLUTE))


def tone(seconds: float, *, hertz: float = 1000, peak: float = 0.1) -> Samples:
    line = peak * np.sin(2 * np.pi * hertz * np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE)
    return np.stack([line, line], axis=1).astype(np.float32)


def test_loudness_of_the_standard_tone_is_that_of_the_standard() -> None:
    """BS.1770: 997 Hz in both channels at 0 dBFS measures 0 LUFS (each channel alone -3.01)."""
    full = tone(5, hertz=997, peak=1)
    assert measure_loudness(full) == pytest.approx(0, abs=0.05)
    assert measure_loudness(full * np.array([1, 0], np.float32)) == pytest.approx(-3.01, abs=0.05)


def test_silence_has_no_loudness() -> None:
    assert measure_loudness(np.zeros((SAMPLE_RATE, 2), np.float32)) == -np.inf


@pytest.mark.parametrize("program", [FLUTE, PIANO])
def test_loudness_agrees_with_ffmpeg(synthesizer: FluidSynth, program: int) -> None:
    samples = synthesizer.render(play_reel(), program=program) * np.float32(8)
    samples = np.concatenate([samples, np.zeros((3 * SAMPLE_RATE, 2), np.float32), samples / 4])
    said = ask_ffmpeg(encode(samples, "wav"), "-filter:a", "ebur128=peak=true", "-f", "null", "-")
    summary = said.stderr.decode().rpartition("Summary:")[2]
    loudness = re.search(r"I:\s+(-[\d.]+) LUFS", summary)
    peak = re.search(r"Peak:\s+(-?[\d.]+) dBFS", summary)
    assert loudness
    assert peak
    assert measure_loudness(samples) == pytest.approx(float(loudness[1]), abs=0.3)
    ours = 20 * np.log10(find_true_peaks(samples).max())
    assert ours == pytest.approx(float(peak[1]), abs=0.3)


@pytest.mark.parametrize(("program", "lowest"), BAND.items())
def test_every_instrument_comes_out_equally_loud_and_never_clips(
    synthesizer: FluidSynth, program: int, lowest: int
) -> None:
    mastered = master(synthesizer.render(play_reel(lowest), program=program))
    assert measure_loudness(mastered) == pytest.approx(DEFAULT_CONFIG.target_lufs, abs=0.5)
    assert find_true_peaks(mastered).max() <= DEFAULT_CONFIG.max_true_peak + 1e-3
    assert np.abs(decode(encode(mastered, "mp3"))).max() < 1


def test_a_tune_begins_at_once_and_ends_in_silence(synthesizer: FluidSynth) -> None:
    samples = synthesizer.render(play_reel(), program=XYLOPHONE)
    late = np.concatenate([np.zeros((SAMPLE_RATE, 2), np.float32), samples, np.zeros_like(samples)])
    mastered = master(late)
    first = find_onsets(mastered)[0]
    assert first == pytest.approx(DEFAULT_CONFIG.lead_s, abs=0.005)
    level = np.abs(mastered).max()
    heard = np.flatnonzero(np.abs(mastered).max(axis=1) > level / 1000)[-1]
    assert len(mastered) - heard < 0.2 * SAMPLE_RATE
    assert np.abs(mastered[0]).max() == np.abs(mastered[-1]).max() == 0
    assert len(mastered) > play_reel().seconds * SAMPLE_RATE


def test_mastering_silence_is_an_error() -> None:
    for nothing in (np.zeros((SAMPLE_RATE, 2), np.float32), np.zeros((0, 2), np.float32)):
        with pytest.raises(NoSound):
            master(nothing)
    with pytest.raises(NoSound, match="numbers"):
        master(np.full((SAMPLE_RATE, 2), np.nan, np.float32))


def test_the_limiter_leaves_alone_what_is_below_the_ceiling() -> None:
    quiet = tone(1)
    assert limit(quiet, 0.5) is quiet


def test_the_limiter_turns_a_tone_down_without_bending_it() -> None:
    loud = tone(2, hertz=440, peak=2)
    limited = limit(loud, 0.5)
    steady = limited[SAMPLE_RATE:, 0]
    spectrum = np.abs(np.fft.rfft(steady * np.hanning(len(steady)))) ** 2
    near = slice(440 - 5, 440 + 6)  # bins of one hertz
    assert 1 - spectrum[near].sum() / spectrum.sum() < 1e-6  # distortion below -60 dB
    assert find_true_peaks(limited).max() == pytest.approx(0.5, abs=0.001)


def test_a_peak_between_two_samples_is_found() -> None:
    """A quarter of the rate, 45 degrees on: every sample is 3 dB below the true peak."""
    angle = np.pi / 2 * np.arange(4800) + np.pi / 4
    line = np.sin(angle).astype(np.float32)
    peaks = find_true_peaks(np.stack([line, line], axis=1))
    assert peaks[5:-5] == pytest.approx(np.ones(90), abs=0.02)


# Encoding


@pytest.mark.parametrize(
    ("format", "magic", "lost"), [("mp3", b"ID3", 0.1), ("ogg", b"OggS", 0.1), ("wav", b"RIFF", 0)]
)
def test_an_encoded_tune_sounds_as_long_and_as_loud(
    recording: Samples, format: str, magic: bytes, lost: float
) -> None:
    audio = encode(recording, format)
    assert audio.startswith(magic)
    decoded = decode(audio)
    assert len(decoded) / SAMPLE_RATE == pytest.approx(len(recording) / SAMPLE_RATE, abs=lost)
    assert measure_loudness(decoded) == pytest.approx(DEFAULT_CONFIG.target_lufs, abs=0.5)
    assert np.abs(decoded).max() < 1


def test_a_wav_file_has_16_bit_stereo_at_48_khz(recording: Samples) -> None:
    with wave.open(io.BytesIO(encode(recording, "wav"))) as file:
        assert file.getparams()[:4] == (2, 2, SAMPLE_RATE, len(recording))


def test_an_ogg_file_holds_opus(recording: Samples) -> None:
    assert b"OpusHead" in encode(recording, "ogg")[:100]


def test_encoding_in_threads_gives_the_same_bytes_and_leaves_nothing_behind(
    recording: Samples, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    formats = ["mp3", "ogg", "wav"] * 2
    alone = {format: encode(recording, format) for format in formats}
    with ThreadPoolExecutor(4) as threads:
        together = list(threads.map(lambda format: encode(recording, format), formats))
    assert together == [alone[format] for format in formats]
    assert not list(tmp_path.iterdir())


def test_without_ffmpeg_the_error_says_what_to_install(
    recording: Samples, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(NoEncoder, match="install the package ffmpeg"):
        encode(recording, "mp3")
    assert encode(recording, "wav").startswith(b"RIFF")


def test_a_failure_of_ffmpeg_is_an_error_and_leaves_nothing_behind(
    recording: Samples, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    unknown = {"codec": "no_such_codec", "bitrate": "128k"}
    monkeypatch.setitem(CODECS, "mp3", unknown)
    # ffmpeg 5 says the one, ffmpeg 7 the other.
    with pytest.raises(NoEncoder, match=r"no_such_codec|Encoder not found"):
        encode(recording, "mp3")
    assert not list(tmp_path.iterdir())


def test_silence_and_unknown_formats_are_never_encoded(recording: Samples) -> None:
    with pytest.raises(NoSound):
        encode(np.zeros((SAMPLE_RATE, 2), np.float32), "mp3")
    with pytest.raises(BadOption, match="mp3, ogg, wav"):
        encode(recording, "flac")
