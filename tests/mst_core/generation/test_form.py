"""The form plan: sections, and which bars are copied or varied."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mst_core.generation.form import FormPlan, FormSpan, plan_form, split_spans
from mst_core.requests import BARS_RANGE

FORMS = ("AABB", "AABA", "ABAC", "AB", "A")


def plan(bars: int, form: str, seed: int = 0) -> FormPlan:
    return plan_form(bars, {form: 1.0}, np.random.default_rng(seed))


@given(st.integers(*BARS_RANGE), st.sampled_from(FORMS), st.integers(0, 50))
def test_the_spans_of_a_plan_cover_every_bar_once(bars: int, form: str, seed: int) -> None:
    spans = plan(bars, form, seed).spans
    covered = [
        bar for span in spans for bar in range(span.first_bar, span.first_bar + span.bar_count)
    ]
    assert covered == list(range(bars))


@given(st.integers(*BARS_RANGE), st.sampled_from(FORMS), st.integers(0, 50))
def test_a_copy_comes_after_what_it_copies_and_no_span_crosses_its_edges(
    bars: int, form: str, seed: int
) -> None:
    spans = plan(bars, form, seed).spans
    edges = {span.first_bar for span in spans} | {bars}
    for span in spans:
        if span.copies is not None:
            assert span.copies + span.bar_count <= span.first_bar
            assert {span.copies, span.copies + span.bar_count} <= edges


@given(st.integers(*BARS_RANGE), st.sampled_from(FORMS), st.integers(0, 50))
def test_a_generated_span_is_at_most_a_phrase_and_the_tune_ends_with_a_cadence(
    bars: int, form: str, seed: int
) -> None:
    spans = plan(bars, form, seed).spans
    assert all(span.bar_count <= 5 for span in spans if span.copies is None)
    last = spans[-1]
    source = next(
        (
            s
            for s in spans
            if last.copies is not None and s.first_bar + s.bar_count == last.copies + last.bar_count
        ),
        last,
    )
    assert last.cadence
    assert source.cadence


@given(st.integers(0, 100))
def test_a_dance_of_32_bars_plays_each_part_twice(seed: int) -> None:
    found = plan(32, "AABB", seed)
    assert (found.form, found.sections) == ("AABB", (0, 8, 16, 24))
    copied = {
        span.first_bar + bar: span.copies + bar
        for span in found.spans
        if span.copies is not None
        for bar in range(span.bar_count)
    }
    assert all(copied[bar] == bar - 8 for bar in range(8, 16))
    assert all(copied[bar] == bar - 8 for bar in range(24, 31))


@given(st.integers(0, 100))
def test_in_sixteen_bars_a_phrase_is_repeated_with_a_second_ending(seed: int) -> None:
    found = plan(16, "AABB", seed)
    assert (found.form, found.sections) == ("AABB", (0, 4, 8, 12))
    copied = [(s.first_bar, s.bar_count, s.copies) for s in found.spans if s.copies is not None]
    assert (4, 2, 0) in copied
    assert all(
        not (s.first_bar <= 7 < s.first_bar + s.bar_count and s.copies is not None)
        for s in found.spans
    )


@given(st.integers(0, 100))
def test_sixteen_bars_take_a_pattern_of_the_style_in_which_a_phrase_repeats(seed: int) -> None:
    patterns = {"....0123........": 1, "................": 1000}
    found = plan_form(16, {"ABAC": 1.0}, np.random.default_rng(seed), patterns)
    assert found.form == "AABC"
    assert [(s.first_bar, s.bar_count, s.copies) for s in found.spans if s.copies is not None] == [
        (4, 4, 0)
    ]


@given(st.integers(*BARS_RANGE), st.sampled_from(FORMS), st.integers(0, 50))
def test_a_style_that_seldom_repeats_varies_instead_of_copying(
    bars: int, form: str, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    spans = plan_form(bars, {form: 1.0}, rng, varied=True).spans
    assert all(span.copies is None for span in spans)
    assert all(
        span.varies + span.bar_count <= span.first_bar for span in spans if span.varies is not None
    )


@pytest.mark.parametrize(("bars", "form"), [(12, "AAB"), (24, "AAB"), (8, "AA"), (10, "AAB")])
def test_bars_that_the_drawn_form_cannot_share_get_a_default_form(bars: int, form: str) -> None:
    assert plan(bars, "AABB").form == form


def counts_up_to(per_bar: int) -> Callable[[FormSpan], int]:
    """Let a span hold up to ``per_bar`` notes in each of its bars."""
    return lambda span: (1 << (per_bar * span.bar_count + 1)) - 1


def test_a_span_is_split_into_bars_where_each_can_hold_its_notes() -> None:
    whole = FormPlan("A", (0,), 4, (FormSpan(0, 4, cadence=True, final=True),))
    spans = split_spans(whole, [3, 4, 2, 4], counts_up_to(4)).spans
    assert [(span.first_bar, span.bar_count) for span in spans] == [(0, 1), (1, 1), (2, 1), (3, 1)]
    assert [(span.cadence, span.final) for span in spans[-2:]] == [(False, False), (True, True)]


def test_a_bar_with_too_many_notes_is_joined_to_its_neighbor() -> None:
    whole = FormPlan("A", (0,), 4, (FormSpan(0, 4),))
    spans = split_spans(whole, [3, 6, 2, 4], counts_up_to(4)).spans
    assert [span.bar_count for span in spans] in ([1, 2, 1], [2, 1, 1])


def test_a_span_that_no_cut_suits_stays_whole() -> None:
    whole = FormPlan("A", (0,), 2, (FormSpan(0, 2),))
    assert split_spans(whole, [9, 9], counts_up_to(4)) == whole
