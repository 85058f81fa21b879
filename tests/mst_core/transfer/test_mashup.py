"""Two tunes in one: the pitches and form of the first, the bars of the second."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import assume, given, settings

from mst_core.errors import NoSuchTune
from mst_core.music import Key, Melody, Meter, Note
from mst_core.reading.abc.read import read_abc_score
from mst_core.transfer.mashup import adapt_note_count, combine
from mst_core.transfer.structure import full_bars
from tests.support.melodies import JIG, REEL, melodies

REEL_ABC = "X:1\nM:4/4\nL:1/8\nK:D\nd2AF DFAd|fafd edBA|d2AF DFAd|egfe d4|\n"
HORNPIPE = "X:1\nM:4/4\nL:1/8\nQ:1/4=90\nK:G\nG>A B>c d2 B2|c>B A>G F2 D2|G>A B>c d2 e2|f4 g4|\n"


def tune(abc: str) -> Melody:
    return read_abc_score(abc).melody


def rhythms(melody: Melody) -> list[list[tuple[Fraction, Fraction]]]:
    return [[(n.onset - bar.start, n.duration) for n in bar.notes] for bar in full_bars(melody)]


def test_all_pitches_of_the_first_sound_in_their_order() -> None:
    mashed = combine(tune(REEL_ABC), tune(HORNPIPE)).melody
    assert mashed.pitches == tune(REEL_ABC).pitches
    assert mashed.bar_count == 4
    assert mashed.key == Key(2)
    assert mashed.tempo == 90


def test_a_tune_on_its_own_rhythm_is_itself() -> None:
    for melody in (REEL, JIG, tune(HORNPIPE)):
        assert combine(melody, melody).melody.notes == melody.notes


def test_where_the_numbers_of_notes_agree_the_bar_is_the_others_note_for_note() -> None:
    first = tune("X:1\nM:4/4\nL:1/8\nK:D\nd2 e2 f2 g2|a2 f2 d2 A2|d2 e2 f2 g2|a2 f2 d4|\n")
    other = tune("X:1\nM:4/4\nL:1/8\nK:D\nd3 e f3 g|a2 f d3 A2|d e3 f2 g2|a3 f d4|\n")
    assert rhythms(combine(first, other).melody)[:2] == rhythms(other)[:2]


def test_bars_that_return_in_the_first_return_in_the_answer() -> None:
    answer = rhythms(combine(tune(REEL_ABC), tune(HORNPIPE)).melody)
    assert answer[0] == answer[2]


def test_the_meter_is_the_seconds() -> None:
    mashed = combine(tune(REEL_ABC), JIG)
    assert mashed.melody.meter == Meter(6, 8)
    assert mashed.melody.bar_count == 4


def test_too_many_notes_for_the_others_bars_are_refused() -> None:
    notes = tuple(Note(Fraction(place, 24), Fraction(1, 24), 60 + place % 5) for place in range(96))
    crowded = Melody(notes, Meter(4, 4), Key(0), 120.0, 1)
    with pytest.raises(NoSuchTune, match="too many"):
        combine(crowded, tune(HORNPIPE))


@settings(max_examples=60, deadline=None)
@given(melodies(most_bars=8), melodies(most_bars=8))
def test_any_two_tunes_give_a_whole_one_or_a_clear_refusal(first: Melody, second: Melody) -> None:
    assume(first.notes and second.notes)
    try:
        mashed = combine(first, second).melody
    except NoSuchTune:
        return
    assert mashed.pitches == first.pitches
    assert mashed.bar_count == first.bar_count
    assert all(a.end <= b.onset for a, b in pairwise(mashed.notes))


def test_a_note_that_is_struck_again_stays_on_the_written_grid() -> None:
    halves = adapt_note_count(((Fraction(0), Fraction(5, 8)),), 2, Meter(4, 4))
    assert all((time * 24).denominator == 1 for note in halves for time in note)
