"""The model of a new tune: what one real tune of the style does, counted without its order.

Candidates chosen by the mean of a style are all alike, and like no tune: of the notes of 60 folk
tunes .61 were eighths and .01 dotted (real .50 and .07), for a dotted tune is far from the mean. So
each new tune has one of the style's up to 50 neighbours of its meter as its model. The candidate
nearest to it is chosen: folk's note values then are .9 times as far from real ones as two halves of
the real are apart, instead of 1.6 times. And duration networks lean to its note values: jazz's 720
candidates are 1.0 times as far, instead of 2.8 (with `ground.USUAL`). Only counts are known of a
model, not their order.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from mst_core.corpora.vocabulary import OCTAVE, REST, DurationDictionary
from mst_core.music import Meter
from mst_core.networks.style import Style
from mst_core.statistics.reference_profiles import FEWEST, PLACE, Profiles


def draw_model(style: Style, meter: Meter, rng: np.random.Generator) -> Profiles:
    """Draw one of the style's neighbours; where there are few, take all its tunes together."""
    company = style.neighbours.company(meter) if style.neighbours else None
    if company is None:
        return _habitual(style, meter)
    if len(company.single) < FEWEST:
        return company.together
    return company.single[rng.integers(len(company.single))]


def _habitual(style: Style, meter: Meter) -> Profiles:
    rhythms, intervals = style.habits.meters[str(meter)].rhythms, style.habits.intervals[:REST]
    return Profiles(
        {rhythm.place * PLACE + rhythm.ticks: rhythm.notes for rhythm in rhythms if rhythm.notes},
        {token - OCTAVE: count for token, count in enumerate(intervals) if count},
    )


def taste_of(model: Profiles, durations: DurationDictionary) -> Mapping[int, NDArray[np.float64]]:
    """How a model fills each place of the bar: shares (V,) over a dictionary of durations."""
    shares: dict[int, NDArray[np.float64]] = {}
    for kind, count in model.rhythm.items():
        place, ticks = divmod(kind, PLACE)
        row = shares.setdefault(place, np.zeros(len(durations)))
        row[durations.token(ticks)] += count
    return {place: row / row.sum() for place, row in shares.items()}
