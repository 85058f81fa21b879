"""The reference tune: one real tune's profile, which a new tune's rhythm resembles."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from mst_core.composing.composer import Composer
from mst_core.composing.reference_tune import draw_reference, reference_prior
from mst_core.corpora.vocabulary import REST_TOKEN
from mst_core.evaluation.new_tunes import corpus_tune
from mst_core.music import Meter
from mst_core.networks.style import Style
from mst_core.requests import Compose
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


def reel_profiles(style: Style) -> MeterProfiles:
    found = style.reference_profiles and style.reference_profiles.for_meter(REEL)
    assert found
    return found


def test_the_reference_is_one_of_the_styles_tunes_and_seldom_the_same(folk: Style) -> None:
    rng = np.random.default_rng(0)
    drawn = [draw_reference(folk, REEL, rng) for _ in range(30)]
    assert all(reference in reel_profiles(folk).samples for reference in drawn)
    assert len({str(reference) for reference in drawn}) > 15


def test_with_too_few_tunes_the_reference_is_all_of_them_pooled(folk: Style) -> None:
    few = MeterProfiles(reel_profiles(folk).pooled, reel_profiles(folk).samples[:3])
    style = replace(folk, reference_profiles=ReferenceProfiles({"4/4": few}))
    assert draw_reference(style, REEL, np.random.default_rng(0)) == few.pooled


def test_without_profiles_the_reference_comes_from_the_statistics(folk: Style) -> None:
    reference = draw_reference(
        replace(folk, reference_profiles=None), REEL, np.random.default_rng(0)
    )
    statistics = folk.statistics
    assert sum(reference.pitch.values()) == sum(statistics.interval_counts[:REST_TOKEN])
    assert sum(reference.rhythm.values()) == sum(
        r.notes for r in statistics.meters["4/4"].rhythm_counts
    )
    assert total_variation_distance(reference.rhythm, reel_profiles(folk).pooled.rhythm) < 0.05


def test_the_prior_holds_probabilities_at_each_position(folk: Style) -> None:
    vocabulary = folk.model.vocabulary
    prior = reference_prior(reel_profiles(folk).samples[0], vocabulary)
    for row in prior.values():
        assert row.shape == (len(vocabulary),)
        assert row.sum() == pytest.approx(1)


def test_a_tune_takes_after_the_rhythm_of_its_reference(folk: Style) -> None:
    """Compare the same seeds with even eighths and with dotted rhythms as references."""
    ranked = sorted(reel_profiles(folk).samples, key=lambda one: _dotted(one.rhythm))

    def compose(references: tuple[TuneProfile, ...]) -> float:
        only = ReferenceProfiles({"4/4": MeterProfiles(reel_profiles(folk).pooled, references)})
        composer = Composer({"folk": replace(folk, reference_profiles=only)})
        tunes = [
            composer.compose(Compose(pitch="folk", rhythm="folk", seed=seed, meter="4/4", bars=8))
            for seed in range(3)
        ]
        return sum(_dotted(tune_profile(corpus_tune(t.melody, "")).rhythm) for t in tunes)

    assert compose(tuple(ranked[-10:])) > compose(tuple(ranked[:10])) + 0.3


def _dotted(rhythm: dict[int, int]) -> float:
    """Return the share of dotted eighths, 18 ticks long."""
    return sum(n for key, n in rhythm.items() if key % 10_000 == 18) / sum(rhythm.values())
