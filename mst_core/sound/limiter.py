"""A look-ahead limiter for true peaks: those between samples count, found by oversampling."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mst_core.sound.recording import GAIN_STEP, Recording
from mst_core.sound.synth import SAMPLE_RATE

LOOKAHEAD_STEPS = 5
"""Steps before and after a peak in which the gain is already or still reduced."""
OVERSAMPLING = 4
_KERNEL_RADIUS = 6
"""Samples on either side from which a value between two samples is interpolated."""
_BLOCK_STEPS = 4096
"""Steps whose peaks are found at once."""


def find_limiter_gain(
    recording: Recording, max_true_peak: float, release_s: float
) -> NDArray[np.float64] | None:
    """Return the gain around peaks: it begins to fall before one, slowly enough not to distort.

    Args:
        recording: the audio, not limited yet.
        max_true_peak: largest true peak of the result; full scale is 1.
        release_s: time constant of the gain's recovery, in seconds.

    Returns:
        The gain at the middle of each millisecond, shape (ceil(frames / 48),); None when no peak is
        too high.
    """
    need = np.minimum(1, max_true_peak / np.maximum(find_true_peaks(recording), max_true_peak))
    if need.min(initial=1.0) == 1:
        return None
    reach = np.lib.stride_tricks.sliding_window_view(
        np.pad(need, LOOKAHEAD_STEPS, constant_values=1.0), 2 * LOOKAHEAD_STEPS + 1
    )
    gain = _apply_release(reach.min(axis=1), release_s)
    # A weighted mean over the look-ahead is never above the gain that its peak needs.
    window = np.hanning(2 * LOOKAHEAD_STEPS + 1)[1:-1]
    return np.convolve(np.pad(gain, LOOKAHEAD_STEPS - 1, "edge"), window / window.sum(), "valid")


def find_true_peaks(recording: Recording) -> NDArray[np.float64]:
    """Return the largest true peak of each millisecond.

    Args:
        recording: the audio.

    Returns:
        Absolute peaks, shape (ceil(frames / 48),).
    """
    steps = -(-recording.frames // GAIN_STEP)
    width = GAIN_STEP + 2 * _KERNEL_RADIUS
    interpolation = _interpolation_matrix()
    peaks = np.empty(steps)
    for start in range(0, steps, _BLOCK_STEPS):
        count = min(_BLOCK_STEPS, steps - start)
        padded = np.zeros((count * GAIN_STEP + 2 * _KERNEL_RADIUS, 2), np.float32)
        first = start * GAIN_STEP - _KERNEL_RADIUS
        inside = recording.read(max(0, first), first + len(padded) - max(0, first))
        padded[max(0, -first) : max(0, -first) + len(inside)] = inside
        windows = np.lib.stride_tricks.sliding_window_view(padded, width, axis=0)[::GAIN_STEP]
        part = windows.reshape(-1, width)  # left and right alternate
        values = np.abs(part @ interpolation).max(axis=1)
        peaks[start : start + count] = values.reshape(-1, 2).max(axis=1)
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
