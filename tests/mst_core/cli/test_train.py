"""`mst train` from corpus to composed tune."""

from __future__ import annotations

import json
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
import torch
from click.testing import CliRunner
from safetensors.torch import load_file

from mst_core.__main__ import main
from mst_core.corpora.tunes import read_tunes
from tests.support.corpus import write_corpus

SMALL = ["--epochs", "2", "--hidden", "16", "--embedding", "8", "--device", "cpu"]


def mst(*words: str | Path) -> tuple[int, str, str]:
    """Run the command line and return its status and what it printed."""
    result = CliRunner().invoke(main, [str(word) for word in words])
    return result.exit_code, result.stdout, result.stderr


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("training")
    corpus = write_corpus(folder / "dances.jsonl")
    status, out, err = mst(
        "train",
        "dances",
        corpus,
        *SMALL,
        "--models",
        _made(folder / "models"),
        "--checkpoint-dir",
        folder / "runs",
    )
    assert status == 0, err
    assert re.search(r"nats a pitch", out)
    assert "epoch   2 of 2" in err
    return folder


def _made(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    return folder


def test_the_help_lists_the_new_names_of_options_and_not_the_old_ones() -> None:
    status, out, _ = mst("train", "--help")
    assert status == 0
    for new, old in (("init-from", "from"), ("network", "only"), ("checkpoint-dir", "runs")):
        assert f"  --{new} " in out
        assert f"--{old}" not in out


def test_a_trained_style_is_listed_at_once(trained: Path) -> None:
    status, out, _ = mst("styles", "--models", trained / "models")
    assert status == 0
    assert "dances: Dances" in out


def test_a_trained_style_composes(trained: Path) -> None:
    status, out, _ = mst(
        "compose",
        "dances",
        "--models",
        trained / "models",
        "--device",
        "cpu",
        "--bars",
        "8",
        "--seed",
        "1",
    )
    assert status == 0
    assert out.startswith("X:1")
    assert "M:2/4" in out


def test_two_calls_share_the_work_of_a_training(trained: Path) -> None:
    models, runs = trained / "models", trained / "shared-runs"
    corpus = trained / "dances.jsonl"
    for part in ("pitch", "duration"):
        status, out, _ = mst(
            "train", "shared", corpus, *SMALL, "--models", models, "--runs", runs, "--only", part
        )
        assert status == 0
        assert part in out
        assert not (models / "shared" / "style.toml").exists()
    status, _, err = mst("train", "shared", corpus, *SMALL, "--models", models, "--runs", runs)
    assert status == 0
    assert "epoch" not in err  # nothing was left to learn
    for name in ("pitch", "duration"):
        ours = load_file(models / "shared" / f"{name}.safetensors")
        theirs = load_file(models / "dances" / f"{name}.safetensors")
        assert all(torch.equal(ours[key], theirs[key]) for key in theirs)


def test_training_starts_from_another_style_with_its_sizes(trained: Path) -> None:
    few = write_corpus(trained / "twenty.jsonl", 20)
    asked: list[str | Path] = ["--models", trained / "models", "--runs", trained / "runs"]
    status, out, err = mst(
        "train", "mine", few, "--from", "dances", "--epochs", "1", *asked, "--device", "cpu"
    )
    assert status == 0, err
    assert "trained on" in out
    mine, theirs = (
        load_file(trained / "models" / name / "pitch.safetensors") for name in ("mine", "dances")
    )
    assert mine["lstm.weight_hh_l0"].shape == theirs["lstm.weight_hh_l0"].shape
    near = (mine["lstm.weight_hh_l0"] - theirs["lstm.weight_hh_l0"]).abs().mean()
    assert 0 < near < theirs["lstm.weight_hh_l0"].abs().mean() / 2
    status, out, _ = mst(
        "compose",
        "mine",
        "--models",
        trained / "models",
        "--device",
        "cpu",
        "--bars",
        "8",
        "--seed",
        "1",
    )
    assert status == 0
    assert "M:2/4" in out


def test_the_losses_are_plotted_beside_the_checkpoints(trained: Path) -> None:
    picture = ElementTree.fromstring((trained / "runs/dances/losses.svg").read_text())  # noqa: S314
    words = [text.text for text in picture.iter("{http://www.w3.org/2000/svg}text")]
    for once in ("pitch", "duration"):
        assert words.count(once) == 1
    for in_both in ("nats an event", "epoch", "training", "validation"):
        assert words.count(in_both) == 2


def test_losses_are_printed_as_json(trained: Path) -> None:
    status, out, _ = mst(
        "evaluate",
        "dances",
        "--corpus",
        trained / "dances.jsonl",
        "--json",
        "--models",
        trained / "models",
        "--device",
        "cpu",
    )
    assert status == 0
    figures = json.loads(out)
    assert figures["tunes"] == 60
    assert 0 < figures["pitch"] < 4
    assert 0 < figures["duration"] < 4


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["evaluate", "waltzes", "--corpus", "{corpus}"], "waltzes"),
        (["train", "../evil", "{corpus}"], "letters"),
        (["train", "few", "{few}"], "training needs at least 20"),
        (["train", "broken", "{broken}"], "line 1"),
        (["train", "mine", "{corpus}", "--init-from", "waltzes"], "waltzes"),
        (["train", "mine", "{corpus}", "--from", "dances", "--hidden", "64"], "sizes"),
    ],
)
def test_a_mistake_is_one_line_of_error(trained: Path, words: list[str], said: str) -> None:
    write_corpus(trained / "few.jsonl", 3)
    (trained / "broken.jsonl").write_text("not a tune\n")
    paths = {name: trained / f"{name}.jsonl" for name in ("few", "broken")}
    paths["corpus"] = trained / "dances.jsonl"
    filled = [word.format(**paths) for word in words]
    status, out, err = mst(*filled, "--models", trained / "models")
    assert (status, out) == (2, "")
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert said in err


def test_the_folk_books_make_a_corpus(tmp_path: Path) -> None:
    status, out, _ = mst("corpus", "folk", "--held-out", "-o", tmp_path / "held-out.jsonl")
    assert status == 0
    assert "612 tunes" in out
    assert sum(1 for _ in read_tunes([tmp_path / "held-out.jsonl"])) == 612


def test_pretraining_comes_first_and_its_epochs_are_counted(trained: Path) -> None:
    few = write_corpus(trained / "forty.jsonl", 40)
    status, _, err = mst(
        "train", "pretrained", few, *SMALL, "--steps", "5", "--network", "duration",
        "--pretrain-on", trained / "dances.jsonl", "--pretrain-epochs", "1",
        "--models", trained / "models", "--checkpoint-dir", trained / "runs",
    )  # fmt: skip
    assert status == 0, err
    assert re.findall(r"epoch +(\d) of (\d)", err) == [("1", "3"), ("2", "3"), ("3", "3")]
