"""The bars, sections and repeats of MusicXML scores."""

from __future__ import annotations

from fractions import Fraction

import pytest

from mst_core.errors import TooLong
from mst_core.music import Meter, MeterChange, Repeat
from mst_core.reading.musicxml.read import read_musicxml
from mst_core.reading.parsed_score import Limits
from tests.support.xml_scores import (
    BACKWARD,
    DOUBLE,
    FORWARD,
    document,
    ending,
    measure,
    melody_notes,
    meter,
    part,
    read,
    score_part,
    signature,
)

HALF = Fraction(1, 2)
BAR = "C4*2 D4*2"


def test_a_pickup_comes_before_the_first_downbeat() -> None:
    for implicit in (True, False):
        tune = read(measure("G4", implicit=implicit), BAR, "C4*3").melody
        assert [note.onset for note in tune.notes] == [-1, 0, 2, 4]
        assert tune.pickup == 1
        assert (tune.bar_count, tune.meter_changes) == (2, ())


def test_a_first_measure_that_rests_before_its_pickup_is_a_full_bar() -> None:
    tune = read("z*3 G4", BAR).melody
    assert [note.onset for note in tune.notes] == [3, 4, 6]
    assert tune.bar_count == 2


def test_an_implicit_first_measure_that_rests_before_its_pickup_is_the_pickup() -> None:
    tune = read(measure("z*3 G4", implicit=True), BAR).melody
    assert [note.onset for note in tune.notes] == [-1, 0, 2]
    assert tune.bar_count == 1
    assert read(measure("C4*4", implicit=True), BAR).melody.bar_count == 2


def test_a_bar_that_a_repeat_sign_cuts_in_two_is_one_bar() -> None:
    jig = signature(meter="6/8")
    tune = read(
        measure(jig, "D4*1/2", implicit=True),
        measure("E4*3"), measure("F4*5/2", BACKWARD),
        measure(FORWARD, "G4*1/2"), measure("A4*3"), measure("B4*5/2", BACKWARD),
    ).melody  # fmt: skip
    assert [note.onset for note in tune.notes] == [-HALF, 0, 3, Fraction(11, 2), 6, 9]
    assert (tune.bar_count, tune.meter_changes, tune.sections) == (4, (), (0, 2))
    assert tune.repeats == (
        Repeat(0, 2, lead_in=HALF, lead_out=HALF),
        Repeat(2, 4, lead_in=HALF, lead_out=HALF),
    )


def test_a_bar_that_a_line_break_cuts_in_two_is_one_bar() -> None:
    tune = read(BAR, "C4*2", measure("D4*2", implicit=True), BAR).melody
    assert [note.onset for note in tune.notes] == [0, 2, 4, 6, 8, 10]
    assert (tune.bar_count, tune.meter_changes) == (3, ())


def test_two_halves_of_a_bar_with_a_plain_barline_between_are_one_bar() -> None:
    tune = read(BAR, "C4*2", "D4*2", BAR).melody
    assert (tune.bar_count, tune.meter_changes) == (3, ())


def test_repeats_and_their_endings_are_marked_and_their_notes_are_read_once() -> None:
    tune = read(
        measure(FORWARD, BAR), measure(BAR),
        measure(ending("1"), "E4*4", BACKWARD), measure(ending("2"), "F4*4", ending("2", "stop")),
        measure(BAR), measure(BAR, BACKWARD),
    ).melody  # fmt: skip
    assert tune.repeats == (Repeat(0, 3, first_ending=2, second_ending=4), Repeat(4, 6))
    assert tune.sections == (0, 4)
    assert tune.pitches == (60, 62, 60, 62, 64, 65, 60, 62, 60, 62)


def test_a_repeat_without_a_beginning_goes_back_to_the_end_of_the_one_before() -> None:
    tune = read(BAR, measure(BAR, BACKWARD), BAR, measure(BAR, BACKWARD), BAR).melody
    assert tune.repeats == (Repeat(0, 2), Repeat(2, 4))


def test_a_repeat_from_the_beginning_goes_back_to_the_first_note() -> None:
    tune = read(measure("z*1/2 G4*1/2"), measure(BAR, BACKWARD), BAR).melody
    assert tune.repeats == (Repeat(0, 1, lead_in=HALF),)


def test_no_section_begins_within_an_ending() -> None:
    bracket = ending("1") + ending("1", "stop")  # drawn over the first of its two measures
    tune = read(
        "C4*4", measure(bracket, "D4*4"), measure("E4*4", BACKWARD),
        measure(ending("2"), "F4*4", ending("2", "stop")), "G4*4",
    ).melody  # fmt: skip
    assert tune.repeats == (Repeat(0, 3, first_ending=1, second_ending=4),)
    assert tune.sections == (0, 4)


def test_a_section_begins_after_a_repeat_even_if_a_second_ending_without_a_first_follows() -> None:
    tune = read(
        "C4*4", measure("D4*4", BACKWARD), measure(ending("2"), "E4*4", ending("2", "stop")), "F4*4"
    ).melody
    assert tune.repeats == (Repeat(0, 2),)
    assert tune.sections == (0, 2, 3)


def test_both_endings_that_split_a_bar_complete_it() -> None:
    tune = read(
        measure("C4*4"), measure("D4*2"), measure(ending("1"), "E4*2", BACKWARD),
        measure(ending("2"), "F4*2", ending("2", "discontinue")), measure("G4*4"),
    ).melody  # fmt: skip
    assert tune.repeats == (Repeat(0, 2, first_ending=1, second_ending=3),)
    assert [note.onset for note in tune.notes] == [0, 4, 6, 8, 10, 12]
    assert tune.pitches == (60, 62, 64, 62, 65, 67)


@pytest.mark.parametrize(
    "bars",
    [
        [measure(BAR, BACKWARD.replace("/>", ' times="3"/>'))],
        [measure(ending("1, 2"), BAR, BACKWARD), measure(ending("3"), BAR)],
        [
            measure(ending("1"), BAR, BACKWARD),
            measure(ending("2"), BAR, BACKWARD),
            measure(ending("3"), BAR),
        ],
    ],
)
def test_a_repeat_that_is_played_more_than_twice_is_named_in_a_warning_and_not_marked(
    bars: list[str],
) -> None:
    tune = read(BAR, *bars, BAR)
    assert tune.melody.repeats == ()
    assert len(tune.melody.notes) == 2 * (len(bars) + 2)
    assert any("twice" in warning for warning in tune.warnings)


@pytest.mark.parametrize(
    "jump",
    [
        '<direction><direction-type><words>D.C. al Fine</words></direction-type></direction>',
        '<direction><direction-type><segno/></direction-type></direction>',
        '<sound dacapo="yes"/>',
        '<direction><direction-type><words>To Coda</words></direction-type>'
        '<sound tocoda="coda"/></direction>',
        '<barline><coda/></barline>',
    ],
)  # fmt: skip
def test_jumps_are_named_in_a_warning_and_not_played(jump: str) -> None:
    tune = read(BAR, measure(BAR, jump))
    assert len(tune.melody.notes) == 4
    assert "The file has jumps (D.C., D.S., coda); they are not played." in tune.warnings


def test_sections_begin_after_double_barlines_and_at_rehearsal_marks() -> None:
    mark = "<direction><direction-type><rehearsal>B</rehearsal></direction-type></direction>"
    tune = read(BAR, measure(BAR, DOUBLE), BAR, measure(mark, BAR), measure(BAR, mark), BAR, BAR)
    assert tune.melody.sections == (0, 2, 3, 5)


def test_a_change_of_meter_holds_from_its_bar() -> None:
    tune = read(BAR, measure(meter("3/4"), "E4*3"), "F4*3", measure(meter("2/2"), BAR)).melody
    assert tune.meter_changes == (MeterChange(1, Meter(3, 4)), MeterChange(3, Meter(2, 2)))
    assert list(tune.barlines) == [0, 4, 7, 10, 14]


def test_a_measure_of_an_unusual_length_has_a_meter_of_its_own() -> None:
    tune = read(BAR, "C4*3/2 D4", BAR, "E4*5", BAR).melody
    assert [str(change.meter) for change in tune.meter_changes] == ["5/8", "4/4", "5/4", "4/4"]
    assert list(tune.barlines) == [0, 4, 6.5, 10.5, 15.5, 19.5]


def test_a_last_bar_that_is_short_is_filled_up() -> None:
    tune = read(BAR, "C4*3").melody
    assert (tune.bar_count, tune.meter_changes) == (2, ())
    assert tune.length == 8


def test_a_closing_sign_after_the_second_ending_repeats_nothing() -> None:
    bars = [measure(ending("1"), BAR, BACKWARD), measure(ending("2"), BAR, BACKWARD)]
    assert read(BAR, *bars, BAR).melody.repeats == (Repeat(0, 2, 1, 3),)


def test_a_measure_of_a_length_that_no_meter_has_is_rounded_with_a_warning() -> None:
    tune = read(BAR, "C4*11/3", BAR)
    assert [onset for onset, *_ in melody_notes(tune)] == [0, 2, 4, 8, 10]
    assert "Bar 2 has a length that no meter has; it was rounded." in tune.warnings


@pytest.mark.parametrize(
    ("time", "expected"),
    [
        ("<beats>3+2</beats><beat-type>8</beat-type>", "5/8"),
        ("<beats>2</beats><beat-type>4</beat-type><beats>3</beats><beat-type>8</beat-type>", "7/8"),
        ("<beats>2</beats><beat-type>2</beat-type>", "2/2"),
    ],
)
def test_composite_meters_are_one_meter(time: str, expected: str) -> None:
    head = signature().replace("<beats>4</beats><beat-type>4</beat-type>", time)
    bar = "C4*3/2 D4" if expected == "5/8" else "C4*5/2 D4" if expected == "7/8" else BAR
    tune = read(measure(head, bar), bar).melody
    assert (str(tune.meter), tune.meter_changes) == (expected, ())


def test_without_a_time_signature_the_measures_suggest_a_meter() -> None:
    bare = "<attributes><divisions>12</divisions></attributes>"
    free = "<attributes><time><senza-misura/></time></attributes>"
    for head in (bare, bare + free):
        tune = read(measure(head, "C4*3"), "D4*3", "E4*3")
        assert (str(tune.melody.meter), tune.melody.meter_changes) == ("3/4", ())
        assert "The file names no meter; its measures suggest 3/4." in tune.warnings


def test_a_cadenza_without_barlines_is_cut_into_bars() -> None:
    tune = read(" ".join(["C4*7"] * 20), BAR).melody
    assert (tune.bar_count, tune.meter_changes) == (36, ())
    assert tune.length == 144


def test_more_bars_than_the_limit_are_rejected_however_few_measures_they_are() -> None:
    for bars in ([BAR] * 4, ["C4*7", "D4*999999"]):
        with pytest.raises(TooLong, match="more than 3 bars, where at most 3 bars"):
            read(*bars, limits=Limits(bars=3))


def test_the_part_that_fills_its_bar_decides_where_the_bar_ends() -> None:
    slip = part(measure(signature(), "C4*3"), "C4*4", "C4*8", id="P2")
    whole = part(measure(signature(), BAR), "z*3", BAR)
    both = document(whole + slip, score_parts=score_part("Voice") + score_part("Bass", id="P2"))
    tune = read_musicxml(both.encode()).melody
    assert list(tune.barlines) == [0, 4, 8, 12]
    assert tune.meter_changes == ()


@pytest.mark.parametrize("melody_first", [True, False])
def test_whole_rests_of_silent_parts_do_not_fill_a_pickup(melody_first: bool) -> None:
    rest = '<note><rest measure="yes"/><duration>48</duration></note>'
    song = (measure(signature(), "G4", implicit=True), "C5*4", "D5*3",
            measure("E5", implicit=True), "F5*4", "G5*3")  # fmt: skip
    horn = (measure(signature(), rest, implicit=True), "C3*4", "D3*3",
            measure(rest, implicit=True), measure(rest), "C3*3")  # fmt: skip
    parts = [part(*song, id="P1"), part(*horn, id="P2")]
    names = [score_part("Voice", id="P1"), score_part("Horn", id="P2")]
    if not melody_first:
        parts.reverse()
        names.reverse()
    text = document("".join(parts), score_parts="".join(names))
    tune = read_musicxml(text.encode())
    assert tune.melody.pitches == (67, 72, 74, 76, 77, 79)
    assert [float(note.onset) for note in tune.melody.notes] == [-1, 0, 4, 7, 8, 12]
    assert tune.melody.meter_changes == ()


def test_an_ending_inside_a_bar_has_the_whole_bar_in_every_part() -> None:
    signs = (measure("C4*4"), measure("D4*2"), measure(ending("1"), "E4*2", BACKWARD),
             measure(ending("2"), "F4*2", ending("2", "stop")))  # fmt: skip
    melody = part(measure(signature(), "C5*4"), *signs[1:])
    bass = part(measure(signature(), "C3*4"), "D3*2", "E3*2", "F3*2", id="P2")
    both = document(melody + bass, score_parts=score_part("Voice") + score_part("Bass", id="P2"))
    tune = read_musicxml(both.encode())
    assert tune.melody.pitches == (72, 62, 64, 62, 65)
    assert [(note.onset, note.pitch) for note in tune.parts[0].notes] == [
        (Fraction(0), 48), (Fraction(4), 50), (Fraction(6), 52), (Fraction(8), 50),
        (Fraction(10), 53),
    ]  # fmt: skip
