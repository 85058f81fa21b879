"""Training speed: part of ``make bench``. A measurement, not a test.

Compares `mst_core.training.loop.train` with the usual loop in PyTorch, on the same tunes and an
equal network. The usual loop shuffles whole tunes, pads each batch of 32 to its longest one, has an
nn.Embedding for each feature, summed, and computes in float32. Ours cuts long tunes, batches
windows of similar length, has one table for all features, and computes in bfloat16 where the
processor has instructions for it; it is given each tune four times, so that its steps are as large
as those of a full corpus. Both are measured in processor time with one thread, without the time of
reading the tunes.
"""

from __future__ import annotations

import random
import statistics
import sys
import time
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from mst_core.corpora.folk_books import read_folk_books
from mst_core.corpora.tunes import parse_tune
from mst_core.corpora.vocabulary import DurationVocabulary
from mst_core.networks.model import ModelConfig, SequenceNet, StyleModel
from mst_core.training.loop import (
    PAD_TARGET,
    LabelledRows,
    Precision,
    TrainConfig,
    default_precision,
    encode_tune,
    set_threads,
    train,
)

TUNES, ROUNDS, TUNES_PER_BATCH = 400, 3, 32
COPIES = 4
"""Copies of each tune for our loop."""
SIZES = ModelConfig(feature_sizes=(), vocabulary_size=0)


class UsualNet(nn.Module):
    """The same network with an embedding for each feature."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.tables = nn.ModuleList(
            nn.Embedding(size, config.embedding) for size in config.feature_sizes
        )
        self.rest = SequenceNet(config)

    def forward(self, features: Tensor) -> Tensor:
        """Predict from features (B, T, F)."""
        columns = zip(self.tables, features.unbind(-1), strict=True)
        embedded = self.rest.dropout(sum(table(column) for table, column in columns))
        hidden, _ = self.rest.lstm(embedded)
        seen = torch.cat((self.rest.dropout(hidden), embedded), dim=-1)
        middle = self.rest.dropout(nn.functional.gelu(self.rest.projection(seen)))
        logits: Tensor = self.rest.head(torch.cat((middle, seen), dim=-1))
        return logits


def our_speed(
    network: SequenceNet, examples: list[LabelledRows], seed: int, precision: Precision
) -> float:
    """Measure a training of one epoch, in events per second of processor time."""
    repeated = examples * COPIES
    config = TrainConfig(epochs=1, seed=seed, precision=precision)
    begun = time.process_time()
    train(network, repeated, examples[:1], config, device=torch.device("cpu"))
    return _events(repeated) / (time.process_time() - begun)


def usual_speed(network: UsualNet, examples: list[LabelledRows], seed: int) -> float:
    """Measure the usual loop over the same tunes, in events per second of processor time."""
    order = random.Random(seed).sample(examples, len(examples))
    optimizer = torch.optim.AdamW(network.parameters(), lr=TrainConfig().learning_rate)
    network.train()
    begun = time.process_time()
    for first in range(0, len(order), TUNES_PER_BATCH):
        features, targets = _padded(order[first : first + TUNES_PER_BATCH])
        loss = nn.functional.cross_entropy(
            network(features).flatten(0, 1), targets.flatten(), ignore_index=PAD_TARGET
        )
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
    return _events(examples) / (time.process_time() - begun)


def _padded(group: Sequence[LabelledRows]) -> tuple[Tensor, Tensor]:
    features = [torch.from_numpy(rows.astype(np.int64)) for rows, _ in group]
    targets = [torch.from_numpy(wanted) for _, wanted in group]
    return (
        nn.utils.rnn.pad_sequence(features, batch_first=True),
        nn.utils.rnn.pad_sequence(targets, batch_first=True, padding_value=PAD_TARGET),
    )


def _events(examples: Sequence[LabelledRows]) -> int:
    return sum(len(targets) for _, targets in examples)


def main() -> None:
    """Print the median speeds and their ratio."""
    set_threads(1)
    books = read_folk_books(frozenset()).tunes[:: 3600 // TUNES]
    tunes = [parse_tune(tune.to_line()) for tune in books]
    vocabulary = DurationVocabulary.from_tunes(tunes)
    examples = [encode_tune(tune, vocabulary)["duration"] for tune in tunes]
    fastest = default_precision("cpu")
    usual: list[float] = []
    ours: dict[Precision, list[float]] = {"float32": [], fastest: []}
    for seed in range(ROUNDS):
        torch.manual_seed(seed)
        usual.append(usual_speed(UsualNet(_untrained(vocabulary).config), examples, seed))
        for precision, speeds in ours.items():
            speeds.append(our_speed(_untrained(vocabulary), examples, seed, precision))
    for precision, speeds in ours.items():
        ratio = statistics.median(mine / theirs for mine, theirs in zip(speeds, usual, strict=True))
        sys.stdout.write(
            f"training in {precision:<12} {statistics.median(speeds):,.0f} notes a second, "
            f"the usual loop {statistics.median(usual):,.0f}: {ratio:.1f} times\n"
        )


def _untrained(vocabulary: DurationVocabulary) -> SequenceNet:
    return StyleModel.build(vocabulary, SIZES).duration_net


if __name__ == "__main__":
    main()
