"""Losses in the common alphabet, so that pairs with different dictionaries compare.

An event is a note or a rest. Pitch: the interval to the last sounding note folded into an octave
up or down, or a rest (26 classes). Duration: the nearest of 26 note values by ratio. The first
event of a tune is given; what came before and the heading are known, nothing after.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mst_core.corpora.tunes import TICKS, CorpusTune
from mst_core.corpora.vocabulary import COMMON_DURATIONS, DurationDictionary
from mst_core.networks.cache import Cache, Shares, learn_trust
from mst_core.networks.model import SequenceNet, StylePair
from mst_core.training.loop import Rows, lesson

FLOOR = 1e-5
"""The least share of each class: no network rules out what its corpus never showed."""


@dataclass(frozen=True, slots=True)
class Losses:
    """Mean nats an event."""

    pitch: float
    duration: float
    events: int


def duration_class(ticks: int) -> int:
    """The common class of a duration."""
    quarters = ticks / TICKS
    return min(
        range(len(COMMON_DURATIONS)), key=lambda i: abs(math.log(quarters / COMMON_DURATIONS[i]))
    )


def measure(pair: StylePair, tunes: Sequence[CorpusTune], device: torch.device) -> Losses:
    """Measure a pair on tunes that it has not learned from."""
    if not tunes:
        return Losses(math.nan, math.nan, 0)
    lessons = [lesson(tune, pair.durations) for tune in tunes]
    classes = [[duration_class(event.duration) for event in tune.events] for tune in tunes]
    pitch = _sum_of_nats(
        pair.pitch, [(one.pitch_rows, one.pitch_targets) for one in lessons], torch.eye(26), device
    )
    wanted = [torch.tensor(row).numpy() for row in classes]
    duration = _sum_of_nats(
        pair.duration,
        [(one.duration_rows, row) for one, row in zip(lessons, wanted, strict=True)],
        class_sums(pair.durations),
        device,
    )
    events = sum(len(tune.events) - 1 for tune in tunes)
    return Losses(pitch / events, duration / events, events)


def class_sums(durations: DurationDictionary) -> Tensor:
    """A matrix (V, 26) that sums a dictionary's probabilities over the common classes."""
    sums = torch.zeros(len(durations), len(COMMON_DURATIONS))
    for token, ticks in enumerate(durations.ticks):
        sums[token, duration_class(ticks)] = 1
    return sums


def _sum_of_nats(
    network: SequenceNet, lessons: Sequence[Rows], sums: Tensor, device: torch.device
) -> float:
    """Sum of -ln p over all events but the first of each tune."""
    total = 0.0
    classes = sums.double().numpy()  # (V, 26)
    for rows, targets, shares in expectations(network, lessons, device):
        if network.shape.trust:
            cache = Cache(rows.shape[1], network.shape.trust)
            events = zip(rows.tolist(), shares, strict=True)
            shares = np.stack([cache.mix(row, share) for row, share in events])
        common = shares @ classes  # (T, 26)
        common = (1 - FLOOR * common.shape[1]) * common + FLOOR
        total -= float(np.log(common[np.arange(len(targets)), targets])[1:].sum())
    return total


def expectations(
    network: SequenceNet, lessons: Sequence[Rows], device: torch.device
) -> Iterator[tuple[NDArray[np.int16], NDArray[np.int64], Shares]]:
    """Rows (T, F), what came (T,), and the network's shares (T, V), tune by tune."""
    network.to(device).eval()
    with torch.inference_mode():
        for rows, targets in lessons:
            features = torch.from_numpy(rows.astype(np.int32)).to(device)
            logits, _ = network(features[None])
            yield rows, targets, torch.softmax(logits[0].double(), dim=-1).cpu().numpy()


def learn_cache(network: SequenceNet, lessons: Sequence[Rows], device: torch.device) -> None:
    """Let a trained network trust in what a tune did so far as much as these tunes deserve."""
    trust = learn_trust(
        (rows.tolist(), targets.tolist(), shares)
        for rows, targets, shares in expectations(network, lessons, device)
    )
    network.shape = msgspec.structs.replace(network.shape, trust=trust)
