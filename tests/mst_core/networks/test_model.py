"""A pair of networks: what it foretells, what it hands on, and which files it refuses."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from mst_core.corpora.tunes import CorpusTune, TuneEvent, parse_tune
from mst_core.corpora.vocabulary import (
    COMMON_DURATIONS,
    DurationVocabulary,
)
from mst_core.errors import BrokenStyle
from mst_core.music import Meter
from mst_core.networks.cache import GRADES as GRADES_OF_TRUST
from mst_core.networks.cache import KINDS, ContinuousCache
from mst_core.networks.context import MelodyState, TuneHeader
from mst_core.networks.model import ModelConfig, StyleModel
from mst_core.networks.style import load_styles
from mst_core.training.loop import TrainConfig, encode_tune, set_threads
from mst_core.training.losses import duration_class, evaluate_model, fit_cache
from mst_core.training.train_style import train_style
from tests.support.corpus import dance

CPU = torch.device("cpu")
SMALL = ModelConfig(
    feature_sizes=(), vocabulary_size=0, embedding=16, hidden=24, dropout=0.1, projection=16
)
SHORT = TrainConfig(epochs=3, batch_events=512)


@pytest.fixture(autouse=True)
def one_thread() -> None:
    """Two threads on busy cores wait for each other at every small step."""
    set_threads(1)


def test_a_pair_takes_over_what_another_knows_of_the_nearest_durations() -> None:
    torch.manual_seed(0)
    coarse = StyleModel.build(DurationVocabulary((12, 24)), SMALL)
    fine = StyleModel.build(DurationVocabulary((12, 23, 24)), SMALL)
    fine.load_pretrained(coarse)
    coarse.duration_net.eval()
    fine.duration_net.eval()
    held: dict[str, list[float]] = {}
    for name, pair in (("coarse", coarse), ("fine", fine)):
        line = MelodyState(TuneHeader.regular(Meter.parse("2/4"), None, 4), pair.vocabulary)
        line.append(60, 12)
        line.append(64, 24)
        row = line.duration_context(line.pitch_context(), line.interval_to(62), 62)
        logits, _ = pair.duration_net(torch.tensor([[row]]))
        held[name] = logits[0, 0].tolist()
    assert [held["fine"][0], held["fine"][2]] == pytest.approx(held["coarse"], abs=1e-5)
    assert held["fine"][1] == pytest.approx(held["coarse"][1], abs=1e-5)


def test_what_a_tune_did_before_counts_where_the_network_does_not_know(
    tunes: list[CorpusTune],
) -> None:
    durations = DurationVocabulary.from_tunes(tunes)
    torch.manual_seed(0)
    pair = StyleModel.build(durations, SMALL)  # knows nothing yet
    lessons = [encode_tune(tune, durations) for tune in tunes]
    alone = evaluate_model(pair, tunes, CPU)
    fit_cache(pair.pitch_net, [(one.pitch_features, one.pitch_targets) for one in lessons], CPU)
    fit_cache(
        pair.duration_net, [(one.duration_features, one.duration_targets) for one in lessons], CPU
    )
    together = evaluate_model(pair, tunes, CPU)
    assert together.pitch < alone.pitch - 0.1
    assert together.duration < alone.duration - 0.1


def test_a_cache_knows_nothing_of_what_comes(tunes: list[CorpusTune]) -> None:
    durations = DurationVocabulary.from_tunes(tunes)
    row = encode_tune(tunes[0], durations).pitch_features.tolist()
    trust = ((0.0, *[0.3] * (GRADES_OF_TRUST - 1)),) * KINDS
    even = np.full(26, 1 / 26)

    def mixed(rows: list[list[int]]) -> list[list[float]]:
        cache = ContinuousCache(len(rows[0]), trust)
        return [cache.mix(row, even).tolist() for row in rows]

    other = [*row[:20], *encode_tune(tunes[1], durations).pitch_features.tolist()[20:]]
    assert mixed(row)[:20] == mixed(other)[:20]
    assert all(sum(shares) == pytest.approx(1) for shares in mixed(row))


@pytest.mark.parametrize("damage", ["missing", "truncated", "not safetensors"])
def test_a_damaged_style_is_named(tunes: list[CorpusTune], tmp_path: Path, damage: str) -> None:
    pair = StyleModel.build(DurationVocabulary.from_tunes(tunes), SMALL)
    pair.save(tmp_path / "dances")
    weights = tmp_path / "dances" / "pitch.safetensors"
    if damage == "missing":
        weights.unlink()
    elif damage == "truncated":
        weights.write_bytes(weights.read_bytes()[:-100])
    else:
        weights.write_bytes(b"cos\nsystem\n(S'true'\ntR.")
    with pytest.raises(BrokenStyle, match="dances"):
        StyleModel.load(tmp_path / "dances", CPU)


def test_common_classes_take_the_nearest_note_value() -> None:
    assert COMMON_DURATIONS[duration_class(24)] == 1
    assert COMMON_DURATIONS[duration_class(23)] == 1
    assert COMMON_DURATIONS[duration_class(500)] == 8


def test_an_event_that_no_dictionary_holds_still_has_a_finite_loss() -> None:
    known, odd = parse_tune(dance(1)), parse_tune(dance(2))
    events = (TuneEvent(62, 0, 24), TuneEvent(63, 24, 1), TuneEvent(74, 25, 200))
    strange = CorpusTune(odd.id, odd.title, odd.meter, odd.key, events, odd.barlines)
    pair = StyleModel.build(DurationVocabulary.from_tunes([known]), SMALL)
    assert evaluate_model(pair, [strange], CPU).duration < 12


@pytest.mark.parametrize(
    "lie",
    [
        {"hidden": 8192},
        {"hidden": -1},
        {"layers": 0},
        {"layers": 8},
        {"dropout": 9},
        {"embedding": 8000},
        {"vocabulary": 10**9},
        {"trust": [[0.5]]},
        {"trust": [[7.0] * 6] * 3},
    ],
)
def test_a_network_that_lies_about_its_size_is_refused(
    tunes: list[CorpusTune], tmp_path: Path, lie: dict[str, Any]
) -> None:
    pair = StyleModel.build(DurationVocabulary.from_tunes(tunes), SMALL)
    pair.save(tmp_path / "dances")
    weights = tmp_path / "dances" / "pitch.safetensors"
    tensors = load_file(weights)
    shape = msgspec.json.decode(msgspec.json.encode(pair.pitch_net.config)) | lie
    header = {"shape": json.dumps(shape), "durations": json.dumps(pair.vocabulary.ticks)}
    save_file(tensors, weights, header)
    with pytest.raises(BrokenStyle, match="dances"):
        StyleModel.load(tmp_path / "dances", CPU)


@pytest.mark.parametrize("durations", ["[]", "[12, 6]", '["a"]', "{", "[12]", "[0, 12]"])
def test_a_dictionary_that_does_not_fit_is_refused(
    tunes: list[CorpusTune], tmp_path: Path, durations: str
) -> None:
    pair = StyleModel.build(DurationVocabulary.from_tunes(tunes), SMALL)
    for network, name in ((pair.pitch_net, "pitch"), (pair.duration_net, "duration")):
        network.save(tmp_path / f"{name}.safetensors", {"durations": durations})
    with pytest.raises(BrokenStyle):
        StyleModel.load(tmp_path, CPU)


def test_a_broken_style_leaves_the_others_alone(
    tunes: list[CorpusTune], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    models = tmp_path / "models"
    train_style(
        "dances", tunes, models, tmp_path / "runs", config=SHORT, model_config=SMALL, device=CPU
    )
    for name, card in (("bad", "not = [toml"), ("worse", 'title = "x"')):
        (models / name).mkdir()
        (models / name / "style.toml").write_text(card)
    shutil.copytree(models / "dances", models / "edited")
    text = (models / "edited" / "style.toml").read_text()
    (models / "edited" / "style.toml").write_text(text.replace('"2/4"', '"7/8"'))
    assert load_styles(models, CPU).keys() == {"dances"}
    for name in ("bad", "worse", "edited"):
        assert name in caplog.text
