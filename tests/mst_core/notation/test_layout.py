"""Tests of the layout: bars, note values, ties, triplets and repeat signs."""

from __future__ import annotations

import time
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mst_core.errors import UnwritableRhythm
from mst_core.music import Key, Melody, Meter, Note, Repeat
from mst_core.notation.layout import WrittenBar, break_into_lines, lay_out_bars
from tests.support.melodies import line, melodies, melody, sounding

QUICK = settings(deadline=None, max_examples=80)


def notes_of(bars: tuple[WrittenBar, ...], tune: Melody) -> list[tuple[Fraction, Fraction, int]]:
    """Return onset, duration and pitch of the notes of laid-out bars, tied ones joined."""
    lines = tune.barlines
    notes: list[tuple[Fraction, Fraction, int]] = []
    for bar in bars:
        for each in bar.notes:
            if each.spelling is None:
                continue
            before = (bar.number - 1) * tune.meter.bar_length
            onset = (lines[bar.number - 1] if bar.number > 0 else before) + each.onset
            if each.tied_to_previous:
                begun, duration, pitch = notes.pop()
                assert begun + duration == onset
                assert pitch == each.spelling.pitch
                notes.append((begun, duration + each.duration, pitch))
            else:
                notes.append((onset, each.duration, each.spelling.pitch))
    return notes


def shape(tune: Melody) -> str:
    """Return the note values of a tune: ``4 8~ 8 z4``, rests as z, ties as ~, triplets as t."""
    return " ".join(
        f"{'z' * (each.spelling is None)}{each.denominator}{'.' * each.dots}"
        f"{'t' * (each.triplet is not None)}{'~' * each.tied_to_next}"
        for bar in lay_out_bars(tune)
        for each in bar.notes
    )


@QUICK
@given(melodies(changes=True), st.booleans())
def test_bars_contain_every_note_and_are_as_long_as_their_meter(
    tune: Melody, tuplets: bool
) -> None:
    bars = lay_out_bars(tune, tuplets=tuplets)
    assert notes_of(bars, tune) == sounding(tune.notes)
    full = [bar for bar in bars if bar.number > 0]
    assert [bar.length for bar in full] == [
        tune.meter_at(bar).bar_length for bar in range(tune.bar_count)
    ]
    assert [bar.number - 1 for bar in full if bar.changes_meter] == [
        change.bar for change in tune.meter_changes
    ]
    assert [bar.number for bar in full if bar.starts_section] == [
        section + 1 for section in tune.sections if section or not tune.pickup
    ]
    assert bars[-1].right_barline == "final"


@QUICK
@given(melodies(changes=True, repeats=True))
def test_repeat_signs_split_and_lose_no_note(tune: Melody) -> None:
    bars = lay_out_bars(tune)
    assert notes_of(bars, tune) == sounding(tune.notes)
    assert sum(bar.starts_repeat for bar in bars) == len(tune.repeats)
    assert sum(bar.ends_repeat for bar in bars) == len(tune.repeats)
    endings = [each.first_ending for each in tune.repeats if each.first_ending is not None]
    for number in (1, 2):
        assert sum(bar.starts_ending for bar in bars if bar.ending == number) == len(endings)
        assert sum(bar.ends_ending for bar in bars if bar.ending == number) == len(endings)


@QUICK
@given(melodies(changes=True, repeats=True))
def test_every_note_value_equals_its_duration(tune: Melody) -> None:
    for bar in lay_out_bars(tune):
        for before, after in pairwise(bar.notes):
            assert before.onset + before.duration == after.onset
        for each in bar.notes:
            shown = Fraction(4, each.denominator) * (1 + Fraction(each.dots, 2))
            assert each.duration == shown * (1 if each.triplet is None else Fraction(2, 3))
        for number in {each.triplet for each in bar.notes} - {None}:
            inside = sum(each.duration for each in bar.notes if each.triplet == number)
            assert inside in [Fraction(2) / 2**halving for halving in range(5)]


def two_sections(pickup: str, rhythm: str, *repeats: Repeat) -> Melody:
    """Return two sections of two bars of 4/4 with a pickup of a quarter."""
    notes = line(pickup + rhythm, start=Fraction(-1))
    return Melody(notes, Meter(4, 4), Key(0), 120.0, 4, (0, 2), repeats=repeats)


SECTION = "D4*8 E4*6 "
QUARTER = Fraction(1)
BOTH = (
    Repeat(0, 2, lead_in=QUARTER, lead_out=QUARTER),
    Repeat(2, 4, lead_in=QUARTER, lead_out=QUARTER),
)


def signs(tune: Melody) -> str:
    """Return number and length of each bar, with the repeat signs between them."""
    return " ".join(
        f"{'|:' * bar.starts_repeat}{bar.number}={bar.length}{':|' * bar.ends_repeat}"
        for bar in lay_out_bars(tune)
    )


def test_a_repeat_sign_before_a_pickup_splits_its_bar() -> None:
    tune = two_sections("C4*2 ", SECTION + "C4*2 " + SECTION, *BOTH)
    assert signs(tune) == "|:0=1 1=4 2=3:| |:2=1 3=4 4=3:|"
    assert [bar.starts_section for bar in lay_out_bars(tune)] == [
        True,
        False,
        False,
        True,
        False,
        False,
    ]


def test_silence_after_a_repeat_sign_is_not_written() -> None:
    tune = two_sections("C4*2 ", SECTION + "z*2 " + SECTION, BOTH[0], Repeat(2, 4))
    assert signs(tune) == "|:0=1 1=4 2=3:| |:3=4 4=4:|"


def test_a_held_note_is_not_split_by_a_repeat_sign() -> None:
    tune = two_sections("C4*2 ", "D4*8 E4*8 " + SECTION, *BOTH)
    assert signs(tune) == "|:0=1 1=4 2=4:| |:3=4 4=3:|"


def test_a_second_ending_of_one_bar_stays_in_the_line_of_the_first() -> None:
    repeated = two_sections("C4*2 ", "D4*8 E4*8 F4*8 G4*8", Repeat(0, 2, 1, 3, lead_in=QUARTER))
    tune = replace(repeated, sections=(0, 3))
    assert [[bar.number for bar in each] for each in break_into_lines(lay_out_bars(tune), 2)] == [
        [0, 1, 2, 3],
        [4],
    ]


@pytest.mark.parametrize(
    ("text", "meter", "written"),
    [
        ("C4*2 D4*4 E4*2", "4/4", "4 2 4"),
        ("C4 D4*2 E4*2 F4*2 G4", "4/4", "8 4 8~ 8 4 8"),
        ("C4*3 D4*5", "4/4", "4. 8~ 2"),
        ("C4*2 D4*3 E4*3", "4/4", "4 4~ 8 4."),
        ("C4 D4*3 E4*4", "4/4", "8 4. 2"),
        ("C4*5/2 D4*3/2 E4*4", "4/4", "4~ 16 8. 2"),
        ("C4*2 z*4 D4*2", "4/4", "4 z4 z4 4"),
        ("C4 z*2 D4 z*4", "4/4", "8 z8 z8 8 z2"),
        ("C4*4 z*2", "3/4", "2 z4"),
        ("C4 D4*3 E4*2", "3/4", "8 8~ 4 4"),
        ("C4*2 D4*2 E4*2", "6/8", "4 8~ 8 4"),
        ("C4 D4*2 z*3", "6/8", "8 4 z4."),
        ("C4*6 D4*3", "9/8", "2. 4."),
        ("C4*2/3 D4*2/3 E4*2/3 F4*6", "4/4", "8t 8t 8t 2."),
        ("C4*4/3 D4*2/3 E4*6", "4/4", "4t 8t 2."),
        ("C4*4/3 D4*4/3 E4*4/3 F4*4", "4/4", "4t 4t 4t 2"),
        ("C4 D4*1/3 E4*1/3 F4*1/3 G4*6", "4/4", "8 16t 16t 16t 2."),
        ("C4*2/3 z*4/3 D4*6", "4/4", "8t z4t 2."),
        ("C4*1/3 D4*1/3 E4*1/3 F4*2 G4*3", "6/8", "16t 16t 16t 4 4."),
    ],
)
def test_note_values_keep_the_beat_visible(text: str, meter: str, written: str) -> None:
    assert shape(melody(text, meter=meter)) == written


def test_a_note_off_the_grid_is_an_error_that_names_its_position() -> None:
    fifth = (Note(Fraction(0), Fraction(1), 60), Note(Fraction(4), Fraction(1, 5), 62))
    tune = Melody(fifth, Meter(4, 4), Key(0), 120.0, bar_count=2)
    with pytest.raises(UnwritableRhythm, match=r"bar 2 .* 1/5 quarters after the barline"):
        lay_out_bars(tune)


@pytest.mark.parametrize(
    "meter", ["31/8", "29/16", "25/8", "23/8", "17/4", "15/4", "13/4", "32/1", "31/2", "31/32"]
)
def test_long_notes_and_rests_of_odd_bars_are_split_at_once(meter: str) -> None:
    parsed = Meter.parse(meter)
    bar = parsed.bar_length
    held = Note(Fraction(0), bar, 60)
    late = Note(3 * bar - Fraction(1, 24), Fraction(1, 24), 62)
    tune = Melody((held, late), parsed, Key(0), 120.0, bar_count=3)
    start = time.process_time()
    bars = lay_out_bars(tune)
    assert time.process_time() - start < 1.0  # all ways to split a bar of 31/8 took hours
    assert notes_of(bars, tune) == sounding(tune.notes)
    assert [each.length for each in bars] == [bar] * 3
    # A note value lasts six quarters at most, so the beats shown are few.
    assert len(bars[0].notes) <= bar / 6 + 3


def test_a_silent_bar_of_twenty_four_quarters_is_one_bar_of_rest() -> None:
    tune = Melody((Note(Fraction(0), Fraction(1), 60),), Meter(24, 4), Key(0), 120.0, bar_count=2)
    bars = lay_out_bars(tune)
    assert bars[1].is_empty
    assert bars[1].length == 24
