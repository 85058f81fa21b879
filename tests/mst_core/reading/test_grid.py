"""Notes off the grid of written music are moved to it, and none is lost."""

from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mst_core.errors import UnreadableScore
from mst_core.music import TICKS_PER_QUARTER, Note
from mst_core.reading.grid import describe_moved, fit_to_grid, nearest_place


def legato(durations: list[Fraction], start: Fraction = Fraction(0)) -> list[Note]:
    notes, onset = [], start
    for number, duration in enumerate(durations):
        notes.append(Note(onset, duration, 60 + number % 12))
        onset += duration
    return notes


def in_ticks(notes: tuple[Note, ...]) -> list[tuple[int, int]]:
    return [
        (int(note.onset * TICKS_PER_QUARTER), int(note.duration * TICKS_PER_QUARTER))
        for note in notes
    ]


def test_a_quintuplet_fills_its_beat_in_steps_of_four_and_five_ticks() -> None:
    notes = legato([Fraction(1, 5)] * 5 + [Fraction(1)])
    fitted = fit_to_grid(notes, [Fraction(0), Fraction(2)])
    assert in_ticks(fitted) == [(0, 5), (5, 5), (10, 4), (14, 5), (19, 5), (24, 24)]
    assert (describe_moved(notes, fitted) or "").startswith("5 notes were moved slightly")


def test_64ths_take_a_place_each_and_the_longer_notes_after_them_keep_theirs() -> None:
    notes = legato([Fraction(n, 16) for n in (1, 1, 2, 4, 8)])
    fitted = fit_to_grid(notes, [Fraction(0), Fraction(1)])
    assert in_ticks(fitted) == [(0, 1), (1, 2), (3, 3), (6, 6), (12, 12)]


def test_notes_on_the_grid_are_returned_as_they_are_without_a_remark() -> None:
    notes = legato([Fraction(1, 3)] * 3 + [Fraction(1, 8)] * 8)
    fitted = fit_to_grid(notes, [Fraction(0), Fraction(2)])
    assert fitted == tuple(notes)
    assert describe_moved(notes, fitted) is None


def test_a_run_faster_than_the_grid_spreads_over_the_time_of_the_note_after_it() -> None:
    notes = legato([Fraction(1, 32)] * 32 + [Fraction(1)])
    ticks = in_ticks(fit_to_grid(notes, [Fraction(0), Fraction(2)]))
    assert ticks[:32] == [(place, 1) for place in range(32)]
    assert ticks[32] == (32, 16)


def test_a_run_before_a_barline_stays_before_it_while_the_bar_has_places() -> None:
    notes = legato([Fraction(1)] + [Fraction(1, 40)] * 40 + [Fraction(2)])
    ticks = in_ticks(fit_to_grid(notes, [Fraction(0), Fraction(2), Fraction(4)]))
    assert ticks[40] == (47, 1)
    assert ticks[41] == (48, 48)


def test_a_rest_stays_a_gap() -> None:
    notes = [Note(Fraction(0), Fraction(1, 5), 60), Note(Fraction(4, 5), Fraction(1, 5), 62)]
    ticks = in_ticks(fit_to_grid(notes, [Fraction(0), Fraction(1)]))
    assert ticks == [(0, 5), (19, 5)]


def test_more_notes_than_places_are_refused() -> None:
    notes = legato([Fraction(1, 64)] * 64)
    with pytest.raises(UnreadableScore, match="64 notes in 1 quarter notes"):
        fit_to_grid(notes, [Fraction(0), Fraction(1)])


def test_the_nearest_place_is_at_most_half_a_step_away() -> None:
    assert nearest_place(Fraction(1, 5)) == Fraction(5, 24)
    assert nearest_place(Fraction(-1, 5)) == Fraction(-5, 24)
    assert nearest_place(Fraction(7, 48)) == Fraction(4, 24)


@given(
    st.lists(
        st.fractions(Fraction(1, 128), Fraction(2), max_denominator=128), min_size=1, max_size=60
    ),
    st.fractions(Fraction(-2), Fraction(0), max_denominator=11),
)
def test_every_note_keeps_its_order_its_bar_and_a_duration(
    durations: list[Fraction], start: Fraction
) -> None:
    notes = legato(durations, start)
    bars = max(0, int(notes[-1].end // 3)) + 4
    barlines = [Fraction(3 * bar) for bar in range(bars)]
    fitted = fit_to_grid(notes, barlines)
    assert [note.pitch for note in fitted] == [note.pitch for note in notes]
    assert all((note.onset * TICKS_PER_QUARTER).denominator == 1 for note in fitted)
    assert all((note.duration * TICKS_PER_QUARTER) >= 1 for note in fitted)
    assert all(first.end <= second.onset for first, second in pairwise(fitted))
    assert fitted[-1].end <= barlines[-1]
    assert [note.onset // 3 for note in fitted] == [note.onset // 3 for note in notes]
