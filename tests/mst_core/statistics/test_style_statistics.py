"""Statistics of a corpus: what is counted, how meters are merged, and the file."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest

from mst_core.corpora.tunes import TuneEvent
from mst_core.corpora.vocabulary import REST_TOKEN, DurationVocabulary, interval_token
from mst_core.errors import BrokenStyle
from mst_core.music import Key, Meter
from mst_core.statistics.style_statistics import (
    ENTROPY_WINDOW_NOTES,
    STATISTICS_FILE,
    RhythmCount,
    StyleStatistics,
    count_compasses,
    count_interval_bigrams,
    count_scale_degrees,
    count_statistics,
    duration_entropy,
    has_repeated_phrase,
    merge_meters,
    window_entropies,
)
from tests.support.corpus import DANCES, make_tune
from tests.support.paths import MODELS

STATISTICS = count_statistics(DANCES, DurationVocabulary.from_tunes(DANCES))


def test_the_statistics_of_the_dances_add_up() -> None:
    meter = STATISTICS.meters["2/4"]
    notes = sum(len(tune.events) for tune in DANCES)
    assert (meter.n_tunes, meter.n_bars) == (60, 480)
    assert sum(rhythm.notes for rhythm in meter.rhythm_counts) == notes
    assert sum(pair.count for pair in meter.duration_bigrams) <= notes - 60
    assert sum(meter.final_onsets.values()) == 60
    assert meter.pickups == {0: 60}
    assert STATISTICS.keys == {"D major": 60}
    assert STATISTICS.final_degrees[0] == 60
    assert sum(STATISTICS.interval_counts) == notes - 60
    assert STATISTICS.repeated_phrase_share == 1


def test_range_percentiles_leave_out_one_note_in_a_hundred() -> None:
    tune = make_tune([(40, 12), *[(60 + n % 5, 12) for n in range(398)], (99, 12)])
    found = count_statistics([tune], DurationVocabulary.from_tunes([tune]))
    assert (found.lowest_pitch, found.highest_pitch) == (60, 64)


def test_rare_rhythms_are_left_out_and_rests_are_counted_apart() -> None:
    tune = make_tune([(60, 24), (62, 24), (64, 24), (65, 24)] * 3 + [(60, 96)])
    events = [replace(e, pitch=None) if e.onset % 96 == 72 else e for e in tune.events]
    found = count_statistics(
        [replace(tune, events=tuple(events))], DurationVocabulary.from_tunes([tune])
    )
    assert found.meters["4/4"].rhythm_counts == (
        RhythmCount(0, 24, 3, 0), RhythmCount(24, 24, 3, 0), RhythmCount(48, 24, 3, 0),
        RhythmCount(72, 24, 0, 3),
    )  # fmt: skip
    assert found.interval_counts[REST_TOKEN] == 3


def test_interval_bigrams_skip_rests() -> None:
    tune = make_tune([(60, 24), (62, 24), (64, 24)])
    events = (*tune.events[:2], TuneEvent(None, 48, 24), TuneEvent(64, 72, 24))
    up = interval_token(2)
    assert count_interval_bigrams([replace(tune, events=events)], 1) == ((up, up, 1),)
    assert count_interval_bigrams([tune], 2) == ()


def test_scale_degrees_are_counted_above_the_tonic_by_mode() -> None:
    tune = make_tune([(62, 24), (69, 24), (62, 24)])
    major = count_scale_degrees([replace(tune, key=Key(2))])
    assert major == {"major": (2, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0)}
    assert count_scale_degrees([replace(tune, key=Key(2, "dorian"))]).keys() == {"minor"}
    assert count_scale_degrees([replace(tune, key=None)]) == {}


def test_the_compass_is_counted_once_a_passage_of_a_long_tune() -> None:
    bars = [[60, 67], [72, 60], [61, 62], [63, 60], [80, 50]]
    pitches = [pitch for bar in bars for pitch in bar]
    events = tuple(TuneEvent(pitch, 24 * index, 24) for index, pitch in enumerate(pitches))
    tune = replace(DANCES[0], meter=Meter(2, 4), events=events, barlines=tuple(range(0, 240, 48)))
    assert count_compasses([tune], n_bars=2) == {3: 1, 12: 1}  # the fifth bar is no whole passage
    assert count_compasses([tune], n_bars=16) == {30: 1}


def test_merging_a_meter_with_itself_doubles_counts_and_keeps_means() -> None:
    meter = STATISTICS.meters["2/4"]
    merged = merge_meters([meter, meter])
    assert (merged.n_tunes, merged.n_bars) == (2 * meter.n_tunes, 2 * meter.n_bars)
    assert [rhythm.notes for rhythm in merged.rhythm_counts] == [
        2 * rhythm.notes for rhythm in meter.rhythm_counts
    ]
    assert merged.notes_per_bar == pytest.approx(meter.notes_per_bar)
    assert merged.duration_entropy == pytest.approx(meter.duration_entropy)


def test_entropy_is_0_for_one_note_value_and_1_bit_for_two_equally_frequent_ones() -> None:
    assert duration_entropy([12] * 10) == 0
    assert duration_entropy([12, 24] * 10) == pytest.approx(1)
    assert duration_entropy([3, 6, 12, 24]) == pytest.approx(2)
    assert duration_entropy([12, 12, 12, 24]) == pytest.approx(2 - 0.75 * math.log2(3))


def test_entropies_are_those_of_whole_windows() -> None:
    one_value, two_values = [12] * ENTROPY_WINDOW_NOTES, [12, 24] * (ENTROPY_WINDOW_NOTES // 2)
    assert window_entropies([*one_value, *two_values, 3, 6]) == pytest.approx([0, 1])


def test_a_phrase_is_repeated_only_note_for_note() -> None:
    phrase = [(60, 24), (62, 24), (64, 24), (65, 24)]
    other = [(67, 24), (69, 24), (71, 24), (72, 24)]
    varied = [*other[:3], (74, 24)]
    assert has_repeated_phrase(make_tune([*phrase, *other, *phrase, *other]))
    assert not has_repeated_phrase(make_tune([*phrase, *other, *phrase, *varied]))
    assert has_repeated_phrase(make_tune([*phrase, *other, *phrase, *varied]), n_bars=1)


def test_statistics_read_from_their_file_are_equal(tmp_path: Path) -> None:
    STATISTICS.save(tmp_path)
    assert StyleStatistics.load(tmp_path) == STATISTICS


def test_missing_or_damaged_statistics_break_the_style(tmp_path: Path) -> None:
    with pytest.raises(BrokenStyle, match=STATISTICS_FILE):
        StyleStatistics.load(tmp_path)
    (tmp_path / STATISTICS_FILE).write_text("{}")
    with pytest.raises(BrokenStyle, match=STATISTICS_FILE):
        StyleStatistics.load(tmp_path)


def test_the_keys_on_disk_are_those_of_version_0_1_and_what_was_added(tmp_path: Path) -> None:
    STATISTICS.save(tmp_path)
    written = json.loads((tmp_path / STATISTICS_FILE).read_text())
    shipped = json.loads((MODELS / "folk" / STATISTICS_FILE).read_text())
    assert written.keys() == shipped.keys()
    assert written["meters"]["2/4"].keys() == shipped["meters"]["6/8"].keys() == {
        "tunes", "bars", "rhythms", "endings", "notes_a_bar", "pickups", "turns", "variety",
        "bar_rhythms", "shared_rhythm_share",
    }  # fmt: skip
