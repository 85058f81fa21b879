"""Patterns of repeated bars."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from mst_core.corpora.tunes import CorpusTune, TuneEvent
from mst_core.music import Meter
from mst_core.statistics.repetition import (
    count_repetition_patterns,
    parse_symbol,
    repetition_pattern,
    section_letters,
)

QUARTER = 24


def tune(bars: Sequence[str], *, pickup: bool = False) -> CorpusTune:
    """Make a tune in 4/4 of quarter notes: a letter a pitch, four a bar; the last is the pickup."""
    letters = "".join(bars)
    if pickup:
        letters = letters[-1] + letters[:-1]
    onset = -QUARTER if pickup else 0
    events = tuple(
        TuneEvent(60 + ord(letter) - ord("a"), onset + QUARTER * place, QUARTER)
        for place, letter in enumerate(letters)
    )
    lines = tuple(range(0, 4 * QUARTER * len(bars), 4 * QUARTER))
    return CorpusTune("tune", "tune", Meter(4, 4), None, events, lines)


NEW = ["abcd", "efga", "hijk", "lmno", "pqrs", "tuvw", "ahcj", "blck",
       "dnep", "fqgr", "hsit", "juav", "kbwl", "cmdn", "eofp", "gqhr"]  # fmt: skip


def test_a_tune_that_never_repeats_is_new_in_every_bar() -> None:
    assert repetition_pattern(tune(NEW)) == "." * 16


def test_a_repeated_bar_refers_to_the_first_one() -> None:
    bars = [*NEW[:4], NEW[0], NEW[1], *NEW[6:14], NEW[6], NEW[15]]
    assert repetition_pattern(tune(bars)) == "....01........6."


def test_a_varied_bar_refers_to_the_bar_that_it_varies() -> None:
    bars = [*NEW[:4], "abcx", *NEW[5:]]
    assert repetition_pattern(tune(bars)) == "....g..........."
    assert parse_symbol("g") == (0, True)
    assert parse_symbol("5") == (5, False)
    assert parse_symbol(".") is None


def test_a_phrase_begins_with_its_pickup() -> None:
    bars = [*NEW[:4], *NEW[:4], *NEW[8:15], "gqho"]  # "o" leads into bars 1 and 5
    assert repetition_pattern(tune(bars, pickup=True)) == "....0123........"


def test_a_tune_of_eight_bars_has_no_pattern_of_sixteen() -> None:
    assert repetition_pattern(tune(NEW[:8])) is None
    assert count_repetition_patterns([tune(NEW[:8]), tune(NEW), tune(NEW)]) == {"." * 16: 2}


@pytest.mark.parametrize(
    ("pattern", "form"),
    [
        ("................", "ABCD"),
        ("....01......89..", "AABB"),
        ("....g...........", "AABC"),
        ("....01......01..", "AABA"),
        ("............8...", "ABCC"),
        (".....1..........", "ABCD"),
    ],
)
def test_phrases_that_begin_alike_have_the_same_letter(pattern: str, form: str) -> None:
    assert section_letters(pattern) == form
