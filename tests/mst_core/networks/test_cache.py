"""The continuous cache: it counts the past of its own tune and nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from mst_core.corpora.tunes import CorpusTune
from mst_core.corpora.vocabulary import N_PITCH_TOKENS, DurationVocabulary
from mst_core.networks.cache import (
    BUCKET_COUNT,
    CONTEXT_COUNT,
    ContinuousCache,
    fit_cache_weights,
)
from mst_core.networks.features import PITCH_FEATURES
from mst_core.training.loop import encode_tune

UNIFORM = np.full(N_PITCH_TOKENS, 1 / N_PITCH_TOKENS)
WEIGHTS = ((0.0, *[0.3] * (BUCKET_COUNT - 1)),) * CONTEXT_COUNT


def pitch_rows(tune: CorpusTune, tunes: list[CorpusTune]) -> list[list[int]]:
    vocabulary = DurationVocabulary.from_tunes(tunes)
    rows: list[list[int]] = encode_tune(tune, vocabulary)["pitch"][0].tolist()
    return rows


def mixed(rows: list[list[int]]) -> list[list[float]]:
    cache = ContinuousCache(len(rows[0]), WEIGHTS)
    return [cache.mix(row, UNIFORM).tolist() for row in rows]


def test_later_events_do_not_change_earlier_predictions(tunes: list[CorpusTune]) -> None:
    rows = pitch_rows(tunes[0], tunes)
    other = [*rows[:20], *pitch_rows(tunes[1], tunes)[20:]]
    assert mixed(rows)[:20] == mixed(other)[:20]


def test_mixed_probabilities_sum_to_one(tunes: list[CorpusTune]) -> None:
    assert all(sum(row) == pytest.approx(1) for row in mixed(pitch_rows(tunes[0], tunes)))


def test_a_token_that_followed_the_same_context_becomes_more_probable() -> None:
    row = [0] * len(PITCH_FEATURES)
    cache = ContinuousCache(len(row), WEIGHTS)
    first, second = cache.mix(row, UNIFORM), cache.mix(row, UNIFORM)
    assert (first == UNIFORM).all()
    assert second[0] > UNIFORM[0]
    assert second[1] < UNIFORM[1]


def test_the_fitted_weights_are_zero_where_the_cache_predicts_nothing() -> None:
    """In each row another tone, interval and degree: no context occurs twice."""
    rows = [[number] * len(PITCH_FEATURES) for number in range(10)]
    weights = fit_cache_weights([(rows, [0] * 10, np.tile(UNIFORM, (10, 1)))])
    assert weights == ((0.0,) * BUCKET_COUNT,) * CONTEXT_COUNT


def test_the_fitted_weights_are_the_largest_where_a_tune_repeats_one_token() -> None:
    rows = [[0] * len(PITCH_FEATURES)] * 10
    weights = fit_cache_weights([(rows, [0] * 10, np.tile(UNIFORM, (10, 1)))])
    assert max(weights[0]) == 0.3
