"""Tests of pitch spelling and of the accidentals to show."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mst_core.music import MODES, Key, Melody, Meter, Note
from mst_core.notation.abc import write_abc
from mst_core.notation.midi import write_midi
from mst_core.notation.musicxml import write_musicxml
from mst_core.notation.spelling import AccidentalTracker, Spelling, key_signature, spell_pitches
from mst_core.reading.abc.read import read_abc_score
from mst_core.reading.midi.read import read_midi
from mst_core.reading.musicxml.read import read_musicxml
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


@pytest.mark.parametrize("name", ["F#", "Gb", "C#", "Db", "Cb", "B", "D#m", "Ebm", "A#m", "Abm"])
def test_a_key_of_six_or_seven_accidentals_comes_back_from_every_format(name: str) -> None:
    key = Key.parse(name)
    scale = tuple(
        Note(Fraction(index, 2), Fraction(1, 2), 60 + key.tonic + (pitch - key.tonic) % 12)
        for index, pitch in enumerate((*key.scale, key.tonic))
    )
    tune = Melody(scale, Meter(4, 4), key, 120.0, 1)
    for score in (
        read_abc_score(write_abc(tune)),
        read_midi(write_midi(tune, program=0)),
        read_musicxml(write_musicxml(tune)),
    ):
        assert score.melody.key == key
        assert score.melody.notes == scale


@pytest.mark.parametrize("name", ["F#", "Gb", "C#", "Cb", "D#m", "G#dor"])
def test_notes_of_the_scale_need_no_accidental_whatever_the_signature(name: str) -> None:
    key = Key.parse(name)
    spelled = spell_pitches([60 + pitch for pitch in key.scale], key)
    assert {each.letter: each.alteration for each in spelled} == key_signature(key)
    assert [each.pitch for each in spelled] == [60 + pitch for pitch in key.scale]
