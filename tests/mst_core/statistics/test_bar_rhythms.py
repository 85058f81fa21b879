"""Whole-bar rhythms of a corpus."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from mst_core.corpora.vocabulary import DurationVocabulary
from mst_core.statistics.bar_rhythms import (
    bar_rhythms_of,
    count_bar_rhythms,
    shared_rhythm_share,
)
from mst_core.statistics.config import StatisticsConfig
from mst_core.statistics.style_statistics import (
    STATISTICS_FILE,
    StyleStatistics,
    count_statistics,
    merge_meters,
    recount_bar_rhythms,
)
from tests.support.corpus import make_tune

HALVES, DOTTED, WHOLE = [(60, 48), (62, 48)], [(64, 72), (65, 24)], [(67, 96)]


def test_the_rhythm_of_a_bar_has_no_pitches_and_no_bar_with_a_held_note() -> None:
    tune = make_tune([*DOTTED, (60, 48), (62, 60), (64, 84), *WHOLE])
    assert bar_rhythms_of(tune) == [(0, 72, 72, 24), None, None, (0, 96)]


def test_a_bar_that_begins_with_a_rest_keeps_it() -> None:
    tune = make_tune([(60, 24), (62, 72), *WHOLE])
    events = (replace(tune.events[0], pitch=None), *tune.events[1:])
    assert bar_rhythms_of(replace(tune, events=events))[0] == (24, 72)


def test_a_rhythm_that_one_tune_alone_has_is_not_kept() -> None:
    alone = make_tune([*DOTTED * 9])
    usual = [make_tune([*HALVES, *WHOLE]) for _ in range(3)]
    assert count_bar_rhythms([alone, *usual]) == ((3, (0, 48, 48, 48)), (3, (0, 96)))
    few = StatisticsConfig(max_bar_rhythms=0)
    assert count_bar_rhythms(usual, few) == ()


def test_a_tune_of_few_rhythms_gives_bars_with_as_many_notes_the_same_one() -> None:
    reel = make_tune([*HALVES, *HALVES, *WHOLE, *HALVES])
    solo = make_tune([*HALVES, *DOTTED, *WHOLE, (60, 24), (62, 72)])
    assert shared_rhythm_share([reel]) == 1
    assert shared_rhythm_share([solo]) == 0
    assert shared_rhythm_share([reel, solo]) == 0.5
    assert shared_rhythm_share([make_tune(WHOLE)]) is None


def test_a_recount_changes_the_bar_rhythms_and_nothing_else() -> None:
    tunes = [make_tune([*HALVES, *WHOLE]) for _ in range(3)]
    counted = count_statistics(tunes, DurationVocabulary.from_tunes(tunes))
    older = recount_bar_rhythms(counted, [])
    assert older.meters["4/4"].bar_rhythms == ()
    assert older.meters["4/4"].shared_rhythm_share is None
    assert recount_bar_rhythms(older, tunes) == counted


def test_merged_meters_have_the_bar_rhythms_of_both() -> None:
    tunes = [make_tune([*HALVES, *HALVES]) for _ in range(3)]
    meter = count_statistics(tunes, DurationVocabulary.from_tunes(tunes)).meters["4/4"]
    merged = merge_meters([meter, meter])
    assert merged.bar_rhythms == ((12, (0, 48, 48, 48)),)
    assert merged.shared_rhythm_share == 1


def test_statistics_of_the_last_version_load_without_bar_rhythms(tmp_path: Path) -> None:
    tunes = [make_tune([*HALVES, *WHOLE]) for _ in range(3)]
    count_statistics(tunes, DurationVocabulary.from_tunes(tunes)).save(tmp_path)
    path = tmp_path / STATISTICS_FILE
    content = json.loads(path.read_text())
    for meter in content["meters"].values():
        del meter["bar_rhythms"], meter["shared_rhythm_share"]
    path.write_text(json.dumps(content))
    loaded = StyleStatistics.load(tmp_path).meters["4/4"]
    assert (loaded.bar_rhythms, loaded.shared_rhythm_share) == ((), None)
