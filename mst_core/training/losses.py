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

from mst_core.corpora.tunes import CorpusTune
from mst_core.corpora.vocabulary import COMMON_DURATIONS, DurationVocabulary
from mst_core.music import TICKS_PER_QUARTER
from mst_core.networks.cache import ContinuousCache, Probabilities, fit_cache_weights
from mst_core.networks.model import SequenceNet, StyleModel
from mst_core.training.loop import LabelledRows, encode_tune

MIN_PROBABILITY = 1e-5
"""The least share of each class: no network rules out what its corpus never showed."""


@dataclass(frozen=True, slots=True)
class CommonLosses:
    """Mean nats an event."""

    pitch: float
    duration: float
    n_events: int


def duration_class(ticks: int) -> int:
    """The common class of a duration."""
    quarters = ticks / TICKS_PER_QUARTER
    return min(
        range(len(COMMON_DURATIONS)), key=lambda i: abs(math.log(quarters / COMMON_DURATIONS[i]))
    )


def evaluate_model(
    model: StyleModel, tunes: Sequence[CorpusTune], device: torch.device
) -> CommonLosses:
    """Measure a pair on tunes that it has not learned from."""
    if not tunes:
        return CommonLosses(math.nan, math.nan, 0)
    lessons = [encode_tune(tune, model.vocabulary) for tune in tunes]
    classes = [[duration_class(event.duration) for event in tune.events] for tune in tunes]
    pitch = _total_nats(
        model.pitch_net,
        [(one.pitch_features, one.pitch_targets) for one in lessons],
        torch.eye(26),
        device,
    )
    wanted = [torch.tensor(row).numpy() for row in classes]
    duration = _total_nats(
        model.duration_net,
        [(one.duration_features, row) for one, row in zip(lessons, wanted, strict=True)],
        class_matrix(model.vocabulary),
        device,
    )
    events = sum(len(tune.events) - 1 for tune in tunes)
    return CommonLosses(pitch / events, duration / events, events)


def class_matrix(vocabulary: DurationVocabulary) -> Tensor:
    """A matrix (V, 26) that sums a dictionary's probabilities over the common classes."""
    sums = torch.zeros(len(vocabulary), len(COMMON_DURATIONS))
    for token, ticks in enumerate(vocabulary.ticks):
        sums[token, duration_class(ticks)] = 1
    return sums


def _total_nats(
    network: SequenceNet, lessons: Sequence[LabelledRows], sums: Tensor, device: torch.device
) -> float:
    """Sum of -ln p over all events but the first of each tune."""
    total = 0.0
    classes = sums.double().numpy()  # (V, 26)
    for rows, targets, shares in predict(network, lessons, device):
        if network.config.cache_weights:
            cache = ContinuousCache(rows.shape[1], network.config.cache_weights)
            events = zip(rows.tolist(), shares, strict=True)
            shares = np.stack([cache.mix(row, share) for row, share in events])
        common = shares @ classes  # (T, 26)
        common = (1 - MIN_PROBABILITY * common.shape[1]) * common + MIN_PROBABILITY
        total -= float(np.log(common[np.arange(len(targets)), targets])[1:].sum())
    return total


def predict(
    network: SequenceNet, examples: Sequence[LabelledRows], device: torch.device
) -> Iterator[tuple[NDArray[np.int16], NDArray[np.int64], Probabilities]]:
    """Rows (T, F), what came (T,), and the network's shares (T, V), tune by tune."""
    network.to(device).eval()
    with torch.inference_mode():
        for rows, targets in examples:
            features = torch.from_numpy(rows.astype(np.int32)).to(device)
            logits, _ = network(features[None])
            yield rows, targets, torch.softmax(logits[0].double(), dim=-1).cpu().numpy()


def fit_cache(network: SequenceNet, examples: Sequence[LabelledRows], device: torch.device) -> None:
    """Let a trained network trust in what a tune did so far as much as these tunes deserve."""
    trust = fit_cache_weights(
        (rows.tolist(), targets.tolist(), shares)
        for rows, targets, shares in predict(network, examples, device)
    )
    network.config = msgspec.structs.replace(network.config, trust=trust)
