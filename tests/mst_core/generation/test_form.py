"""The plan of a tune: its sections, and which bars return."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mst_core.generation.form import FormPlan, plan_form
from mst_core.jobs import BARS_RANGE

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
def test_a_copy_comes_after_what_it_copies_and_no_span_straddles_its_edges(
    bars: int, form: str, seed: int
) -> None:
    spans = plan(bars, form, seed).spans
    edges = {span.first_bar for span in spans} | {bars}
    for span in spans:
        if span.copies is not None:
            assert span.copies + span.bar_count <= span.first_bar
            assert {span.copies, span.copies + span.bar_count} <= edges


@given(st.integers(*BARS_RANGE), st.sampled_from(FORMS), st.integers(0, 50))
def test_a_new_span_is_at_most_a_phrase_and_the_tune_ends_closed(
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
def test_a_phrase_of_sixteen_bars_comes_back_with_another_ending(seed: int) -> None:
    found = plan(16, "AABB", seed)
    assert (found.form, found.sections) == ("AABB", (0, 4, 8, 12))
    copied = [(s.first_bar, s.bar_count, s.copies) for s in found.spans if s.copies is not None]
    assert (4, 2, 0) in copied
    assert all(
        not (s.first_bar <= 7 < s.first_bar + s.bar_count and s.copies is not None)
        for s in found.spans
    )


@given(st.integers(0, 100))
def test_sixteen_bars_take_a_pattern_of_the_style_whose_phrases_return(seed: int) -> None:
    patterns = {"....0123........": 1, "................": 1000}
    found = plan_form(16, {"ABAC": 1.0}, np.random.default_rng(seed), patterns)
    assert found.form == "AABC"
    assert [(s.first_bar, s.bar_count, s.copies) for s in found.spans if s.copies is not None] == [
        (4, 4, 0)
    ]


@given(st.integers(*BARS_RANGE), st.sampled_from(FORMS), st.integers(0, 50))
def test_a_style_that_seldom_repeats_varies_what_returns(bars: int, form: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    spans = plan_form(bars, {form: 1.0}, rng, varied=True).spans
    assert all(span.copies is None for span in spans)
    assert all(
        span.varies + span.bar_count <= span.first_bar for span in spans if span.varies is not None
    )


@pytest.mark.parametrize(("bars", "form"), [(12, "AAB"), (24, "AAB"), (8, "AA"), (10, "AAB")])
def test_a_number_of_bars_that_the_form_cannot_share_gets_a_form_of_its_own(
    bars: int, form: str
) -> None:
    assert plan(bars, "AABB").form == form
