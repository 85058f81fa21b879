"""Bars that show a repeat sign only sound as the bars before them."""

from __future__ import annotations

import pytest

from tests.support.xml_scores import DIVISIONS, measure, melody_notes, notes, read, signature

REST = '<note><rest measure="yes"/><duration>48</duration></note>'


def repeat(kind: str, bars: str = "1", *, staff: str = "") -> str:
    number = f' number="{staff}"' if staff else ""
    return (
        f'<attributes><measure-style{number}><measure-repeat type="{kind}">{bars}</measure-repeat>'
        "</measure-style></attributes>"
    )


def test_bars_with_a_repeat_sign_sound_as_the_bar_before() -> None:
    tune = read(
        "C4 E4 G4 E4", measure(repeat("start"), REST), measure(REST),
        measure(repeat("stop", ""), "C5*4"), measure(REST),
    )  # fmt: skip
    assert tune.melody.pitches == (60, 64, 67, 64) * 3 + (72,)
    assert [onset for onset, *_ in melody_notes(tune)][4:9] == [4, 5, 6, 7, 8]
    remark = "2 bars show only a repeat sign; the bars before them sound again there."
    assert remark in tune.warnings


def test_a_sign_of_two_bars_repeats_both() -> None:
    tune = read(
        "C4*4", "D4*4", measure(repeat("start", "2"), REST), measure(REST),
        measure(repeat("stop", ""), "E4*4"),
    )  # fmt: skip
    assert tune.melody.pitches == (60, 62, 60, 62, 64)


def test_an_empty_measure_with_the_sign_is_filled_too() -> None:
    tune = read("C4*2 D4*2", measure(repeat("start")), measure(repeat("stop", ""), "E4*4"))
    assert tune.melody.pitches == (60, 62, 60, 62, 64)


def test_bars_that_hold_the_notes_as_the_standard_asks_are_not_doubled() -> None:
    tune = read("C4*4", measure(repeat("start"), "C4*2 D4*2"), measure(repeat("stop", ""), "E4*4"))
    assert tune.melody.pitches == (60, 60, 62, 64)
    assert not any("repeat sign" in text for text in tune.warnings)


def test_a_sign_on_one_staff_repeats_that_staff() -> None:
    def low(text: str) -> str:
        backup = f"<backup><duration>{4 * DIVISIONS}</duration></backup>"
        return backup + notes(text, voice="5", more="<staff>2</staff>")

    tune = read(
        measure(signature(), notes("C5*4", more="<staff>1</staff>"), low("C3*2 G3*2")),
        measure(repeat("start", staff="2"), notes("D5*4", more="<staff>1</staff>")),
    )
    assert tune.melody.pitches == (72, 74)
    assert [note.onset for note in tune.parts[0].notes] == [0, 2, 4, 6]


@pytest.mark.parametrize("bars", ["9", "0", "x", "-1"])
def test_an_odd_number_of_bars_is_no_repeat(bars: str) -> None:
    tune = read("C4*4", "D4*4", measure(repeat("start", bars), REST), measure(REST))
    assert tune.melody.pitches == (60, 62)


def test_a_sign_in_the_first_bar_has_nothing_to_repeat() -> None:
    tune = read(
        measure(signature(), repeat("start"), REST), measure(repeat("stop", ""), "C4*2 D4*2")
    )
    assert tune.melody.pitches == (60, 62)


def test_beats_that_are_slashes_are_silent_with_a_remark() -> None:
    slash = "<attributes><measure-style><slash type='start'/></measure-style></attributes>"
    tune = read("C4*2 D4*2", measure(slash, REST))
    assert "Beats that are written as slashes are silent." in tune.warnings
