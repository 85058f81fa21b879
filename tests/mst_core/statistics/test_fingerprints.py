"""Fingerprints of training tunes: no copy is missed, and nothing else looks like one."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from mst_core.__main__ import main
from mst_core.corpora.tunes import CorpusTune
from mst_core.corpora.vocabulary import DurationVocabulary
from mst_core.errors import BrokenStyle
from mst_core.music import Meter
from mst_core.networks.style import load_styles
from mst_core.statistics.fingerprints import FINGERPRINTS_FILE, Fingerprints
from mst_core.statistics.reference_profiles import PROFILES_FILE, ReferenceProfiles
from mst_core.statistics.shared_runs import longest_shared_run, melody_steps, rhythm_steps
from mst_core.statistics.style_statistics import STATISTICS_FILE, StyleStatistics, count_statistics
from mst_core.training.train_style import CorpusSplit
from tests.support.corpus import DANCES, TUNES, make_tune, write_corpus
from tests.support.paths import MODELS

OLD_NAMES = {
    "statistics.json": "habits.json",
    "reference_profiles.json": "neighbours.json",
    "fingerprints.safetensors": "echoes.safetensors",
}


@pytest.fixture(scope="module")
def fingerprints() -> Fingerprints:
    return Fingerprints.from_tunes(DANCES[:30], DANCES[30:])


@settings(deadline=None, max_examples=25)
@given(st.lists(TUNES, min_size=1, max_size=6), st.integers(0, 5))
def test_a_training_tune_is_shared_as_a_whole(corpus: list[CorpusTune], which: int) -> None:
    tune = corpus[which % len(corpus)]
    found = Fingerprints.from_tunes(corpus, ())
    assert found.longest_rhythm_run(tune).length == len(tune.events)
    assert found.longest_melody_run(tune).length == len(tune.events) - 1


@settings(deadline=None, max_examples=25)
@given(st.lists(TUNES, min_size=2, max_size=6), TUNES)
def test_no_shared_run_of_eight_steps_is_missed(
    corpus: list[CorpusTune], unrelated: CorpusTune
) -> None:
    found = Fingerprints.from_tunes(corpus, ())
    for steps, length in (
        (rhythm_steps, found.longest_rhythm_run(unrelated).length),
        (melody_steps, found.longest_melody_run(unrelated).length),
    ):
        exact = max(longest_shared_run(steps(unrelated), steps(tune)).length for tune in corpus)
        assert length >= (exact if exact >= 8 else 0)


@settings(deadline=None, max_examples=10)
@given(st.lists(TUNES, min_size=2, max_size=6, unique=True), TUNES)
def test_a_copy_is_found_whatever_the_order_of_the_corpus(
    corpus: list[CorpusTune], unrelated: CorpusTune
) -> None:
    copy = replace(unrelated, events=corpus[0].events, barlines=corpus[0].barlines)
    for tunes in (corpus, corpus[::-1]):
        found = Fingerprints.from_tunes(tunes, ())
        assert found.longest_rhythm_run(copy).length == len(copy.events)


def test_an_unrelated_tune_shares_a_short_run_at_most(fingerprints: Fingerprints) -> None:
    draw = np.random.default_rng(1)
    notes = [(int(draw.integers(40, 90)), int(draw.integers(1, 90))) for _ in range(200)]
    assert fingerprints.longest_rhythm_run(make_tune(notes)).length <= 13
    assert fingerprints.longest_melody_run(make_tune(notes)).length <= 12


def test_a_transposed_copy_is_found_at_its_place(fingerprints: Fingerprints) -> None:
    copied = [((event.pitch or 0) + 4, event.duration) for event in DANCES[7].events[:14]]
    own = [(60 + 5 * (n % 3), 7) for n in range(20)]
    run = fingerprints.longest_melody_run(make_tune([*own, *copied, *own]))
    assert 13 <= run.length <= 15
    assert run.start + run.length >= 20 + 13


def test_a_copy_is_suspicious(fingerprints: Fingerprints) -> None:
    copy = fingerprints.longest_melody_run(DANCES[3])
    assert copy.is_suspicious
    assert copy.p95 == fingerprints.melody_config.p95
    assert fingerprints.longest_melody_run(DANCES[40]).length <= copy.length
    assert fingerprints.melody_run_with(DANCES[3], DANCES[3]).is_suspicious
    assert fingerprints.rhythm_run_with(DANCES[3], DANCES[3]).length == len(DANCES[3].events)


def test_a_small_corpus_gives_no_percentile() -> None:
    small = Fingerprints.from_tunes(DANCES[:5], DANCES[5:10])
    assert small.longest_melody_run(DANCES[0]).p95 is None
    assert not small.longest_melody_run(DANCES[0]).is_suspicious


def test_fingerprints_read_from_their_file_find_the_same_and_are_small(
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


def test_a_folder_without_the_file_has_no_fingerprints(tmp_path: Path) -> None:
    assert Fingerprints.load(tmp_path) is None


@pytest.mark.parametrize("place", [3, 200, -1])
def test_damaged_fingerprints_break_the_style(
    fingerprints: Fingerprints, tmp_path: Path, place: int
) -> None:
    fingerprints.save(tmp_path)
    content = bytearray((tmp_path / FINGERPRINTS_FILE).read_bytes())
    content[place] ^= 255
    (tmp_path / FINGERPRINTS_FILE).write_bytes(content)
    with pytest.raises(BrokenStyle):
        Fingerprints.load(tmp_path)


@pytest.mark.parametrize("style", ["folk", "jazz"])
def test_the_shipped_styles_have_percentiles_and_small_files(style: str) -> None:
    folder = MODELS / style
    fingerprints, profiles = Fingerprints.load(folder), ReferenceProfiles.load(folder)
    assert fingerprints is not None
    assert profiles is not None
    assert fingerprints.rhythm_config.p95 is not None
    assert fingerprints.melody_config.p95 is not None
    common_time = profiles.for_meter(Meter(4, 4))
    assert common_time is not None
    assert len(common_time.samples) == 50
    sizes = [(folder / name).stat().st_size for name in (FINGERPRINTS_FILE, PROFILES_FILE)]
    assert sum(sizes) < 1_000_000


@pytest.mark.parametrize("name", ["fingerprint", "echoes"])
def test_a_command_computes_them_again_without_training(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "models" / "dances"
    folder.mkdir(parents=True)
    shutil.copy(MODELS / "folk" / "style.toml", folder)
    shutil.copy(MODELS / "folk" / STATISTICS_FILE, folder)
    shipped = StyleStatistics.load(folder).meters
    corpus = write_corpus(tmp_path / "dances.jsonl")
    words = [name, "dances", str(corpus), "--models", str(folder.parent)]
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 0, result.stderr
    counted = StyleStatistics.load(folder).meters
    assert counted["2/4"].bar_rhythms != shipped["2/4"].bar_rhythms
    assert counted["2/4"].rhythm_counts == shipped["2/4"].rhythm_counts
    found = Fingerprints.load(folder)
    assert found is not None
    split = CorpusSplit.by_cluster(DANCES)
    assert f"{len(split.training)} tunes" in result.stdout
    for tune in split.training:
        assert found.longest_melody_run(tune).length >= len(tune.events) - 1
    assert ReferenceProfiles.load(folder) == ReferenceProfiles.from_tunes(split.training)


def test_a_style_folder_of_version_0_1_gives_the_same_values(tmp_path: Path) -> None:
    new, old = MODELS / "strathspey", tmp_path / "strathspey"
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
    assert load_styles(tmp_path, torch.device("cpu")).keys() == {"strathspey"}


def test_saving_replaces_the_files_of_version_0_1(
    fingerprints: Fingerprints, tmp_path: Path
) -> None:
    for old_name in OLD_NAMES.values():
        (tmp_path / old_name).write_text("old")
    fingerprints.save(tmp_path)
    ReferenceProfiles.from_tunes(DANCES).save(tmp_path)
    count_statistics(DANCES, DurationVocabulary.from_tunes(DANCES)).save(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == OLD_NAMES.keys()
