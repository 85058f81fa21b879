"""The penalties that select among candidates, without a network."""

from __future__ import annotations

import pytest

from mst_core.composing.select_candidate import (
    leaping_cadence_penalty,
    repeated_note_penalty,
    section_similarity_penalty,
    unplanned_repetition_penalty,
)
from mst_core.corpora.tunes import TuneEvent
from mst_core.generation.config import GenerationConfig
from mst_core.generation.form import FormPlan, FormSpan

BAR = 48
CONFIG = GenerationConfig()


def quarters(*pitches: int) -> list[TuneEvent]:
    """Return quarter notes, two to a bar of 2/4."""
    return [TuneEvent(pitch, 24 * index, 24) for index, pitch in enumerate(pitches)]


def test_six_pitches_without_long_runs_cost_nothing() -> None:
    assert repeated_note_penalty(quarters(60, 60, 60, 62, 64, 65, 67, 69)) == 0


def test_each_equal_note_beyond_three_in_a_row_costs() -> None:
    events = quarters(60, 60, 60, 60, 60, 62, 64, 65, 67, 69)
    assert repeated_note_penalty(events) == pytest.approx(2 * CONFIG.repeated_note_penalty)


def test_few_distinct_pitches_cost() -> None:
    assert repeated_note_penalty(quarters(60, 62, 64, 60, 62)) == CONFIG.few_pitches_penalty


def test_sections_of_different_letters_that_begin_alike_cost() -> None:
    spans = (FormSpan(0, 1), FormSpan(1, 1))
    plan = FormPlan("AB", (0, 1), 2, spans)
    alike, different = quarters(60, 62, 60, 62), quarters(60, 62, 65, 67)
    assert section_similarity_penalty(alike, plan, BAR) == CONFIG.section_similarity_penalty
    assert section_similarity_penalty(different, plan, BAR) == 0


def test_sections_of_one_letter_may_begin_alike() -> None:
    plan = FormPlan("AA", (0, 1), 2, (FormSpan(0, 1), FormSpan(1, 1, copies=0)))
    assert section_similarity_penalty(quarters(60, 62, 60, 62), plan, BAR) == 0


def test_only_a_generated_bar_that_equals_an_earlier_one_costs() -> None:
    eighths = [TuneEvent(60 + index % 4, 12 * index, 12) for index in range(8)]
    generated = FormPlan("A", (0,), 2, (FormSpan(0, 2),))
    copied = FormPlan("A", (0,), 2, (FormSpan(0, 1), FormSpan(1, 1, copies=0)))
    penalty = CONFIG.unplanned_repetition_penalty
    assert unplanned_repetition_penalty(eighths, generated, BAR, 0) == penalty
    assert unplanned_repetition_penalty(eighths, copied, BAR, 0) == 0


def test_an_experiment_changes_a_penalty_by_its_config() -> None:
    events = quarters(60, 62, 64, 60, 62)
    assert repeated_note_penalty(events, GenerationConfig(few_pitches_penalty=1.5)) == 1.5


def test_a_leap_into_the_last_note_of_a_part_costs_and_a_step_does_not() -> None:
    plan = FormPlan("A", (0,), 2, (FormSpan(0, 2, cadence=True, final=True),))
    leaping, stepping = quarters(60, 62, 64, 69), quarters(60, 62, 64, 62)
    penalty = CONFIG.leaping_cadence_penalty
    assert leaping_cadence_penalty(leaping, plan, BAR, 0) == penalty
    assert leaping_cadence_penalty(stepping, plan, BAR, 0) == 0


def test_a_leap_within_a_part_or_into_a_copied_cadence_costs_nothing() -> None:
    open_end = FormPlan("A", (0,), 2, (FormSpan(0, 2),))
    copied = FormPlan("A", (0,), 2, (FormSpan(0, 1), FormSpan(1, 1, copies=0, cadence=True)))
    for plan in (open_end, copied):
        assert leaping_cadence_penalty(quarters(60, 67, 60, 67), plan, BAR, 0) == 0
