"""Tests of pitch spelling and of the accidentals to show."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mst_core.music import MODES, Key
from mst_core.notation.spelling import AccidentalTracker, Spelling, key_signature, spell_pitches
from tests.support.melodies import line


@given(st.lists(st.integers(0, 127), max_size=20), st.integers(0, 11), st.sampled_from([*MODES]))
def test_a_spelling_has_the_pitch_that_it_spells(pitches: list[int], tonic: int, mode: str) -> None:
    key = Key(tonic, mode)
    spelled = spell_pitches(pitches, key)
    assert [spelling.pitch for spelling in spelled] == pitches
    for spelling in spelled:
        if spelling.pitch % 12 in key.scale:
            assert key_signature(key)[spelling.letter] == spelling.alteration
        assert abs(spelling.alteration) <= 1


@pytest.mark.parametrize(
    ("key", "text", "names"),
    [
        ("C", "C4 C#4 D4 D#4 E4", "C C# D D# E"),
        ("C", "E4 Eb4 D4 Db4 C4", "E Eb D Db C"),
        ("C", "C4 Bb4 G4 A4", "C Bb G A"),
        ("D", "B4 C5 D5", "B C D"),
        ("Am", "A4 Ab4 G4 F#4 E4", "A G# G F# E"),
        ("Gm", "D4 F#4 G4", "D F# G"),
        ("F#m", "E#4 F#4", "E# F#"),
        ("Bb", "Ab4 G4 E4 F4", "Ab G E F"),
        ("C", "G4 Ab4 Ab4 G4", "G Ab Ab G"),
    ],
)
def test_notes_outside_the_scale_are_raised_before_a_step_up_and_lowered_before_a_step_down(
    key: str, text: str, names: str
) -> None:
    pitches = [each.pitch for each in line(text)]
    spelled = spell_pitches(pitches, Key.parse(key))
    signs = {-1: "b", 0: "", 1: "#"}
    assert " ".join(each.letter + signs[each.alteration] for each in spelled) == names


def test_an_accidental_holds_to_the_end_of_its_bar() -> None:
    tracker = AccidentalTracker(Key.parse("C"))
    f_sharp, f = Spelling("F", 1, 4), Spelling("F", 0, 4)
    shown = [tracker.must_show(each) for each in (f, f_sharp, f_sharp, f)]
    assert shown == [False, True, False, True]
    tracker.start_bar()
    assert not tracker.must_show(f)


def test_an_accidental_in_another_octave_is_shown() -> None:
    tracker = AccidentalTracker(Key.parse("C"))
    assert tracker.must_show(Spelling("F", 1, 4))
    assert tracker.must_show(Spelling("F", 1, 5))
    assert tracker.must_show(Spelling("F", 0, 3))
