"""The similarity of rhythms, with made-up statistics: no network is loaded."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from mst_core.statistics.style_statistics import DurationBigram, MeterStatistics, RhythmCount
from mst_core.transfer.config import TransferConfig
from mst_core.transfer.log_odds import BigramModel, LogOdds
from mst_core.transfer.rhythm_interpolation import RhythmPattern
from mst_core.transfer.rhythm_similarity import (
    RhythmIndex,
    RhythmSimilarity,
    SectionTarget,
    bigram_profile,
    duration_profile,
)

BAR = 96
EVEN = tuple((Fraction(i, 2), Fraction(1, 2)) for i in range(8))
DOTTED = tuple(
    (beat + onset, duration)
    for beat in range(4)
    for onset, duration in ((Fraction(0), Fraction(3, 4)), (Fraction(3, 4), Fraction(1, 4)))
)


def statistics(rhythm: RhythmPattern, entropy: float | None = None) -> MeterStatistics:
    """The statistics of a style whose tunes repeat one bar of 4/4 without rests."""
    events = [(int(onset * 24), int(duration * 24)) for onset, duration in rhythm]
    return MeterStatistics(
        n_tunes=1,
        n_bars=1,
        rhythm_counts=tuple(RhythmCount(at, ticks, 10, 0) for at, ticks in events),
        final_onsets={},
        notes_per_bar=(8, 8, 8),
        duration_bigrams=tuple(
            DurationBigram(at, ticks, False, following, False, 10)
            for (at, ticks), (_, following) in zip(events, events[1:] + events[:1], strict=True)
        ),
        duration_entropy=entropy,
    )


def ids(index: RhythmIndex, rhythm: RhythmPattern, bars: int = 4) -> NDArray[np.int64]:
    """The ids of a tune that repeats one bar."""
    return np.tile(index.ids(0, BAR, 0, rhythm, True, Fraction(4)), bars)


def target(rhythm: RhythmPattern, source: RhythmPattern | None = None) -> SectionTarget:
    own = statistics(rhythm, 0.0)
    log_odds = None
    if source is not None:
        log_odds = LogOdds(BigramModel(own, BAR), BigramModel(statistics(source), BAR))
    return SectionTarget(1.0, duration_profile(own), bigram_profile(own), 0.0, log_odds)


@pytest.mark.parametrize("rhythm", [EVEN, DOTTED])
def test_profiles_sum_to_one(rhythm: RhythmPattern) -> None:
    for profile in (duration_profile(statistics(rhythm)), bigram_profile(statistics(rhythm))):
        assert sum(profile.values()) == pytest.approx(1)


def test_a_tune_of_the_target_is_alike_and_one_without_common_events_is_not() -> None:
    index = RhythmIndex()
    even, dotted = ids(index, EVEN, 64), ids(index, DOTTED, 64)
    similarity = RhythmSimilarity(index, [target(EVEN)], dotted)
    assert similarity(even) == pytest.approx(1, abs=0.01)
    assert similarity(dotted) < 0.01


@given(st.lists(st.booleans(), min_size=1, max_size=12))
def test_without_log_odds_the_similarity_lies_between_zero_and_one(bars: list[bool]) -> None:
    index = RhythmIndex()
    even, dotted = ids(index, EVEN, 1), ids(index, DOTTED, 1)
    tune = np.concatenate([even if is_even else dotted for is_even in bars])
    assert 0 <= RhythmSimilarity(index, [target(EVEN)], dotted)(tune) <= 1


def test_each_bar_of_the_targets_rhythm_raises_the_similarity() -> None:
    index = RhythmIndex()
    even, dotted = ids(index, EVEN, 1), ids(index, DOTTED, 1)
    similarity = RhythmSimilarity(index, [target(EVEN, DOTTED)], np.tile(dotted, 8))
    versions = [similarity(np.concatenate([even] * n + [dotted] * (8 - n))) for n in range(9)]
    assert versions == sorted(versions)
    assert versions[0] < versions[-1]


def test_progress_of_the_log_odds_counts_from_the_tune_as_it_is_up_to_the_gain_cap() -> None:
    index = RhythmIndex()
    even, dotted = ids(index, EVEN), ids(index, DOTTED)
    similarity = RhythmSimilarity(index, [target(EVEN, DOTTED)], dotted)
    weight, cap = TransferConfig().rhythm_log_odds_weight, TransferConfig().rhythm_gain_cap
    profiles_only = RhythmSimilarity(index, [target(EVEN)], dotted)
    assert similarity(dotted) == pytest.approx((1 - weight) * profiles_only(dotted))
    assert similarity(even) <= (1 - weight) * profiles_only(even) + weight * cap


def test_a_whole_draft_is_also_compared_by_its_duration_entropy() -> None:
    index = RhythmIndex()
    even, dotted = ids(index, EVEN), ids(index, DOTTED)
    config = TransferConfig(rest_weight=0, short_weight=0)
    similarity = RhythmSimilarity(index, [target(EVEN)], dotted, config)
    weight = config.entropy_weight
    # Even notes have an entropy of 0 bits as the target has; two equally frequent values have 1.
    assert similarity.of_whole_draft(even) == pytest.approx(
        (1 - weight) * similarity(even) + weight
    )
    assert similarity.of_whole_draft(dotted) == pytest.approx((1 - weight) * similarity(dotted))


def test_a_whole_draft_should_be_as_much_like_the_style_as_its_tunes_and_not_more() -> None:
    index = RhythmIndex()
    even, dotted = ids(index, EVEN), ids(index, DOTTED)

    def value(progress: float) -> float:
        config = TransferConfig(rhythm_progress=progress)
        whole = RhythmSimilarity(index, [target(EVEN, DOTTED)], dotted, config)
        return whole.of_whole_draft(even)

    assert value(1.0) > value(0.5)  # the even bars have gone the whole way ...
    assert value(1.0) > value(1.5)  # ... and not half as far again


def test_short_notes_and_rests_beyond_those_of_the_style_lower_a_whole_draft() -> None:
    index = RhythmIndex()
    quarters: RhythmPattern = tuple((Fraction(beat), Fraction(1)) for beat in range(4))
    flurry = (*quarters[:2], (Fraction(2), Fraction(11, 6)), (Fraction(23, 6), Fraction(1, 6)))
    gaps: RhythmPattern = tuple((Fraction(beat), Fraction(1, 2)) for beat in range(4))
    own = ids(index, quarters)
    no_shorts, no_rests = TransferConfig(short_weight=0), TransferConfig(rest_weight=0)
    for rhythm, config in ((flurry, no_shorts), (gaps, no_rests)):
        values = ids(index, rhythm)
        weighed = RhythmSimilarity(index, [target(quarters)], own).of_whole_draft(values)
        free = RhythmSimilarity(index, [target(quarters)], own, config).of_whole_draft(values)
        assert weighed < free


def test_an_id_stands_for_position_duration_and_the_rests_around_a_note() -> None:
    index = RhythmIndex()
    first = index.ids(0, BAR, 0, EVEN, True, Fraction(4))
    again = index.ids(0, BAR, 0, EVEN, True, Fraction(4))
    longer = index.ids(0, BAR, 0, EVEN, True, Fraction(5))  # a rest follows the last note
    assert first.tolist() == again.tolist()
    assert first[:-1].tolist() == longer[:-1].tolist()
    assert first[-1] != longer[-1]
    assert index.table[:, longer[-1]].tolist() == [0, BAR, 84, 12, 0, 24]
    assert index.times[first[1]] == EVEN[1]
