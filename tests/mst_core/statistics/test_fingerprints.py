"""What a style remembers of its tunes: whether a run is copied, and how near a result lies."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from mst_core.__main__ import main
from mst_core.corpora.tunes import CorpusTune, TuneEvent, parse_tune
from mst_core.corpora.vocabulary import DurationVocabulary
from mst_core.errors import BrokenStyle
from mst_core.music import Key, Meter
from mst_core.statistics.fingerprints import FINGERPRINTS_FILE, Fingerprints
from mst_core.statistics.reference_profiles import (
    PROFILES_FILE,
    ProfileSide,
    ReferenceProfiles,
    proximity_rank,
    rank_against_style,
    rank_against_tune,
    total_variation_distance,
    tune_profile,
)
from mst_core.statistics.shared_runs import longest_shared_run, melody_steps, rhythm_steps
from mst_core.statistics.style_statistics import StyleStatistics, count_statistics
from mst_core.training.train_style import CorpusSplit
from tests.support.corpus import dance, write_corpus
from tests.support.paths import MODELS

DANCES = tuple(parse_tune(dance(number)) for number in range(60))


def tune_of(steps: list[tuple[int, int]], *, name: str = "tune") -> CorpusTune:
    """A tune in 4/4 of (pitch, duration in ticks), from the first downbeat on."""
    events, now = [], 0
    for pitch, ticks in steps:
        events.append(TuneEvent(pitch, now, ticks))
        now += ticks
    bars = tuple(range(0, max(now, 1), 96))
    return CorpusTune(name, name, Meter(4, 4), Key(0), tuple(events), bars)


tunes = st.lists(
    st.tuples(st.integers(55, 80), st.sampled_from([3, 6, 8, 12, 18, 24, 36, 48])),
    min_size=12,
    max_size=60,
).map(tune_of)


@pytest.fixture(scope="module")
def fingerprints() -> Fingerprints:
    return Fingerprints.from_tunes(DANCES[:30], DANCES[30:])


@settings(deadline=None, max_examples=25)
@given(st.lists(tunes, min_size=1, max_size=6), st.integers(0, 5))
def test_a_training_tune_shares_its_whole_length(corpus: list[CorpusTune], which: int) -> None:
    tune = corpus[which % len(corpus)]
    fingerprints = Fingerprints.from_tunes(corpus, ())
    assert fingerprints.longest_rhythm_run(tune).length == len(tune.events)
    assert fingerprints.longest_melody_run(tune).length == len(tune.events) - 1


@settings(deadline=None, max_examples=25)
@given(st.lists(tunes, min_size=2, max_size=6), tunes)
def test_no_copy_is_ever_missed(corpus: list[CorpusTune], stranger: CorpusTune) -> None:
    fingerprints = Fingerprints.from_tunes(corpus, ())
    shared = max(longest_shared_run(rhythm_steps(stranger), rhythm_steps(t)).length for t in corpus)
    assert fingerprints.longest_rhythm_run(stranger).length >= (shared if shared >= 8 else 0)
    shared = max(longest_shared_run(melody_steps(stranger), melody_steps(t)).length for t in corpus)
    assert fingerprints.longest_melody_run(stranger).length >= (shared if shared >= 8 else 0)


@settings(deadline=None, max_examples=10)
@given(st.lists(tunes, min_size=2, max_size=6, unique=True), tunes)
def test_the_order_of_the_corpus_does_not_matter_to_a_copy(
    corpus: list[CorpusTune], stranger: CorpusTune
) -> None:
    copied = replace(stranger, events=corpus[0].events, barlines=corpus[0].barlines)
    for tunes in (corpus, corpus[::-1]):
        assert Fingerprints.from_tunes(tunes, ()).longest_rhythm_run(copied).length == len(
            copied.events
        )


def test_what_shares_nothing_gives_a_short_run(fingerprints: Fingerprints) -> None:
    draw = np.random.default_rng(1)
    alien = tune_of([(int(draw.integers(40, 90)), int(draw.integers(1, 90))) for _ in range(200)])
    assert fingerprints.longest_rhythm_run(alien).length <= 13
    assert fingerprints.longest_melody_run(alien).length <= 12


def test_a_copy_is_found_where_it_stands_in_another_key(fingerprints: Fingerprints) -> None:
    lent = [(event.pitch or 0, event.duration) for event in DANCES[7].events[:14]]
    own = [(60 + 5 * (n % 3), 7) for n in range(20)]
    run = fingerprints.longest_melody_run(
        tune_of([*own, *((pitch + 4, t) for pitch, t in lent), *own])
    )
    assert 13 <= run.length <= 15
    assert run.start + run.length >= 20 + 13


def test_a_rhythm_must_stand_at_the_same_place_of_the_bar() -> None:
    tune = tune_of([(60 + n, 12) for n in range(20)])
    late = replace(tune, events=tuple(replace(e, onset=e.onset + 6) for e in tune.events))
    assert longest_shared_run(rhythm_steps(tune), rhythm_steps(tune)).length == 20
    assert longest_shared_run(rhythm_steps(tune), rhythm_steps(late)).length == 0
    assert longest_shared_run(melody_steps(tune), melody_steps(late)).length == 19


@settings(deadline=None, max_examples=40)
@given(tunes, tunes)
def test_two_tunes_share_the_same_run_whoever_is_asked(a: CorpusTune, b: CorpusTune) -> None:
    there, back = (
        longest_shared_run(melody_steps(x), melody_steps(y)) for x, y in ((a, b), (b, a))
    )
    assert there.length == back.length
    run = slice(there.start, there.start + there.length)
    mirror = slice(back.start, back.start + back.length)
    if there.length:
        assert melody_steps(a)[run].shape == melody_steps(b)[mirror].shape


def test_a_run_is_unusual_when_it_is_longer_than_strangers_share(
    fingerprints: Fingerprints,
) -> None:
    copy, stranger = (
        fingerprints.longest_melody_run(DANCES[3]),
        fingerprints.longest_melody_run(DANCES[40]),
    )
    assert copy.is_suspicious
    assert copy.p95 == fingerprints.melody_config.p95
    assert stranger.length <= copy.length
    assert fingerprints.melody_run_with(DANCES[3], DANCES[3]).is_suspicious


def test_few_tunes_do_not_tell_what_is_usual() -> None:
    small = Fingerprints.from_tunes(DANCES[:5], DANCES[5:10])
    assert small.longest_melody_run(DANCES[0]).p95 is None
    assert not small.longest_melody_run(DANCES[0]).is_suspicious


def test_echoes_survive_their_file_and_take_little_room(
    fingerprints: Fingerprints, tmp_path: Path
) -> None:
    fingerprints.save(tmp_path)
    again = Fingerprints.load(tmp_path)
    assert again is not None
    for tune in DANCES:
        assert again.longest_rhythm_run(tune) == fingerprints.longest_rhythm_run(tune)
        assert again.longest_melody_run(tune) == fingerprints.longest_melody_run(tune)
    notes = sum(len(tune.events) for tune in DANCES[:30])
    assert (tmp_path / FINGERPRINTS_FILE).stat().st_size < 2 * notes + 1000


def test_a_style_of_an_older_training_has_no_echoes(tmp_path: Path) -> None:
    assert Fingerprints.load(tmp_path) is None
    assert ReferenceProfiles.load(tmp_path) is None


@pytest.mark.parametrize("place", [3, 200, -1])
def test_damaged_echoes_break_the_style(
    fingerprints: Fingerprints, tmp_path: Path, place: int
) -> None:
    fingerprints.save(tmp_path)
    content = bytearray((tmp_path / FINGERPRINTS_FILE).read_bytes())
    content[place] ^= 255
    (tmp_path / FINGERPRINTS_FILE).write_bytes(content)
    with pytest.raises(BrokenStyle):
        Fingerprints.load(tmp_path)


def test_a_tune_is_nearest_to_itself() -> None:
    company = ReferenceProfiles.from_tunes(DANCES[1:]).for_meter(Meter(2, 4))
    assert company is not None
    ours = tune_profile(DANCES[0]).pitch
    others = [tune.pitch for tune in company.samples]
    found = rank_against_tune(ours, ours, others)
    assert (found.closer_than, found.n_others) == (50, 50)
    far = tune_profile(tune_of([(60, 7), (71, 5)] * 20)).pitch
    assert rank_against_tune(ours, far, others).closer_than == 0


def test_a_tune_of_a_style_is_closer_to_it_than_strangers_are() -> None:
    strangers = [tune_of([(60 + n % (k + 3), 7 + k) for n in range(30)]) for k in range(12)]
    strangers = [replace(tune, meter=Meter(2, 4)) for tune in strangers]
    styles = {
        "dances": ReferenceProfiles.from_tunes(DANCES[:30]),
        "odd": ReferenceProfiles.from_tunes(strangers),
    }
    sides: tuple[ProfileSide, ...] = ("rhythm", "pitch")
    for side in sides:
        found = proximity_rank(DANCES[40], "dances", styles, side=side)
        assert found is not None
        assert found.closer_than == found.n_others == 12
        strange = proximity_rank(strangers[0], "dances", styles, side=side)
        assert strange is not None
        assert strange.closer_than < 12
    assert proximity_rank(DANCES[40], "dances", {"dances": styles["dances"]}, side="rhythm") is None
    against_one = proximity_rank(DANCES[40], DANCES[40], styles, side="rhythm")
    assert against_one is not None
    assert against_one.n_others == 42


@settings(deadline=None, max_examples=40)
@given(tunes, tunes)
def test_distance_is_the_same_both_ways_and_between_0_and_1(a: CorpusTune, b: CorpusTune) -> None:
    one, other = tune_profile(a).rhythm, tune_profile(b).rhythm
    assert total_variation_distance(one, other) == pytest.approx(
        total_variation_distance(other, one)
    )
    assert 0 <= total_variation_distance(one, other) <= 1 + 1e-9
    assert total_variation_distance(one, one) == 0


def test_the_order_of_a_tunes_notes_does_not_matter_to_its_profile() -> None:
    forth = tune_of([(60, 12), (62, 12), (64, 24), (60, 48)] * 3)
    swapped = tune_of([(64, 12), (62, 12), (60, 24), (64, 48)] * 3)
    assert tune_profile(forth).rhythm == tune_profile(swapped).rhythm


def test_neighbours_survive_their_file(tmp_path: Path) -> None:
    found = ReferenceProfiles.from_tunes(DANCES)
    found.save(tmp_path)
    assert ReferenceProfiles.load(tmp_path) == found
    assert found.for_meter(Meter(7, 8)) is None
    assert found.for_meter(Meter(4, 8)) == found.for_meter(Meter(2, 4))
    (tmp_path / PROFILES_FILE).write_text('{"meters": {"7/0": 1}}')
    with pytest.raises(BrokenStyle):
        ReferenceProfiles.load(tmp_path)


def test_styles_are_mixed_evenly_and_a_style_alone_has_no_strangers() -> None:
    ours = tune_profile(DANCES[0]).rhythm
    assert rank_against_style(ours, ours, []).n_others == 0


@pytest.mark.parametrize("style", ["folk", "jazz"])
def test_the_shipped_styles_know_their_tunes_in_little_room(style: str) -> None:
    folder = MODELS / style
    fingerprints, neighbours = Fingerprints.load(folder), ReferenceProfiles.load(folder)
    assert fingerprints is not None
    assert neighbours is not None
    assert fingerprints.rhythm_config.p95 is not None
    assert fingerprints.melody_config.p95 is not None
    company = neighbours.for_meter(Meter(4, 4))
    assert company is not None
    assert len(company.samples) == 50
    assert (folder / FINGERPRINTS_FILE).stat().st_size + (
        folder / PROFILES_FILE
    ).stat().st_size < 1_000_000


@pytest.mark.parametrize("name", ["fingerprint", "echoes"])
def test_fingerprints_can_be_computed_again_without_training(tmp_path: Path, name: str) -> None:
    shipped = MODELS / "folk" / "style.toml"
    folder = tmp_path / "models" / "dances"
    folder.mkdir(parents=True)
    shutil.copy(shipped, folder)
    corpus = write_corpus(tmp_path / "dances.jsonl")
    words = [name, "dances", str(corpus), "--models", str(folder.parent)]
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 0, result.stderr
    fingerprints = Fingerprints.load(folder)
    assert fingerprints is not None
    split = CorpusSplit.by_cluster(DANCES)
    assert f"{len(split.training)} tunes" in result.stdout
    assert all(
        fingerprints.longest_melody_run(tune).length >= len(tune.events) - 1
        for tune in split.training
    )
    assert ReferenceProfiles.load(folder) == ReferenceProfiles.from_tunes(split.training)


OLD_NAMES = {
    "statistics.json": "habits.json",
    "reference_profiles.json": "neighbours.json",
    "fingerprints.safetensors": "echoes.safetensors",
}


def test_a_style_folder_of_version_0_1_gives_the_same_values(tmp_path: Path) -> None:
    new = MODELS / "strathspey"
    old = tmp_path / "strathspey"
    shutil.copytree(new, old)
    for name, old_name in OLD_NAMES.items():
        (old / name).rename(old / old_name)
    assert StyleStatistics.load(old) == StyleStatistics.load(new)
    assert ReferenceProfiles.load(old) == ReferenceProfiles.load(new)
    ours, theirs = Fingerprints.load(new), Fingerprints.load(old)
    assert ours is not None
    assert theirs is not None
    assert (ours.rhythm_config, ours.melody_config) == (theirs.rhythm_config, theirs.melody_config)
    assert np.array_equal(ours.rhythm_bits, theirs.rhythm_bits)
    assert np.array_equal(ours.melody_bits, theirs.melody_bits)


def test_saving_replaces_the_files_of_version_0_1(
    fingerprints: Fingerprints, tmp_path: Path
) -> None:
    for old_name in OLD_NAMES.values():
        (tmp_path / old_name).write_text("old")
    fingerprints.save(tmp_path)
    ReferenceProfiles.from_tunes(DANCES).save(tmp_path)
    count_statistics(DANCES, DurationVocabulary.from_tunes(DANCES)).save(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == OLD_NAMES.keys()


def test_the_keys_on_disk_are_those_of_version_0_1(tmp_path: Path) -> None:
    count_statistics(DANCES, DurationVocabulary.from_tunes(DANCES)).save(tmp_path)
    statistics = json.loads((tmp_path / "statistics.json").read_text())
    assert statistics.keys() == json.loads((MODELS / "folk" / "statistics.json").read_text()).keys()
    meter = statistics["meters"]["2/4"]
    assert meter.keys() == {
        "tunes", "bars", "rhythms", "endings", "notes_a_bar", "pickups", "turns", "variety",
    }  # fmt: skip
