"""Times moved from the bars of one meter to those of another."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mst_core.music import Meter
from mst_core.transfer.meter_map import time_map
from tests.support.melodies import METERS

ANY_METER = st.sampled_from(METERS).map(Meter.parse)
ANY_TIME = st.fractions(-4, 40, max_denominator=48)


@given(ANY_METER, ANY_METER, ANY_TIME, ANY_TIME)
def test_later_times_stay_later(old: Meter, new: Meter, one: Fraction, other: Fraction) -> None:
    move = time_map(old, new)
    assert (one < other) == (move(one) < move(other))


@given(ANY_METER, ANY_METER, st.integers(-1, 20))
def test_barlines_become_barlines(old: Meter, new: Meter, bar: int) -> None:
    assert time_map(old, new)(bar * old.bar_length) == bar * new.bar_length


@given(ANY_METER, ANY_TIME)
def test_a_meter_moves_no_time_to_itself(meter: Meter, time: Fraction) -> None:
    assert time_map(meter, meter)(time) == time


@given(ANY_METER, ANY_METER, ANY_TIME)
def test_the_way_back_undoes_the_way_there(old: Meter, new: Meter, time: Fraction) -> None:
    assert time_map(new, old)(time_map(old, new)(time)) == time


@pytest.mark.parametrize(
    ("old", "new", "times"),
    [
        ("12/8", "4/4", {"3/2": "1", "1/2": "1/3"}),
        ("6/8", "4/4", {"1/2": "1", "3/2": "2", "2": "3"}),
        ("3/4", "4/4", {"1": "2", "2": "3"}),
    ],
)
def test_beats_become_beats(old: str, new: str, times: dict[str, str]) -> None:
    move = time_map(Meter.parse(old), Meter.parse(new))
    assert {time: str(move(Fraction(time))) for time in times} == times
