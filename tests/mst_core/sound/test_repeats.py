"""Repeats that are drawn are played, with their endings, by the melody and its band."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given

from mst_core.music import (
    ControlEvent,
    GraceNotes,
    Key,
    Melody,
    Meter,
    MeterChange,
    Note,
    Part,
    PartNote,
    Repeat,
    TempoChange,
)
from mst_core.reading.abc.read import read_abc_score
from mst_core.sound.band import perform_band
from mst_core.sound.repeats import list_spans, played_seconds
from tests.support.melodies import melodies

HEAD = "X:1\nM:4/4\nL:1/4\nQ:1/4=60\nK:C\n"


def heard(abc: str) -> str:
    """The letters of the notes in the order in which they are played."""
    melody = read_abc_score(HEAD + abc).melody
    voice = perform_band(melody, swing=0.5, program=0)[0]
    names = {60: "C", 62: "D", 64: "E", 65: "F", 67: "G", 69: "A", 71: "B"}
    notes = sorted(voice.notes, key=lambda note: note.start)
    assert all(first.end <= second.start + 1e-6 for first, second in pairwise(notes))
    return "".join(names[note.pitch] for note in notes)


@pytest.mark.parametrize(
    ("abc", "played"),
    [
        ("|: C4 | D4 :| E4 |]", "CDCDE"),
        ("C4 |: D4 :| E4 |]", "CDDE"),
        ("|: C4 :|: D4 :|", "CCDD"),
        ("|: C4 |1 D4 :|2 E4 | F4 |]", "CDCEF"),
        ("|: C4 | D4 |1 E4 | F4 :|2 G4 | A4 |: B4 :|", "CDEFCDGABB"),
        ("G |: C4 | D3 G :| E4 |]", "GCDGCDGE"),
        ("|: G | C4 | D3 :|: A | E4 | F3 :|", "GCDGCDAEFAEF"),
        ("C4 | D4 |]", "CD"),
    ],
)
def test_signs_and_endings_are_obeyed(abc: str, played: str) -> None:
    assert heard(abc) == played


def test_the_beat_goes_on_where_a_section_ends_inside_a_bar() -> None:
    tune = read_abc_score(HEAD + "|: C4 | D3 :|: A | E4 | F3 :|").melody
    assert tune.repeats == (
        Repeat(0, 2, lead_out=Fraction(1)),
        Repeat(2, 4, lead_in=Fraction(1), lead_out=Fraction(1)),
    )
    voice = perform_band(tune, swing=0.5, program=0)[0]
    assert [round(note.start) for note in voice.notes] == [0, 4, 8, 12, 15, 16, 20, 23, 24, 28]
    assert voice.seconds == played_seconds(tune)


def test_a_whole_bar_before_the_sign_gives_way_to_the_pickup_of_the_repeat() -> None:
    tune = read_abc_score(HEAD + "|: G | C4 | D4 :| E4 |]").melody
    voice = perform_band(tune, swing=0.5, program=0)[0]
    assert [round(note.start) for note in voice.notes] == [0, 1, 5, 8, 9, 13, 17]
    busy = read_abc_score(HEAD + "|: G | C4 | DDDD :| E4 |]").melody
    voice = perform_band(busy, swing=0.5, program=0)[0]
    assert [round(note.start) for note in voice.notes][4:9] == [7, 8, 9, 10, 14]


TWICE = Melody(
    tuple(Note(Fraction(n), Fraction(1), 60) for n in range(16)),
    Meter(4, 4),
    Key(0),
    60.0,
    4,
    repeats=(Repeat(1, 2),),
)


def test_the_whole_band_goes_back() -> None:
    bass = Part(
        "Bass",
        32,
        False,
        tuple(PartNote(Fraction(4 * bar), Fraction(4), 40 + bar) for bar in range(4)),
        (ControlEvent(Fraction(0), "control", 7, 90), ControlEvent(Fraction(6), "control", 7, 50)),
    )
    song = replace(TWICE, grace_notes=(GraceNotes(4, (62,)),))
    melody, band = perform_band(song, [bass], swing=0.5, program=0)
    assert melody.seconds == played_seconds(song) == 20.0
    assert [note.start for note in melody.notes] == [float(second) for second in range(20)]
    assert [round(note.start, 2) for note in melody.grace_notes] == [3.94, 7.94]
    assert [(note.start, note.pitch) for note in band.notes] == [
        (0.0, 40),
        (4.0, 41),
        (8.0, 41),
        (12.0, 42),
        (16.0, 43),
    ]
    volumes = [(time, event.value) for time, event in band.controls if time >= 0]
    # The volume is what it was the first time.
    assert volumes == [(0.0, 90), (6.0, 50), (8.0, 90), (10.0, 50)]


def test_the_duration_is_that_of_the_whole_band() -> None:
    notes = (PartNote(Fraction(-6), Fraction(1), 40), PartNote(Fraction(16), Fraction(2), 40))
    band = Part("Band", 0, False, notes)
    assert played_seconds(TWICE, [band]) == 6 + 20 + 2
    assert played_seconds(TWICE, [band], repeats=False) == 6 + 16 + 2


def test_tempo_and_meter_go_back_too() -> None:
    song = replace(
        TWICE,
        tempo_changes=(TempoChange(Fraction(0), 60.0), TempoChange(Fraction(6), 120.0)),
        meter_changes=(MeterChange(2, Meter(2, 2)),),
    )
    voice = perform_band(song, swing=0.5, program=0)[0]
    assert voice.tempo_changes == ((6.0, 120.0), (7.0, 60.0), (9.0, 120.0))
    assert voice.meter_changes == ((7.0, Meter(4, 4)), (10.0, Meter(2, 2)))
    assert voice.seconds == pytest.approx(14.0)


def test_repeats_can_be_left_out_and_do_not_make_a_piece_too_long() -> None:
    assert perform_band(TWICE, swing=0.5, program=0, repeats=False)[0].seconds == 16.0
    slow = replace(TWICE, tempo=0.9)  # 1,067 seconds, with the repeat 1,333
    assert len(list_spans(slow)) == 1


@given(melodies(changes=True, repeats=True))
def test_every_note_is_heard_once_or_twice_and_none_overlaps(melody: Melody) -> None:
    voice = perform_band(melody, swing=0.5, program=0)[0]
    assert all(first.end <= second.start + 1e-6 for first, second in pairwise(voice.notes))
    assert len(melody.notes) <= len(voice.notes) <= 2 * len(melody.notes)
    assert voice.seconds == pytest.approx(played_seconds(melody))
    assert len(list_spans(melody)) <= 1 + 2 * len(melody.repeats)
