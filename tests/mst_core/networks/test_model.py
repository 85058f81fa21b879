"""The networks of a style: pretraining, the cache, and damaged or older files."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import msgspec
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from mst_core.corpora.tunes import CorpusTune
from mst_core.corpora.vocabulary import (
    DurationVocabulary,
)
from mst_core.errors import BrokenStyle
from mst_core.music import Meter
from mst_core.networks.context import MelodyState, TuneHeader
from mst_core.networks.model import ModelConfig, SequenceNet, StyleModel
from mst_core.networks.style import load_styles
from mst_core.training.loop import TrainConfig, set_threads
from mst_core.training.train_style import train_style

CPU = torch.device("cpu")
SMALL = ModelConfig(
    feature_sizes=(), vocabulary_size=0, embedding=16, hidden=24, dropout=0.1, projection=16
)
SHORT = TrainConfig(epochs=3, batch_events=512)


@pytest.fixture(autouse=True)
def one_thread() -> None:
    """Use one thread: two wait for each other at every small step."""
    set_threads(1)


def test_pretrained_weights_come_from_the_nearest_duration() -> None:
    torch.manual_seed(0)
    coarse = StyleModel.build(DurationVocabulary((12, 24)), SMALL)
    fine = StyleModel.build(DurationVocabulary((12, 23, 24)), SMALL)
    fine.load_pretrained(coarse)
    coarse.duration_net.eval()
    fine.duration_net.eval()
    logits_of: dict[str, list[float]] = {}
    for name, model in (("coarse", coarse), ("fine", fine)):
        state = MelodyState(TuneHeader.regular(Meter.parse("2/4"), None, 4), model.vocabulary)
        state.append(60, 12)
        state.append(64, 24)
        row = state.duration_context(state.pitch_context(), state.interval_to(62), 62)
        logits, _ = model.duration_net(torch.tensor([[row]]))
        logits_of[name] = logits[0, 0].tolist()
    assert [logits_of["fine"][0], logits_of["fine"][2]] == pytest.approx(
        logits_of["coarse"], abs=1e-5
    )
    assert logits_of["fine"][1] == pytest.approx(logits_of["coarse"][1], abs=1e-5)


def test_a_style_from_before_the_heads_of_ends_and_rests_is_read_and_trained_on(
    tmp_path: Path,
) -> None:
    torch.manual_seed(0)
    vocabulary = DurationVocabulary((12, 24))
    new = StyleModel.build(vocabulary, SMALL)
    config = msgspec.structs.replace(new.duration_net.config, head_durations=())
    old = StyleModel(new.pitch_net, SequenceNet(config), vocabulary)
    old.save(tmp_path)
    loaded = StyleModel.load(tmp_path, CPU)
    assert loaded.duration_net.duration_heads is None
    new.load_pretrained(loaded)
    state = MelodyState(TuneHeader.regular(Meter.parse("2/4"), None, 4), vocabulary)
    row = torch.tensor([[state.duration_context(state.pitch_context(), 12, 62)]])
    logits, _ = new.duration_net.eval()(row)
    assert torch.equal(logits, loaded.duration_net(row)[0])


def test_a_file_keeps_the_names_of_version_0_1(tmp_path: Path) -> None:
    """Keys of the header and names of the tensors, so that older versions read new styles too."""
    StyleModel.build(DurationVocabulary((12, 24)), SMALL).save(tmp_path)
    with safe_open(tmp_path / "pitch.safetensors", framework="pt") as file:
        header = json.loads(file.metadata()["shape"])
        names = set(file.keys())
    assert header.keys() == {
        "features", "vocabulary", "embedding", "hidden", "layers", "dropout",
        "feature_dropout", "middle", "trust", "head_durations",
    }  # fmt: skip
    assert {"table.weight", "table.largest", "middle.weight", "middle.bias"} <= names


def test_saving_and_loading_changes_the_weights_by_rounding_only(tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = StyleModel.build(DurationVocabulary((12, 24)), SMALL)
    model.save(tmp_path)
    loaded = StyleModel.load(tmp_path, CPU)
    assert loaded.vocabulary == model.vocabulary
    assert loaded.pitch_net.config == model.pitch_net.config
    weights = model.pitch_net.state_dict()
    for name, tensor in loaded.pitch_net.state_dict().items():
        assert torch.allclose(tensor, weights[name], atol=0.01)


def test_a_checkpoint_of_version_0_1_loads() -> None:
    model = StyleModel.build(DurationVocabulary((12, 24)), SMALL)
    state = model.pitch_net.state_dict()
    old = {name.replace("embedding.", "table.").replace("projection.", "middle."): value + 1
           for name, value in state.items()}  # fmt: skip
    model.pitch_net.load_state_dict(old)
    assert torch.equal(model.pitch_net.embedding.weight, old["table.weight"])


@pytest.mark.parametrize("damage", ["missing", "truncated", "not safetensors"])
def test_a_damaged_file_is_an_error_that_names_the_style(
    tunes: list[CorpusTune], tmp_path: Path, damage: str
) -> None:
    model = StyleModel.build(DurationVocabulary.from_tunes(tunes), SMALL)
    model.save(tmp_path / "dances")
    weights = tmp_path / "dances" / "pitch.safetensors"
    if damage == "missing":
        weights.unlink()
    elif damage == "truncated":
        weights.write_bytes(weights.read_bytes()[:-100])
    else:
        weights.write_bytes(b"cos\nsystem\n(S'true'\ntR.")
    with pytest.raises(BrokenStyle, match="dances"):
        StyleModel.load(tmp_path / "dances", CPU)


@pytest.mark.parametrize(
    "change",
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
        {"head_durations": [12]},
        {"head_durations": [0] * 26},
    ],
)
def test_a_header_that_does_not_fit_the_tensors_is_refused(
    tunes: list[CorpusTune], tmp_path: Path, change: dict[str, Any]
) -> None:
    model = StyleModel.build(DurationVocabulary.from_tunes(tunes), SMALL)
    model.save(tmp_path / "dances")
    weights = tmp_path / "dances" / "pitch.safetensors"
    tensors = load_file(weights)
    config = msgspec.json.decode(msgspec.json.encode(model.pitch_net.config)) | change
    header = {"shape": json.dumps(config), "durations": json.dumps(model.vocabulary.ticks)}
    save_file(tensors, weights, header)
    with pytest.raises(BrokenStyle, match="dances"):
        StyleModel.load(tmp_path / "dances", CPU)


@pytest.mark.parametrize("durations", ["[]", "[12, 6]", '["a"]', "{", "[12]", "[0, 12]"])
def test_a_duration_vocabulary_that_does_not_fit_is_refused(
    tunes: list[CorpusTune], tmp_path: Path, durations: str
) -> None:
    model = StyleModel.build(DurationVocabulary.from_tunes(tunes), SMALL)
    for network, name in ((model.pitch_net, "pitch"), (model.duration_net, "duration")):
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
