"""The fields of an ABC tune: key, meter, unit of length, octaves and transposition."""

from __future__ import annotations

from fractions import Fraction

import pytest

from mst_core.errors import UnreadableScore
from mst_core.music import Key, Meter
from mst_core.reading.abc.fields import (
    default_unit,
    read_key,
    read_meter,
    read_meters,
    read_shifts,
    read_unit,
)


@pytest.mark.parametrize(
    ("text", "name", "key", "signature"),
    [
        ("D", "Dmaj", Key(2), {"F": 1, "C": 1}),
        ("Bb minor", "Bbmin", Key(10, "minor"), dict.fromkeys("BEADG", -1)),
        ("E dorian", "Edor", Key(4, "dorian"), {"F": 1, "C": 1}),
        ("HP", "HP", Key(9, "mixolydian"), {"F": 1, "C": 1}),
        ("G exp _b", "Gmaj", Key(7), {"B": -1}),
    ],
)
def test_a_key_has_a_name_a_tonic_and_a_signature(
    text: str, name: str, key: Key, signature: dict[str, int]
) -> None:
    read = read_key(text)
    assert read is not None
    assert read[:2] == (name, key)
    assert {letter: shift for letter, shift in read[2].items() if shift} == signature


def test_a_field_that_only_sets_a_clef_is_no_key() -> None:
    assert read_key("bass") is None
    assert read_key("clef=treble octave=-1") is None


@pytest.mark.parametrize(
    ("text", "meter"),
    [
        ("6/8", Meter(6, 8)), ("C", Meter(4, 4)), ("C|", Meter(2, 2)), ("2+3/8", Meter(5, 8)),
        ("(2+2+3)/16", Meter(7, 16)), ("none", None), ("", None), ("3/4 % waltz", Meter(3, 4)),
        ("3", Meter(3, 4)), ("6", Meter(6, 8)), ("3/4+2/4", Meter(5, 4)), ("C=4/4", Meter(4, 4)),
        ("7/8 (2+2+3)", Meter(7, 8)), ("4/4 C", Meter(4, 4)), ("3/8 + 3/4", Meter(9, 8)),
        ("O", None), ("free", None), ("6 / 8", Meter(6, 8)), ("c|", Meter(2, 2)),
    ],
)  # fmt: skip
def test_a_meter_is_a_fraction_a_sum_or_a_sign(text: str, meter: Meter | None) -> None:
    assert read_meter(text) == meter


def test_several_meters_are_named_in_turn() -> None:
    assert read_meters("2/4 3/4") == (Meter(2, 4), Meter(3, 4))
    assert read_meters("9/8 6/8") == (Meter(9, 8), Meter(6, 8))


def test_the_sentence_about_a_meter_shows_it_as_it_is_written() -> None:
    with pytest.raises(UnreadableScore, match="the meter '5 / fast'"):
        read_meter("5 / fast")


@pytest.mark.parametrize("text", ["33/4", "4/64", "0/4", "fast", "4/5 3/4"])
def test_a_meter_out_of_range_is_rejected(text: str) -> None:
    with pytest.raises(UnreadableScore, match="meter"):
        read_meter(text)


def test_a_unit_of_length_is_given_in_quarter_notes() -> None:
    assert [read_unit(text) for text in ("1/8", "1/4", "1")] == [Fraction(1, 2), 1, 4]
    assert read_unit("auto") is None
    assert default_unit(Meter(2, 4)) == Fraction(1, 4)
    assert default_unit(Meter(3, 4)) == default_unit(None) == Fraction(1, 2)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("C octave=-1", "Cmaj"), ("D clef=treble-8", "Dmaj"), ("G treble-8", "Gmaj"),
        ("Em bass", "Emin"), ("F", "Fmaj"), ("C alto middle=c", "Cmaj"), ("Bb t=-2", "Bbmaj"),
        ("B flat minor", "Bbmin"), ("F sharp", "F#maj"), ("Eflat", "Ebmaj"), ("key=A", "Amaj"),
        ("H", "Bmaj"), ("Hm", "Bmin"), ("H moll", "Bmin"), ("G Dur", "Gmaj"), ("Hp", "HP"),
        ("Gm octave = 1 stafflines=5", "Gmin"), ("Dmix=c", "Dmix"), ("C G2", "Cmaj"),
    ],
)  # fmt: skip
def test_words_of_clef_octave_and_transposition_do_not_touch_the_key(text: str, name: str) -> None:
    read = read_key(text)
    assert read is not None
    assert read[0] == name


@pytest.mark.parametrize(
    ("text", "semitones"),
    [
        ("C octave=-1", -12), ("C octave = 1", 12), ("C clef=treble-8", -12), ("C treble+8", 12),
        ("1 bass-8", -12), ("C treble+15", 24), ("1 transpose=-2", -2), ("C t=3", 3),
        ("1 clef=treble-8 octave=1", 0), ("1 shift=CD", 2), ("C shift=dc", -2), ("1 sound=B", -1),
        ("MIDI transpose -12", -12), ("transpose 3", 3),
        # These change the print only.
        ("C middle=d", 0), ("C clef=treble_8", 0), ("C clef=bass", 0), ("1 score=Bc", 0),
        ("G", 0), ("C name=\"octave=2\"", 0),
    ],
)  # fmt: skip
def test_octave_and_transposition_are_semitones(text: str, semitones: int) -> None:
    assert sum(read_shifts(text).values()) == semitones
