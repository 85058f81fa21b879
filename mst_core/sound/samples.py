"""What sound is here: float32 samples, shape (frames, 2), 48 kHz, full scale 1.0."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mst_core.errors import NoSound

RATE = 48_000
"""Frames a second. Opus knows no other rate at full quality, and MP3 and WAV take it as it is."""

Samples = NDArray[np.float32]
"""Shape (frames, 2): left and right, full scale 1.0."""

FAINTEST_PEAK = 10 ** (-80 / 20)
"""Below this peak nobody hears anything at any later gain that makes sense."""


def find_peak(samples: Samples) -> float:
    """Return the largest absolute sample; 0 for no samples."""
    return float(np.abs(samples).max()) if samples.size else 0.0


def require_sound(samples: Samples, *, seconds: float = 0.0) -> None:
    """Make sure that there is sound, and at least ``seconds`` of it.

    Raises:
        NoSound: when it is too short, silent, or holds values that are no numbers.
    """
    heard = len(samples) / RATE
    if not samples.size or heard < seconds:
        raise NoSound(f"{heard:.1f} seconds came where {seconds:.1f} were played")
    peak = find_peak(samples)
    if not np.isfinite(peak):
        raise NoSound("samples that are no numbers")
    if peak < FAINTEST_PEAK:
        raise NoSound(f"{heard:.1f} seconds of silence")
