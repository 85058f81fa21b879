"""Written measures become bars: the rules that ABC and MusicXML share."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mst_core.errors import TooLong
from mst_core.music import Meter, MeterChange, Repeat
from mst_core.reading.bars import lay_out_bars
from mst_core.reading.measures import BarLayout, WrittenMeasure

COMMON = Meter(4, 4)
F = Fraction


def measure(
    length: Fraction | float, signs: str = "", meter: Meter | None = COMMON
) -> WrittenMeasure:
    """Write a measure with signs around it: ``|:``, ``:|``, ``||``, and ``1`` or ``2`` endings."""
    length = Fraction(length)
    return WrittenMeasure(
        length=length,
        meter=meter,
        last_onset=max(Fraction(0), length - Fraction(1, 2)),
        sounding=length,
        opens_repeat="|:" in signs,
        closes_repeat=":|" in signs,
        double_before="|:" in signs,
        double_after=":|" in signs or "||" in signs,
        ending=tuple(int(sign) for sign in signs if sign.isdigit()),
        ending_stops=any(sign.isdigit() for sign in signs) and ":|" not in signs and "||" in signs,
    )


def lay(*measures: WrittenMeasure) -> BarLayout:
    return lay_out_bars(measures, max_bars=1_000)


def test_each_ending_that_begins_inside_a_bar_has_the_whole_bar() -> None:
    layout = lay(
        measure(4, "|:"), measure(2), measure(2, "1:|"), measure(2, "2||"), measure(4)
    )  # fmt: skip
    assert (len(layout.meters), layout.meter_changes) == (4, ())
    assert layout.repeats == (Repeat(0, 2, 1, 3),)
    assert [(each.measure, int(each.onset)) for each in layout.placements] == [
        (0, 0), (1, 4), (2, 6), (1, 8), (3, 10), (4, 12),
    ]  # fmt: skip
    assert any("begins inside a bar" in warning for warning in layout.warnings)


def test_three_endings_inside_a_bar_have_whole_bars_too() -> None:
    layout = lay(
        measure(4, "|:"), measure(3), measure(1, "1:|"), measure(1, "2:|"), measure(1, "3||")
    )  # fmt: skip
    assert list(layout.barlines) == [0, 4, 8, 12, 16]
    assert layout.meter_changes == ()


def test_an_ending_of_one_pickup_note_leaves_the_bar_to_the_pickup_of_the_repeat() -> None:
    layout = lay(
        measure(1), measure(4), measure(2), measure(1, "1:|"), measure(2, "2||"), measure(4)
    )  # fmt: skip
    assert layout.meter_changes == ()
    assert layout.repeats == (Repeat(0, 2, 1, 3, lead_in=F(1), lead_out=F(1)),)


def test_a_second_ending_may_be_longer_than_the_first() -> None:
    layout = lay(
        measure(4, "|:"), measure(2), measure(2, "1:|"),
        measure(2, "2"), measure(4, "||"), measure(4),
    )  # fmt: skip
    assert layout.repeats == (Repeat(0, 2, 1, 4),)
    assert layout.meter_changes == ()


def test_what_follows_a_first_ending_inside_a_bar_begins_with_the_whole_bar() -> None:
    layout = lay(measure(4, "|:"), measure(2), measure(2, "1:|"), measure(2), measure(4))
    assert list(layout.barlines) == [0, 4, 8, 12, 16]
    assert layout.repeats == (Repeat(0, 2, 1, None),)


def test_a_whole_bar_as_second_ending_gets_nothing_before_it() -> None:
    layout = lay(measure(4, "|:"), measure(2), measure(2, "1:|"), measure(4, "2||"))
    assert [each.measure for each in layout.placements] == [0, 1, 2, 3]
    assert layout.repeats == (Repeat(0, 2, 1, 3),)


@pytest.mark.parametrize("signs", ["", ":|", "||"])
def test_two_parts_of_a_bar_are_one_bar(signs: str) -> None:
    assert list(lay(measure(4), measure(3, signs), measure(1), measure(4)).barlines) == [
        0,
        4,
        8,
        12,
    ]


def test_a_short_bar_at_a_repeat_sign_is_filled_and_one_within_a_section_is_not() -> None:
    assert list(lay(measure(4), measure(3, ":|"), measure(4)).barlines) == [0, 4, 8, 12]
    assert list(lay(measure(4), measure(3), measure(4)).barlines) == [0, 4, 7, 11]


def test_a_short_first_ending_is_completed_by_the_pickup_of_its_repeat() -> None:
    waltz = Meter(3, 8)
    layout = lay(
        measure(F(1, 2), "", waltz), measure(F(3, 2), "", waltz), measure(1, "1:|", waltz),
        measure(F(3, 2), "2||", waltz), measure(F(3, 2), "", waltz),
    )  # fmt: skip
    assert layout.meter_changes == ()
    assert layout.repeats == (Repeat(0, 2, 1, 3, lead_in=F(1, 2), lead_out=F(1, 2)),)


def test_a_pickup_takes_the_place_of_the_rest_that_fills_the_bar_before_it() -> None:
    rest = WrittenMeasure(
        F(4), COMMON, last_onset=F(2), sounding=F(3), closes_repeat=True, double_after=True
    )
    layout = lay(measure(4), rest, measure(1), measure(4), measure(3, ":|"))
    assert list(layout.barlines) == [0, 4, 8, 12, 16]
    assert list(layout.onsets) == [0, 4, 7, 8, 12]
    assert layout.repeats[0] == Repeat(0, 2, lead_out=F(1))


def test_a_first_measure_is_a_pickup_even_if_it_makes_a_bar_with_a_short_section() -> None:
    layout = lay(measure(1), measure(3, ":|"), measure(1), measure(4), measure(3, ":|"))
    assert list(layout.onsets) == [-1, 0, 3, 4, 8]


def test_measures_that_all_have_another_length_than_the_meter_have_the_meter_of_theirs() -> None:
    layout = lay(*[measure(3)] * 8)
    assert (layout.first_meter, layout.meter_changes) == (Meter(3, 4), ())
    assert len(layout.meters) == 8
    assert layout.warnings == ("The meter 4/4 is written, but the measures are as long as 3/4.",)
    assert lay(*[measure(2)] * 8).first_meter == Meter(2, 4)


def test_a_long_measure_is_cut_where_barlines_are_missing() -> None:
    assert [str(each) for each in lay(measure(4), measure(12), measure(4)).meters] == ["4/4"] * 5
    assert [str(each) for each in lay(measure(4), measure(9)).meters] == [
        "4/4",
        "4/4",
        "4/4",
        "1/4",
    ]


def test_a_section_that_ends_with_two_bars_in_one_measure_has_two_bars() -> None:
    assert [str(each) for each in lay(measure(4), measure(7, ":|"), measure(4)).meters] == [
        "4/4"
    ] * 4
    layout = lay(measure(4), measure(7, ":|"), measure(1), measure(4), measure(3, ":|"))
    assert list(layout.onsets) == [0, 4, 11, 12, 16]
    assert layout.meter_changes == ()


@pytest.mark.parametrize("slip", [F(1, 240), F(-1, 240), F(1, 24), F(1, 6), F(-1, 6)])
def test_a_measure_that_misses_its_bar_by_a_rounding_error_is_a_bar(slip: Fraction) -> None:
    layout = lay(measure(4), measure(4 + slip), measure(4))
    assert list(layout.barlines) == [0, 4, 8, 12]
    assert list(layout.onsets) == [0, 4, 8]
    assert max(each.length for each in layout.placements) == 4


def test_a_length_that_no_meter_has_gets_less_than_an_eighth_of_silence() -> None:
    layout = lay(measure(4), measure(F(7, 3)), measure(4))
    assert list(layout.barlines) == [0, 4, F(13, 2), F(21, 2)]
    assert layout.meter_changes == (MeterChange(1, Meter(5, 8)), MeterChange(2, COMMON))


def test_a_later_ending_never_goes_on_in_the_bar_of_the_first_one() -> None:
    layout = lay(measure(4, "|:"), measure(3, "1:|"), measure(1, "2||"), measure(4))
    assert layout.repeats == (Repeat(0, 2, 1, 3),)


def test_of_the_silence_after_a_section_no_more_is_left_out_than_its_pickup_replaces() -> None:
    without = lay(measure(4), measure(3, ":|"), measure(4))
    assert without.repeats == (Repeat(0, 2),)
    longer = lay(measure(F(1, 2)), measure(4), measure(3, ":|"), measure(4))
    assert longer.repeats == (Repeat(0, 2, lead_in=F(1, 2), lead_out=F(1, 2)),)


# Whatever a file holds

LENGTHS = st.one_of(
    st.sampled_from([F(0), F(1), F(2), F(3), F(4), F(1, 2), F(7, 2), F(8), F(31, 2)]),
    st.fractions(min_value=F(1, 960), max_value=F(200), max_denominator=960),
)
METERS = st.one_of(st.none(), st.sampled_from([COMMON, Meter(6, 8), Meter(31, 8), Meter(1, 32)]))


@st.composite
def measures(draw: st.DrawFn) -> list[WrittenMeasure]:
    """Any measures with any signs."""
    meter = draw(METERS)
    written: list[WrittenMeasure] = []
    for _ in range(draw(st.integers(1, 12))):
        meter = draw(METERS) if draw(st.integers(0, 5)) == 0 else meter
        length = draw(LENGTHS)
        flags = draw(st.lists(st.booleans(), min_size=9, max_size=9))
        written.append(
            WrittenMeasure(
                length,
                meter,
                last_onset=length * draw(st.sampled_from([F(0), F(1, 2), F(9, 10)])),
                sounding=length * draw(st.sampled_from([F(9, 10), F(1)])),
                opens_repeat=flags[0],
                closes_repeat=flags[1],
                play_count=3 if flags[2] and flags[3] else 2,
                double_before=flags[4],
                double_after=flags[5],
                ending=draw(st.sampled_from([(), (), (1,), (2,), (1, 2), (3,), (0,)])),
                ending_stops=flags[6],
                continues_bar=flags[7],
                is_pickup=flags[8] and not written,
            )
        )
    return written


@given(measures())
def test_all_measures_are_placed_in_order_and_within_bars_of_whole_ticks(
    written: list[WrittenMeasure],
) -> None:
    layout = lay_out_bars(written, max_bars=100_000)
    assert {each.measure for each in layout.placements} == set(range(len(written)))
    for before, after in pairwise(layout.placements):
        assert before.onset + before.length <= after.onset
    last = layout.placements[-1]
    assert last.onset + last.length <= layout.barlines[-1]
    assert all(a < b for a, b in pairwise(layout.barlines))
    assert len(layout.barlines) == len(layout.meters) + 1
    assert all(24 % line.denominator == 0 for line in layout.barlines)
    for placed in layout.placements:
        assert written[placed.measure].last_onset <= placed.length
    assert all(0 <= bar < len(layout.meters) for bar in layout.sections)


@given(measures())
def test_repeats_are_in_order_within_the_bars_and_endings_within_repeats(
    written: list[WrittenMeasure],
) -> None:
    layout = lay_out_bars(written, max_bars=100_000)
    end = 0
    for repeat in layout.repeats:
        assert end <= repeat.start < repeat.end <= len(layout.meters)
        assert repeat.lead_in >= 0
        assert repeat.lead_out >= 0
        if repeat.first_ending is not None:
            assert repeat.start <= repeat.first_ending < repeat.end
        end = repeat.end
        if repeat.second_ending is not None:
            assert repeat.first_ending is not None
            assert repeat.end < repeat.second_ending <= len(layout.meters)
            end = repeat.second_ending


def test_thousands_of_endings_and_nested_repeats_take_no_time() -> None:
    endings = [measure(F(1, 2), f"{'12'[index % 2]}:|") for index in range(8_000)]
    layout = lay_out_bars(endings, max_bars=10_000)
    assert len(layout.placements) < 9_000
    nested = [measure(4, "|:")] * 4_000 + [measure(4, ":|")] * 4_000
    assert len(lay_out_bars(nested, max_bars=10_000).repeats) == 4_000


def test_a_measure_of_too_many_bars_is_rejected_at_once() -> None:
    with pytest.raises(TooLong):
        lay_out_bars([measure(10**9)], max_bars=1_000)
