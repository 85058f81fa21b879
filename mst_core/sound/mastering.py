"""From the synthesizer's soft samples to a finished recording: trimmed, loud enough, never clipped.

Every tune comes out near -14 LUFS, where music services play, so that no one has to reach for the
volume between two answers.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mst_core.sound.synth import SAMPLE_RATE, Samples, find_peak, require_sound

# A soft limiter: it turns peaks down before they come, slowly enough to be no distortion.
#
# Peaks are true peaks: those between samples count too, found by fourfold oversampling.

GAIN_STEP = SAMPLE_RATE // 1000
"""Gain is decided each millisecond."""
LOOKAHEAD_STEPS = 5
"""Steps that the gain begins to fall before a peak and stays down after it."""
RELEASE_S = 0.12
OVERSAMPLING = 4
_KERNEL_RADIUS = 6
"""Samples on either side that a point between two samples is made of."""


def limit(samples: Samples, ceiling: float) -> Samples:
    """Return the samples with every true peak at or below ``ceiling`` (full scale is 1)."""
    need = np.minimum(1, ceiling / np.maximum(find_true_peaks(samples), ceiling))
    if need.min(initial=1.0) == 1:
        return samples
    reach = np.lib.stride_tricks.sliding_window_view(
        np.pad(need, LOOKAHEAD_STEPS, constant_values=1.0), 2 * LOOKAHEAD_STEPS + 1
    )
    gain = _apply_release(reach.min(axis=1))
    # The mean of neighbours within reach is never above what their peak needs.
    window = np.hanning(2 * LOOKAHEAD_STEPS + 1)[1:-1]
    smooth = np.convolve(np.pad(gain, LOOKAHEAD_STEPS - 1, "edge"), window / window.sum(), "valid")
    middles = np.arange(len(smooth)) * GAIN_STEP + GAIN_STEP / 2
    curve = np.interp(np.arange(len(samples)), middles, smooth).astype(np.float32)
    return samples * curve[:, None]


def find_true_peaks(samples: Samples) -> NDArray[np.float64]:
    """Return the largest true peak of each millisecond, shape (ceil(frames / 48),)."""
    steps = -(-len(samples) // GAIN_STEP)
    width = GAIN_STEP + 2 * _KERNEL_RADIUS
    padded = np.zeros((steps * GAIN_STEP + 2 * _KERNEL_RADIUS, 2), np.float32)
    padded[_KERNEL_RADIUS : _KERNEL_RADIUS + len(samples)] = samples
    windows = np.lib.stride_tricks.sliding_window_view(padded, width, axis=0)[::GAIN_STEP]
    between = _oversampler()  # (width, STEP * OVERSAMPLING)
    peaks = np.empty(steps)
    for start in range(0, steps, 4096):
        part = windows[start : start + 4096].reshape(-1, width)  # left and right in turn
        peaks[start : start + 4096] = np.abs(part @ between).max(axis=1).reshape(-1, 2).max(axis=1)
    return peaks


def _oversampler() -> NDArray[np.float32]:
    """Return the matrix that makes a window of samples into the points at and between them."""
    points = _KERNEL_RADIUS + np.arange(GAIN_STEP * OVERSAMPLING) / OVERSAMPLING
    distance = points[None, :] - np.arange(GAIN_STEP + 2 * _KERNEL_RADIUS)[:, None]
    taper = np.where(
        np.abs(distance) < _KERNEL_RADIUS, np.cos(np.pi * distance / (2 * _KERNEL_RADIUS)) ** 2, 0
    )
    return (np.sinc(distance) * taper).astype(np.float32)


def _apply_release(need: NDArray[np.float64]) -> NDArray[np.float64]:
    """Let the gain come back slowly after each fall."""
    share = 1 - np.exp(-GAIN_STEP / SAMPLE_RATE / RELEASE_S)
    gain = np.empty_like(need)
    now = 1.0
    for step, wanted in enumerate(need.tolist()):
        now = min(wanted, now + (1 - now) * share)
        gain[step] = now
    return gain


# How loud sound is to the ear: integrated loudness of ITU-R BS.1770-4, in LUFS.

# The two filters of the K curve at 48 kHz, as the recommendation prints them: (b, a).
_SHELF = (
    (1.53512485958697, -2.69169618940638, 1.19839281085285),
    (
        1.0,
        -1.69065929318241,
        0.73248077421585,
    ),
)
_HIGH_PASS = (1.0, -2.0, 1.0), (1.0, -1.99004745483398, 0.99007225036621)

GATE_STEP = SAMPLE_RATE // 10
"""Blocks of 400 ms begin every 100 ms."""
ABSOLUTE_GATE = -70.0
RELATIVE_GATE = -10.0
_FFT_FRAMES = 1 << 16
_RING_FRAMES = 8192
"""Frames after which the filters have died away (the slowest falls 350 dB in them)."""


def measure_loudness(samples: Samples) -> float:
    """Return the integrated loudness in LUFS, gated; minus infinity for silence.

    ``samples`` has shape (frames, 2), 48 kHz. Sound shorter than one block of 400 ms is measured
    as if silence followed.
    """
    power = _step_powers(samples)
    blocks = np.convolve(power, np.full(4, 0.25), "valid")  # 400 ms from four times 100 ms
    loud = blocks[_to_lufs(blocks) > ABSOLUTE_GATE]
    if not loud.size:
        return -np.inf
    gate = float(_to_lufs(loud.mean())) + RELATIVE_GATE
    return float(_to_lufs(loud[_to_lufs(loud) > gate].mean()))


def _to_lufs(power: NDArray[np.float64] | np.float64) -> NDArray[np.float64]:
    with np.errstate(divide="ignore"):
        return np.asarray(-0.691 + 10 * np.log10(power), np.float64)


def _step_powers(samples: Samples) -> NDArray[np.float64]:
    """Return the power of each 100 ms after the K curve, both channels added, at least four."""
    steps = max(4, len(samples) // GATE_STEP)
    heard = np.zeros((max(steps * GATE_STEP, len(samples)) + _FFT_FRAMES, 2), np.float32)
    curve = _k_weighting()
    for start in range(0, len(samples), _FFT_FRAMES - _RING_FRAMES):
        # Filtered by its spectrum, span by span; the ring of one span is added to the next.
        part = samples[start : start + _FFT_FRAMES - _RING_FRAMES]
        spectrum = np.fft.rfft(part, _FFT_FRAMES, axis=0) * curve
        heard[start : start + _FFT_FRAMES] += np.fft.irfft(spectrum, _FFT_FRAMES, axis=0)
    squares = np.square(heard[: steps * GATE_STEP]).reshape(steps, GATE_STEP * 2)
    return np.asarray(squares.sum(axis=1, dtype=np.float64) / GATE_STEP)


def _k_weighting() -> NDArray[np.complex64]:
    """Return the response of both filters at the bins of a span, shape (bins, 1)."""
    turn = np.exp(-2j * np.pi * np.fft.rfftfreq(_FFT_FRAMES))
    response = np.ones_like(turn)
    for above, below in (_SHELF, _HIGH_PASS):
        response *= np.polyval(above[::-1], turn) / np.polyval(below[::-1], turn)
    return np.asarray(response[:, None], np.complex64)


TARGET_LUFS = -14.0
"""LUFS."""
MAX_TRUE_PEAK = 10 ** (-1 / 20)
"""-1 dB true peak leaves room for what an encoder adds."""
LOUDNESS_TOLERANCE = 0.2
MAX_ROUNDS = 4
LEAD_S = 0.02
FADE_IN_S = 0.005
FADE_OUT_S = 0.15
AUDIBLE_LEVEL = 10 ** (-60 / 20)
"""What is 60 dB below the peak is the end of the tail, and no beginning either."""


def master(samples: Samples) -> Samples:
    """Return the recording: float32, shape (frames, 2), 48 kHz.

    The tune begins 20 ms after the start and ends with its decay to -60 dB and a fade; its
    loudness is `TARGET_LUFS` within a decibel and its true peak at or below `MAX_TRUE_PEAK`.

    Raises:
        NoSound: when there is nothing to be heard.
    """
    require_sound(samples)
    trimmed = _trim(samples)
    loudness = measure_loudness(trimmed)
    gain = TARGET_LUFS - loudness  # dB
    for _ in range(MAX_ROUNDS):
        louder = trimmed * np.float32(10 ** (gain / 20))
        mastered = limit(louder, MAX_TRUE_PEAK)
        if mastered is louder:
            break  # no peak was in the way
        # The limiter takes a little loudness away: give it back, and look again.
        missing = TARGET_LUFS - measure_loudness(mastered)
        if abs(missing) <= LOUDNESS_TOLERANCE:
            break
        gain += missing
    require_sound(mastered)
    return mastered


def _trim(samples: Samples) -> Samples:
    """Cut what is before and after the tune, and fade both ends to nothing."""
    heard = np.flatnonzero(np.abs(samples).max(axis=1) > find_peak(samples) * AUDIBLE_LEVEL)
    first = max(0, int(heard[0]) - round(LEAD_S * SAMPLE_RATE))
    last = min(len(samples), int(heard[-1]) + 1 + round(FADE_OUT_S * SAMPLE_RATE))
    trimmed = samples[first:last].copy()
    rise = min(round(FADE_IN_S * SAMPLE_RATE), len(trimmed))
    fall = min(round(FADE_OUT_S * SAMPLE_RATE), len(trimmed))
    trimmed[:rise] *= np.linspace(0, 1, rise, dtype=np.float32)[:, None]
    trimmed[len(trimmed) - fall :] *= np.linspace(1, 0, fall, dtype=np.float32)[:, None] ** 2
    return trimmed
