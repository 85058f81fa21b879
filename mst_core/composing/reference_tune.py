"""The reference tune of a new tune: the profile of one real tune of the style.

The candidate nearest to it is selected, and duration networks lean to its durations. Without it,
candidates that are nearest to the mean of a style are all alike, and like no tune of it
(docs/decisions.md#reference-tune). Only counts are known of it, not the order of its notes.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from mst_core.corpora.vocabulary import OCTAVE, REST_TOKEN, DurationVocabulary
from mst_core.generation.config import GenerationConfig
from mst_core.generation.meter_model import duration_prior
from mst_core.music import Meter
from mst_core.networks.style import Style
from mst_core.statistics.reference_profiles import POSITION_FACTOR, TuneProfile


def draw_reference(
    style: Style,
    meter: Meter,
    rng: np.random.Generator,
    config: GenerationConfig = GenerationConfig(),
) -> TuneProfile:
    """Draw the profile of one of the style's tunes in a meter.

    Args:
        style: a loaded style.
        meter: one of its meters.
        rng: one number is drawn from it, none when there is nothing to choose.
        config: how many tunes there must be to draw one.

    Returns:
        One tune's profile; the pooled one of all when there are too few; that of the
        style's statistics when the style folder has no profiles.
    """
    profiles = style.reference_profiles.for_meter(meter) if style.reference_profiles else None
    if profiles is None:
        return _profile_of_statistics(style, meter)
    if len(profiles.samples) < config.min_reference_tunes:
        return profiles.pooled
    return profiles.samples[rng.integers(len(profiles.samples))]


def _profile_of_statistics(style: Style, meter: Meter) -> TuneProfile:
    """Return the counts of all tunes of a style as one profile."""
    rhythms = style.statistics.meters[str(meter)].rhythm_counts
    intervals = style.statistics.interval_counts[:REST_TOKEN]
    return TuneProfile(
        {
            rhythm.position * POSITION_FACTOR + rhythm.duration: rhythm.notes
            for rhythm in rhythms
            if rhythm.notes
        },
        {token - OCTAVE: count for token, count in enumerate(intervals) if count},
    )


def reference_prior(
    reference: TuneProfile, vocabulary: DurationVocabulary
) -> Mapping[int, NDArray[np.float64]]:
    """Return the duration prior of a reference tune: probabilities (V,) by position in the bar.

    Args:
        reference: the tune's profile; only its rhythm histogram is used.
        vocabulary: the V durations of a style; a duration that it lacks counts as the nearest one.
    """
    counts = ((*divmod(key, POSITION_FACTOR), count) for key, count in reference.rhythm.items())
    return duration_prior(counts, vocabulary)
