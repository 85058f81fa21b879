"""Sampling: probabilities, top-p and weights, without a network."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mst_core.generation.sampling import (
    log_softmax,
    sample_masked,
    sample_top_p,
    sample_weighted,
    set_probability,
    softmax,
)

LOGITS = np.array([2.0, 0.0, 1.0, -3.0])


def test_softmax_sums_to_one_and_keeps_the_order() -> None:
    probabilities = softmax(LOGITS)
    assert probabilities.sum() == pytest.approx(1)
    assert (np.argsort(probabilities) == np.argsort(LOGITS)).all()
    assert np.exp(log_softmax(LOGITS)) == pytest.approx(probabilities)


def test_one_token_gets_its_probability_and_the_others_share_the_rest() -> None:
    changed = softmax(set_probability(LOGITS, 1, 0.8))
    assert changed[1] == pytest.approx(0.8)
    others = softmax(LOGITS)[[0, 2, 3]]
    assert changed[[0, 2, 3]] == pytest.approx(0.2 * others / others.sum())


@given(st.integers(0, 1000), st.floats(0.05, 1.0))
def test_top_p_draws_only_the_most_probable_tokens(seed: int, top_p: float) -> None:
    probabilities = np.array([0.1, 0.5, 0.15, 0.25])
    drawn = sample_top_p(probabilities, top_p, np.random.default_rng(seed))
    more_probable = probabilities[probabilities > probabilities[drawn]].sum()
    assert more_probable < top_p


def test_tokens_are_drawn_as_often_as_they_are_probable() -> None:
    rng = np.random.default_rng(0)
    probabilities = np.array([0.1, 0.6, 0.3])
    drawn = [sample_top_p(probabilities, 1.0, rng) for _ in range(4000)]
    assert np.bincount(drawn) / 4000 == pytest.approx(probabilities, abs=0.03)


@given(st.integers(0, 1000))
def test_a_masked_token_is_never_drawn(seed: int) -> None:
    mask = np.array([False, True, False, True])
    assert sample_masked(LOGITS, mask, 1.0, 1.0, np.random.default_rng(seed)) in (1, 3)


def test_where_the_network_excludes_every_allowed_token_one_is_drawn_all_the_same() -> None:
    logits = np.array([1000.0, -1000.0, -1000.0])
    mask = np.array([False, True, True])
    rng = np.random.default_rng(0)
    assert {sample_masked(logits, mask, 1.0, 0.95, rng) for _ in range(50)} == {1, 2}


def test_weighted_names_come_as_often_as_their_weight() -> None:
    rng = np.random.default_rng(0)
    drawn = [sample_weighted({"6/8": 3.0, "4/4": 1.0}, rng) for _ in range(2000)]
    assert drawn.count("6/8") / 2000 == pytest.approx(0.75, abs=0.03)
