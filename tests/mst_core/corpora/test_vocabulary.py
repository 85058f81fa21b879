"""Tokens of intervals and durations."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mst_core.corpora.vocabulary import (
    COMMON_DURATIONS,
    N_PITCH_TOKENS,
    REST_TOKEN,
    DurationVocabulary,
    fold_to_octave,
    interval_token,
)
from tests.support.corpus import DANCES, make_tune


@given(st.integers(-127, 127))
def test_an_interval_is_folded_by_octaves_in_its_direction(interval: int) -> None:
    folded = fold_to_octave(interval)
    assert -12 <= folded <= 12
    assert (interval - folded) % 12 == 0
    assert folded * interval >= 0
    assert 0 <= interval_token(interval) < REST_TOKEN < N_PITCH_TOKENS


def test_an_octave_stays_an_octave_and_a_ninth_becomes_a_second() -> None:
    assert [fold_to_octave(interval) for interval in (12, 14, -14, -25)] == [12, 2, -2, -1]
    assert interval_token(0) == 12


def test_every_vocabulary_has_the_common_note_values() -> None:
    vocabulary = DurationVocabulary.from_tunes(DANCES)
    assert set(vocabulary.ticks) == {int(24 * value) for value in COMMON_DURATIONS}
    assert list(vocabulary.ticks) == sorted(vocabulary.ticks)


def test_a_rare_duration_is_left_out_and_has_the_token_of_the_nearest_one_by_ratio() -> None:
    tune = make_tune([(60, 24)] * 99 + [(60, 23)])
    strict = DurationVocabulary.from_tunes([tune], min_share=0.02)
    assert strict.ticks[strict.token(23)] == 24
    assert strict.ticks[strict.token(1000)] == 192
    wide = DurationVocabulary.from_tunes([tune], min_share=0.01)
    assert wide.ticks[wide.token(23)] == 23
