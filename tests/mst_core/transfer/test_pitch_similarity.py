"""The similarity of melodies, with made-up statistics: no network is loaded."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from mst_core.corpora.tunes import CorpusTune, TuneEvent
from mst_core.corpora.vocabulary import DurationVocabulary
from mst_core.music import Key, Meter
from mst_core.statistics.config import StatisticsConfig
from mst_core.statistics.style_statistics import StyleStatistics, count_statistics
from mst_core.transfer.pitch_similarity import (
    PitchSimilarity,
    folded_intervals,
    interval_bigram_shares,
    next_interval_probabilities,
    scale_degree_shares,
)

STEPS = (60, 62, 64, 65, 67, 65, 64, 62) * 8
LEAPS = (60, 67, 60, 72, 64, 72, 55, 67) * 8
MELODIES = st.lists(st.integers(36, 96), min_size=1, max_size=30)


def array(pitches: Sequence[int]) -> NDArray[np.int64]:
    return np.array(pitches, dtype=np.int64)


def statistics(pitches: Sequence[int]) -> StyleStatistics:
    """The statistics of one tune in eighths, in C major."""
    events = tuple(TuneEvent(pitch, 12 * at, 12) for at, pitch in enumerate(pitches))
    lines = tuple(range(0, 12 * len(pitches), 96))
    tune = CorpusTune("", "", Meter(4, 4), Key(0), events, lines)
    return count_statistics([tune], DurationVocabulary((12,)), StatisticsConfig(min_count=1))


stepwise, leaping = statistics(STEPS), statistics(LEAPS)


@given(MELODIES)
def test_intervals_are_folded_into_an_octave_up_or_down(pitches: list[int]) -> None:
    tokens = folded_intervals(array(pitches))
    assert len(tokens) == len(pitches) - 1
    for token, before, after in zip(tokens, pitches, pitches[1:], strict=False):
        assert 0 <= token <= 24
        assert (token - 12 - (after - before)) % 12 == 0
        assert (token > 12) == (after > before)


def test_shares_and_probabilities_sum_to_one() -> None:
    assert interval_bigram_shares(stepwise).sum() == pytest.approx(1)
    assert scale_degree_shares(stepwise, minor=False).sum() == pytest.approx(1)
    assert next_interval_probabilities(stepwise).sum(axis=1) == pytest.approx(np.ones(25))


def test_a_mode_without_counts_takes_those_of_the_other_mode() -> None:
    major = scale_degree_shares(stepwise, minor=False)
    assert scale_degree_shares(stepwise, minor=True).tolist() == major.tolist()


def test_a_tune_of_the_target_is_alike() -> None:
    similarity = PitchSimilarity(Key(0), [(1.0, stepwise)], [], array(LEAPS))
    assert similarity(array(STEPS)) == pytest.approx(1)
    assert similarity(array(LEAPS)) < 0.5


def test_a_melody_in_another_octave_is_as_similar() -> None:
    similarity = PitchSimilarity(Key(0), [(1.0, stepwise)], [leaping], array(LEAPS))
    assert similarity(array(STEPS) + 12) == pytest.approx(similarity(array(STEPS)))


@given(MELODIES)
def test_without_log_odds_the_similarity_lies_between_zero_and_one(pitches: list[int]) -> None:
    similarity = PitchSimilarity(Key(0), [(1.0, stepwise)], [], array(LEAPS))
    assert 0 <= similarity(array(pitches)) <= 1 + 1e-9


def test_log_odds_count_only_where_the_tune_comes_from_another_style() -> None:
    plain = PitchSimilarity(Key(0), [(1.0, stepwise)], [], array(STEPS))
    own = PitchSimilarity(Key(0), [(1.0, stepwise)], [leaping], array(STEPS))
    assert own(array(LEAPS)) == plain(array(LEAPS))
    foreign = PitchSimilarity(Key(0), [(1.0, stepwise)], [leaping], array(LEAPS))
    assert foreign(array(LEAPS)) < plain(array(LEAPS))
    assert foreign(array(STEPS)) == pytest.approx(1)


def test_fewer_than_three_notes_have_no_similarity() -> None:
    assert PitchSimilarity(Key(0), [(1.0, stepwise)], [], array([60]))(array([60, 62])) == 0
