"""Tests of the metrical grid: beat groups, strengths of positions, exact ticks."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mst_core.errors import UnwritableRhythm
from mst_core.music import Meter
from mst_core.notation.metrical_grid import MetricalGrid, exact_ticks
from tests.support.melodies import METERS, REEL


@given(st.sampled_from(METERS))
def test_beat_groups_begin_within_the_bar(meter: str) -> None:
    pulse = MetricalGrid.for_meter(Meter.parse(meter))
    assert pulse.group_starts[0] == 0
    assert pulse.strong_positions <= {0, *pulse.group_starts}
    assert max(pulse.group_starts) < pulse.bar_ticks


@pytest.mark.parametrize(
    ("meter", "strengths"),
    [
        ("4/4", [5, -1, 0, 1, 2, 1, 3, 2]),
        ("3/4", [5, -1, 0, 1, 2, 1, 2]),
        ("6/8", [5, -1, 0, 1, 1, 4, 1]),
        ("7/8", [5, -1, 0, 1, 2, 1, 2, 1]),
    ],
)
def test_a_position_is_as_strong_as_the_beat_that_begins_there(
    meter: str, strengths: list[int]
) -> None:
    grid = MetricalGrid.for_meter(Meter.parse(meter))
    positions = (0, 3, 6, 12, 24, 36, 48, 72)
    assert [grid.strength(each) for each in positions[: len(strengths)]] == strengths


def test_the_third_of_a_beat_is_weaker_than_any_note_value() -> None:
    assert MetricalGrid.for_meter(Meter(4, 4)).strength(8) == -2


def test_a_time_between_two_ticks_is_an_error_that_names_its_bar() -> None:
    assert exact_ticks(Fraction(13, 2), 24, REEL) == 156
    with pytest.raises(UnwritableRhythm, match=r"bar 2 .* 1/5 quarters after the barline"):
        exact_ticks(Fraction(21, 5), 24, REEL)
