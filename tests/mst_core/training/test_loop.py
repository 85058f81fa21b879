"""Batches, the learning rate, and early stopping of the training loop."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from mst_core.corpora.tunes import CorpusTune
from mst_core.corpora.vocabulary import DurationVocabulary
from mst_core.networks.model import ModelConfig, StyleModel
from mst_core.training.loop import (
    PAD_TARGET,
    Batches,
    EpochResult,
    LabelledRows,
    TrainConfig,
    encode_tune,
    eval_batches,
    train,
)
from mst_core.training.loop import _learning_rate as learning_rate

SMALL = ModelConfig(feature_sizes=(), vocabulary_size=0, embedding=8, hidden=8, projection=8)


def rows_of(*lengths: int) -> list[LabelledRows]:
    """Examples of these lengths with two features; features and targets count up from 1."""
    return [
        (np.arange(1, 2 * n + 1, dtype=np.int16).reshape(n, 2), np.arange(1, n + 1, dtype=np.int64))
        for n in lengths
    ]


def test_batches_hold_every_event_once_and_pad_the_rest() -> None:
    examples = rows_of(5, 300, 17, 130)
    config = TrainConfig(batch_events=256, window_events=128)
    batches = Batches(examples, config, np.random.default_rng(1))
    found = [t for _, targets in batches for t in targets[targets != PAD_TARGET].tolist()]
    assert sorted(found) == sorted(t for _, row in examples for t in row.tolist())


def test_a_batch_holds_at_most_the_asked_events() -> None:
    config = TrainConfig(batch_events=256, window_events=64)
    for features, targets in Batches(rows_of(*range(20, 120, 7)), config, None):
        assert features.shape == (*targets.shape, 2)
        assert targets.numel() <= 256
        assert targets.shape[1] <= 64


def test_a_small_corpus_gets_smaller_batches() -> None:
    examples = rows_of(*[100] * 200)
    config = TrainConfig(batch_events=4096)
    assert len(Batches(examples, config, np.random.default_rng(1))) >= config.min_steps
    assert len(Batches(examples, config, None)) < config.min_steps


def test_tunes_are_measured_uncut() -> None:
    ((features, _),) = eval_batches(rows_of(2_000, 1_500))
    assert features.shape[:2] == (2, 2_000)


def test_the_learning_rate_warms_up_and_decays() -> None:
    config = TrainConfig(learning_rate=1.0)
    rates = [learning_rate(config, step / 1000) for step in range(1001)]
    peak = rates.index(max(rates))
    assert rates[0] == pytest.approx(0.05)
    assert 40 <= peak <= 60
    assert rates[: peak + 1] == sorted(rates[: peak + 1])
    assert rates[peak:] == sorted(rates[peak:], reverse=True)
    assert rates[-1] == pytest.approx(0.02)


def test_training_stops_after_epochs_without_a_lower_validation_loss(
    tunes: list[CorpusTune],
) -> None:
    vocabulary = DurationVocabulary.from_tunes(tunes)
    rows = [encode_tune(tune, vocabulary)["pitch"] for tune in tunes[:4]]
    model = StyleModel.build(vocabulary, SMALL)
    epochs: list[EpochResult] = []
    config = TrainConfig(epochs=9, patience=2, learning_rate=0.0, weight_decay=0.0)
    cpu = torch.device("cpu")
    best = train(model.pitch_net, rows, rows, config, device=cpu, on_epoch=epochs.append)
    assert [epoch.number for epoch in epochs] == [1, 2, 3]
    assert {epoch.validation_loss for epoch in epochs} == {best}


def test_the_pitch_network_gets_the_first_columns_of_the_features(tunes: list[CorpusTune]) -> None:
    example = encode_tune(tunes[0], DurationVocabulary.from_tunes(tunes))
    pitch_features, pitch_targets = example["pitch"]
    duration_features, duration_targets = example["duration"]
    assert np.array_equal(pitch_features, duration_features[:, : pitch_features.shape[1]])
    assert len(pitch_targets) == len(duration_targets) == len(tunes[0].events)
