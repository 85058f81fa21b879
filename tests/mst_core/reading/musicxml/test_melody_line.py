"""Which notes of a part are the melody: voices, staves, chords and grace notes."""

from __future__ import annotations

import pytest

from mst_core.music import GraceNotes
from tests.support.xml_scores import DIVISIONS, measure, melody_notes, notes, read, signature


def back(quarters: int) -> str:
    return f"<backup><duration>{quarters * DIVISIONS}</duration></backup>"


def on(staff: int, text: str, *, voice: int = 1) -> str:
    return notes(text, voice=str(voice), more=f"<staff>{staff}</staff>")


def test_a_voice_that_visits_the_lower_staff_is_one_voice() -> None:
    tune = read(
        measure(signature(), on(2, "C4 D4"), on(1, "E4 F4"), back(4), on(2, "C3*4", voice=5)),
        measure(on(1, "G4 A4"), on(2, "B3 C4"), back(4), on(2, "G2*4", voice=5)),
    )
    assert tune.melody.pitches == (60, 62, 64, 65, 67, 69, 59, 60)
    assert [note.pitch for note in tune.parts[0].notes] == [48, 43]


def test_a_voice_that_spends_a_whole_bar_on_the_lower_staff_stays_the_melody() -> None:
    tune = read(
        measure(signature(), on(1, "C5 D5 E5 F5"), back(4), on(2, "C3*4", voice=5)),
        measure(on(2, "G3 A3"), on(1, "B4 C5"), back(4), on(2, "E3*4", voice=5)),
        measure(on(2, "G3 A3 B3 C4"), back(4), on(2, "C3*4", voice=5)),
    )
    assert tune.melody.pitches == (72, 74, 76, 77, 55, 57, 71, 72, 55, 57, 59, 60)


def test_voices_that_each_staff_numbers_from_one_are_two() -> None:
    bar = on(1, "C5 D5 E5 F5") + back(4) + on(2, "C3*2 G3*2")
    tune = read(measure(signature(), bar), measure(bar))
    assert tune.melody.pitches == (72, 74, 76, 77) * 2
    assert [note.pitch for note in tune.parts[0].notes] == [48, 55, 48, 55]


def test_a_chord_that_lies_on_both_staves_belongs_to_the_voice_of_its_first_note() -> None:
    chord = on(1, "E5*2") + on(2, "C4*2+")
    tune = read(measure(signature(), chord, on(1, "F5*2"), back(4), on(2, "C3*4", voice=5)))
    assert tune.melody.pitches == (76, 77)
    assert [note.pitch for note in tune.parts[0].notes] == [60, 48]


def test_where_the_first_voice_is_silent_the_melody_goes_on_in_the_voice_beside_it() -> None:
    both = on(1, "C5 D5 E5 F5") + back(4) + on(1, "E4*4", voice=2) + back(4)
    alone = on(1, "z*4") + back(4) + on(1, "G5 F5 E5 D5", voice=2) + back(4)
    low = on(2, "C3*4", voice=5)
    tune = read(measure(signature(), both, low), measure(alone, low), measure(both, low))
    assert tune.melody.pitches[4:8] == (79, 77, 76, 74)
    assert "In 1 bar where it is silent, the melody goes on in another voice." in tune.warnings


def test_where_the_upper_staff_is_silent_the_accompaniment_does_not_become_the_melody() -> None:
    low = on(2, "C3 E3 G3 E3", voice=5)
    tune = read(
        measure(signature(), on(1, "z*4"), back(4), low),
        measure(on(1, "C5*2 D5*2"), back(4), low),
    )
    assert melody_notes(tune) == [(4, 2, 72), (6, 2, 74)]


def test_between_its_notes_the_melody_goes_on_in_a_single_line_on_the_other_staff() -> None:
    song, low = on(1, "C5 D5 E5 F5") + back(4), on(2, "C3*2 G3*2", voice=5)
    answer = on(1, "z*4") + back(4) + on(2, "G3 A3 B3 C4", voice=5)
    bars = [song + low, answer, song + low]
    tune = read(measure(signature(), bars[0]), *map(measure, bars[1:]))
    assert tune.melody.pitches[4:8] == (55, 57, 59, 60)
    assert "In 1 bar where it is silent, the melody goes on in another voice." in tune.warnings


@pytest.mark.parametrize("vamp", ["C3 G3+ C3 G3+ C3 G3+ C3 G3+", "C3 D3 C3 D3", "G3 A3 B3 C4"])
def test_chords_bass_runs_and_the_end_do_not_continue_the_melody(vamp: str) -> None:
    song, low = on(1, "C5 D5 E5 F5") + back(4), on(2, "C3*2 G3*2", voice=5)
    silent = on(1, "z*4") + back(4) + on(2, vamp, voice=5)
    bars = [song + low, silent, *([] if vamp.startswith("G3") else [song + low])]
    tune = read(measure(signature(), bars[0]), *map(measure, bars[1:]))
    assert set(tune.melody.pitches) == {72, 74, 76, 77}


def test_a_part_that_plays_on_its_lower_staff_has_its_melody_there() -> None:
    silent = on(1, "z*4") + back(4)
    bars = [silent + on(2, "C3 D3 E3 F3", voice=5)] * 5
    once = on(1, "C5*4") + back(4) + on(2, "C3*4", voice=5)
    short = read(measure(signature(), bars[0]), measure(once)).melody
    assert short.pitches == (48, 50, 52, 53, 48)
    tune = read(measure(signature(), bars[0]), *map(measure, bars[1:]), measure(once))
    assert tune.melody.pitches[:4] == (48, 50, 52, 53)
    assert len(tune.melody.notes) == 21


def test_the_voice_above_is_the_melody_whatever_its_number() -> None:
    bar = on(1, "E4*2 F4*2") + back(4) + on(1, "C5 D5 E5 F5", voice=2)
    tune = read(measure(signature(), bar), measure(bar))
    assert tune.melody.pitches == (72, 74, 76, 77) * 2


@pytest.mark.parametrize("number", ["<voice>1</voice>", ""])
def test_a_backup_to_the_barline_begins_another_voice_whatever_its_number(number: str) -> None:
    upper, lower = notes("C5 D5 E5 F5"), notes("C4*3/2 D4*5/2")
    bar = (upper + back(4) + lower).replace("<voice>1</voice>", number)
    tune = read(measure(signature(), bar), measure(bar))
    assert melody_notes(tune)[:4] == [(0, 1, 72), (1, 1, 74), (2, 1, 76), (3, 1, 77)]
    assert len(tune.melody.notes) == 8
    assert len(tune.parts[0].notes) == 4


def test_the_tablature_of_a_part_is_not_played_a_second_time() -> None:
    clefs = (
        "<attributes><staves>2</staves><clef number='1'><sign>G</sign></clef>"
        "<clef number='2'><sign>TAB</sign></clef></attributes>"
    )
    bar = on(1, "C4 D4 E4 F4") + back(4) + on(2, "C4 D4 E4 F4", voice=5)
    tune = read(measure(signature(), clefs, bar), measure(bar))
    assert tune.melody.pitches == (60, 62, 64, 65) * 2
    assert tune.parts == ()
    assert "8 notes of a tablature were left out." in tune.warnings


def test_grace_notes_are_kept_before_their_note() -> None:
    tune = read("C4 D4g E4g F4 G4 A4g B4")
    assert tune.melody.pitches == (60, 65, 67, 71)
    assert tune.melody.grace_notes == (GraceNotes(1, (62, 64)), GraceNotes(3, (69,)))
    assert not any("grace" in text for text in tune.warnings)


def test_grace_notes_before_a_barline_lead_to_the_next_note() -> None:
    tune = read("C4*4 D4g", "E4*4")
    assert tune.melody.grace_notes == (GraceNotes(1, (62,)),)


def test_of_a_grace_chord_the_top_note_is_kept_and_the_others_are_counted() -> None:
    tune = read("C4*2 D4g G4g+ E4*2")
    assert tune.melody.grace_notes == (GraceNotes(1, (67,)),)
    assert "1 grace note was left out." in tune.warnings


def test_tied_notes_of_the_accompaniment_are_joined_over_a_barline() -> None:
    low = notes("C3*3 D3~", voice="5"), notes("~D3 C3*3", voice="5")
    tune = read(
        measure(signature(), notes("C5*4"), back(4), low[0]),
        measure(notes("D5*4"), back(4), low[1]),
    )
    found = [(note.onset, note.duration) for note in tune.parts[0].notes]
    assert [tuple(map(float, place)) for place in found] == [(0, 3), (3, 2), (5, 3)]


def test_of_equal_notes_in_two_voices_one_sounds() -> None:
    bar = notes("C5*4") + back(4) + notes("C3*4", voice="2") + back(4) + notes("C3*4", voice="3")
    assert len(read(measure(signature(), bar), "D5*4").parts[0].notes) == 1


def forward(quarters: int) -> str:
    return f"<forward><duration>{quarters * DIVISIONS}</duration></forward>"


def test_a_melody_that_changes_its_voice_within_a_bar_is_followed() -> None:
    halves = on(1, "C5 D5") + forward(2) + back(2) + on(1, "E5 F5", voice=2)
    tune = read(measure(signature(), on(1, "C5 D5 E5 F5")), measure(halves), measure(on(1, "G5*4")))
    assert tune.melody.pitches == (72, 74, 76, 77, 72, 74, 76, 77, 79)
    assert "In 1 bar where it is silent, the melody goes on in another voice." in tune.warnings


def test_a_printed_rest_of_the_melody_stays_a_rest() -> None:
    halves = on(1, "C5 D5 z*2") + back(2) + on(1, "E5 F5", voice=2)
    tune = read(measure(signature(), on(1, "C5 D5 E5 F5")), measure(halves), measure(on(1, "G5*4")))
    assert tune.melody.pitches == (72, 74, 76, 77, 72, 74, 79)


def test_a_voice_that_plays_with_the_melody_does_not_fill_its_gaps() -> None:
    both = on(1, "C5*2") + forward(2) + back(4) + on(1, "E4 F4 G4 A4", voice=2)
    tune = read(measure(signature(), on(1, "C5 D5 E5 F5")), measure(both), measure(on(1, "G5*4")))
    assert tune.melody.pitches == (72, 74, 76, 77, 72, 79)
