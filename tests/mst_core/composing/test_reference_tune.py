"""The model of a new tune: one real tune's counts, which its rhythm leans to."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from mst_core.composing.composer import Composer
from mst_core.composing.reference_tune import draw_reference, reference_prior
from mst_core.corpora.vocabulary import REST_TOKEN
from mst_core.evaluation.new_tunes import corpus_tune
from mst_core.jobs import Compose
from mst_core.music import Meter
from mst_core.networks.style import Style
from mst_core.statistics.reference_profiles import (
    MeterProfiles,
    ReferenceProfiles,
    TuneProfile,
    total_variation_distance,
    tune_profile,
)
from tests.support.paths import MODELS

FOLK = MODELS / "folk"
REEL = Meter(4, 4)


@pytest.fixture(scope="module")
def folk() -> Style:
    return Style.load(FOLK, torch.device("cpu"))


def company(style: Style) -> MeterProfiles:
    found = style.reference_profiles and style.reference_profiles.for_meter(REEL)
    assert found
    return found


def test_a_model_is_one_of_the_styles_tunes_and_seldom_the_same(folk: Style) -> None:
    rng = np.random.default_rng(0)
    drawn = [draw_reference(folk, REEL, rng) for _ in range(30)]
    assert all(model in company(folk).samples for model in drawn)
    assert len({str(model) for model in drawn}) > 15


def test_of_too_few_tunes_none_is_the_model(folk: Style) -> None:
    few = MeterProfiles(company(folk).pooled, company(folk).samples[:3])
    style = replace(folk, reference_profiles=ReferenceProfiles({"4/4": few}))
    assert draw_reference(style, REEL, np.random.default_rng(0)) == few.pooled


def test_a_style_without_neighbours_has_its_habits_as_the_model(folk: Style) -> None:
    model = draw_reference(replace(folk, reference_profiles=None), REEL, np.random.default_rng(0))
    habits = folk.statistics
    assert sum(model.pitch.values()) == sum(habits.interval_counts[:REST_TOKEN])
    assert sum(model.rhythm.values()) == sum(r.notes for r in habits.meters["4/4"].rhythm_counts)
    assert total_variation_distance(model.rhythm, company(folk).pooled.rhythm) < 0.05


def test_a_taste_is_shares_at_each_place(folk: Style) -> None:
    durations = folk.model.vocabulary
    taste = reference_prior(company(folk).samples[0], durations)
    for row in taste.values():
        assert row.shape == (len(durations),)
        assert row.sum() == pytest.approx(1)


def test_a_tune_goes_by_the_rhythm_of_its_model(folk: Style) -> None:
    """The same seeds, once among tunes of even eighths only, once among dotted ones only."""
    ranked = sorted(company(folk).samples, key=lambda one: _dotted(one.rhythm))

    def compose(models: tuple[TuneProfile, ...]) -> float:
        only = ReferenceProfiles({"4/4": MeterProfiles(company(folk).pooled, models)})
        composer = Composer({"folk": replace(folk, reference_profiles=only)})
        tunes = [
            composer.compose(Compose(pitch="folk", rhythm="folk", seed=seed, meter="4/4", bars=8))
            for seed in range(3)
        ]
        return sum(_dotted(tune_profile(corpus_tune(t.melody, "")).rhythm) for t in tunes)

    assert compose(tuple(ranked[-10:])) > compose(tuple(ranked[:10])) + 0.3


def _dotted(rhythm: dict[int, int]) -> float:
    """The share of dotted eighths, 18 ticks long."""
    return sum(n for kind, n in rhythm.items() if kind % 10_000 == 18) / sum(rhythm.values())
