"""The form plan: sections, and which bars are copied or varied."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mst_core.generation.form import FormPlan, plan_form
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


@pytest.mark.parametrize(
    ("bars", "sections"),
    [
        (4, (0,)),
        (8, (0, 4)),
        (12, (0, 4)),
        (16, (0, 8)),
        (20, (0, 8)),
        (24, (0, 8, 16)),
        (32, (0, 16)),
        (48, (0, 16, 32)),
        (64, (0, 16, 32, 48)),
    ],
)
def test_a_dance_has_parts_of_eight_or_sixteen_bars_that_are_played_twice(
    bars: int, sections: tuple[int, ...]
) -> None:
    found = plan(bars, "AABB")
    assert found.repeated
    assert found.sections == sections
    assert found.form == "ABCD"[: len(sections)]
    assert found.played_form == "AABBCCDD"[: 2 * len(sections)]


@pytest.mark.parametrize(("bars", "form"), [(16, "AABA"), (16, "ABAC"), (10, "AABB"), (13, "AABB")])
def test_another_form_or_an_odd_number_of_bars_is_written_out(bars: int, form: str) -> None:
    found = plan(bars, form)
    assert not found.repeated
    assert found.played_form == found.form


@given(st.integers(0, 100))
def test_each_part_of_a_dance_ends_with_a_cadence(seed: int) -> None:
    ends = {s.first_bar + s.bar_count for s in plan(16, "AABB", seed).spans if s.cadence}
    assert {8, 16} <= ends


@given(st.integers(0, 100))
def test_a_dance_repeats_bars_as_often_as_the_dances_of_the_style(seed: int) -> None:
    patterns = {"................": 1, "....0123........": 1}
    plans = [
        plan_form(16, {"AABB": 1.0}, np.random.default_rng((seed, n)), patterns) for n in range(40)
    ]
    copying = sum(any(span.copies is not None for span in found.spans) for found in plans)
    assert 8 <= copying <= 32


def test_a_hymn_ends_every_phrase_of_two_bars_with_a_cadence() -> None:
    found = plan_form(16, {"AABC": 1.0}, np.random.default_rng(0), cadence_bars=2)
    ends = {s.first_bar + s.bar_count for s in found.spans if s.cadence}
    assert ends == set(range(2, 17, 2))


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
    assert plan(bars, "AABAC").form == form
