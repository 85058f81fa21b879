"""The tokens of a line of ABC music."""

from __future__ import annotations

from fractions import Fraction
from time import process_time

import pytest

from mst_core.errors import UnreadableScore
from mst_core.reading.abc.tokens import (
    BarToken,
    FieldToken,
    MarkToken,
    NoteToken,
    Token,
    TupletToken,
    tokenize,
)

HALF = Fraction(1, 2)


@pytest.mark.parametrize(
    ("text", "token"),
    [
        ("^c'3/2", NoteToken((("^", "C", 2),), Fraction(3, 2))),
        ("A,,//", NoteToken((("", "A", -2),), Fraction(1, 4))),
        ("[CE]/", NoteToken((("", "C", 0), ("", "E", 0)), HALF)),
        ("z2", NoteToken((), Fraction(2))),
        ("Z2", NoteToken((), Fraction(2), full_bars=True)),
        ("|:", BarToken("|:", "")),
        (":|2", BarToken(":|", "2")),
        ("[1,3", BarToken("", "1,3")),
        ("(3:2:4", TupletToken(3, 2, 4)),
        ("(5", TupletToken(5, 0, 0)),
        (">>>>>", MarkToken(">>>")),
        ("-", MarkToken("-")),
        ("&", MarkToken("&")),
        ("[K: D]", FieldToken("K", "D")),
        ('"Am7"', MarkToken('"Am7')),
        ('"Am', MarkToken('"Am')),
        ("(11:8:11", TupletToken(11, 8, 11)),
    ],
)  # fmt: skip
def test_each_sign_is_one_token(text: str, token: Token) -> None:
    assert list(tokenize(text)) == [token]


def test_decorations_and_unknown_characters_give_no_token() -> None:
    assert list(tokenize("~.H!trill!+fermata+y2 $*`#")) == []


@pytest.mark.parametrize("length", ["0", "1/0", "10000", "/10000", "/" * 9])
def test_a_length_that_no_note_has_is_rejected(length: str) -> None:
    with pytest.raises(UnreadableScore, match="note"):
        list(tokenize("A" + length))


def test_grace_notes_stand_between_two_marks() -> None:
    assert list(tokenize("{/B^c}")) == [
        MarkToken("{"),
        NoteToken((("", "B", 0),), Fraction(1)),
        NoteToken((("^", "C", 1),), Fraction(1)),
        MarkToken("}"),
    ]


def test_what_is_no_chord_between_plus_signs_takes_no_long_search() -> None:
    start = process_time()
    list(tokenize("+" + "a1" * 29 + "!+"))
    assert process_time() - start < 1  # minutes, where a number could be divided in two ways
