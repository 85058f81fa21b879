"""Melodies laid out into bars: values, ties, triplets, and how pitches are spelled."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mst_core.errors import UnwritableRhythm
from mst_core.music import MODES, Key, Melody, Meter, Note, Repeat
from mst_core.notation.layout import WrittenBar, break_into_lines, lay_out_bars
from mst_core.notation.metrical_grid import MetricalGrid
from mst_core.notation.spelling import key_signature, spell_pitches
from tests.support.melodies import METERS, line, melodies, melody, sounding

QUICK = settings(deadline=None, max_examples=80)


def heard(bars: tuple[WrittenBar, ...], tune: Melody) -> list[tuple[Fraction, Fraction, int]]:
    """Read the notes back from laid out bars, tied pieces as one."""
    lines = tune.barlines
    notes: list[tuple[Fraction, Fraction, int]] = []
    for bar in bars:
        for piece in bar.notes:
            if piece.spelling is None:
                continue
            before = (bar.number - 1) * tune.meter.bar_length
            onset = (lines[bar.number - 1] if bar.number > 0 else before) + piece.onset
            if piece.tied_to_previous:
                begun, duration, pitch = notes.pop()
                assert begun + duration == onset
                assert pitch == piece.spelling.pitch
                notes.append((begun, duration + piece.duration, pitch))
            else:
                notes.append((onset, piece.duration, piece.spelling.pitch))
    return notes


def shape(tune: Melody) -> str:
    """The written values of a one-bar tune: ``4 8~ 8 z4``, ties as ~, triplets as t."""
    return " ".join(
        f"{'z' * (piece.spelling is None)}{piece.value.denominator}{'.' * piece.value.dots}"
        f"{'t' * (piece.triplet is not None)}{'~' * piece.tied_to_next}"
        for bar in lay_out_bars(tune)
        for piece in bar.notes
    )


@QUICK
@given(melodies(changes=True))
def test_bars_hold_every_note_and_last_exactly_as_long_as_the_meter_says(tune: Melody) -> None:
    bars = lay_out_bars(tune)
    assert heard(bars, tune) == sounding(tune.notes)
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
def test_repeat_signs_cut_no_note_and_lose_none(tune: Melody) -> None:
    bars = lay_out_bars(tune)
    assert heard(bars, tune) == sounding(tune.notes)
    assert sum(bar.starts_repeat for bar in bars) == len(tune.repeats)
    assert sum(bar.ends_repeat for bar in bars) == len(tune.repeats)
    endings = [each.first_ending for each in tune.repeats if each.first_ending is not None]
    for number in (1, 2):
        assert sum(bar.starts_ending for bar in bars if bar.ending == number) == len(endings)
        assert sum(bar.ends_ending for bar in bars if bar.ending == number) == len(endings)


@QUICK
@given(melodies(changes=True, repeats=True))
def test_every_sign_shows_the_time_it_takes(tune: Melody) -> None:
    for bar in lay_out_bars(tune):
        for before, after in pairwise(bar.notes):
            assert before.onset + before.duration == after.onset
        for piece in bar.notes:
            shown = Fraction(4, piece.value.denominator) * (1 + Fraction(piece.value.dots, 2))
            assert piece.duration == shown * (1 if piece.triplet is None else Fraction(2, 3))
        for number in {piece.triplet for piece in bar.notes} - {None}:
            inside = sum(piece.duration for piece in bar.notes if piece.triplet == number)
            assert inside in [Fraction(2) / 2**halving for halving in range(5)]


def strains(pickup: str, rhythm: str, *repeats: Repeat) -> Melody:
    """Two strains of two bars of 4/4 with a pickup of a quarter."""
    notes = line(pickup + rhythm, start=Fraction(-1))
    return Melody(notes, Meter(4, 4), Key(0), 120.0, 4, (0, 2), repeats=repeats)


STRAIN = "D4*8 E4*6 "
QUARTER = Fraction(1)
BOTH = (
    Repeat(0, 2, lead_in=QUARTER, lead_out=QUARTER),
    Repeat(2, 4, lead_in=QUARTER, lead_out=QUARTER),
)


def signs(tune: Melody) -> str:
    """Numbers and lengths of the bars, and the repeat signs between them."""
    return " ".join(
        f"{'|:' * bar.starts_repeat}{bar.number}={bar.length}{':|' * bar.ends_repeat}"
        for bar in lay_out_bars(tune)
    )


def test_a_repeat_sign_before_a_pickup_cuts_its_bar() -> None:
    tune = strains("C4*2 ", STRAIN + "C4*2 " + STRAIN, *BOTH)
    assert signs(tune) == "|:0=1 1=4 2=3:| |:2=1 3=4 4=3:|"
    assert [bar.starts_section for bar in lay_out_bars(tune)] == [
        True,
        False,
        False,
        True,
        False,
        False,
    ]


def test_silence_behind_a_repeat_sign_is_not_written() -> None:
    tune = strains("C4*2 ", STRAIN + "z*2 " + STRAIN, BOTH[0], Repeat(2, 4))
    assert signs(tune) == "|:0=1 1=4 2=3:| |:3=4 4=4:|"


def test_a_note_that_sounds_on_is_not_cut_by_a_repeat_sign() -> None:
    tune = strains("C4*2 ", "D4*8 E4*8 " + STRAIN, *BOTH)
    assert signs(tune) == "|:0=1 1=4 2=4:| |:3=4 4=3:|"


def test_a_second_ending_of_one_bar_stays_beside_the_first() -> None:
    repeated = strains("C4*2 ", "D4*8 E4*8 F4*8 G4*8", Repeat(0, 2, 1, 3, lead_in=QUARTER))
    tune = replace(repeated, sections=(0, 3))
    assert [[bar.number for bar in each] for each in break_into_lines(lay_out_bars(tune), 2)] == [
        [0, 1, 2, 3], [4],
    ]  # fmt: skip


@given(st.sampled_from(METERS))
def test_the_groups_of_a_bar_begin_inside_it(meter: str) -> None:
    pulse = MetricalGrid.for_meter(Meter.parse(meter))
    assert pulse.group_starts[0] == 0
    assert pulse.strong_positions <= {0, *pulse.group_starts}
    assert max(pulse.group_starts) < pulse.bar_ticks


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
def test_values_show_the_pulse_as_a_musician_would(text: str, meter: str, written: str) -> None:
    assert shape(melody(text, meter=meter)) == written


def test_a_note_off_the_grid_is_refused_with_its_place() -> None:
    fifth = (Note(Fraction(0), Fraction(1), 60), Note(Fraction(4), Fraction(1, 5), 62))
    tune = Melody(fifth, Meter(4, 4), Key(0), 120.0, bar_count=2)
    with pytest.raises(UnwritableRhythm, match=r"bar 2 .* 1/5 quarters after the barline"):
        lay_out_bars(tune)


# Spelling


@given(st.lists(st.integers(0, 127), max_size=20), st.integers(0, 11), st.sampled_from([*MODES]))
def test_a_spelled_pitch_sounds_as_it_should(pitches: list[int], tonic: int, mode: str) -> None:
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
def test_notes_outside_the_scale_are_raised_going_up_and_lowered_going_down(
    key: str, text: str, names: str
) -> None:
    pitches = [each.pitch for each in line(text)]
    spelled = spell_pitches(pitches, Key.parse(key))
    signs = {-1: "b", 0: "", 1: "#"}
    assert " ".join(each.letter + signs[each.alteration] for each in spelled) == names
