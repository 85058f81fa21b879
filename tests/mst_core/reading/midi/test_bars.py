"""Barlines are placed from the meters of a file and their onsets, in quarter notes."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from mst_core.music import Meter, MeterChange
from mst_core.reading.midi.bars import BarLines

COMMON, WALTZ, JIG = Meter(4, 4), Meter(3, 4), Meter(6, 8)


def bar_lines(*meters: tuple[Fraction | int, Meter]) -> BarLines:
    return BarLines((Fraction(onset), meter) for onset, meter in meters)


def test_without_a_meter_the_bars_are_in_common_time() -> None:
    bars = bar_lines()
    assert [bars.onset(bar) for bar in range(3)] == [0, 4, 8]
    assert bars.meter(99) == COMMON


def test_a_barline_is_in_the_bar_after_it() -> None:
    bars = bar_lines((0, WALTZ))
    assert [bars.bar_at(Fraction(time, 2)) for time in (0, 5, 6, 7)] == [0, 0, 1, 1]


def test_a_change_on_a_barline_keeps_the_bars_before_it() -> None:
    bars = bar_lines((0, COMMON), (8, WALTZ))
    assert [bars.onset(bar) for bar in range(4)] == [0, 4, 8, 11]
    assert bars.changes(0, 4) == (MeterChange(2, WALTZ),)
    assert bars.moved_changes == 0


def test_a_change_inside_a_bar_cuts_it_short() -> None:
    bars = bar_lines((0, COMMON), (5, JIG))
    assert [bars.onset(bar) for bar in range(4)] == [0, 4, 5, 8]
    assert bars.changes(0, 9) == (MeterChange(1, Meter(1, 4)), MeterChange(2, JIG))


def test_a_change_where_no_meter_has_the_length_is_moved_to_the_nearest_barline() -> None:
    early, late = Fraction(4) + Fraction(1, 7), Fraction(8) - Fraction(1, 7)
    assert bar_lines((early, WALTZ)).changes(0, 9) == (MeterChange(1, WALTZ),)
    bars = bar_lines((late, WALTZ))
    assert bars.changes(0, 9) == (MeterChange(2, WALTZ),)
    assert bars.moved_changes == 1


meters = st.lists(
    st.tuples(
        st.integers(0, 120).map(lambda eighths: Fraction(eighths, 2)),
        st.sampled_from([COMMON, WALTZ, JIG, Meter(5, 8)]),
    ),
    max_size=6,
).map(lambda changes: sorted(changes, key=lambda change: change[0]))


@given(meters)
def test_each_bar_has_the_length_of_its_meter(changes: list[tuple[Fraction, Meter]]) -> None:
    bars = BarLines(changes)
    for bar in range(30):
        assert bars.onset(bar + 1) - bars.onset(bar) == bars.meter(bar).bar_length
        assert bars.bar_at(bars.onset(bar)) == bar
