"""The Q: field of ABC in its many forms."""

from __future__ import annotations

from fractions import Fraction

import pytest

from mst_core.reading.abc.read import read_abc_score
from mst_core.reading.abc.tempo import read_tempo

EIGHTH = Fraction(1, 2)


@pytest.mark.parametrize(
    ("text", "tempo"),
    [
        ("1/4=90", 90), ("3/8=100", 150), ("1/4 = 90", 90), ("1/8=200", 100),
        ("C2=90", 90), ("C3=40", 60), ("C=180", 90), ("A2 = 90", 90), ("C3/2=80", 60),
        ("1/4=ca. 90", 90), ("1/4=c. 90", 90), ("1/4=~90", 90), ("1/4=90-100", 90),
        ("1/4=120.5", 120.5), ("1/4 3/8 1/4=40", 140), ("1/4+3/8=40", 100),
        ('"Allegro" 1/4=100', 100), ('1/4=100 "Allegro"', 100), ('"Andante"', 88),
        ("Allegro moderato", 120), ("180", 90), ("90", 90), ("120", 120), ("", None), ("0", None),
        ("1/0=90", None), ("1/4=2000", None), ("fast", None), ('"Lively"', None),
    ],
)  # fmt: skip
def test_a_tempo_is_told_in_quarter_notes_a_minute(text: str, tempo: float | None) -> None:
    assert read_tempo(text, EIGHTH) == tempo


@pytest.mark.parametrize(
    ("field", "remark"),
    [
        ("", "No tempo is named; 110 quarter notes a minute are assumed."),
        ("Q:fast\n", 'The tempo "fast" is not clear; 110 quarter notes a minute are assumed.'),
        ('Q:"Andante"\n', 'The tempo "Andante" was taken as 88 quarter notes a minute.'),
        ("Q:90\n", 'The tempo "90" was taken as 90 quarter notes a minute.'),
    ],
)
def test_a_tempo_without_a_metronome_mark_is_remarked(field: str, remark: str) -> None:
    assert read_abc_score(f"X:1\nM:4/4\nL:1/8\n{field}K:C\nCDEF GABc|\n").warnings == (remark,)


def test_a_tempo_with_its_note_value_gives_no_remark() -> None:
    assert read_abc_score("X:1\nM:4/4\nL:1/8\nQ:C2=90\nK:C\nCDEF GABc|\n").warnings == ()


def test_changes_of_tempo_are_kept_where_they_stand() -> None:
    score = read_abc_score("X:1\nM:4/4\nL:1/4\nQ:1/4=90\nK:C\nCDEF|[Q:1/4=60]GA[Q:1/4=90]Bc|\n")
    changes = [(float(change.onset), change.tempo) for change in score.melody.tempo_changes]
    assert changes == [(0, 90), (4, 60), (6, 90)]
    assert score.melody.tempo == 90
    assert score.warnings == ()


def test_the_tempo_may_be_written_in_the_second_voice() -> None:
    text = "X:1\nM:4/4\nL:1/4\nK:C\n[V:1]CDEF|GABc|\n[V:2][Q:1/4=60]C,4|C,4|\n"
    assert read_abc_score(text).melody.tempo == 60
