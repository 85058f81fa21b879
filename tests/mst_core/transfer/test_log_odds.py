"""Bigram models and the log-odds between two of them."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest

from mst_core.statistics.style_statistics import DurationBigram, MeterStatistics, RhythmCount
from mst_core.transfer.config import TransferConfig
from mst_core.transfer.log_odds import BigramModel, LogOdds

BAR = 96
EVEN = (0, 12, 0, 12, 0)
DOTTED = (0, 18, 0, 6, 0)


def statistics(bigrams: Sequence[tuple[int, int, int, int]]) -> MeterStatistics:
    """Statistics of (position, duration, next duration, count), without rests."""
    return MeterStatistics(
        n_tunes=1,
        n_bars=1,
        rhythm_counts=tuple(
            RhythmCount(position, duration, count, 0) for position, duration, _, count in bigrams
        ),
        final_onsets={},
        notes_per_bar=(1, 2, 3),
        duration_bigrams=tuple(
            DurationBigram(position, duration, False, following, False, count)
            for position, duration, following, count in bigrams
        ),
    )


even = BigramModel(statistics([(0, 12, 12, 30), (12, 12, 12, 30)]), BAR)
dotted = BigramModel(statistics([(0, 18, 6, 30), (18, 6, 18, 30)]), BAR)


def test_a_bigram_that_a_style_has_is_more_probable_in_it() -> None:
    assert even.log_probability(EVEN) > dotted.log_probability(EVEN)
    assert dotted.log_probability(DOTTED) > even.log_probability(DOTTED)


def test_an_unseen_bigram_has_a_small_probability_and_no_bigram_has_more_than_one() -> None:
    for model in (even, dotted):
        for bigram in (EVEN, DOTTED, (5, 7, 1, 9, 0)):
            assert 0 < math.exp(model.log_probability(bigram)) <= 1


def test_in_an_empty_style_every_event_is_as_probable() -> None:
    empty = BigramModel(statistics([]), BAR)
    expected = math.log(1 / TransferConfig().possible_events)
    assert empty.log_probability(EVEN) == pytest.approx(expected)


def test_log_odds_are_positive_for_the_target_and_negative_for_the_source() -> None:
    log_odds = LogOdds(even, dotted)
    assert log_odds(EVEN) > 0 > log_odds(DOTTED)
    assert log_odds.target_mean > 0


def test_exchanging_target_and_source_changes_the_sign() -> None:
    assert LogOdds(even, dotted)(EVEN) == pytest.approx(-LogOdds(dotted, even)(EVEN))


def test_what_one_tune_never_has_is_no_proof_against_it() -> None:
    style = BigramModel(statistics([(0, 12, 12, 30), (0, 12, 24, 30)]), BAR)
    one = BigramModel(statistics([(0, 12, 12, 8)]), BAR, style=style)
    log_odds = LogOdds(one, style, lowest=0.0)
    assert log_odds(EVEN) > 0, "more frequent than in its style"
    assert log_odds((0, 12, 0, 24, 0)) == 0
    assert log_odds((18, 6, 0, 18, 0)) == 0, "of what neither has the tune is as its style"


def test_a_style_has_no_log_odds_against_itself() -> None:
    assert LogOdds(even, even)(EVEN) == 0
    assert LogOdds(even, even).target_mean == 0


def test_log_odds_are_clipped() -> None:
    config = TransferConfig(max_log_odds=0.5)
    log_odds = LogOdds(even, dotted, config)
    assert log_odds(EVEN) == 0.5
    assert log_odds(DOTTED) == -0.5
