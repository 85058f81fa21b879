"""Training of networks and styles: it learns, stops and resumes, and writes a style folder."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import torch

from mst_core.corpora.tunes import CorpusTune, parse_tune
from mst_core.corpora.vocabulary import DurationVocabulary
from mst_core.networks.model import ModelConfig, SequenceNet, StyleModel
from mst_core.networks.style import load_styles
from mst_core.training.loop import (
    EpochResult,
    LabelledRows,
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
    """Train with one thread: with two, small steps are slower on busy cores."""
    set_threads(1)


def test_training_learns_the_dances(tunes: list[CorpusTune]) -> None:
    vocabulary = DurationVocabulary.from_tunes(tunes)
    torch.manual_seed(0)
    model = StyleModel.build(vocabulary, SMALL)
    before = evaluate_model(model, tunes, CPU)
    rows = [encode_tune(tune, vocabulary)["duration"] for tune in tunes]
    train(model.duration_net, rows, rows, TrainConfig(epochs=30), device=CPU)
    assert evaluate_model(model, tunes, CPU).duration < 0.6 * before.duration


def test_an_interrupted_training_resumes_to_the_same_weights(
    tunes: list[CorpusTune], tmp_path: Path
) -> None:
    vocabulary = DurationVocabulary.from_tunes(tunes)
    rows = [encode_tune(tune, vocabulary)["pitch"] for tune in tunes]

    class InterruptedTraining(Exception):
        pass

    def interrupt(epoch: EpochResult) -> None:
        if epoch.number == 2:
            raise InterruptedTraining

    def fresh() -> StyleModel:
        torch.manual_seed(0)
        return StyleModel.build(vocabulary, SMALL)

    straight, interrupted = fresh(), fresh()
    train(straight.pitch_net, rows, rows, SHORT, device=CPU)
    with pytest.raises(InterruptedTraining):
        train(
            interrupted.pitch_net,
            rows,
            rows,
            SHORT,
            device=CPU,
            checkpoint=tmp_path / "c",
            on_epoch=interrupt,
        )
    resumed, epochs = fresh(), list[EpochResult]()
    train(
        resumed.pitch_net,
        rows,
        rows,
        SHORT,
        device=CPU,
        checkpoint=tmp_path / "c",
        on_epoch=epochs.append,
    )
    assert epochs[0].number == 2
    for ours, theirs in zip(
        resumed.pitch_net.parameters(), straight.pitch_net.parameters(), strict=True
    ):
        assert torch.equal(ours, theirs)


def test_a_checkpoint_of_another_corpus_or_of_other_first_weights_is_ignored(
    tunes: list[CorpusTune], tmp_path: Path
) -> None:
    vocabulary = DurationVocabulary.from_tunes(tunes)
    rows = [encode_tune(tune, vocabulary)["pitch"] for tune in tunes]

    def epochs_trained(corpus: list[LabelledRows], weights: int) -> int:
        torch.manual_seed(weights)
        network = StyleModel.build(vocabulary, SMALL).pitch_net
        epochs: list[EpochResult] = []
        train(network, corpus, rows, SHORT, device=CPU, checkpoint=tmp_path / "c",
              on_epoch=epochs.append)  # fmt: skip
        return len(epochs)

    assert epochs_trained(rows, weights=0) == SHORT.epochs
    assert epochs_trained(rows, weights=0) == 0
    assert epochs_trained(rows[:40], weights=0) == SHORT.epochs
    assert epochs_trained(rows[:40], weights=1) == SHORT.epochs


def test_bfloat16_learns_what_float32_learns(tunes: list[CorpusTune]) -> None:
    vocabulary = DurationVocabulary.from_tunes(tunes)
    rows = [encode_tune(tune, vocabulary)["pitch"] for tune in tunes]
    found: dict[str, float] = {}
    precisions: tuple[Precision, ...] = ("float32", "bfloat16")
    for precision in precisions:
        torch.manual_seed(0)
        model = StyleModel.build(vocabulary, SMALL)
        config = TrainConfig(epochs=2, precision=precision)
        found[precision] = train(model.pitch_net, rows, rows, config, device=CPU)
        assert all(weight.dtype == torch.float32 for weight in model.pitch_net.parameters())
    assert found["bfloat16"] == pytest.approx(found["float32"], rel=0.02)


def test_bfloat16_is_the_default_on_hardware_with_instructions_for_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def processor(**able: bool) -> Precision:
        monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: able)
        return default_precision("cpu")

    assert processor(avx2=True) == processor(avx512_bf16=False) == "float32"
    assert processor(avx512_bf16=True) == processor(amx_bf16=True) == "bfloat16"
    assert default_precision("cuda") == "bfloat16"


def test_twenty_tunes_are_enough_when_training_starts_from_another_style(
    tunes: list[CorpusTune], tmp_path: Path
) -> None:
    models, runs = tmp_path / "models", tmp_path / "runs"
    config = TrainConfig(epochs=10, batch_events=512)
    train_style("dances", tunes, models, runs, config=config, model_config=SMALL, device=CPU)
    slow = [slower(dance(100 + number)) for number in range(20)]
    fresh, fine_tuned = (
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
        for name, base in (("fresh", None), ("fine-tuned", models / "dances"))
    )
    assert fresh is not None
    assert fine_tuned is not None
    assert fine_tuned[1].pitch < fresh[1].pitch - 0.2


def test_pretraining_leaves_out_variants_of_the_tunes_that_are_kept_back(
    tunes: list[CorpusTune], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained_on: list[tuple[int, int]] = []

    def count_corpus(
        network: SequenceNet, examples: list[LabelledRows], *arguments: Any, **options: Any
    ) -> float:
        loss = train(network, examples, *arguments, **options)
        trained_on.append((len(examples), len(epochs)))
        return loss

    monkeypatch.setattr("mst_core.training.train_style.train", count_corpus)
    epochs: list[int] = []
    split = CorpusSplit.by_cluster(tunes)
    train_style(
        "dances",
        tunes,
        tmp_path / "models",
        tmp_path / "runs",
        config=TrainConfig(epochs=2, batch_events=512),
        model_config=SMALL,
        device=CPU,
        networks=("duration",),
        pretraining_tunes=tunes,
        pretraining_epochs=1,
        on_epoch=lambda network, epoch: epochs.append(epoch.number),
    )
    assert trained_on == [(2 * len(split.training), 1), (len(split.training), 3)]
    assert epochs == [1, 2, 3]


def slower(line: dict[str, Any]) -> CorpusTune:
    """Make a dance of doubled note values in 4/4; some of them the dances lack."""
    notes = [[p, *(str(2 * Fraction(time)) for time in times)] for p, *times in line["notes"]]
    starts = [str(2 * Fraction(start)) for start in line["bar_starts"]]
    return parse_tune(line | {"meter": "4/4", "notes": notes, "bar_starts": starts})


def test_a_trained_folder_is_a_style(tunes: list[CorpusTune], tmp_path: Path) -> None:
    result = train_style(
        "dances", tunes, tmp_path / "models", tmp_path / "runs",
        config=SHORT, model_config=SMALL, device=CPU,
    )  # fmt: skip
    assert result is not None
    split, losses = result
    style = load_styles(tmp_path / "models", CPU)["dances"]
    assert style.card.meters.keys() == {"2/4"}
    assert style.card.about["training_tunes"] == len(split.training)
    again = evaluate_model(style.model, split.test, CPU)
    assert again.pitch == pytest.approx(losses.pitch, abs=1e-3)  # weights are rounded on disk
    assert again.duration == pytest.approx(losses.duration, abs=1e-3)


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


def test_a_corpus_of_few_clusters_has_no_empty_part(tunes: list[CorpusTune]) -> None:
    split = CorpusSplit.by_cluster(tunes[:4])
    assert min(len(split.training), len(split.validation), len(split.test)) >= 1
