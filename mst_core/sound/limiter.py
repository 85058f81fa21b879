"""A soft limiter: it turns peaks down before they come, slowly enough to be no distortion.

Peaks are true peaks: those between samples count too, found by fourfold oversampling.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mst_core.sound.samples import RATE, Samples

STEP = RATE // 1000
"""Gain is decided each millisecond."""
AHEAD = 5
"""Steps that the gain begins to fall before a peak and stays down after it."""
RELEASE_S = 0.12
OVERSAMPLING = 4
_REACH = 6
"""Samples on either side that a point between two samples is made of."""


def limit(samples: Samples, ceiling: float) -> Samples:
    """Return the samples with every true peak at or below ``ceiling`` (full scale is 1)."""
    need = np.minimum(1, ceiling / np.maximum(find_true_peaks(samples), ceiling))
    if need.min(initial=1.0) == 1:
        return samples
    reach = np.lib.stride_tricks.sliding_window_view(
        np.pad(need, AHEAD, constant_values=1.0), 2 * AHEAD + 1
    )
    gain = _release(reach.min(axis=1))
    # The mean of neighbours within reach is never above what their peak needs.
    window = np.hanning(2 * AHEAD + 1)[1:-1]
    smooth = np.convolve(np.pad(gain, AHEAD - 1, "edge"), window / window.sum(), "valid")
    middles = np.arange(len(smooth)) * STEP + STEP / 2
    curve = np.interp(np.arange(len(samples)), middles, smooth).astype(np.float32)
    return samples * curve[:, None]


def find_true_peaks(samples: Samples) -> NDArray[np.float64]:
    """Return the largest true peak of each millisecond, shape (ceil(frames / 48),)."""
    steps = -(-len(samples) // STEP)
    width = STEP + 2 * _REACH
    padded = np.zeros((steps * STEP + 2 * _REACH, 2), np.float32)
    padded[_REACH : _REACH + len(samples)] = samples
    windows = np.lib.stride_tricks.sliding_window_view(padded, width, axis=0)[::STEP]
    between = _oversampler()  # (width, STEP * OVERSAMPLING)
    peaks = np.empty(steps)
    for start in range(0, steps, 4096):
        part = windows[start : start + 4096].reshape(-1, width)  # left and right in turn
        peaks[start : start + 4096] = np.abs(part @ between).max(axis=1).reshape(-1, 2).max(axis=1)
    return peaks


def _oversampler() -> NDArray[np.float32]:
    """Return the matrix that makes a window of samples into the points at and between them."""
    points = _REACH + np.arange(STEP * OVERSAMPLING) / OVERSAMPLING
    distance = points[None, :] - np.arange(STEP + 2 * _REACH)[:, None]
    taper = np.where(np.abs(distance) < _REACH, np.cos(np.pi * distance / (2 * _REACH)) ** 2, 0)
    return (np.sinc(distance) * taper).astype(np.float32)


def _release(need: NDArray[np.float64]) -> NDArray[np.float64]:
    """Let the gain come back slowly after each fall."""
    share = 1 - np.exp(-STEP / RATE / RELEASE_S)
    gain = np.empty_like(need)
    now = 1.0
    for step, wanted in enumerate(need.tolist()):
        now = min(wanted, now + (1 - now) * share)
        gain[step] = now
    return gain
