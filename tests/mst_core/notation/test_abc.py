"""Tests of the ABC writer: layout, accidentals, repeats, and round trips through the reader."""

from __future__ import annotations

import re
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import assume, given, settings

from mst_core.music import (
    ChordSymbol,
    GraceNotes,
    Key,
    KeyChange,
    Melody,
    Meter,
    MeterChange,
    Repeat,
    TempoChange,
)
from mst_core.notation.abc import write_abc
from mst_core.notation.layout import lay_out_bars
from mst_core.reading.abc.read import read_abc_score
from mst_core.reading.key_finding import share_outside
from tests.support.melodies import JIG, JIG_WITH_REPEATS, REEL, melodies, melody

QUICK = settings(deadline=None, max_examples=80)


def test_a_reel_is_written_with_four_bars_a_line_and_beats_apart() -> None:
    assert write_abc(REEL, title="The Grey Cat") == (
        "X:1\nT:The Grey Cat\nM:4/4\nL:1/8\nQ:1/4=200\nK:D\n"
        "dAFA defd | ecAc efge | f2df afdf | edcB AFGA |\n"
        "dAFA defd | ecAc efge | (3fga fd Bgec | d2dc d4 ||\n"
        "a2fa dafa | b2gb ebgb | afdf agfe | dcBc ABcd |\n"
        "a2fa dafa | b2gb ebgb | agfe dBge | cABc d4 |]\n"
    )


def test_a_jig_is_grouped_in_threes_and_begins_with_its_pickup() -> None:
    music = write_abc(JIG).splitlines()[4:]
    assert music[:3] == ["Q:3/8=120", "K:G", "d | BGG ABc | BGB A2B | cec BdB | ABA D2d |"]


@pytest.mark.parametrize(
    ("key", "text", "written"),
    [
        ("C", "F#4 F#4 G4 F4 G4*4", "^FFG=F G4"),
        ("D", "F4 F#4 C5 C#5 D5*4", "=F^F=c^c d4"),
        ("C", "F#4 G4 F5 E5 F#4*4", "^FG=fe ^F4"),
        ("Bb", "B4 C5 E4 F4 C3*2 C6*2", "=Bc=EF C,2c'2"),
    ],
)
def test_accidentals_are_written_only_where_needed(key: str, text: str, written: str) -> None:
    assert f"\n{written} |]\n" in write_abc(melody(text, key=key))


def test_an_accidental_is_repeated_after_a_barline() -> None:
    tune = melody("C5*6 F#4*4 F#4 G4*5", bars=2)
    assert "\nc6 ^F2- | ^F2FG- G4 |]\n" in write_abc(tune)


def test_a_title_stays_on_its_line() -> None:
    assert "\nT:Up \\% down K:C\nM:" in write_abc(REEL, title=" Up %\ndown\nK:C")


@QUICK
@given(melodies(changes=True, repeats=True))
def test_the_lengths_in_every_bar_sum_to_the_bar(tune: Melody) -> None:
    text = write_abc(tune)
    unit = Fraction(re.search(r"^L:(.*)$", text, re.M)[1])  # type: ignore[index]
    music = text.split("\nK:", 1)[1].split("\n", 1)[1]
    bars = re.split(r"\[[12]|[:|]?\|[:|\]]?[12]?|::", re.sub(r"\[M:[^]]*\]", "", music))
    lengths = []
    for bar in filter(str.strip, bars):
        length, left, factor = Fraction(0), 0, Fraction(1)
        for three, count, sign, numerator, slash, denominator in re.findall(
            r"(\(3(?::2:(\d+))?)|([A-Ga-gz])[,']*(\d*)(/?)(\d*)", bar
        ):
            if three:
                left, factor = int(count or 3), Fraction(2, 3)
                continue
            assert sign
            written = Fraction(int(numerator or 1), int(denominator or (2 if slash else 1)))
            length += written * unit * 4 * (factor if left > 0 else 1)
            left -= 1
        lengths.append(length)
    assert lengths == [bar.length for bar in lay_out_bars(tune)]


@QUICK
@given(melodies(changes=True, repeats=True))
def test_an_abc_tune_reads_back_as_the_same_melody(tune: Melody) -> None:
    first = lay_out_bars(tune)[0]
    # A reader knows a pickup by its short bar, and wants a melody of two notes at least.
    assume(len(tune.notes) > 1 and (first.number > 0 or not first.is_complete))
    # C major that the notes clearly contradict is not believed.
    assume(tune.key.fifths or share_outside(tune.key, tune.notes) <= 0.25)
    assert read_abc_score(write_abc(tune)).melody == tune


def test_sections_are_repeated_from_their_pickups() -> None:
    music = write_abc(JIG_WITH_REPEATS).splitlines()[6:]
    assert music == [
        "|: d | BGG ABc | BGB A2B | cec BdB | ABA D2d |",
        "BGG ABc | BGB A2B | cec BAB | G3 G2 :|",
        "|: d | g3/2f/g dBd | ege d2B | cec BdB | ABA A2d |",
        "g3/2f/g dBd | ege d2B |1 cec BAB :|2 G3 G2z |]",
    ]


def test_a_meter_change_is_written_before_its_bar() -> None:
    tune = melody("C4*6 D4*4 E4*4 F4*6", meter="3/4", bars=4)
    changed = replace(
        tune, meter_changes=(MeterChange(1, Meter(2, 4)), MeterChange(3, Meter(3, 4)))
    )
    assert "\nC6 | [M:2/4] D4 | E4 | [M:3/4] F6 |]\n" in write_abc(changed)


def test_an_ending_at_the_start_of_a_line_is_numbered_there() -> None:
    tune = replace(REEL, sections=(0,), repeats=(Repeat(0, 6, 4, 8),))
    assert write_abc(tune).splitlines()[6:9] == [
        "|: dAFA defd | ecAc efge | f2df afdf | edcB AFGA |",
        "[1 dAFA defd | ecAc efge :|2 (3fga fd Bgec | d2dc d4 ||",
        "a2fa dafa | b2gb ebgb | afdf agfe | dcBc ABcd |",
    ]


def test_a_section_within_an_ending_does_not_end_it() -> None:
    tune = replace(REEL, sections=(0, 5, 8), repeats=(Repeat(0, 6, 4, 8),))
    assert read_abc_score(write_abc(tune)).melody == replace(tune, sections=(0, 8))


def test_chord_symbols_stand_before_their_notes_and_split_held_ones() -> None:
    tune = melody("C4*8 E4*2 G4*2 z*4", bars=2)
    chords = (("C", 0), ("F#m7b5/E", 3), ("Bb", 5), ("N.C.", 6))
    written = write_abc(
        replace(tune, chords=tuple(ChordSymbol(Fraction(at), text) for text, at in chords))
    )
    music = '"C"C6-"F#m7b5/E"C2 | E2"Bb"G2 "N.C."z4 |]'
    assert written.splitlines()[6] == music
    assert read_abc_score(written).melody.notes == tune.notes


def test_a_chord_symbol_within_a_note_of_a_triplet_waits_for_the_next_note() -> None:
    tune = melody("C4*2/3 D4*2/3 E4*2/3 F4*6")
    chord = ChordSymbol(Fraction(1, 2), "G7")
    assert '(3CD"G7"E F6 |]' in write_abc(replace(tune, chords=(chord,)))


def test_a_silent_bar_keeps_its_chord_symbols() -> None:
    tune = melody("C4*8", bars=3)
    chords = tuple(ChordSymbol(Fraction(at), text) for text, at in (("F", 4), ("C", 8), ("G", 10)))
    assert 'C8 | "F"z8 | "C"z4"G"z4 |]' in write_abc(replace(tune, chords=chords))


def test_ornaments_stand_in_braces_with_their_accidentals() -> None:
    tune = melody("C4*2 G4*2 F#4*2 F#4*2", key="G")
    graced = replace(tune, grace_notes=(GraceNotes(1, (69, 70)), GraceNotes(2, (65,))))
    written = write_abc(graced)
    assert "C2{A_B}G2 {=F}^F2F2 |]" in written
    assert read_abc_score(written).melody.notes == tune.notes


def test_keys_and_tempos_on_the_way_stand_before_their_bars() -> None:
    tune = melody("C4*8 G4*8 G4*8 C4*8", bars=4)
    changed = replace(
        tune,
        key_changes=(KeyChange(1, Key.parse("F# minor")), KeyChange(3, Key.parse("Gb"))),
        tempo_changes=(TempoChange(Fraction(0), 90.0), TempoChange(Fraction(8), 100.5)),
    )
    lines = write_abc(changed).splitlines()
    assert lines[4:7] == [
        "Q:1/4=90",
        "K:C",
        "C8 | [K:F#m] =G8 | [Q:1/4=100.5] =G8 | [K:Gb] =C8 |]",
    ]
    assert read_abc_score(write_abc(changed)).melody.notes == tune.notes


def test_f_sharp_and_g_flat_are_different_keys() -> None:
    sharp, flat = (write_abc(melody("F#4*4 C#5*4", key=name)) for name in ("F#", "Gb"))
    assert "K:F#\nF4 c4 |]" in sharp
    assert "K:Gb\nG4 d4 |]" in flat


def test_a_tempo_within_a_held_note_splits_it() -> None:
    tune = melody("C4*8 G4*8", bars=2)
    changed = replace(
        tune,
        tempo_changes=(TempoChange(Fraction(0), 90.0), TempoChange(Fraction(3), 60.0)),
        chords=(ChordSymbol(Fraction(3), "G7"),),
    )
    written = write_abc(changed)
    assert 'C6-[Q:1/4=60] "G7"C2 | G8 |]' in written
    assert read_abc_score(written).melody == replace(changed, tempo=60.0)  # the main tempo


@pytest.mark.parametrize(
    ("tempo", "written"),
    [(60e6 / 731706, "1/4=82"), (82.5, "1/4=82.5"), (133.333333, "1/4=133.33")],
)
def test_a_tempo_counted_in_microseconds_is_written_as_people_write_it(
    tempo: float, written: str
) -> None:
    assert f"\nQ:{written}\n" in write_abc(replace(REEL, tempo=tempo))
