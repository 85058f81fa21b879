"""Measures loudness after ITU-R BS.1770-4: integrated, gated, in LUFS."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from mst_core.sound.recording import Recording
from mst_core.sound.synth import SAMPLE_RATE, Samples

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


def measure_loudness(recording: Recording) -> float:
    """Return the integrated loudness.

    Args:
        recording: less than 400 ms of it is extended with silence.

    Returns:
        Gated loudness in LUFS, minus infinity for silence.
    """
    power = _step_powers(recording)
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


def _step_powers(recording: Recording) -> NDArray[np.float64]:
    """Return the K-weighted power of each 100 ms, channels added, shape (max(4, steps),)."""
    steps = recording.frames // GATE_STEP
    powers: list[NDArray[np.float64]] = []
    waiting = np.zeros((0, 2), np.float32)
    for weighted in _weight(recording):
        waiting = np.concatenate([waiting, weighted])
        whole = len(waiting) // GATE_STEP
        powers.append(_mean_squares(waiting[: whole * GATE_STEP]))
        waiting = waiting[whole * GATE_STEP :]
    if steps < 4:  # the rest, with silence after it
        rest = np.zeros((GATE_STEP * (4 + len(waiting) // GATE_STEP), 2), np.float32)
        rest[: len(waiting)] = waiting
        powers.append(_mean_squares(rest))
    return np.concatenate(powers)[: max(4, steps)]


def _mean_squares(weighted: Samples) -> NDArray[np.float64]:
    """Return the power of each 100 ms of whole steps, shape (steps,)."""
    squares = np.square(weighted).reshape(-1, GATE_STEP * 2)
    return np.asarray(squares.sum(axis=1, dtype=np.float64) / GATE_STEP)


def _weight(recording: Recording) -> Iterator[Samples]:
    """Yield the K-weighted recording in pieces, with the decay of its end."""
    response = _k_weighting()
    step = _FFT_FRAMES - _RING_FRAMES
    decay = np.zeros((_RING_FRAMES, 2), np.float32)
    for segment in recording.chunks(step):
        # Overlap-add: each segment is filtered by its spectrum, its decay is added to the next.
        spectrum = np.fft.rfft(segment, _FFT_FRAMES, axis=0) * response
        weighted = np.fft.irfft(spectrum, _FFT_FRAMES, axis=0).astype(np.float32, copy=False)
        weighted[:_RING_FRAMES] += decay
        if len(segment) < step:
            yield weighted
            return
        yield weighted[:step]
        decay = weighted[step:]
    yield decay


def _k_weighting() -> NDArray[np.complex64]:
    """Return the frequency response of both filters, shape (_FFT_FRAMES // 2 + 1, 1)."""
    unit = np.exp(-2j * np.pi * np.fft.rfftfreq(_FFT_FRAMES))
    response = np.ones_like(unit)
    for numerator, denominator in (_SHELF, _HIGH_PASS):
        response *= np.polyval(numerator[::-1], unit) / np.polyval(denominator[::-1], unit)
    return np.asarray(response[:, None], np.complex64)
