"""Rounded tuplets and odd divisions neither move the notes nor lengthen the bars."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mst_core.reading.musicxml.position import MeasurePosition, settle
from tests.support.xml_scores import measure, melody_notes, notes, read, signature

DIVISIONS = 480


def tuplet(count: int, normal: int, total: int, *, written: int | None = None) -> str:
    """Write ``count`` notes in the time of ``normal`` sixteenths, ``total`` divisions, rounded."""
    each = round(Fraction(total, count)) if written is None else written
    shape = (
        f"<type>16th</type><time-modification><actual-notes>{count}</actual-notes>"
        f"<normal-notes>{normal}</normal-notes></time-modification>"
    )
    return notes("D4" * count, more=shape).replace("<duration>12<", f"<duration>{each}<")


def quarters(text: str) -> str:
    """Write notes without a fraction in 480 divisions."""
    return notes(text).replace("<duration>12<", "<duration>480<").replace(">24<", ">960<")


def move(name: str, divisions: int) -> str:
    return f"<{name}><duration>{divisions}</duration></{name}>" if divisions else ""


@pytest.mark.parametrize(
    ("count", "normal"), [(5, 4), (7, 4), (7, 8), (11, 8), (13, 8), (9, 8), (10, 8), (22, 16)]
)
@pytest.mark.parametrize("made_up", [True, False])
def test_a_rounded_tuplet_adds_no_bar(count: int, normal: int, made_up: bool) -> None:
    total = normal * DIVISIONS // 4
    rest_of_bar = 4 - total // DIVISIONS
    missing = total - count * round(Fraction(total, count))
    if missing < 0:
        filler = move("backup", -missing) if made_up else ""
    else:
        filler = move("forward", missing) if made_up else ""
    after = quarters(" ".join(["E4"] * rest_of_bar)) if rest_of_bar else ""
    bar = tuplet(count, normal, total) + filler + after
    head = signature(divisions=DIVISIONS)
    tune = read(measure(head, bar), measure(bar), measure(quarters("C5 B4 A4 G4")))
    found = melody_notes(tune)
    assert (tune.melody.bar_count, tune.melody.meter_changes) == (3, ())
    assert len(found) == 2 * (count + rest_of_bar) + 4
    assert found[-4:] == [(8, 1, 72), (9, 1, 71), (10, 1, 69), (11, 1, 67)]
    assert [note for note in found if note[2] == 64] == [
        (beat, 1, 64) for bar in (0, 4) for beat in range(bar + 4 - rest_of_bar, bar + 4)
    ]
    assert sum("nearest step" in text for text in tune.warnings) == 1
    assert not any("filled" in text or "sound on" in text for text in tune.warnings)


def test_a_rounded_tuplet_in_the_left_hand_adds_no_bar() -> None:
    low = notes("C3", voice="5").replace("<duration>12<", "<duration>960<")
    septuplet = tuplet(7, 4, 480).replace("<voice>1<", "<voice>5<")
    bar = quarters("C5 D5 E5 F5") + move("backup", 1920) + septuplet + move("forward", 4)
    bar += low + move("forward", 480)
    tune = read(measure(signature(divisions=DIVISIONS), bar), measure(quarters("G5 F5 E5 D5")))
    assert tune.melody.bar_count == 2
    assert [onset for onset, *_ in melody_notes(tune)] == list(range(8))


def test_a_second_voice_after_a_rounded_tuplet_begins_with_the_bar() -> None:
    bar = tuplet(7, 8, 960) + quarters("C5*2") + move("backup", 7 * 137 + 960)
    bar += quarters("C3 D3 E3 F3").replace("<voice>1<", "<voice>2<")
    tune = read(measure(signature(divisions=DIVISIONS), bar), measure(quarters("G4*2 A4*2")))
    assert [note.onset for note in tune.parts[0].notes] == [0, 1, 2, 3]
    assert tune.melody.bar_count == 2


def test_quintuplets_in_coarse_divisions_keep_their_bar() -> None:
    shape = (
        "<type>16th</type><time-modification><actual-notes>5</actual-notes>"
        "<normal-notes>4</normal-notes></time-modification>"
    )
    five = "".join(
        notes("D4", more=shape).replace("<duration>12<", f"<duration>{each}<")
        for each in (5, 5, 5, 5, 4)
    )
    rest = notes("E4").replace("<duration>12<", "<duration>72<")
    tune = read(measure(signature(divisions=24), five, rest), measure(rest, five))
    assert melody_notes(tune)[5] == (1, 3, 64)
    assert tune.melody.bar_count == 2
    assert [onset for onset, *_ in melody_notes(tune)][6:8] == [4, 7]


def test_a_triplet_rounded_without_a_note_value_is_on_the_grid_without_a_remark() -> None:
    triplet = "".join(
        notes("C4").replace("<duration>12<", f"<duration>{each}<") for each in (85, 85, 86)
    )
    rest = notes("D4").replace("<duration>12<", "<duration>768<")
    tune = read(measure(signature(divisions=256), triplet, rest))
    third = Fraction(1, 3)
    assert [onset for onset, *_ in melody_notes(tune)] == [0, third, 2 * third, 1]
    assert not any("nearest step" in text for text in tune.warnings)


def test_the_divisions_may_come_after_the_first_note() -> None:
    head = signature().replace("<divisions>12</divisions>", "")
    late = "<attributes><divisions>12</divisions></attributes>"
    tune = read(measure(head, notes("C4"), late, notes("D4 E4 F4")))
    assert [onset for onset, *_ in melody_notes(tune)] == [0, 1, 2, 3]


def test_missing_divisions_follow_from_the_note_values() -> None:
    head = signature().replace("<divisions>12</divisions>", "")
    tune = read(measure(head, notes("C4 D4 E4 F4", more="<type>quarter</type>")))
    assert [duration for _, duration, _ in melody_notes(tune)] == [1, 1, 1, 1]


@given(st.integers(3, 31), st.integers(1, 40))
def test_notes_that_divide_a_time_end_with_it(count: int, divisions: int) -> None:
    position = MeasurePosition()
    written = Fraction(round(Fraction(4 * divisions, count)), divisions)
    for _ in range(count):
        position.play(written, Fraction(4, count))
    assert position.time == 4
    position.move(-written * count)
    assert position.time <= abs(4 - written * count)


def test_only_roundings_are_settled() -> None:
    assert settle(Fraction(33, 100)) == Fraction(1, 3)
    assert settle(Fraction(1, 5)) == Fraction(1, 5)
    assert settle(Fraction(1, 32)) == Fraction(1, 32)
