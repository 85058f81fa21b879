"""Match models: they follow the latest earlier position with the same end."""

from __future__ import annotations

from mst_core.networks.match_model import (
    CONFIDENCE_LEVELS,
    LAST_SEEN_LEVELS,
    NO_INTERVAL,
    ContextMemory,
    LastSeen,
    MatchModel,
)


def match_of(symbols: str, order: int) -> MatchModel:
    model = MatchModel(order)
    for symbol in symbols:
        model.append(symbol)
    return model


def test_the_latest_earlier_position_with_the_same_end_predicts_the_next_symbol() -> None:
    symbols = "abcabdab"
    index = match_of(symbols, 2).predicted_index
    assert index == 5
    assert symbols[index] == "d"


def test_fewer_equal_symbols_than_the_order_are_no_match() -> None:
    model = match_of("abcb", 2)
    assert (model.predicted_index, model.confidence) == (None, 0)


def test_confidence_rises_with_the_length_of_the_match() -> None:
    levels = [match_of("abcdefghij" * 2 + "abcdefghij"[:n], 1).confidence for n in range(11)]
    assert levels == sorted(levels)
    assert match_of("ab" * 20, 1).confidence == CONFIDENCE_LEVELS - 1


def test_what_was_last_seen_is_more_certain_the_oftener_it_came() -> None:
    seen = LastSeen()
    predictions = []
    for _ in range(5):
        predictions.append(seen.predict("context", unknown=9))
        seen.update("context", 4)
    unknown, first = 9 * LAST_SEEN_LEVELS, 4 * LAST_SEEN_LEVELS
    assert predictions == [unknown, first + 1, first + 2, first + 3, first + 3]
    seen.update("context", 5)
    assert seen.predict("context", unknown=9) == 5 * LAST_SEEN_LEVELS + 1


def test_a_new_tune_predicts_nothing() -> None:
    row = ContextMemory(vocabulary_size=26).pitch_features(position=0, pitch=None)
    assert row[:3] == [NO_INTERVAL * CONFIDENCE_LEVELS] * 3
    assert row[3:5] == [26 * CONFIDENCE_LEVELS] * 2
