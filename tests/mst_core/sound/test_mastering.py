"""Tests of mastering: loudness, true peaks, trimming. ffmpeg measures the same."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from mst_core.errors import NoSound
from mst_core.sound import limiter
from mst_core.sound.encoding import encode
from mst_core.sound.fluidsynth import FluidSynth
from mst_core.sound.limiter import find_limiter_gain
from mst_core.sound.loudness import GATE_STEP
from mst_core.sound.loudness import measure_loudness as measure_recording
from mst_core.sound.mastering import DEFAULT_CONFIG, MasteringConfig
from mst_core.sound.mastering import master as master_file
from mst_core.sound.sample_file import SampleFile
from mst_core.sound.synth import SAMPLE_RATE, Samples
from tests.support.audio import (
    FLUTE,
    PIANO,
    XYLOPHONE,
    ask_ffmpeg,
    decode,
    find_onsets,
    play_reel,
    read_all,
    record,
    render,
)

# Program and lowest pitch of plucked, struck, blown and bowed instruments.
INSTRUMENTS = {
    40: 62,
    110: 62,
    73: 66,
    66: 50,
    56: 60,
    0: 60,
    21: 62,
    11: 60,
    24: 52,
    71: 58,
    78: 72,
}


def measure_loudness(samples: Samples) -> float:
    return measure_recording(record(samples))


def find_true_peaks(samples: Samples) -> NDArray[np.float64]:
    return limiter.find_true_peaks(record(samples))


def master(samples: Samples, config: MasteringConfig = DEFAULT_CONFIG) -> Samples:
    """Master samples of shape (frames, 2), as a whole."""
    with SampleFile.of([samples]) as file:
        return read_all(master_file(file, config))


def limit(samples: Samples, max_true_peak: float) -> Samples:
    quiet = record(samples)
    gain = find_limiter_gain(quiet, max_true_peak, DEFAULT_CONFIG.release_s)
    return read_all(replace(quiet, limiter=gain))


def tone(seconds: float, *, hertz: float = 1000, peak: float = 0.1) -> Samples:
    line = peak * np.sin(2 * np.pi * hertz * np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE)
    return np.stack([line, line], axis=1).astype(np.float32)


def test_the_reference_tone_of_bs_1770_has_its_specified_loudness() -> None:
    """BS.1770: 997 Hz in both channels at 0 dBFS measures 0 LUFS (each channel alone -3.01)."""
    full = tone(5, hertz=997, peak=1)
    assert measure_loudness(full) == pytest.approx(0, abs=0.05)
    assert measure_loudness(full * np.array([1, 0], np.float32)) == pytest.approx(-3.01, abs=0.05)


def test_the_loudness_of_silence_is_minus_infinity() -> None:
    assert measure_loudness(np.zeros((SAMPLE_RATE, 2), np.float32)) == -np.inf


@pytest.mark.parametrize("program", [FLUTE, PIANO])
def test_loudness_agrees_with_ffmpeg(synthesizer: FluidSynth, program: int) -> None:
    samples = render(synthesizer, play_reel(), program=program) * np.float32(8)
    samples = np.concatenate([samples, np.zeros((3 * SAMPLE_RATE, 2), np.float32), samples / 4])
    result = ask_ffmpeg(
        encode(record(samples), "wav"), "-filter:a", "ebur128=peak=true", "-f", "null", "-"
    )
    summary = result.stderr.decode().rpartition("Summary:")[2]
    loudness = re.search(r"I:\s+(-[\d.]+) LUFS", summary)
    peak = re.search(r"Peak:\s+(-?[\d.]+) dBFS", summary)
    assert loudness
    assert peak
    assert measure_loudness(samples) == pytest.approx(float(loudness[1]), abs=0.3)
    ours = 20 * np.log10(find_true_peaks(samples).max())
    assert ours == pytest.approx(float(peak[1]), abs=0.3)


@pytest.mark.parametrize(("program", "lowest"), INSTRUMENTS.items())
def test_every_instrument_is_mastered_to_the_target_without_clipping(
    synthesizer: FluidSynth, program: int, lowest: int
) -> None:
    mastered = master(render(synthesizer, play_reel(lowest), program=program))
    assert measure_loudness(mastered) == pytest.approx(DEFAULT_CONFIG.target_lufs, abs=0.5)
    assert find_true_peaks(mastered).max() <= DEFAULT_CONFIG.max_true_peak + 1e-3
    assert np.abs(decode(encode(record(mastered), "mp3"))).max() < 1


def test_a_recording_is_trimmed_and_faded_at_both_ends(synthesizer: FluidSynth) -> None:
    samples = render(synthesizer, play_reel(), program=XYLOPHONE)
    late = np.concatenate([np.zeros((SAMPLE_RATE, 2), np.float32), samples, np.zeros_like(samples)])
    mastered = master(late)
    first = find_onsets(mastered)[0]
    assert first == pytest.approx(DEFAULT_CONFIG.lead_s, abs=0.005)
    level = np.abs(mastered).max()
    last = np.flatnonzero(np.abs(mastered).max(axis=1) > level / 1000)[-1]
    assert len(mastered) - last < 0.2 * SAMPLE_RATE
    assert np.abs(mastered[0]).max() == np.abs(mastered[-1]).max() == 0
    assert len(mastered) > play_reel().seconds * SAMPLE_RATE


def test_a_config_changes_the_loudness_of_a_recording() -> None:
    mastered = master(tone(2), MasteringConfig(target_lufs=-23, max_true_peak=0.5))
    assert measure_loudness(mastered) == pytest.approx(-23, abs=0.5)
    assert find_true_peaks(mastered).max() <= 0.5


def test_mastering_silence_is_an_error() -> None:
    for nothing in (np.zeros((SAMPLE_RATE, 2), np.float32), np.zeros((0, 2), np.float32)):
        with pytest.raises(NoSound):
            master(nothing)
    with pytest.raises(NoSound, match="not finite"):
        master(np.full((SAMPLE_RATE, 2), np.nan, np.float32))


def test_the_limiter_returns_samples_below_the_limit_unchanged() -> None:
    assert find_limiter_gain(record(tone(1)), 0.5, 0.12) is None


def test_the_limiter_reduces_a_tone_without_distortion() -> None:
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


@pytest.mark.parametrize("frames", [GATE_STEP, 8 * GATE_STEP - 1, 57_344, 150_000, 600_000])
def test_audio_is_the_same_whether_it_is_read_whole_or_in_pieces(frames: int) -> None:
    noise = np.random.default_rng(frames).normal(0, 0.1, (frames, 2)).astype(np.float32)
    noise[::3001] *= 20  # for the limiter
    with SampleFile.of([noise]) as file:
        mastered = master_file(file)
        pieces = np.concatenate(list(mastered.chunks(10_007)))
        assert np.array_equal(pieces, read_all(mastered))
        assert mastered.limiter is not None
