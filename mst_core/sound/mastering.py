"""Masters the synthesizer's output: trims it, sets its loudness to -14 LUFS and limits its peaks.

From top to bottom: `master`, the measurement of loudness after ITU-R BS.1770-4 (integrated, gated,
in LUFS), and a look-ahead limiter for true peaks (those between samples count, found by fourfold
oversampling). All audio is of shape (frames, 2) at 48 kHz with full scale 1.0.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mst_core.sound.synth import SAMPLE_RATE, Samples, find_peak, require_sound


@dataclass(frozen=True, slots=True)
class MasteringConfig:
    """Constants of mastering."""

    target_lufs: float = -14.0
    """Integrated loudness of every recording: the level of music services."""
    max_true_peak: float = 10 ** (-1 / 20)
    """-1 dBTP, which leaves room for the overshoot of lossy encoders."""
    loudness_tolerance: float = 0.2
    """Difference to the target, in LU, at which the gain is no longer corrected."""
    max_rounds: int = 4
    """Most corrections of the gain for what the limiter takes away."""
    lead_s: float = 0.02
    """Seconds kept before the first audible sample."""
    fade_in_s: float = 0.005
    fade_out_s: float = 0.15
    """Seconds kept and faded out after the last audible sample."""
    audible_level: float = 10 ** (-60 / 20)
    """Samples below this level relative to the peak, -60 dB, are trimmed at both ends."""
    release_s: float = 0.12
    """Time constant with which the limiter's gain recovers."""


DEFAULT_CONFIG = MasteringConfig()


def master(samples: Samples, config: MasteringConfig = DEFAULT_CONFIG) -> Samples:
    """Return a finished recording.

    It begins 20 ms before the first audible sample and ends with the decay to -60 dB and a fade.
    Its loudness is within a decibel of the target, its true peak at or below the limit.

    Args:
        samples: the synthesizer's output, shape (frames, 2).
        config: loudness, peak, trimming and fades.

    Returns:
        The recording, shape (frames, 2), float32.

    Raises:
        NoSound: when the samples are silent.
    """
    require_sound(samples)
    trimmed = _trim(samples, config)
    gain = config.target_lufs - measure_loudness(trimmed)  # dB
    for _ in range(config.max_rounds):
        louder = trimmed * np.float32(10 ** (gain / 20))
        mastered = limit(louder, config.max_true_peak, config.release_s)
        if mastered is louder:
            break  # no peak was above the limit
        # The limiter reduces the loudness a little: compensate, and measure again.
        missing = config.target_lufs - measure_loudness(mastered)
        if abs(missing) <= config.loudness_tolerance:
            break
        gain += missing
    require_sound(mastered)
    return mastered


def _trim(samples: Samples, config: MasteringConfig) -> Samples:
    """Return the audible part with faded ends."""
    threshold = find_peak(samples) * config.audible_level
    audible = np.flatnonzero(np.abs(samples).max(axis=1) > threshold)
    fade_out = round(config.fade_out_s * SAMPLE_RATE)
    first = max(0, int(audible[0]) - round(config.lead_s * SAMPLE_RATE))
    last = min(len(samples), int(audible[-1]) + 1 + fade_out)
    trimmed = samples[first:last].copy()
    rise = min(round(config.fade_in_s * SAMPLE_RATE), len(trimmed))
    fall = min(fade_out, len(trimmed))
    trimmed[:rise] *= np.linspace(0, 1, rise, dtype=np.float32)[:, None]
    trimmed[len(trimmed) - fall :] *= np.linspace(1, 0, fall, dtype=np.float32)[:, None] ** 2
    return trimmed


# Loudness: ITU-R BS.1770-4.

GATE_STEP = SAMPLE_RATE // 10
"""Frames between the starts of gating blocks: 100 ms. A block lasts 400 ms."""
ABSOLUTE_GATE = -70.0
"""LUFS: quieter blocks are not counted."""
RELATIVE_GATE = -10.0
"""LU below the loudness of the blocks that pass the absolute gate."""
# The two filters of K-weighting at 48 kHz as the recommendation prints them: (b, a).
_SHELF = (
    (1.53512485958697, -2.69169618940638, 1.19839281085285),
    (1.0, -1.69065929318241, 0.73248077421585),
)
_HIGH_PASS = (1.0, -2.0, 1.0), (1.0, -1.99004745483398, 0.99007225036621)
_FFT_FRAMES = 1 << 16
_RING_FRAMES = 8192
"""Frames after which the response of the filters is negligible (the slowest is at -350 dB)."""


def measure_loudness(samples: Samples) -> float:
    """Return the integrated loudness.

    Args:
        samples: audio of shape (frames, 2); less than 400 ms is extended with silence.

    Returns:
        Gated loudness in LUFS, minus infinity for silence.
    """
    power = _step_powers(samples)
    blocks = np.convolve(power, np.full(4, 0.25), "valid")  # 400 ms from four steps of 100 ms
    loud = blocks[_to_lufs(blocks) > ABSOLUTE_GATE]
    if not loud.size:
        return -np.inf
    gate = float(_to_lufs(loud.mean())) + RELATIVE_GATE
    return float(_to_lufs(loud[_to_lufs(loud) > gate].mean()))


def _to_lufs(power: NDArray[np.float64] | np.float64) -> NDArray[np.float64]:
    """Return the loudness in LUFS of K-weighted power, a scalar or one value a step, (K,)."""
    with np.errstate(divide="ignore"):
        return np.asarray(-0.691 + 10 * np.log10(power), np.float64)


def _step_powers(samples: Samples) -> NDArray[np.float64]:
    """Return the K-weighted power of each 100 ms, channels added, shape (max(4, steps),)."""
    steps = max(4, len(samples) // GATE_STEP)
    weighted = np.zeros((max(steps * GATE_STEP, len(samples)) + _FFT_FRAMES, 2), np.float32)
    response = _k_weighting()
    for start in range(0, len(samples), _FFT_FRAMES - _RING_FRAMES):
        # Overlap-add: each segment is filtered by its spectrum, its decay is added to the next.
        segment = samples[start : start + _FFT_FRAMES - _RING_FRAMES]
        spectrum = np.fft.rfft(segment, _FFT_FRAMES, axis=0) * response
        weighted[start : start + _FFT_FRAMES] += np.fft.irfft(spectrum, _FFT_FRAMES, axis=0)
    squares = np.square(weighted[: steps * GATE_STEP]).reshape(steps, GATE_STEP * 2)
    return np.asarray(squares.sum(axis=1, dtype=np.float64) / GATE_STEP)


def _k_weighting() -> NDArray[np.complex64]:
    """Return the frequency response of both filters, shape (_FFT_FRAMES // 2 + 1, 1)."""
    unit = np.exp(-2j * np.pi * np.fft.rfftfreq(_FFT_FRAMES))
    response = np.ones_like(unit)
    for numerator, denominator in (_SHELF, _HIGH_PASS):
        response *= np.polyval(numerator[::-1], unit) / np.polyval(denominator[::-1], unit)
    return np.asarray(response[:, None], np.complex64)


# Limiting. The gain begins to fall before a peak, slowly enough not to distort.

GAIN_STEP = SAMPLE_RATE // 1000
"""Frames for which one gain is computed: 1 ms."""
LOOKAHEAD_STEPS = 5
"""Steps before and after a peak in which the gain is already or still reduced."""
OVERSAMPLING = 4
_KERNEL_RADIUS = 6
"""Samples on either side from which a value between two samples is interpolated."""


def limit(
    samples: Samples, max_true_peak: float, release_s: float = DEFAULT_CONFIG.release_s
) -> Samples:
    """Reduce the gain around peaks.

    Args:
        samples: audio of shape (frames, 2).
        max_true_peak: largest true peak of the result; full scale is 1.
        release_s: time constant of the gain's recovery, in seconds.

    Returns:
        Audio of the same shape; the same object when no peak is too high.
    """
    need = np.minimum(1, max_true_peak / np.maximum(find_true_peaks(samples), max_true_peak))
    if need.min(initial=1.0) == 1:
        return samples
    reach = np.lib.stride_tricks.sliding_window_view(
        np.pad(need, LOOKAHEAD_STEPS, constant_values=1.0), 2 * LOOKAHEAD_STEPS + 1
    )
    gain = _apply_release(reach.min(axis=1), release_s)
    # A weighted mean over the look-ahead is never above the gain that its peak needs.
    window = np.hanning(2 * LOOKAHEAD_STEPS + 1)[1:-1]
    smooth = np.convolve(np.pad(gain, LOOKAHEAD_STEPS - 1, "edge"), window / window.sum(), "valid")
    centers = np.arange(len(smooth)) * GAIN_STEP + GAIN_STEP / 2
    curve = np.interp(np.arange(len(samples)), centers, smooth).astype(np.float32)
    return samples * curve[:, None]


def find_true_peaks(samples: Samples) -> NDArray[np.float64]:
    """Return the largest true peak of each millisecond.

    Args:
        samples: audio of shape (frames, 2).

    Returns:
        Absolute peaks, shape (ceil(frames / 48),).
    """
    steps = -(-len(samples) // GAIN_STEP)
    width = GAIN_STEP + 2 * _KERNEL_RADIUS
    padded = np.zeros((steps * GAIN_STEP + 2 * _KERNEL_RADIUS, 2), np.float32)
    padded[_KERNEL_RADIUS : _KERNEL_RADIUS + len(samples)] = samples
    windows = np.lib.stride_tricks.sliding_window_view(padded, width, axis=0)[::GAIN_STEP]
    interpolation = _interpolation_matrix()
    peaks = np.empty(steps)
    for start in range(0, steps, 4096):
        part = windows[start : start + 4096].reshape(-1, width)  # left and right alternate
        values = np.abs(part @ interpolation).max(axis=1)
        peaks[start : start + 4096] = values.reshape(-1, 2).max(axis=1)
    return peaks


def _interpolation_matrix() -> NDArray[np.float32]:
    """Return the matrix from a window of samples to the values at and between them.

    Its shape is (GAIN_STEP + 2 * _KERNEL_RADIUS, GAIN_STEP * OVERSAMPLING); the kernel is a sinc
    with a squared-cosine window.
    """
    points = _KERNEL_RADIUS + np.arange(GAIN_STEP * OVERSAMPLING) / OVERSAMPLING
    distance = points[None, :] - np.arange(GAIN_STEP + 2 * _KERNEL_RADIUS)[:, None]
    taper = np.where(
        np.abs(distance) < _KERNEL_RADIUS, np.cos(np.pi * distance / (2 * _KERNEL_RADIUS)) ** 2, 0
    )
    return (np.sinc(distance) * taper).astype(np.float32)


def _apply_release(need: NDArray[np.float64], release_s: float) -> NDArray[np.float64]:
    """Return the gain of each step, shape (steps,): it falls at once and recovers exponentially."""
    share = 1 - np.exp(-GAIN_STEP / SAMPLE_RATE / release_s)
    gain = np.empty_like(need)
    now = 1.0
    for step, target in enumerate(need.tolist()):
        now = min(target, now + (1 - now) * share)
        gain[step] = now
    return gain
