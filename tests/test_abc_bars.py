"""Bars, repeats and endings: how a page of ABC becomes a line over a grid of bars."""

from __future__ import annotations

from mst_core.music import Melody
from mst_core.score.abc_read import read_abc, read_tunes
from mst_core.score.abc_tune import AbcTune


def tune(music: str) -> AbcTune:
    return read_tunes(f"X:1\nM:4/4\nL:1/4\nK:C\n{music}\n")[0]


def melody(music: str, *, played: bool = False) -> Melody:
    return read_abc(f"X:1\nM:4/4\nL:1/4\nK:C\n{music}\n", expand_repeats=played)


def pitches(music: str) -> list[int | None]:
    return [event.pitch for event in tune(music).events]


def starts(music: str) -> list[float]:
    return [float(note.onset) for note in melody(music).notes]


def test_a_double_repeat_in_the_middle_loses_no_note() -> None:
    assert pitches("cAA::g|a4|") == [72, 69, 69, 79, 81]


def test_bars_begin_behind_barlines_and_the_pickup_is_short() -> None:
    read = tune("A | BcBA | GABc |]")
    assert read.pickup == 1
    assert list(read.bar_starts) == [0, 1, 5]
    assert read.uneven_bars == ()


def test_a_bar_that_does_not_add_up_is_told() -> None:
    assert tune("ABcd | ABc | ABcd | ABcd |]").uneven_bars == (1,)
    assert tune("A | Bcde | ABc :: d | ABcd | ABcde | ABc |]").uneven_bars == (5,)


def test_the_line_of_a_tune_goes_through_the_last_ending_only() -> None:
    assert pitches("|: CD |1 EF :|2 GA |: B :|") == [60, 62, 67, 69, 71]
    assert pitches("|: CD [1 EF :| [2 GA |] B") == [60, 62, 67, 69, 71]


def test_a_melody_holds_every_note_of_the_page_in_order() -> None:
    assert melody("|: CDEF |1 G4 :|2 A4 |]").pitches == (60, 62, 64, 65, 67, 69)


def test_played_repeats_take_each_ending_in_its_turn() -> None:
    assert melody("|: CDEF |1 G4 :|2 A4 |]", played=True).pitches == (
        60, 62, 64, 65, 67, 60, 62, 64, 65, 69,
    )  # fmt: skip
    assert melody("|: C4 |1,3 D4 :|2,4 E4 :| F4 |]", played=True).pitches == (
        60, 62, 60, 64, 60, 62, 60, 64, 65,
    )  # fmt: skip


def test_a_repeat_without_beginning_goes_back_to_the_one_before() -> None:
    assert melody("C4 :| D4 :: E4 :|", played=True).pitches == (60, 60, 62, 62, 64, 64)


def test_onset_0_is_the_first_downbeat() -> None:
    read = melody("G | ABcd | e3 |]")
    assert read.pickup == 1
    assert [note.onset for note in read.notes] == [-1, 0, 1, 2, 3, 4]
    assert read.bars == 2
    assert read.length == 8


def test_a_bar_that_a_repeat_sign_splits_stays_one_bar() -> None:
    assert starts("G | ABcd | e3 :: f | gabc' |]")[-5:] == [7, 8, 9, 10, 11]


def test_a_short_bar_is_filled_so_that_the_next_one_begins_on_its_barline() -> None:
    assert starts("ABcd | e3 | ABcd |") == [0, 1, 2, 3, 4, 8, 9, 10, 11]


def test_the_pickup_of_a_later_strain_stands_before_its_barline() -> None:
    assert starts("ABcd | e4 || f | gabc' |]")[-5:] == [11, 12, 13, 14, 15]


def test_a_second_ending_goes_on_where_the_first_one_began() -> None:
    assert starts("AB [1 cd :| [2 ef |]") == [0, 1, 2, 3, 6, 7]


def test_sections_begin_at_double_bars_and_repeat_signs() -> None:
    assert melody("A | BcBA | G3 :: A | BcBA | G4 || A4 |]").sections == (0, 2, 4)
