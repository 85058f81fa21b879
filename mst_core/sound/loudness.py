"""How loud sound is to the ear: integrated loudness of ITU-R BS.1770-4, in LUFS."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mst_core.sound.samples import RATE, Samples

# The two filters of the K curve at 48 kHz, as the recommendation prints them: (b, a).
_SHELF = (1.53512485958697, -2.69169618940638, 1.19839281085285), (
    1.0, -1.69065929318241, 0.73248077421585,
)  # fmt: skip
_HIGH_PASS = (1.0, -2.0, 1.0), (1.0, -1.99004745483398, 0.99007225036621)

STEP = RATE // 10
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
    steps = max(4, len(samples) // STEP)
    heard = np.zeros((max(steps * STEP, len(samples)) + _SPAN, 2), np.float32)
    curve = _k_curve()
    for start in range(0, len(samples), _SPAN - _RING):
        # Filtered by its spectrum, span by span; the ring of one span is added to the next.
        part = samples[start : start + _SPAN - _RING]
        spectrum = np.fft.rfft(part, _SPAN, axis=0) * curve
        heard[start : start + _SPAN] += np.fft.irfft(spectrum, _SPAN, axis=0)
    squares = np.square(heard[: steps * STEP]).reshape(steps, STEP * 2)
    return np.asarray(squares.sum(axis=1, dtype=np.float64) / STEP)


def _k_curve() -> NDArray[np.complex64]:
    """Return the response of both filters at the bins of a span, shape (bins, 1)."""
    turn = np.exp(-2j * np.pi * np.fft.rfftfreq(_SPAN))
    response = np.ones_like(turn)
    for above, below in (_SHELF, _HIGH_PASS):
        response *= np.polyval(above[::-1], turn) / np.polyval(below[::-1], turn)
    return np.asarray(response[:, None], np.complex64)
