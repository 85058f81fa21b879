"""Losses in the common alphabet, so that pairs with different dictionaries compare.

An event is a note or a rest. Pitch: the interval to the last sounding note folded into an octave
up or down, or a rest (26 classes). Duration: the nearest of 26 note values by ratio. The first
event of a tune is given; what came before and the heading are known, nothing after.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from mst_core.networks.corpus import TICKS, CorpusTune
from mst_core.networks.dictionary import COMMON_DURATIONS, DurationDictionary
from mst_core.networks.pair import SequenceNet, StylePair
from mst_core.networks.training import Rows, lesson, whole

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
    network.to(device).eval()
    sums = sums.to(device)
    total = 0.0
    with torch.inference_mode():
        for features, targets in whole(lessons):
            logits, _ = network(features.to(device))
            shares = torch.softmax(logits, dim=-1) @ sums  # (B, T, 26)
            shares = (1 - FLOOR * shares.shape[-1]) * shares + FLOOR
            wanted = targets.to(device)
            known = wanted[:, 1:] >= 0
            picked = shares[:, 1:].gather(-1, wanted[:, 1:].clamp(min=0).unsqueeze(-1)).squeeze(-1)
            total -= float(torch.log(picked)[known].sum())
    return total
