"""From the synthesizer's soft samples to a finished recording: trimmed, loud enough, never clipped.

Every tune comes out near -14 LUFS, where music services play, so that no one has to reach for the
volume between two answers.
"""

from __future__ import annotations

import numpy as np

from mst_core.sound.limiter import limit
from mst_core.sound.loudness import measure_loudness
from mst_core.sound.samples import RATE, Samples, find_peak, require_sound

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
