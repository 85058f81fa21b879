"""The key of notes is estimated from the durations of their pitch classes."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest

from mst_core.music import Key, Note
from mst_core.reading.key_finding import find_key
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
