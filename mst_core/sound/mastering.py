"""Masters the synthesizer's output: trims it, sets its loudness to -14 LUFS and limits its peaks.

The audio stays in its file: each pass reads it piece by piece, so that twenty minutes need no more
memory than one. `loudness` measures, `limiter` finds the gain around peaks, and `recording`
computes the result while it is read.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from mst_core.sound.limiter import find_limiter_gain
from mst_core.sound.loudness import measure_loudness
from mst_core.sound.recording import Recording
from mst_core.sound.sample_file import SampleFile
from mst_core.sound.synth import SAMPLE_RATE


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


def master(samples: SampleFile, config: MasteringConfig = DEFAULT_CONFIG) -> Recording:
    """Return a finished recording.

    It begins 20 ms before the first audible sample and ends with the decay to -60 dB and a fade.
    Its loudness is within a decibel of the target, its true peak at or below the limit.

    Args:
        samples: the synthesizer's output; it must stay open while the recording is read.
        config: loudness, peak, trimming and fades.

    Raises:
        NoSound: when the samples are silent.
    """
    trimmed = _trim(Recording.of(samples), config)
    gain = config.target_lufs - measure_loudness(trimmed)  # dB
    for _ in range(config.max_rounds):
        louder = replace(trimmed, gain=10 ** (gain / 20))
        limiter = find_limiter_gain(louder, config.max_true_peak, config.release_s)
        mastered = replace(louder, limiter=limiter)
        if limiter is None:
            break  # no peak was above the limit
        # The limiter reduces the loudness a little: compensate, and measure again.
        missing = config.target_lufs - measure_loudness(mastered)
        if abs(missing) <= config.loudness_tolerance:
            break
        gain += missing
    mastered.require_sound()
    return mastered


def _trim(samples: Recording, config: MasteringConfig) -> Recording:
    """Return the audible part with faded ends."""
    samples.require_sound()
    threshold = samples.peak * config.audible_level
    first_audible, last_audible, start = samples.frames, 0, 0
    for chunk in samples.chunks():
        audible = np.flatnonzero(np.abs(chunk).max(axis=1) > threshold)
        if audible.size:
            first_audible = min(first_audible, start + int(audible[0]))
            last_audible = start + int(audible[-1])
        start += len(chunk)
    fade_out = round(config.fade_out_s * SAMPLE_RATE)
    first = max(0, first_audible - round(config.lead_s * SAMPLE_RATE))
    frames = min(samples.frames, last_audible + 1 + fade_out) - first
    fade_in = min(round(config.fade_in_s * SAMPLE_RATE), frames)
    return replace(
        samples, first=first, frames=frames, fade_in=fade_in, fade_out=min(fade_out, frames)
    )
