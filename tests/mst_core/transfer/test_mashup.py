"""Mashup: the pitches and the form of one tune in the rhythm of another."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import assume, given, settings

from mst_core.errors import NoSuchTune
from mst_core.music import (
    ChordSymbol,
    GraceNotes,
    Key,
    Melody,
    Meter,
    Note,
    Part,
    PartNote,
    TempoChange,
)
from mst_core.reading.abc.read import read_abc_score
from mst_core.reading.parsed_score import ParsedScore
from mst_core.transfer.bar_rhythms import adapt_note_count
from mst_core.transfer.mashup import combine, combine_melodies
from mst_core.transfer.structure import split_into_bars
from tests.support.melodies import JIG, REEL, melodies

REEL_ABC = "X:1\nM:4/4\nL:1/8\nK:D\nd2AF DFAd|fafd edBA|d2AF DFAd|egfe d4|\n"
HORNPIPE = "X:1\nM:4/4\nL:1/8\nQ:1/4=90\nK:G\nG>A B>c d2 B2|c>B A>G F2 D2|G>A B>c d2 e2|f4 g4|\n"


def tune(abc: str) -> Melody:
    return read_abc_score(abc).melody


def combined(pitch_tune: Melody, rhythm_tune: Melody) -> Melody:
    return combine_melodies(pitch_tune, rhythm_tune)[0]


def rhythms(melody: Melody) -> list[list[tuple[Fraction, Fraction]]]:
    return [
        [(n.onset - bar.start, n.duration) for n in bar.notes] for bar in split_into_bars(melody)
    ]


def test_the_pitches_are_those_of_the_first_tune_in_order() -> None:
    mashed = combined(tune(REEL_ABC), tune(HORNPIPE))
    assert mashed.pitches == tune(REEL_ABC).pitches
    assert mashed.bar_count == 4
    assert mashed.key == Key(2)
    assert mashed.tempo == 90


def test_a_tune_combined_with_itself_is_unchanged() -> None:
    for melody in (REEL, JIG, tune(HORNPIPE)):
        assert combined(melody, melody).notes == melody.notes


def test_a_bar_with_as_many_notes_takes_the_other_tunes_rhythm_unchanged() -> None:
    first = tune("X:1\nM:4/4\nL:1/8\nK:D\nd2 e2 f2 g2|a2 f2 d2 A2|d2 e2 f2 g2|a2 f2 d4|\n")
    other = tune("X:1\nM:4/4\nL:1/8\nK:D\nd3 e f3 g|a2 f d3 A2|d e3 f2 g2|a3 f d4|\n")
    assert rhythms(combined(first, other))[:2] == rhythms(other)[:2]


def test_bars_repeated_in_the_first_tune_are_repeated_in_the_result() -> None:
    answer = rhythms(combined(tune(REEL_ABC), tune(HORNPIPE)))
    assert answer[0] == answer[2]


def test_the_meter_is_that_of_the_second_tune() -> None:
    mashed = combined(tune(REEL_ABC), JIG)
    assert mashed.meter == Meter(6, 8)
    assert mashed.bar_count == 4


def test_more_notes_than_the_other_tunes_bars_can_hold_are_rejected() -> None:
    notes = tuple(Note(Fraction(place, 24), Fraction(1, 24), 60 + place % 5) for place in range(96))
    crowded = Melody(notes, Meter(4, 4), Key(0), 120.0, 1)
    with pytest.raises(NoSuchTune, match="too many"):
        combined(crowded, tune(HORNPIPE))


@settings(max_examples=60, deadline=None)
@given(melodies(most_bars=8), melodies(most_bars=8))
def test_any_two_tunes_give_a_valid_tune_or_a_clear_error(first: Melody, second: Melody) -> None:
    assume(first.notes and second.notes)
    try:
        mashed = combined(first, second)
    except NoSuchTune:
        return
    assert mashed.pitches == first.pitches
    assert mashed.bar_count == first.bar_count
    assert all(a.end <= b.onset for a, b in pairwise(mashed.notes))


def test_a_split_note_stays_on_the_grid() -> None:
    halves = adapt_note_count(((Fraction(0), Fraction(5, 8)),), 2, Meter(4, 4))
    assert all((time * 24).denominator == 1 for note in halves for time in note)


def test_the_tempo_map_is_that_of_the_second_tune_bar_by_bar() -> None:
    slowing = replace(
        tune(HORNPIPE),
        tempo_changes=(TempoChange(Fraction(0), 90.0), TempoChange(Fraction(14), 45.0)),
    )
    mashed = combined(replace(REEL, bar_count=16), slowing)
    # Four bars of the second tune are played four times, each time slower at the end.
    assert mashed.seconds == pytest.approx(4 * slowing.seconds)
    assert mashed.tempo_changes[:4] == (
        TempoChange(Fraction(-4), 90.0),
        TempoChange(Fraction(14), 45.0),
        TempoChange(Fraction(16), 90.0),
        TempoChange(Fraction(30), 45.0),
    )


def test_chords_and_grace_notes_of_the_first_tune_stay() -> None:
    waltz = replace(
        tune("X:1\nM:3/4\nL:1/4\nK:G\nGBd|cAF|G3|G3|\n"),
        chords=(ChordSymbol(Fraction(0), "G"), ChordSymbol(Fraction(3), "D7")),
        grace_notes=(GraceNotes(3, (73,)),),
    )
    mashed = combined(waltz, REEL)
    assert [f"{chord.onset} {chord.text}" for chord in mashed.chords] == ["0 G", "4 D7"]
    assert mashed.grace_notes == waltz.grace_notes


def test_remarks_name_the_tune_that_they_are_about() -> None:
    first = ParsedScore("Reel", REEL, warnings=("A rest was left out.",))
    second = ParsedScore("Jig", JIG, warnings=("A rest was left out.",), swing=0.6)
    made = combine(first, second)
    assert made.warnings[:2] == (
        'In "Reel": A rest was left out.',
        'In "Jig": A rest was left out.',
    )
    assert made.swing == 0.6
    long = combine(replace(first, title="Reel " * 20), second)
    assert long.warnings[0] == f'In "{("Reel " * 20)[:39]}…": A rest was left out.'
    untitled = combine(replace(first, title=""), second)
    assert untitled.warnings[0] == "In the first tune: A rest was left out."


def test_a_remark_says_that_the_other_parts_are_left_out() -> None:
    bass = Part("Bass", 32, drums=False, notes=(PartNote(Fraction(0), Fraction(1), 40),))
    alone = combine(ParsedScore("Reel", REEL), ParsedScore("Jig", JIG))
    with_bass = combine(ParsedScore("Reel", REEL), ParsedScore("Jig", JIG, parts=(bass,)))
    sentence = "The other parts of the two tunes are left out of a mashup."
    assert sentence not in alone.warnings
    assert with_bass.warnings[-1] == sentence
    assert with_bass.parts == ()
