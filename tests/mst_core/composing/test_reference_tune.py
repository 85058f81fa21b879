"""The model of a new tune: one real tune's counts, which its rhythm leans to."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from mst_core.composing.composer import Composer
from mst_core.composing.new_tune import draw_model, taste_of
from mst_core.corpora.vocabulary import REST
from mst_core.evaluation.new_tunes import corpus_tune
from mst_core.jobs import Compose
from mst_core.music import Meter
from mst_core.networks.style import Style
from mst_core.statistics.reference_profiles import (
    Company,
    Neighbours,
    Profiles,
    distance,
    profiles_of,
)
from tests.support.paths import MODELS

FOLK = MODELS / "folk"
REEL = Meter(4, 4)


@pytest.fixture(scope="module")
def folk() -> Style:
    return Style.load(FOLK, torch.device("cpu"))


def company(style: Style) -> Company:
    found = style.neighbours and style.neighbours.company(REEL)
    assert found
    return found


def test_a_model_is_one_of_the_styles_tunes_and_seldom_the_same(folk: Style) -> None:
    rng = np.random.default_rng(0)
    drawn = [draw_model(folk, REEL, rng) for _ in range(30)]
    assert all(model in company(folk).single for model in drawn)
    assert len({str(model) for model in drawn}) > 15


def test_of_too_few_tunes_none_is_the_model(folk: Style) -> None:
    few = Company(company(folk).together, company(folk).single[:3])
    style = replace(folk, neighbours=Neighbours({"4/4": few}))
    assert draw_model(style, REEL, np.random.default_rng(0)) == few.together


def test_a_style_without_neighbours_has_its_habits_as_the_model(folk: Style) -> None:
    model = draw_model(replace(folk, neighbours=None), REEL, np.random.default_rng(0))
    habits = folk.habits
    assert sum(model.melody.values()) == sum(habits.intervals[:REST])
    assert sum(model.rhythm.values()) == sum(r.notes for r in habits.meters["4/4"].rhythms)
    assert distance(model.rhythm, company(folk).together.rhythm) < 0.05


def test_a_taste_is_shares_at_each_place(folk: Style) -> None:
    durations = folk.pair.durations
    taste = taste_of(company(folk).single[0], durations)
    for row in taste.values():
        assert row.shape == (len(durations),)
        assert row.sum() == pytest.approx(1)


def test_a_tune_goes_by_the_rhythm_of_its_model(folk: Style) -> None:
    """The same seeds, once among tunes of even eighths only, once among dotted ones only."""
    ranked = sorted(company(folk).single, key=lambda one: _dotted(one.rhythm))

    def compose(models: tuple[Profiles, ...]) -> float:
        only = Neighbours({"4/4": Company(company(folk).together, models)})
        composer = Composer({"folk": replace(folk, neighbours=only)})
        tunes = [
            composer.compose(Compose("folk", "folk", seed=seed, meter="4/4", bars=8))
            for seed in range(3)
        ]
        return sum(_dotted(profiles_of(corpus_tune(t.melody, "")).rhythm) for t in tunes)

    assert compose(tuple(ranked[-10:])) > compose(tuple(ranked[:10])) + 0.3


def _dotted(rhythm: dict[int, int]) -> float:
    """The share of dotted eighths, 18 ticks long."""
    return sum(n for kind, n in rhythm.items() if kind % 10_000 == 18) / sum(rhythm.values())
