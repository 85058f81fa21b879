"""The key signatures of a MIDI file are believed where the notes agree."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest

from mst_core.music import Key, KeyChange, Note
from mst_core.reading.midi.read import read_midi
from tests.support.melodies import melody
from tests.support.midi_files import Timed, meta, midi, notes, track

MAJOR = melody("C4*2 D4 E4*2 F4 G4*2 A4 B4 C5*2 G4 E4 C4*2", bars=2).notes
MINOR = melody("A4*2 B4 C5*2 D5 E5*2 F5 E5 D5 C5 B4 E4 A4*2", bars=2).notes
BAR = 4 * 480


def tune(
    semitones: int, *, times: int = 4, start: int = 0, line: tuple[Note, ...] = MAJOR
) -> list[Note]:
    """A tune of two bars, transposed and repeated."""
    return [
        replace(note, onset=note.onset + 8 * again + 4 * start, pitch=note.pitch + semitones)
        for again in range(times)
        for note in line
    ]


def signature(key: str, bar: float = 0) -> Timed:
    return round(bar * BAR), meta("key_signature", key=key)[1]


@pytest.mark.parametrize(("semitones", "key"), [(3, "Eb"), (11, "B"), (2, "D"), (0, "C"), (5, "F")])
def test_the_default_of_a_program_is_not_taken_for_the_key(semitones: int, key: str) -> None:
    score = read_midi(midi(track([signature("C"), *notes(tune(semitones))])))
    assert score.melody.key == Key.parse(key)
    doubted = f"The file states C major, but its notes are those of {Key.parse(key).name}."
    assert (doubted in score.warnings) == (key != "C")


def test_c_major_is_written_for_a_minor() -> None:
    score = read_midi(midi(track([signature("C"), *notes(tune(0, line=MINOR))])))
    assert score.melody.key == Key.parse("Am")
    assert "The key signature is that of C major; its notes are in A minor." in score.warnings


@pytest.mark.parametrize("name", ["F#", "Gb", "C#", "Cb", "D#m", "Ebm", "A#m"])
def test_a_signature_keeps_its_sharps_or_flats(name: str) -> None:
    key = Key.parse(name)
    line = MINOR if key.is_minor else MAJOR
    semitones = key.tonic - (9 if key.is_minor else 0)
    score = read_midi(midi(track([signature(name), *notes(tune(semitones, line=line))])))
    assert score.melody.key == key


def test_a_signature_at_the_end_does_not_name_the_key_of_the_piece() -> None:
    for name in ("Ab", "G", "C"):
        score = read_midi(midi(track([*notes(tune(2)), signature(name, 8)])))
        assert score.melody.key == Key.parse("D")
        assert "The file names no key; its notes are those of D major." in score.warnings


def test_a_signature_on_the_way_does_not_name_the_key_of_the_beginning() -> None:
    file = midi(track([*notes(tune(0)), signature("Db", 8), *notes(tune(1, start=8))]))
    score = read_midi(file)
    assert score.melody.key == Key.parse("C")
    assert score.melody.key_changes == (KeyChange(8, Key.parse("Db")),)


def test_a_default_before_a_change_of_key_is_doubted_by_the_notes_up_to_it() -> None:
    file = midi(
        track([signature("C"), signature("F", 8), *notes(tune(3)), *notes(tune(5, start=8))])
    )
    score = read_midi(file)
    assert score.melody.key == Key.parse("Eb")
    assert score.melody.key_changes == (KeyChange(8, Key.parse("F")),)


def test_of_several_signatures_at_the_beginning_the_last_one_holds() -> None:
    file = midi(
        track([signature("C"), (1, meta("key_signature", key="Eb")[1]), *notes(tune(3, start=1))])
    )
    score = read_midi(file)
    assert score.melody.key == Key.parse("Eb")
    assert score.melody.key_changes == ()


def test_a_change_of_key_on_the_way_is_kept_where_the_notes_change() -> None:
    file = midi(
        track([signature("C"), signature("Db", 8), *notes(tune(0)), *notes(tune(1, start=8))])
    )
    score = read_midi(file)
    assert score.melody.key == Key.parse("C")
    assert score.melody.key_changes == (KeyChange(8, Key.parse("Db")),)
    assert "The key changes on the way: C major, then D♭ major from bar 9." in score.warnings


def test_a_change_of_key_that_the_notes_do_not_follow_is_left_out() -> None:
    file = midi(track([signature("G"), signature("Ab", 4), *notes(tune(7))]))
    score = read_midi(file)
    assert score.melody.key == Key.parse("G")
    assert score.melody.key_changes == ()
    assert "A change of key to A♭ major does not fit the notes and was left out." in score.warnings


def test_the_other_parts_are_asked_about_the_key() -> None:
    bare = [Note(Fraction(beat), Fraction(1), 67 + 2 * (beat % 2)) for beat in range(16)]
    low = [replace(note, pitch=note.pitch - 24) for note in tune(7, times=2)]
    file = midi(
        track([signature("C"), *notes(bare)], name="Vocals"),
        track(notes(low, channel=1), name="Bass"),
    )
    assert read_midi(file).melody.key == Key.parse("G")
