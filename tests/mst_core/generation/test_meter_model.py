"""What a style does in one meter: prior, final onset, pickup and note counts."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import numpy as np
import pytest

from mst_core.corpora.vocabulary import DurationVocabulary
from mst_core.generation.config import GenerationConfig
from mst_core.generation.form import FormSpan
from mst_core.generation.meter_model import Breath, MeterModel, duration_prior
from mst_core.generation.rhythm_lattice import Lattice
from mst_core.music import Meter
from mst_core.statistics.style_statistics import MeterStatistics, RhythmCount

EIGHTHS = MeterStatistics(
    10, 160, tuple(RhythmCount(place, 12, 100, 0) for place in range(0, 48, 12)), {36: 5}, (4, 4, 4)
)


def model(config: GenerationConfig = GenerationConfig()) -> MeterModel:
    lattice = Lattice.from_statistics(EIGHTHS, 48)
    return MeterModel(Meter(2, 4), EIGHTHS, lattice, final_onset=36, config=config)


def test_a_duration_prior_holds_probabilities_at_each_position() -> None:
    vocabulary = DurationVocabulary((12, 24))
    prior = duration_prior([(0, 12, 3), (0, 24, 1), (24, 24, 2), (36, 12, 0)], vocabulary)
    assert prior.keys() == {0, 24}
    assert prior[0] == pytest.approx(np.array([0.75, 0.25]))
    assert prior[24] == pytest.approx(np.array([0.0, 1.0]))


def test_a_span_of_eighths_holds_as_many_notes_as_it_has_eighths() -> None:
    assert model().note_counts(FormSpan(0, 2)) == 1 << 8


def test_a_cadence_is_one_note_after_the_lattice() -> None:
    assert model().note_counts(FormSpan(0, 2, cadence=True)) == 1 << 8  # 4 + 3 eighths + cadence


def test_no_count_is_left_when_the_config_allows_only_a_low_density() -> None:
    assert model(GenerationConfig(max_density=0.5)).note_counts(FormSpan(0, 2)) == 0


def test_without_pickups_in_the_style_a_tune_has_none() -> None:
    assert model().draw_pickup(np.random.default_rng(0)) == 0


def test_pickups_are_drawn_as_often_as_tunes_of_the_style_have_them() -> None:
    often = replace(model(), statistics=msgspec.structs.replace(EIGHTHS, pickups={12: 9, 0: 1}))
    drawn = [often.draw_pickup(np.random.default_rng(seed)) for seed in range(50)]
    assert 35 <= drawn.count(12) < 50


def test_a_pickup_leaves_the_last_note_long_enough_or_is_left_out() -> None:
    early = replace(model(), final_onset=24)
    assert early.with_pickup([], 12).phrase_pickup == 12
    assert model().with_pickup([], 12) == model()  # the last note is an eighth before the barline
    hymn = replace(early, min_final_ticks=24)
    assert hymn.with_pickup([], 12) == hymn


def test_a_breath_takes_the_place_of_the_end_of_a_span() -> None:
    # Seven eighths, of which the last is the note before the breath; or six after a late start.
    assert model().note_counts(FormSpan(0, 2), Breath(24, 12)) == 1 << 7
    assert model().note_counts(FormSpan(0, 2), Breath(24, 12), lead=12) == 1 << 6
