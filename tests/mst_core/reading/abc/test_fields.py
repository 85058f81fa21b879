"""The fields of an ABC tune: key, meter, unit of length and tempo."""

from __future__ import annotations

from fractions import Fraction

import pytest

from mst_core.errors import UnreadableScore
from mst_core.music import Key, Meter
from mst_core.reading.abc.fields import (
    default_unit,
    read_key,
    read_meter,
    read_tempo,
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
    ],
)  # fmt: skip
def test_a_meter_is_a_fraction_a_sum_or_a_sign(text: str, meter: Meter | None) -> None:
    assert read_meter(text) == meter


@pytest.mark.parametrize("text", ["33/4", "4/64", "0/4", "fast"])
def test_a_meter_out_of_range_is_rejected(text: str) -> None:
    with pytest.raises(UnreadableScore, match="meter"):
        read_meter(text)


def test_a_unit_of_length_is_given_in_quarter_notes() -> None:
    assert [read_unit(text) for text in ("1/8", "1/4", "1")] == [Fraction(1, 2), 1, 4]
    assert default_unit(Meter(2, 4)) == Fraction(1, 4)
    assert default_unit(Meter(3, 4)) == default_unit(None) == Fraction(1, 2)


def test_a_tempo_without_a_note_length_counts_units() -> None:
    assert read_tempo("120", Fraction(1, 2)) == 60
    assert read_tempo("1/4=120", Fraction(1, 2)) == 120
    assert read_tempo("1/4=2000", Fraction(1, 2)) is None
