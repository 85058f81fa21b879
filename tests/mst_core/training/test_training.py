"""Training a style: what it learns, and how it survives a kill."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import torch

from mst_core.corpora.tunes import CorpusTune, parse_tune
from mst_core.corpora.vocabulary import DurationVocabulary
from mst_core.networks.model import ModelConfig, StyleModel
from mst_core.networks.style import load_styles
from mst_core.training.loop import (
    EpochResult,
    Precision,
    TrainConfig,
    default_precision,
    encode_tune,
    set_threads,
    train,
)
from mst_core.training.losses import evaluate_model
from mst_core.training.train_style import CorpusSplit, train_style
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


def test_training_learns_the_dances(tunes: list[CorpusTune]) -> None:
    durations = DurationVocabulary.from_tunes(tunes)
    torch.manual_seed(0)
    pair = StyleModel.build(durations, SMALL)
    before = evaluate_model(pair, tunes, CPU)
    rows = [
        (one.duration_features, one.duration_targets)
        for one in (encode_tune(t, durations) for t in tunes)
    ]
    train(pair.duration_net, rows, rows, TrainConfig(epochs=30), device=CPU)
    assert evaluate_model(pair, tunes, CPU).duration < 0.6 * before.duration


def test_a_killed_training_goes_on_to_the_same_weights(
    tunes: list[CorpusTune], tmp_path: Path
) -> None:
    durations = DurationVocabulary.from_tunes(tunes)
    rows = [
        (one.pitch_features, one.pitch_targets)
        for one in (encode_tune(t, durations) for t in tunes)
    ]

    class KilledError(Exception):
        pass

    def kill(epoch: EpochResult) -> None:
        if epoch.number == 2:
            raise KilledError

    def fresh() -> StyleModel:
        torch.manual_seed(0)
        return StyleModel.build(durations, SMALL)

    straight, broken = fresh(), fresh()
    train(straight.pitch_net, rows, rows, SHORT, device=CPU)
    with pytest.raises(KilledError):
        train(
            broken.pitch_net,
            rows,
            rows,
            SHORT,
            device=CPU,
            checkpoint=tmp_path / "c",
            on_epoch=kill,
        )
    again, epochs = fresh(), list[EpochResult]()
    train(
        again.pitch_net,
        rows,
        rows,
        SHORT,
        device=CPU,
        checkpoint=tmp_path / "c",
        on_epoch=epochs.append,
    )
    assert epochs[0].number == 2
    for ours, theirs in zip(
        again.pitch_net.parameters(), straight.pitch_net.parameters(), strict=True
    ):
        assert torch.equal(ours, theirs)


def test_a_checkpoint_of_another_corpus_is_not_taken(
    tunes: list[CorpusTune], tmp_path: Path
) -> None:
    durations = DurationVocabulary.from_tunes(tunes)
    rows = [
        (one.pitch_features, one.pitch_targets)
        for one in (encode_tune(t, durations) for t in tunes)
    ]
    pair = StyleModel.build(durations, SMALL)
    train(pair.pitch_net, rows, rows, SHORT, device=CPU, checkpoint=tmp_path / "c")
    epochs: list[EpochResult] = []
    train(pair.pitch_net, rows[:40], rows, SHORT, device=CPU, checkpoint=tmp_path / "c",
          on_epoch=epochs.append)  # fmt: skip
    assert len(epochs) == SHORT.epochs


def test_half_precision_learns_what_full_precision_learns(tunes: list[CorpusTune]) -> None:
    durations = DurationVocabulary.from_tunes(tunes)
    rows = [
        (one.pitch_features, one.pitch_targets)
        for one in (encode_tune(t, durations) for t in tunes)
    ]
    found: dict[str, float] = {}
    precisions: tuple[Precision, ...] = ("float32", "bfloat16")
    for precision in precisions:
        torch.manual_seed(0)
        pair = StyleModel.build(durations, SMALL)
        course = TrainConfig(epochs=2, precision=precision)
        found[precision] = train(pair.pitch_net, rows, rows, course, device=CPU)
        assert all(weight.dtype == torch.float32 for weight in pair.pitch_net.parameters())
    assert found["bfloat16"] == pytest.approx(found["float32"], rel=0.02)


def test_half_precision_is_for_hardware_that_is_made_for_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def processor(**able: bool) -> Precision:
        monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: able)
        return default_precision("cpu")

    assert processor(avx2=True) == processor(avx512_bf16=False) == "float32"
    assert processor(avx512_bf16=True) == processor(amx_bf16=True) == "bfloat16"
    assert default_precision("cuda") == "bfloat16"


def test_twenty_tunes_are_enough_to_go_on_from_another_style(
    tunes: list[CorpusTune], tmp_path: Path
) -> None:
    models, runs = tmp_path / "models", tmp_path / "runs"
    course = TrainConfig(epochs=10, batch_events=512)
    train_style("dances", tunes, models, runs, config=course, model_config=SMALL, device=CPU)
    slow = [slower(dance(100 + number)) for number in range(20)]
    fresh, adopted = (
        train_style(
            name,
            slow,
            models,
            runs,
            config=TrainConfig(epochs=2),
            model_config=SMALL,
            device=CPU,
            init_from=base,
        )
        for name, base in (("fresh", None), ("adopted", models / "dances"))
    )
    assert fresh is not None
    assert adopted is not None
    assert adopted.losses.pitch < fresh.losses.pitch - 0.2


def slower(line: dict[str, Any]) -> CorpusTune:
    """The same dance in 4/4, in note values that the fast one lacks."""
    notes = [[p, *(str(2 * Fraction(time)) for time in times)] for p, *times in line["notes"]]
    starts = [str(2 * Fraction(start)) for start in line["bar_starts"]]
    return parse_tune(line | {"meter": "4/4", "notes": notes, "bar_starts": starts})


def test_a_trained_folder_is_a_style(tunes: list[CorpusTune], tmp_path: Path) -> None:
    result = train_style(
        "dances", tunes, tmp_path / "models", tmp_path / "runs",
        config=SHORT, model_config=SMALL, device=CPU,
    )  # fmt: skip
    assert result is not None
    style = load_styles(tmp_path / "models", CPU)["dances"]
    assert style.card.meters.keys() == {"2/4"}
    assert style.card.about["training_tunes"] == len(result.split.training)
    again = evaluate_model(style.model, result.split.test, CPU)
    assert again.pitch == pytest.approx(result.losses.pitch, abs=1e-3)  # halves are rounded
    assert again.duration == pytest.approx(result.losses.duration, abs=1e-3)


def test_retraining_keeps_what_people_wrote_on_the_card(
    tunes: list[CorpusTune], tmp_path: Path
) -> None:
    folder = tmp_path / "models" / "dances"
    folder.mkdir(parents=True)
    (folder / "style.toml").write_text(
        'title = "Polkas \\"of home\\""\nprogram = 21\n[meters]\n"2/4" = { tempo = 96.0 }\n'
    )
    train_style("dances", tunes, tmp_path / "models", tmp_path / "runs",
          config=SHORT, model_config=SMALL, device=CPU)  # fmt: skip
    card = load_styles(tmp_path / "models", CPU)["dances"].card
    assert (card.title, card.program, card.meters["2/4"].tempo) == ('Polkas "of home"', 21, 96.0)


def test_the_split_keeps_variants_of_a_title_together(tunes: list[CorpusTune]) -> None:
    split = CorpusSplit.by_cluster(tunes + tunes)
    parts = [
        {tune.title for tune in part} for part in (split.training, split.validation, split.test)
    ]
    assert not parts[0] & parts[1]
    assert not parts[0] & parts[2]
    assert not parts[1] & parts[2]
