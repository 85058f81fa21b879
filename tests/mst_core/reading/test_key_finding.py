"""The key of notes is estimated from the durations of their pitch classes."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from time import process_time

import pytest

from mst_core.music import Key, KeyChange, Melody, Meter, Note, PartNote
from mst_core.reading.key_finding import (
    describe_settled_key,
    find_key,
    settle_key,
    settle_keys,
)
from tests.support.melodies import melody

SCALE = melody("C4*2 D4 E4*2 F4 G4*2 A4 B4 C5*4", bars=2).notes
MINOR = melody("A4*3 B4 C5*2 D5 E5*2 E5 G#4 A4*4", bars=2).notes


@pytest.mark.parametrize("semitones", range(12))
def test_a_transposed_melody_is_in_the_transposed_key(semitones: int) -> None:
    for notes, key in ((SCALE, Key(0)), (MINOR, Key(9, "minor"))):
        moved = [replace(note, pitch=note.pitch + semitones) for note in notes]
        assert find_key(moved) == Key((key.tonic + semitones) % 12, key.mode)


def test_all_pitch_classes_alike_give_c_major() -> None:
    chromatic = [Note(Fraction(step), Fraction(1), 60 + step) for step in range(12)]
    assert find_key(chromatic) == find_key([]) == Key(0)


E_FLAT = melody("Eb4*2 F4 G4*2 Ab4 Bb4*2 C5 D5 Eb5*2 Bb4 G4 Eb4*2", bars=2).notes
A_MINOR = melody("A4*2 B4 C5*2 D5 E5*2 F5 E5 D5 C5 B4 E4 A4*2", bars=2).notes
E_DORIAN = melody("E4*2 F#4 G4*2 B4 C#5*2 D5 C#5 B4 A4 G4 F#4 E4*2", bars=2).notes
D_MAJOR = melody("D4*2 E4 F#4*2 G4 A4*2 B4 C#5 D5*2 A4 F#4 D4*2", bars=2).notes


@pytest.mark.parametrize(
    ("notes", "key"),
    [(E_FLAT, "Eb"), (A_MINOR, "Am"), (D_MAJOR, "D"), (SCALE, "C")],
)
def test_c_major_that_may_be_a_default_is_believed_only_if_the_notes_agree(
    notes: tuple[Note, ...], key: str
) -> None:
    assert settle_key(Key(0), notes, mode_stated=False, may_be_default=True) == Key.parse(key)


@pytest.mark.parametrize(
    ("signature", "notes", "key"),
    [
        ("C", A_MINOR, "Am"),
        ("Eb", melody("C4*2 D4 Eb4*2 F4 G4*2 Ab4 G4 F4 Eb4 D4 B3 C4*2", bars=2).notes, "Cm"),
        ("D", E_DORIAN, "E dorian"),
        ("D", D_MAJOR, "D"),
        ("F", melody("C4*2 D4 E4*2 F4 G4*2 A4 Bb4 G4 E4 D4 G4 C4*2", bars=2).notes, "C mixolydian"),
    ],
)
def test_a_signature_without_its_mode_gets_it_from_the_notes(
    signature: str, notes: tuple[Note, ...], key: str
) -> None:
    settled = settle_key(Key.parse(signature), notes, mode_stated=False)
    assert settled == Key.parse(key)
    assert settled.fifths == Key.parse(signature).fifths


def test_a_stated_key_is_kept_unless_the_notes_clearly_are_in_another_one() -> None:
    for stated in ("C", "Am", "G", "F", "D dorian"):
        assert settle_key(Key.parse(stated), A_MINOR, mode_stated=True) == Key.parse(stated)
    assert settle_key(Key.parse("E"), E_FLAT, mode_stated=True) == Key.parse("E")
    assert settle_key(Key.parse("C"), E_FLAT, mode_stated=True) == Key.parse("Eb")
    midi = settle_key(Key.parse("Em"), E_FLAT, mode_stated=True, may_be_default=True)
    assert midi == Key.parse("Eb")
    assert settle_key(Key.parse("E"), E_FLAT, mode_stated=False) == Key.parse("Eb")


def test_minor_that_midi_states_may_be_dorian() -> None:
    assert settle_key(
        Key.parse("Bm"), E_DORIAN, mode_stated=True, may_be_default=True
    ) == Key.parse("E dorian")
    assert settle_key(Key.parse("Am"), A_MINOR, mode_stated=True, may_be_default=True) == Key.parse(
        "Am"
    )


def test_a_few_notes_cast_no_doubt_on_a_stated_key() -> None:
    assert settle_key(Key.parse("E"), E_FLAT[:4], mode_stated=False) == Key.parse("E")
    assert settle_key(Key.parse("E"), (), mode_stated=False) == Key.parse("E")


def test_six_sharps_stay_six_sharps_where_the_notes_agree() -> None:
    moved = [replace(note, pitch=note.pitch + 4) for note in D_MAJOR]
    for name in ("F#", "Gb"):
        assert settle_key(Key.parse(name), moved, mode_stated=False) == Key.parse(name)


def test_the_parts_beside_a_melody_show_its_key() -> None:
    riff = melody("G4 A4 G4 E4 G4 A4 G4*2", bars=1).notes  # C major, G major or A minor
    chords = [
        PartNote(Fraction(4 * bar), Fraction(4), pitch)
        for bar in range(4)
        for pitch in ((55, 59, 62), (62, 66, 69), (60, 64, 67), (55, 59, 62))[bar]
    ]
    assert find_key(riff, beside=chords) == Key.parse("G")
    assert settle_key(
        Key(0), riff, mode_stated=False, may_be_default=True, beside=chords
    ) == Key.parse("G")


def test_a_key_that_is_not_the_stated_one_is_told() -> None:
    e_flat, a_minor = Key.parse("Eb"), Key.parse("Am")
    assert [*describe_settled_key(Key(0), e_flat)] == [
        "The file states C major, but its notes are those of E♭ major."
    ]
    assert [*describe_settled_key(Key(0), a_minor)] == [
        "The key signature is that of C major; its notes are in A minor."
    ]
    assert [*describe_settled_key(e_flat, e_flat)] == []


def test_a_change_of_key_in_every_bar_is_checked_by_the_notes_of_its_bar() -> None:
    bars = 600
    notes = tuple(
        Note(Fraction(4 * bar + beat), Fraction(1), 60 + step)
        for bar in range(bars)
        for beat, step in enumerate((0, 4, 7, 11) if bar % 2 else (2, 6, 9, 1))
    )
    beside = [
        PartNote(note.onset + Fraction(half, 4), Fraction(1, 4), note.pitch - 12)
        for note in notes
        for half in range(4)
    ]
    changes = tuple(KeyChange(bar, Key(0) if bar % 2 else Key(2)) for bar in range(1, bars))
    tune = Melody(notes, Meter(4, 4), Key(2), 120, bars, key_changes=changes)
    start = process_time()
    settled = settle_keys(tune, beside, mode_stated=True)
    assert (settled.key, settled.key_changes) == (tune.key, changes)
    assert process_time() - start < 4  # half a minute, where every change looks at all notes
