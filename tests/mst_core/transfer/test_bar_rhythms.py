"""Rhythms of bars, adapted to other numbers of notes, and doubled note values."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mst_core.errors import NoSuchTune
from mst_core.music import Melody, Meter, Note
from mst_core.transfer.augmentation import DOUBLED, UNSCALED, augment, augmented_bars
from mst_core.transfer.bar_rhythms import (
    adapt_note_count,
    bar_rhythms,
    keep_last_note,
    reference_rhythms,
    style_rhythms,
)
from mst_core.transfer.config import TransferConfig
from tests.support.melodies import JIG, REEL, melodies

FOUR_FOUR = Meter(4, 4)
EIGHTHS = tuple((Fraction(i, 2), Fraction(1, 2)) for i in range(8))


@given(st.integers(1, 16))
def test_an_adapted_bar_has_the_number_of_notes_and_the_length(n_notes: int) -> None:
    adapted = adapt_note_count(EIGHTHS, n_notes, FOUR_FOUR)
    assert len(adapted) == n_notes
    assert all(a[0] + a[1] == b[0] for a, b in pairwise(adapted))
    assert adapted[0][0] == 0
    assert sum(adapted[-1]) == 4


def test_weak_onsets_are_dropped_first() -> None:
    assert [onset for onset, _ in adapt_note_count(EIGHTHS, 4, FOUR_FOUR)] == [0, 1, 2, 3]


def test_a_note_is_split_no_shorter_than_the_minimum() -> None:
    with pytest.raises(NoSuchTune, match="too many"):
        adapt_note_count(EIGHTHS, 8 * 4 + 1, FOUR_FOUR)
    coarse = TransferConfig(min_split=Fraction(1, 2))
    with pytest.raises(NoSuchTune, match="too many"):
        adapt_note_count(EIGHTHS, 9, FOUR_FOUR, coarse)


def test_the_rhythms_of_a_tunes_bars_end_at_the_barline() -> None:
    tied = replace(REEL, notes=(Note(Fraction(3), Fraction(2), 62),), bar_count=2, sections=())
    assert bar_rhythms(tied, REEL.meter) == [((Fraction(3), Fraction(1)),), ()]


def test_reference_rhythms_have_the_number_of_notes_and_the_closest_come_first() -> None:
    n_notes = len(bar_rhythms(REEL, REEL.meter)[0])
    found = reference_rhythms(REEL, REEL.meter, 1, n_notes)
    assert found[0] in bar_rhythms(REEL, REEL.meter)
    assert all(len(rhythm) == n_notes for rhythm in found)
    assert reference_rhythms(REEL, JIG.meter, 1, n_notes) == []


def test_a_lent_bar_has_no_part_of_a_triplet_that_nobody_writes() -> None:
    # Sixteenths after the first third of each beat: half of one ends 11/24 after the beat.
    late = tuple(Note(Fraction(1, 3) + beat, Fraction(1, 4), 60) for beat in range(4))
    tune = Melody(late, FOUR_FOUR, REEL.key, 120, 1)
    assert adapt_note_count(bar_rhythms(tune, FOUR_FOUR)[0], 5, FOUR_FOUR)
    assert reference_rhythms(tune, FOUR_FOUR, 1, 4)
    assert reference_rhythms(tune, FOUR_FOUR, 1, 5) == []


def test_a_lent_bar_begins_on_the_barline_where_it_should() -> None:
    late = replace(REEL, notes=REEL.notes[1:], sections=())
    n_notes = len(bar_rhythms(late, late.meter)[0])
    assert any(rhythm[0][0] > 0 for rhythm in reference_rhythms(late, late.meter, 1, n_notes))
    found = reference_rhythms(late, late.meter, 1, n_notes, on_barline=True)
    assert found
    assert all(rhythm[0][0] == 0 for rhythm in found)


def test_the_last_note_of_a_tune_stays_in_every_draft() -> None:
    quarter = Fraction(1)
    own = ((0 * quarter, quarter), (quarter, quarter), (2 * quarter, 2 * quarter))
    early = ((0 * quarter, quarter / 2), (quarter / 2, quarter), (quarter * 3, quarter))
    late = ((0 * quarter, 2 * quarter), (2 * quarter, quarter), (3 * quarter, quarter))
    assert keep_last_note(own, [early, early]) == [(*early[:2], own[2])]
    assert keep_last_note(own, [late]) == [own], "its second note would reach into the last"
    snap = ((0 * quarter, quarter / 2), (quarter / 2, 2 * quarter), (5 * quarter / 2, quarter))
    assert keep_last_note(own, [snap]) == [(snap[0], *own[1:])]
    assert keep_last_note(own[:1], [((quarter, quarter),)]) == [own[:1]]
    assert keep_last_note(own, []) == [own]


def test_no_more_reference_rhythms_are_taken_than_the_configuration_allows() -> None:
    config = TransferConfig(max_reference_rhythms=1)
    assert len(reference_rhythms(REEL, REEL.meter, 1, 6, config=config)) == 1


TWO_HALVES = ((Fraction(0), Fraction(2)), (Fraction(2), Fraction(2)))
DOTTED = ((Fraction(0), Fraction(3)), (Fraction(3), Fraction(1)))
COUNTED = ((9, (0, 48, 48, 48)), (4, (0, 72, 72, 24)), (2, (0, 92, 92, 4)), (8, (0, 96)))


def test_rhythms_of_players_have_the_number_of_notes_and_no_note_too_short() -> None:
    found = style_rhythms(COUNTED, 2, 96, np.random.default_rng(1), max_rhythms=9, min_duration=6)
    assert sorted(found) == [TWO_HALVES, DOTTED]
    assert style_rhythms(COUNTED, 5, 96, np.random.default_rng(1), max_rhythms=9) == []
    assert style_rhythms(COUNTED, 2, 72, np.random.default_rng(1), max_rhythms=9) == []


def test_the_commoner_a_rhythm_of_players_the_more_often_it_is_drawn() -> None:
    rng = np.random.default_rng(1)
    drawn = [style_rhythms(COUNTED, 2, 96, rng, max_rhythms=1)[0] for _ in range(200)]
    assert drawn.count(TWO_HALVES) > drawn.count(DOTTED) > 0


@given(melodies(repeats=True))
def test_doubled_note_values_halved_again_are_the_tune(melody: Melody) -> None:
    doubled = augment(melody, DOUBLED)
    assert doubled.bar_count == 2 * melody.bar_count
    assert augment(doubled, 1 / DOUBLED) == melody
    assert augment(melody, UNSCALED) is melody


def test_each_bar_becomes_two_in_doubled_note_values() -> None:
    assert augmented_bars(frozenset({0, 3}), DOUBLED) == {0, 1, 6, 7}
