"""Tests of the values of music: keys, meters, barlines and checks of melodies."""

from __future__ import annotations

from fractions import Fraction

import pytest

from mst_core.errors import BadOption
from mst_core.music import MODES, Key, Melody, Meter, MeterChange, Note


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("Bb", "B♭ major"),
        ("B flat", "B♭ major"),
        ("b Flat minor", "B♭ minor"),
        ("E-flat dorian", "E♭ dorian"),
        ("F sharp minor", "F♯ minor"),
        ("F#m", "F♯ minor"),
        ("B", "B major"),
        ("Bm", "B minor"),
    ],
)
def test_an_accidental_may_be_a_sign_or_a_word(written: str, name: str) -> None:
    assert Key.parse(written).name == name


@pytest.mark.parametrize("written", ["H", "B flatter", "sharp", "D natural", ""])
def test_a_text_that_names_no_key_is_an_error(written: str) -> None:
    with pytest.raises(BadOption, match="write it as D, Em"):
        Key.parse(written)


@pytest.mark.parametrize(
    ("text", "meter"), [("6/8", Meter(6, 8)), (" C ", Meter(4, 4)), ("C|", Meter(2, 2))]
)
def test_a_meter_is_parsed(text: str, meter: Meter) -> None:
    assert Meter.parse(text) == meter


@pytest.mark.parametrize("text", ["", "4", "4/5", "0/4", "33/4", "4/64", "4:4"])
def test_a_text_that_names_no_meter_is_an_error(text: str) -> None:
    with pytest.raises(BadOption, match="write it as 4/4, 6/8 or 3/4"):
        Meter.parse(text)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("4/4", "2/2", True),
        ("6/8", "6/8", True),
        ("3/4", "6/8", False),
        ("6/8", "12/16", True),
        ("4/4", "3/4", False),
    ],
)
def test_meters_have_the_same_bar_when_length_and_division_of_the_beat_agree(
    one: str, other: str, same: bool
) -> None:
    first, second = Meter.parse(one), Meter.parse(other)
    assert first.same_bar(second) == second.same_bar(first) == same


def test_the_beat_of_a_compound_meter_is_dotted() -> None:
    assert Meter(6, 8).beat_length == Fraction(3, 2)
    assert Meter(3, 4).beat_length == 1
    assert Meter(3, 8).beat_length == Fraction(1, 2)


def test_barlines_follow_the_meter_changes() -> None:
    changes = (MeterChange(1, Meter(2, 4)), MeterChange(2, Meter(4, 4)))
    tune = Melody((), Meter(4, 4), Key(0), 120.0, 3, meter_changes=changes)
    assert [int(line) for line in tune.barlines] == [0, 4, 6, 10]
    assert tune.length == 10
    assert [tune.meter_at(bar) for bar in (-1, 0, 1, 2)] == [
        Meter(4, 4),
        Meter(4, 4),
        Meter(2, 4),
        Meter(4, 4),
    ]


def test_a_pickup_adds_to_the_duration_in_seconds() -> None:
    notes = (Note(Fraction(-1), Fraction(1), 60), Note(Fraction(0), Fraction(4), 62))
    tune = Melody(notes, Meter(4, 4), Key(0), 120.0, 1)
    assert tune.pickup == 1
    assert tune.seconds == 2.5


@pytest.mark.parametrize(
    ("notes", "message"),
    [
        ([(0, 2), (1, 1)], "overlap"),
        ([(0, 0)], "duration above 0"),
        ([(3, 2)], "after the 1 bars"),
    ],
)
def test_a_melody_that_cannot_be_is_an_error(notes: list[tuple[int, int]], message: str) -> None:
    values = tuple(Note(Fraction(onset), Fraction(duration), 60) for onset, duration in notes)
    with pytest.raises(ValueError, match=message):
        Melody(values, Meter(4, 4), Key(0), 120.0, 1)


@pytest.mark.parametrize(
    ("written", "name", "fifths"),
    [
        ("F#", "F♯ major", 6),
        ("Gb", "G♭ major", -6),
        ("C#", "C♯ major", 7),
        ("Db", "D♭ major", -5),
        ("Cb", "C♭ major", -7),
        ("B", "B major", 5),
        ("D#m", "D♯ minor", 6),
        ("Ebm", "E♭ minor", -6),
        ("A#m", "A♯ minor", 7),
        ("Abm", "A♭ minor", -7),
        ("G# dorian", "G♯ dorian", 6),
        ("F#m", "F♯ minor", 3),
        ("G#", "A♭ major", -4),
    ],
)
def test_a_key_keeps_the_signature_it_is_written_with(written: str, name: str, fifths: int) -> None:
    key = Key.parse(written)
    assert (key.name, key.fifths) == (name, fifths)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("fifths", range(-7, 8))
def test_every_signature_and_mode_is_a_key_that_its_name_gives_back(fifths: int, mode: str) -> None:
    key = Key.from_fifths(fifths, mode)
    assert key.fifths == fifths
    assert Key.parse(f"{key.tonic_name} {mode}") == key


@pytest.mark.parametrize(("fifths", "name"), [(9, "E♭ major"), (-8, "E major"), (12, "C major")])
def test_a_signature_of_more_than_seven_is_that_of_the_enharmonic_key(
    fifths: int, name: str
) -> None:
    assert Key.from_fifths(fifths).name == name


def test_a_key_with_a_single_signature_has_no_other() -> None:
    with pytest.raises(ValueError, match="single signature"):
        Key(0, "major", enharmonic=True)
