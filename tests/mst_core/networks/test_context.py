"""The context of an event: only the past, by the features' names."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from mst_core.corpora.tunes import CorpusTune, TuneEvent, parse_tune
from mst_core.corpora.vocabulary import (
    REST_TOKEN,
    DurationVocabulary,
    interval_token,
)
from mst_core.music import Meter
from mst_core.networks.context import MelodyState, TuneHeader
from mst_core.networks.features import (
    DURATION_FEATURES,
    PITCH_FEATURES,
    POSITIONS,
    embedding_sizes,
)
from mst_core.networks.match_model import CONFIDENCE_LEVELS
from mst_core.training.loop import encode_tune
from tests.support.corpus import dance


def test_later_events_do_not_change_an_earlier_context() -> None:
    record = dance(3)
    whole = parse_tune(record)
    changed = dance(3)
    changed["notes"][-1][0] += 5
    vocabulary = DurationVocabulary.from_tunes([whole])
    first, second = encode_tune(whole, vocabulary), encode_tune(parse_tune(changed), vocabulary)
    np.testing.assert_array_equal(first["pitch"][0], second["pitch"][0])
    np.testing.assert_array_equal(first["duration"][0][:-1], second["duration"][0][:-1])


def test_transposing_a_tune_with_its_key_changes_only_the_key_and_pitch_features() -> None:
    low, high = dance(4), dance(4)
    high["notes"] = [[pitch + 3, *times] for pitch, *times in high["notes"]]
    high["key"] = "Fmaj"
    tune = parse_tune(low)
    vocabulary = DurationVocabulary.from_tunes([tune])
    first, second = encode_tune(tune, vocabulary), encode_tune(parse_tune(high), vocabulary)
    kept = [feature.name not in ("key", "pitch") for feature in DURATION_FEATURES]
    np.testing.assert_array_equal(first["duration"][0][:, kept], second["duration"][0][:, kept])
    np.testing.assert_array_equal(first["pitch"][1], second["pitch"][1])


def features(state: MelodyState) -> dict[str, int]:
    """Return the features of the pitch network by name."""
    names = [feature.name for feature in PITCH_FEATURES]
    return dict(zip(names, state.pitch_context(), strict=True))


def test_looking_back_finds_the_event_at_the_same_position() -> None:
    tune = parse_tune(dance(5))
    vocabulary = DurationVocabulary.from_tunes([tune])
    state = MelodyState(TuneHeader.from_tune(tune), vocabulary)
    for event in tune.events:
        if event.onset == 4 * tune.bar_ticks:  # where the first half returns
            found = features(state)
            first = tune.events[0]
            assert first.pitch is not None
            assert state.last_pitch is not None
            assert found["interval to 4 bars back"] == interval_token(
                first.pitch - state.last_pitch
            )
            assert found["duration 4 bars back"] == vocabulary.token(first.duration)
        state.append(event.pitch, event.duration)


def test_a_rest_keeps_the_last_pitch_for_the_next_interval() -> None:
    tune = parse_tune(dance(6))
    state = MelodyState(TuneHeader.from_tune(tune), DurationVocabulary.from_tunes([tune]))
    state.append(67, 12)
    state.append(None, 12)
    assert state.interval_to(69) == interval_token(2)
    assert state.interval_to(None) == REST_TOKEN


def test_every_feature_value_has_an_embedding_row(tunes: list[CorpusTune]) -> None:
    vocabulary = DurationVocabulary.from_tunes(tunes[:1])
    odd = CorpusTune(
        "odd",
        "odd",
        Meter.parse("7/8"),
        None,
        (
            TuneEvent(None, -7, 7),
            TuneEvent(1, 0, 500),
            TuneEvent(127, 500, 1),
            TuneEvent(None, 501, 9),
            TuneEvent(3, 510, 3000),
            TuneEvent(99, 3510, 5),
        ),
        (0, 84, 100),
        bar_splits=(90,),
    )
    for tune in (*tunes, odd):
        rows = encode_tune(tune, vocabulary)["duration"][0]
        assert (rows >= 0).all()
        assert (rows < np.array(embedding_sizes(DURATION_FEATURES, len(vocabulary)))).all()


def test_a_bar_split_by_a_repeat_sign_is_one_bar_with_a_section_boundary() -> None:
    parts = dance(5)
    parts["bar_starts"] = sorted([*parts["bar_starts"], "15/2"], key=Fraction)
    tune, plain = parse_tune(parts), parse_tune(dance(5))
    assert (tune.barlines, tune.bar_splits) == (plain.barlines, (180,))
    state = MelodyState(TuneHeader.from_tune(tune), DurationVocabulary.from_tunes([tune]))
    while state.next_onset < 168:
        state.append(62, 12)
    assert features(state)["ticks to the next boundary"] == 1 * POSITIONS + 12
    state.append(62, 12)
    assert features(state)["bars since the section began"] == 0


def test_a_lick_is_matched_at_any_position_and_in_any_transposition() -> None:
    header = TuneHeader.regular(Meter.parse("4/4"), None, 8)
    state = MelodyState(header, DurationVocabulary((6, 12, 24)))
    for pitch, duration in ((60, 12), (62, 12), (65, 12), (64, 24), (72, 6), (68, 12), (70, 12)):
        state.append(pitch, duration)
    state.append(73, 12)  # as at the beginning, 8 semitones higher and at another position
    found = features(state)
    assert found["interval by event match"] // CONFIDENCE_LEVELS == interval_token(-1)
    assert found["duration by event match"] // CONFIDENCE_LEVELS == 2
