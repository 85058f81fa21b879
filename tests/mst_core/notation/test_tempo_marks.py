"""Tests of tempo marks: those of a score are all written, those of a performance are few."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction

import pytest

from mst_core.music import Melody, TempoChange
from mst_core.notation.tempo_marks import mark_tempos
from tests.support.melodies import REEL


def changes(*pairs: tuple[float, float]) -> tuple[TempoChange, ...]:
    """Return tempo changes at quarters from the first downbeat."""
    return tuple(TempoChange(Fraction(onset), tempo) for onset, tempo in pairs)


def bars_of(tune: Melody) -> dict[float, float]:
    """Return the tempo marks of a tune in 4/4 by bar."""
    return {float(mark.onset / 4): mark.tempo for mark in mark_tempos(tune)}


def test_a_steady_tune_has_the_mark_of_its_beginning_alone() -> None:
    assert bars_of(REEL) == {0: REEL.tempo}


def test_each_change_of_a_score_is_marked_where_it_is() -> None:
    tune = replace(REEL, tempo_changes=changes((0, 120), (32, 90), (34, 92), (48, 132)))
    assert bars_of(tune) == {0: 120, 8: 90, 8.5: 92, 12: 132}


def test_round_tempos_of_a_score_are_all_marked() -> None:
    marks = [(4 * bar, 100 + 7 * (bar % 3)) for bar in range(12)]
    assert len(bars_of(replace(REEL, tempo_changes=changes(*marks)))) == 12
    played = [(onset, tempo + 0.4) for onset, tempo in marks]
    assert len(bars_of(replace(REEL, tempo_changes=changes(*played)))) == 1


def test_the_first_mark_holds_before_its_onset_too() -> None:
    assert [mark.tempo for mark in mark_tempos(replace(REEL, tempo_changes=changes((40, 80))))] == [
        80
    ]


@pytest.mark.parametrize("freedom", [0.02, 0.05])
def test_a_performance_that_breathes_has_one_mark(freedom: float) -> None:
    breath = [(beat, 120 * (1 + freedom * math.sin(beat / 3))) for beat in range(64)]
    marks = bars_of(replace(REEL, tempo_changes=changes(*breath)))
    assert [*marks] == [0]
    assert marks[0] == pytest.approx(120, rel=freedom)


def test_a_performance_that_changes_its_tempo_has_a_mark_there() -> None:
    beats = [(beat, (120 if beat < 32 else 80) + beat % 3) for beat in range(64)]
    marks = bars_of(replace(REEL, tempo_changes=changes(*beats)))
    assert len(marks) <= 4
    assert min(marks) == 0
    assert [*marks.values()][-1] == pytest.approx(81, rel=0.05)


def test_ten_thousand_changes_are_walked_through_once() -> None:
    beats = [(beat / 200, 60 + beat % 7) for beat in range(10_000)]
    assert len(bars_of(replace(REEL, tempo_changes=changes(*beats)))) == 1
