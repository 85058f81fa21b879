"""From the synthesizer's soft samples to a finished recording: trimmed, loud enough, never clipped.

Every tune comes out near -14 LUFS, where music services play, so that no one has to reach for the
volume between two answers.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mst_core.sound.synth import RATE, Samples, find_peak, require_sound

# A soft limiter: it turns peaks down before they come, slowly enough to be no distortion.
#
# Peaks are true peaks: those between samples count too, found by fourfold oversampling.

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


# How loud sound is to the ear: integrated loudness of ITU-R BS.1770-4, in LUFS.

# The two filters of the K curve at 48 kHz, as the recommendation prints them: (b, a).
_SHELF = (1.53512485958697, -2.69169618940638, 1.19839281085285), (
    1.0, -1.69065929318241, 0.73248077421585,
)  # fmt: skip
_HIGH_PASS = (1.0, -2.0, 1.0), (1.0, -1.99004745483398, 0.99007225036621)

GATE_STEP = RATE // 10
"""Blocks of 400 ms begin every 100 ms."""
ABSOLUTE_GATE = -70.0
RELATIVE_GATE = -10.0
_SPAN = 1 << 16
_RING = 8192
"""Frames after which the filters have died away (the slowest falls 350 dB in them)."""


def measure_loudness(samples: Samples) -> float:
    """Return the integrated loudness in LUFS, gated; minus infinity for silence.

    ``samples`` has shape (frames, 2), 48 kHz. Sound shorter than one block of 400 ms is measured
    as if silence followed.
    """
    power = _power_of_steps(samples)
    blocks = np.convolve(power, np.full(4, 0.25), "valid")  # 400 ms from four times 100 ms
    loud = blocks[_to_lufs(blocks) > ABSOLUTE_GATE]
    if not loud.size:
        return -np.inf
    gate = float(_to_lufs(loud.mean())) + RELATIVE_GATE
    return float(_to_lufs(loud[_to_lufs(loud) > gate].mean()))


def _to_lufs(power: NDArray[np.float64] | np.float64) -> NDArray[np.float64]:
    with np.errstate(divide="ignore"):
        return np.asarray(-0.691 + 10 * np.log10(power), np.float64)


def _power_of_steps(samples: Samples) -> NDArray[np.float64]:
    """Return the power of each 100 ms after the K curve, both channels added, at least four."""
    steps = max(4, len(samples) // GATE_STEP)
    heard = np.zeros((max(steps * GATE_STEP, len(samples)) + _SPAN, 2), np.float32)
    curve = _k_curve()
    for start in range(0, len(samples), _SPAN - _RING):
        # Filtered by its spectrum, span by span; the ring of one span is added to the next.
        part = samples[start : start + _SPAN - _RING]
        spectrum = np.fft.rfft(part, _SPAN, axis=0) * curve
        heard[start : start + _SPAN] += np.fft.irfft(spectrum, _SPAN, axis=0)
    squares = np.square(heard[: steps * GATE_STEP]).reshape(steps, GATE_STEP * 2)
    return np.asarray(squares.sum(axis=1, dtype=np.float64) / GATE_STEP)


def _k_curve() -> NDArray[np.complex64]:
    """Return the response of both filters at the bins of a span, shape (bins, 1)."""
    turn = np.exp(-2j * np.pi * np.fft.rfftfreq(_SPAN))
    response = np.ones_like(turn)
    for above, below in (_SHELF, _HIGH_PASS):
        response *= np.polyval(above[::-1], turn) / np.polyval(below[::-1], turn)
    return np.asarray(response[:, None], np.complex64)


LOUDNESS = -14.0
"""LUFS."""
CEILING = 10 ** (-1 / 20)
"""-1 dB true peak leaves room for what an encoder adds."""
NEAR_ENOUGH = 0.2
ROUNDS = 4
LEAD_S = 0.02
FADE_IN_S = 0.005
FADE_OUT_S = 0.15
AUDIBLE = 10 ** (-60 / 20)
"""What is 60 dB below the peak is the end of the tail, and no beginning either."""


def master(samples: Samples) -> Samples:
    """Return the recording: float32, shape (frames, 2), 48 kHz.

    The tune begins 20 ms after the start and ends with its decay to -60 dB and a fade; its
    loudness is `LOUDNESS` within a decibel and its true peak at or below `CEILING`.

    Raises:
        NoSound: when there is nothing to be heard.
    """
    require_sound(samples)
    trimmed = _trim(samples)
    loudness = measure_loudness(trimmed)
    gain = LOUDNESS - loudness  # dB
    for _ in range(ROUNDS):
        louder = trimmed * np.float32(10 ** (gain / 20))
        mastered = limit(louder, CEILING)
        if mastered is louder:
            break  # no peak was in the way
        # The limiter takes a little loudness away: give it back, and look again.
        missing = LOUDNESS - measure_loudness(mastered)
        if abs(missing) <= NEAR_ENOUGH:
            break
        gain += missing
    require_sound(mastered)
    return mastered


def _trim(samples: Samples) -> Samples:
    """Cut what is before and after the tune, and fade both ends to nothing."""
    heard = np.flatnonzero(np.abs(samples).max(axis=1) > find_peak(samples) * AUDIBLE)
    first = max(0, int(heard[0]) - round(LEAD_S * RATE))
    last = min(len(samples), int(heard[-1]) + 1 + round(FADE_OUT_S * RATE))
    trimmed = samples[first:last].copy()
    rise = min(round(FADE_IN_S * RATE), len(trimmed))
    fall = min(round(FADE_OUT_S * RATE), len(trimmed))
    trimmed[:rise] *= np.linspace(0, 1, rise, dtype=np.float32)[:, None]
    trimmed[len(trimmed) - fall :] *= np.linspace(1, 0, fall, dtype=np.float32)[:, None] ** 2
    return trimmed
