"""What is written is what was composed, note for note: ABC and MusicXML."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import replace
from fractions import Fraction

import pytest
import verovio
from hypothesis import HealthCheck, assume, given, settings
from music21 import converter, note, stream

from mst_core.music import Melody, Meter, MeterChange, Repeat
from mst_core.notation.abc import write_abc
from mst_core.notation.layout import lay_out_bars
from mst_core.notation.musicxml import write_musicxml
from mst_core.reading.abc.read import read_abc_score
from tests.support.melodies import JIG, REEL, SWING_LINE, melodies, melody, sounding

QUICK = settings(deadline=None, max_examples=80)
SLOW = settings(deadline=None, max_examples=12, suppress_health_check=[HealthCheck.too_slow])


def test_a_reel_is_pleasant_to_read() -> None:
    assert write_abc(REEL, title="The Grey Cat") == (
        "X:1\nT:The Grey Cat\nM:4/4\nL:1/8\nQ:1/4=200\nK:D\n"
        "dAFA defd | ecAc efge | f2df afdf | edcB AFGA |\n"
        "dAFA defd | ecAc efge | (3fga fd Bgec | d2dc d4 ||\n"
        "a2fa dafa | b2gb ebgb | afdf agfe | dcBc ABcd |\n"
        "a2fa dafa | b2gb ebgb | agfe dBge | cABc d4 |]\n"
    )


def test_a_jig_goes_in_threes_and_begins_with_its_pickup() -> None:
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
def test_accidentals_stand_only_where_a_reader_needs_them(
    key: str, text: str, written: str
) -> None:
    assert f"\n{written} |]\n" in write_abc(melody(text, key=key))


def test_an_accidental_is_written_again_behind_a_barline() -> None:
    tune = melody("C5*6 F#4*4 F#4 G4*5", bars=2)
    assert "\nc6 ^F2- | ^F2FG- G4 |]\n" in write_abc(tune)


def test_a_title_stays_on_its_line() -> None:
    assert "\nT:Up \\% down K:C\nM:" in write_abc(REEL, title=" Up %\ndown\nK:C")


@QUICK
@given(melodies(changes=True, repeats=True))
def test_every_abc_bar_sums_exactly(tune: Melody) -> None:
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
def test_what_is_written_as_abc_is_read_back_whole(tune: Melody) -> None:
    first = lay_out_bars(tune)[0]
    # A reader knows a pickup by its short bar, and wants a melody of two notes at least.
    assume(len(tune.notes) > 1 and (first.number > 0 or not first.is_complete))
    assert read_abc_score(write_abc(tune)).melody == tune


JIG_TWICE = replace(
    JIG,
    repeats=(
        Repeat(0, 8, lead_in=Fraction(1, 2), lead_out=Fraction(1, 2)),
        Repeat(8, 15, 14, 16, lead_in=Fraction(1, 2)),
    ),
)


def test_strains_are_repeated_from_their_pickups() -> None:
    music = write_abc(JIG_TWICE).splitlines()[6:]
    assert music == [
        "|: d | BGG ABc | BGB A2B | cec BdB | ABA D2d |",
        "BGG ABc | BGB A2B | cec BAB | G3 G2 :|",
        "|: d | g3/2f/g dBd | ege d2B | cec BdB | ABA A2d |",
        "g3/2f/g dBd | ege d2B |1 cec BAB :|2 G3 G2z |]",
    ]


def test_a_change_of_meter_stands_before_its_bar() -> None:
    tune = melody("C4*6 D4*4 E4*4 F4*6", meter="3/4", bars=4)
    changed = replace(
        tune, meter_changes=(MeterChange(1, Meter(2, 4)), MeterChange(3, Meter(3, 4)))
    )
    assert "\nC6 | [M:2/4] D4 | E4 | [M:3/4] F6 |]\n" in write_abc(changed)


def test_an_ending_that_begins_a_line_is_numbered_there() -> None:
    tune = replace(REEL, sections=(0,), repeats=(Repeat(0, 6, 4, 8),))
    assert write_abc(tune).splitlines()[6:9] == [
        "|: dAFA defd | ecAc efge | f2df afdf | edcB AFGA |",
        "[1 dAFA defd | ecAc efge :|2 (3fga fd Bgec | d2dc d4 ||",
        "a2fa dafa | b2gb ebgb | afdf agfe | dcBc ABcd |",
    ]


def test_a_section_within_an_ending_does_not_end_it() -> None:
    tune = replace(REEL, sections=(0, 5, 8), repeats=(Repeat(0, 6, 4, 8),))
    assert read_abc_score(write_abc(tune)).melody == replace(tune, sections=(0, 8))


# MusicXML


def parsed(tune: Melody) -> stream.Score:
    score = converter.parse(write_musicxml(tune, title="A tune"), format="musicxml")
    assert isinstance(score, stream.Score)
    return score


@SLOW
@given(melodies(most_bars=3, changes=True, repeats=True))
def test_what_is_written_as_musicxml_is_read_back_note_for_note(tune: Melody) -> None:
    part = parsed(tune).parts[0]
    written = lay_out_bars(tune)
    lengths: list[Fraction] = []
    notes: list[tuple[int, Fraction, int]] = []  # of which bar, how long, how high
    for measure, bar in zip(part.getElementsByClass(stream.Measure), written, strict=True):
        assert measure.number == bar.number
        inside = Fraction(0)
        for each in measure.notesAndRests:
            length = Fraction(each.quarterLength).limit_denominator(24)
            if isinstance(each, note.Note):
                if each.tie and each.tie.type in ("stop", "continue"):
                    begun, duration, pitch = notes.pop()
                    assert pitch == each.pitch.midi
                    notes.append((begun, duration + length, pitch))
                else:
                    notes.append((bar.number, length, each.pitch.midi))
            inside += length
        lengths.append(inside)
    assert lengths == [bar.length for bar in written]
    lines = (-tune.meter.bar_length, *tune.barlines)
    assert notes == [
        (bisect_right(lines, onset) - 1, duration, pitch)
        for onset, duration, pitch in sounding(tune.notes)
    ]


def test_musicxml_says_where_meters_change_and_strains_are_repeated() -> None:
    tune = replace(JIG_TWICE, meter_changes=(MeterChange(15, Meter(3, 4)),))
    text = write_musicxml(tune).decode()
    assert re.findall("<beats>(.)</beats>", text) == ["6", "3"]
    assert re.findall('<repeat direction="(.*?)"', text) == [
        "forward", "backward", "forward", "backward",
    ]  # fmt: skip
    assert re.findall('<ending number="(.)" type="(.*?)"', text) == [
        ("1", "start"), ("1", "stop"), ("2", "start"), ("2", "stop"),
    ]  # fmt: skip
    # The bar of the first repeat sign is written in two parts, and shown as one.
    assert re.findall('<measure implicit="yes" number="(.*?)"', text) == ["0", "8", "8b"]


def test_musicxml_names_nobody_and_no_day_and_is_the_same_each_time() -> None:
    first, second = write_musicxml(JIG), write_musicxml(JIG)
    assert first == second
    assert b"usic21" not in first
    assert b"encoding-date" not in first


def test_musicxml_says_key_meter_tempo_and_barlines() -> None:
    text = write_musicxml(SWING_LINE, title="After <Nine>").decode()
    assert "<fifths>-2</fifths>" in text
    assert "<mode>major</mode>" in text
    assert "<beats>4</beats>" in text
    assert "<per-minute>168</per-minute>" in text
    assert "<work-title>After &lt;Nine&gt;</work-title>" in text
    assert text.count("<bar-style>light-light</bar-style>") == 1
    assert text.count("<bar-style>light-heavy</bar-style>") == 1
    assert len(re.findall('<tuplet [^>]*type="start"', text)) == 3
    assert len(re.findall('<tuplet [^>]*type="stop"', text)) == 3


def test_the_pickup_of_musicxml_is_measure_0() -> None:
    text = write_musicxml(JIG).decode()
    assert '<measure implicit="yes" number="0">' in text
    assert text.count("<measure ") == 17


@pytest.mark.parametrize("tune", [REEL, JIG, SWING_LINE])
def test_an_engraver_loads_our_musicxml(tune: Melody) -> None:
    engraver = verovio.toolkit()
    engraver.setOptions({"pageHeight": 60000})
    assert engraver.loadData(write_musicxml(tune).decode())
    heads = engraver.renderToSVG(1).count('class="notehead"')
    pieces = [piece for bar in lay_out_bars(tune) for piece in bar.notes]
    assert heads == sum(1 for piece in pieces if piece.spelling)
