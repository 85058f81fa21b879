"""Profiles of real tunes: histograms, their distance, and the rank of a result among them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given, settings

from mst_core.corpora.tunes import CorpusTune
from mst_core.errors import BrokenStyle
from mst_core.music import Meter
from mst_core.statistics.reference_profiles import (
    PROFILES_FILE,
    ReferenceProfiles,
    proximity_rank,
    rank_against_style,
    rank_against_tune,
    sample_profiles,
    total_variation_distance,
    tune_profile,
)
from tests.support.corpus import DANCES, TUNES, make_tune

OTHER_TUNES = [
    replace(make_tune([(60 + n % (k + 3), 7 + k) for n in range(30)]), meter=Meter(2, 4))
    for k in range(12)
]
STYLES = {
    "dances": ReferenceProfiles.from_tunes(DANCES[:30]),
    "odd": ReferenceProfiles.from_tunes(OTHER_TUNES),
}
SIDES: tuple[Literal["rhythm", "pitch"], ...] = ("rhythm", "pitch")


def test_a_tune_is_closer_to_itself_than_to_any_other() -> None:
    profiles = ReferenceProfiles.from_tunes(DANCES[1:]).for_meter(Meter(2, 4))
    assert profiles is not None
    ours = tune_profile(DANCES[0]).pitch
    others = [tune.pitch for tune in profiles.samples]
    assert rank_against_tune(ours, ours, others) == (50, 50)
    far = tune_profile(make_tune([(60, 7), (71, 5)] * 20)).pitch
    assert rank_against_tune(ours, far, others) == (0, 50)


@pytest.mark.parametrize("side", SIDES)
def test_a_tune_of_a_style_is_closer_to_it_than_other_styles_are(
    side: Literal["rhythm", "pitch"],
) -> None:
    own = proximity_rank(DANCES[40], "dances", STYLES, side=side)
    assert own == (12, 12)
    other = proximity_rank(OTHER_TUNES[0], "dances", STYLES, side=side)
    assert other is not None
    assert other[0] < 12


def test_a_style_without_other_styles_gives_no_rank() -> None:
    alone = {"dances": STYLES["dances"]}
    assert proximity_rank(DANCES[40], "dances", alone, side="rhythm") is None
    ours = tune_profile(DANCES[0]).rhythm
    assert rank_against_style(ours, ours, []) == (0, 0)


def test_a_tune_as_the_target_is_compared_with_the_tunes_of_all_styles() -> None:
    rank = proximity_rank(DANCES[40], DANCES[40], STYLES, side="rhythm")
    assert rank is not None
    assert rank[1] == 42


def test_samples_are_taken_from_the_styles_in_turn() -> None:
    first, second, *_ = sample_profiles(Meter(2, 4), [*STYLES.values()])
    dances, odd = (profiles.for_meter(Meter(2, 4)) for profiles in STYLES.values())
    assert dances is not None
    assert odd is not None
    assert (first, second) == (dances.samples[0], odd.samples[0])


@settings(deadline=None, max_examples=40)
@given(TUNES, TUNES)
def test_distance_is_symmetric_and_between_0_and_1(a: CorpusTune, b: CorpusTune) -> None:
    one, other = tune_profile(a).rhythm, tune_profile(b).rhythm
    distance = total_variation_distance(one, other)
    assert distance == pytest.approx(total_variation_distance(other, one))
    assert 0 <= distance <= 1 + 1e-9
    assert total_variation_distance(one, one) == 0


def test_histograms_with_nothing_in_common_have_distance_1() -> None:
    assert total_variation_distance({1: 3}, {2: 5}) == 1
    assert total_variation_distance({1: 1, 2: 1}, {2: 4}) == 0.5


def test_the_order_of_notes_does_not_change_a_profile() -> None:
    forth = make_tune([(60, 12), (62, 12), (64, 24), (60, 48)] * 3)
    swapped = make_tune([(64, 12), (62, 12), (60, 24), (64, 48)] * 3)
    assert tune_profile(forth).rhythm == tune_profile(swapped).rhythm


def test_profiles_read_from_their_file_are_equal(tmp_path: Path) -> None:
    profiles = ReferenceProfiles.from_tunes(DANCES)
    profiles.save(tmp_path)
    assert ReferenceProfiles.load(tmp_path) == profiles


def test_a_meter_with_an_equal_bar_has_the_same_profiles() -> None:
    profiles = STYLES["dances"]
    assert profiles.for_meter(Meter(7, 8)) is None
    assert profiles.for_meter(Meter(4, 8)) == profiles.for_meter(Meter(2, 4))


def test_damaged_profiles_break_the_style_and_missing_ones_are_none(tmp_path: Path) -> None:
    assert ReferenceProfiles.load(tmp_path) is None
    (tmp_path / PROFILES_FILE).write_text('{"meters": {"7/0": 1}}')
    with pytest.raises(BrokenStyle):
        ReferenceProfiles.load(tmp_path)
