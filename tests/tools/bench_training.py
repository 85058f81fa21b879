"""How quickly a network learns: part of ``make bench``. A look, not a test.

Our training against the usual loop in PyTorch, over the same tunes with the same network. The usual
one shuffles whole tunes, pads each batch of 32 to its longest one, has an nn.Embedding for each
feature, summed, and computes in float32. Ours cuts long tunes, puts windows of similar length
together, has one table for all features, and computes in bfloat16 where the processor has
instructions for it; it hears each tune four times, which gives steps as large as those of a whole
corpus. Both are measured in processor time, one thread, tunes read before.
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

TUNES, ROUNDS, TUNES_A_BATCH = 400, 3, 32
TIMES = 4
"""So often ours hears a tune."""
SIZES = ModelConfig(feature_sizes=(), vocabulary_size=0)


class UsualNet(nn.Module):
    """The same network with an embedding for each feature."""

    def __init__(self, shape: ModelConfig) -> None:
        super().__init__()
        self.tables = nn.ModuleList(
            nn.Embedding(size, shape.embedding) for size in shape.feature_sizes
        )
        self.rest = SequenceNet(shape)

    def forward(self, features: Tensor) -> Tensor:
        """Predict from features (B, T, F)."""
        columns = zip(self.tables, features.unbind(-1), strict=True)
        embedded = self.rest.dropout(sum(table(column) for table, column in columns))
        hidden, _ = self.rest.lstm(embedded)
        seen = torch.cat((self.rest.dropout(hidden), embedded), dim=-1)
        middle = self.rest.dropout(nn.functional.gelu(self.rest.middle(seen)))
        logits: Tensor = self.rest.head(torch.cat((middle, seen), dim=-1))
        return logits


def pace_of_ours(
    network: SequenceNet, lessons: list[LabelledRows], seed: int, precision: Precision
) -> float:
    """Events a second of processor time: all that a training of one epoch does."""
    heard = lessons * TIMES
    course = TrainConfig(epochs=1, seed=seed, precision=precision)
    begun = time.process_time()
    train(network, heard, lessons[:1], course, device=torch.device("cpu"))
    return _events(heard) / (time.process_time() - begun)


def pace_of_usual(network: UsualNet, lessons: list[LabelledRows], seed: int) -> float:
    """The same of the usual loop."""
    order = random.Random(seed).sample(lessons, len(lessons))
    optimizer = torch.optim.AdamW(network.parameters(), lr=TrainConfig().learning_rate)
    network.train()
    begun = time.process_time()
    for first in range(0, len(order), TUNES_A_BATCH):
        features, targets = _padded(order[first : first + TUNES_A_BATCH])
        loss = nn.functional.cross_entropy(
            network(features).flatten(0, 1), targets.flatten(), ignore_index=PAD_TARGET
        )
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
    return _events(lessons) / (time.process_time() - begun)


def _padded(group: Sequence[LabelledRows]) -> tuple[Tensor, Tensor]:
    features = [torch.from_numpy(rows.astype(np.int64)) for rows, _ in group]
    targets = [torch.from_numpy(wanted) for _, wanted in group]
    return (
        nn.utils.rnn.pad_sequence(features, batch_first=True),
        nn.utils.rnn.pad_sequence(targets, batch_first=True, padding_value=PAD_TARGET),
    )


def _events(lessons: Sequence[LabelledRows]) -> int:
    return sum(len(targets) for _, targets in lessons)


def main() -> None:
    """Print the figures."""
    set_threads(1)
    books = read_folk_books(frozenset()).tunes[:: 3600 // TUNES]
    tunes = [parse_tune(tune.to_line()) for tune in books]
    durations = DurationVocabulary.from_tunes(tunes)
    walked = [encode_tune(tune, durations) for tune in tunes]
    lessons = [(one.duration_features, one.duration_targets) for one in walked]
    quick = default_precision("cpu")
    usual: list[float] = []
    ours: dict[Precision, list[float]] = {"float32": [], quick: []}
    for seed in range(ROUNDS):
        torch.manual_seed(seed)
        usual.append(pace_of_usual(UsualNet(_untrained(durations).config), lessons, seed))
        for precision, paces in ours.items():
            paces.append(pace_of_ours(_untrained(durations), lessons, seed, precision))
    for precision, paces in ours.items():
        ratio = statistics.median(mine / theirs for mine, theirs in zip(paces, usual, strict=True))
        sys.stdout.write(
            f"training in {precision:<12} {statistics.median(paces):,.0f} notes a second, "
            f"the usual loop {statistics.median(usual):,.0f}: {ratio:.1f} times\n"
        )


def _untrained(durations: DurationVocabulary) -> SequenceNet:
    return StyleModel.build(durations, SIZES).duration_net


if __name__ == "__main__":
    main()
