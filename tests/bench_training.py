"""How quickly a network learns: part of ``make bench``. A look, not a test.

Our loop against the usual one in PyTorch, over the same tunes, network and optimizer. The usual
loop shuffles whole tunes, pads each batch of 32 to its longest one, and has an nn.Embedding for
each feature, summed. Ours cuts long tunes, puts windows of similar length together, and has one
table for all features. Both are measured in processor time, one thread, tunes read before.
"""

from __future__ import annotations

import random
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from mst_core.networks.corpus import parse_tune
from mst_core.networks.dictionary import DurationDictionary
from mst_core.networks.folk_books import read_folk_books
from mst_core.networks.pair import SequenceNet, Shape, StylePair
from mst_core.networks.training import PADDING, Batches, Course, Rows, lesson, use_threads

TUNES, ROUNDS, TUNES_A_BATCH = 400, 3, 32
SIZES = Shape(features=(), vocabulary=0, feature_dropout=0.0)


class UsualNet(nn.Module):
    """The same network with an embedding for each feature."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.tables = nn.ModuleList(nn.Embedding(size, shape.embedding) for size in shape.features)
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


def pace_of_ours(network: SequenceNet, lessons: list[Rows], seed: int) -> float:
    """Events a second of processor time, batches and steps of one epoch."""
    course = Course(seed=seed)
    return _pace(
        network,
        Batches(lessons, course, np.random.default_rng(seed)),
        lambda features: network(features)[0],
        torch.optim.AdamW(network.parameters(), lr=course.rate, fused=True),
    )


def pace_of_usual(network: UsualNet, lessons: list[Rows], seed: int) -> float:
    """The same with padded batches of whole tunes."""
    order = random.Random(seed).sample(lessons, len(lessons))
    return _pace(
        network,
        (
            _padded(order[first : first + TUNES_A_BATCH])
            for first in range(0, len(order), TUNES_A_BATCH)
        ),
        network,
        torch.optim.AdamW(network.parameters(), lr=Course().rate),
    )


def _padded(group: Sequence[Rows]) -> tuple[Tensor, Tensor]:
    features = [torch.from_numpy(rows.astype(np.int64)) for rows, _ in group]
    targets = [torch.from_numpy(wanted) for _, wanted in group]
    return (
        nn.utils.rnn.pad_sequence(features, batch_first=True),
        nn.utils.rnn.pad_sequence(targets, batch_first=True, padding_value=PADDING),
    )


def _pace(
    network: nn.Module,
    batches: Iterable[tuple[Tensor, Tensor]],
    predict: Callable[[Tensor], Tensor],
    optimizer: torch.optim.Optimizer,
) -> float:
    network.train()
    events, begun = 0, time.process_time()
    for features, targets in batches:
        loss = nn.functional.cross_entropy(
            predict(features).flatten(0, 1), targets.flatten(), ignore_index=PADDING
        )
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        events += int((targets != PADDING).sum())
    return events / (time.process_time() - begun)


def main() -> None:
    """Print the figures."""
    use_threads(1)
    books = read_folk_books(frozenset()).tunes[:: 3600 // TUNES]
    tunes = [parse_tune(tune.line()) for tune in books]
    durations = DurationDictionary.of(tunes)
    walked = [lesson(tune, durations) for tune in tunes]
    lessons = [(one.duration_rows, one.duration_targets) for one in walked]
    ours, usual = [], []
    for seed in range(ROUNDS):
        torch.manual_seed(seed)
        network = StylePair.build(durations, SIZES).duration
        usual.append(pace_of_usual(UsualNet(network.shape), lessons, seed))
        ours.append(pace_of_ours(network, lessons, seed))
    ratio = statistics.median(mine / theirs for mine, theirs in zip(ours, usual, strict=True))
    sys.stdout.write(
        f"training                 {statistics.median(ours):,.0f} notes a second, "
        f"the usual loop {statistics.median(usual):,.0f}: {ratio:.1f} times\n"
    )


if __name__ == "__main__":
    main()
