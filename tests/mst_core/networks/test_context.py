"""What a network may see of a tune when it predicts the next event."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from mst_core.corpora.tunes import CorpusTune, TuneEvent, parse_tune
from mst_core.corpora.vocabulary import (
    COMMON_DURATIONS,
    REST_TOKEN,
    DurationVocabulary,
    fold_to_octave,
    interval_token,
)
from mst_core.music import Meter
from mst_core.networks.context import MelodyState, TuneHeader
from mst_core.networks.features import POSITIONS, FeatureSpec
from mst_core.networks.match_model import CONFIDENCE_LEVELS
from mst_core.training.loop import encode_tune
from tests.support.corpus import dance


def test_wide_intervals_fold_by_octaves_and_keep_their_direction() -> None:
    assert (fold_to_octave(14), fold_to_octave(-14), fold_to_octave(12), fold_to_octave(-25)) == (
        2,
        -2,
        12,
        -1,
    )
    assert interval_token(0) == 12


def test_a_duration_outside_the_dictionary_takes_the_nearest_by_ratio() -> None:
    durations = DurationVocabulary((6, 12, 24, 48))
    assert [durations.token(ticks) for ticks in (6, 11, 40, 500)] == [0, 1, 3, 3]


def test_a_dictionary_holds_the_common_note_values_even_if_its_corpus_does_not() -> None:
    durations = DurationVocabulary.from_tunes([parse_tune(dance(1))])
    assert {int(value * 24) for value in COMMON_DURATIONS} <= set(durations.ticks)


def test_nothing_after_an_event_changes_what_was_known_before_it() -> None:
    line = dance(3)
    whole = parse_tune(line)
    changed = dance(3)
    changed["notes"][-1][0] += 5
    durations = DurationVocabulary.from_tunes([whole])
    first, second = encode_tune(whole, durations), encode_tune(parse_tune(changed), durations)
    np.testing.assert_array_equal(first.pitch_features, second.pitch_features)
    np.testing.assert_array_equal(first.duration_features[:-1], second.duration_features[:-1])


def test_transposing_a_tune_with_its_key_changes_only_the_names_of_key_and_pitch() -> None:
    low, high = dance(4), dance(4)
    high["notes"] = [[pitch + 3, *times] for pitch, *times in high["notes"]]
    high["key"] = "Fmaj"
    tune = parse_tune(low)
    durations = DurationVocabulary.from_tunes([tune])
    first, second = encode_tune(tune, durations), encode_tune(parse_tune(high), durations)
    kept = [name not in ("key", "pitch") for name in FeatureSpec.for_duration(len(durations)).names]
    np.testing.assert_array_equal(
        first.duration_features[:, kept], second.duration_features[:, kept]
    )
    np.testing.assert_array_equal(first.pitch_targets, second.pitch_targets)


def features(line: MelodyState) -> dict[str, int]:
    """What the pitch network would see now, by name."""
    names = FeatureSpec.for_pitch(len(line.vocabulary)).names
    return dict(zip(names, line.pitch_context(), strict=True))


def test_looking_back_finds_what_stood_at_the_same_place() -> None:
    tune = parse_tune(dance(5))
    durations = DurationVocabulary.from_tunes([tune])
    line = MelodyState(TuneHeader.from_tune(tune), durations)
    for event in tune.events:
        if event.onset == 4 * tune.bar_ticks:  # where the first half returns
            seen = features(line)
            first = tune.events[0]
            assert first.pitch is not None
            assert line.last_pitch is not None
            assert seen["interval to 4 bars back"] == interval_token(first.pitch - line.last_pitch)
            assert seen["duration 4 bars back"] == durations.token(first.duration)
        line.append(event.pitch, event.duration)


def test_a_rest_keeps_the_last_pitch_for_the_next_interval() -> None:
    tune = parse_tune(dance(6))
    line = MelodyState(TuneHeader.from_tune(tune), DurationVocabulary.from_tunes([tune]))
    line.append(67, 12)
    line.append(None, 12)
    assert line.interval_to(69) == interval_token(2)
    assert line.interval_to(None) == REST_TOKEN


def test_every_feature_stays_within_its_rows_of_the_table(tunes: list[CorpusTune]) -> None:
    durations = DurationVocabulary.from_tunes(tunes[:1])
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
        rows = encode_tune(tune, durations).duration_features
        assert (rows >= 0).all()
        assert (rows < np.array(FeatureSpec.for_duration(len(durations)).sizes)).all()


def test_a_bar_that_a_repeat_sign_splits_is_one_bar_and_tells_where_the_part_ends() -> None:
    parts = dance(5)
    parts["bar_starts"] = sorted([*parts["bar_starts"], "15/2"], key=Fraction)
    tune, plain = parse_tune(parts), parse_tune(dance(5))
    assert (tune.barlines, tune.bar_splits) == (plain.barlines, (180,))
    line = MelodyState(TuneHeader.from_tune(tune), DurationVocabulary.from_tunes([tune]))
    while line.next_onset < 168:
        line.append(62, 12)
    assert features(line)["ticks to the next line"] == 1 * POSITIONS + 12
    line.append(62, 12)
    assert features(line)["bars of the section"] == 0


def test_a_lick_is_recalled_wherever_it_stands_and_in_any_transposition() -> None:
    heading = TuneHeader.regular(Meter.parse("4/4"), None, 8)
    line = MelodyState(heading, DurationVocabulary((6, 12, 24)))
    for pitch, duration in ((60, 12), (62, 12), (65, 12), (64, 24), (72, 6), (68, 12), (70, 12)):
        line.append(pitch, duration)
    line.append(73, 12)  # as at the beginning, eight higher and not at the same place
    seen = features(line)
    assert seen["interval that the line recalls"] // CONFIDENCE_LEVELS == interval_token(-1)
    assert seen["duration that the line recalls"] // CONFIDENCE_LEVELS == 2
