"""Losses in a common alphabet, so that models with different vocabularies can be compared.

An event is a note or a rest. Pitch: the interval to the last sounding note folded into an octave
up or down, or a rest (26 classes). Duration: the nearest of 26 note values by ratio. The first
event of a tune is given and not counted.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import msgspec
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mst_core.corpora.tunes import CorpusTune
from mst_core.corpora.vocabulary import COMMON_DURATIONS, N_PITCH_TOKENS, DurationVocabulary
from mst_core.music import TICKS_PER_QUARTER
from mst_core.networks.cache import ContinuousCache, fit_cache_weights
from mst_core.networks.model import SequenceNet, StyleModel
from mst_core.training.loop import LabelledRows, encode_tune

MIN_PROBABILITY = 1e-5
"""Of each class: no network rules out what its corpus never has."""


class StyleLosses(msgspec.Struct, frozen=True):
    """Mean negative log-likelihood of tunes in the common alphabet, in nats an event."""

    style: str
    tunes: int
    """Number of tunes."""
    events: int
    """Events that the means are of."""
    pitch: float
    duration: float

    def describe(self) -> str:
        """Return one line of text."""
        return (
            f"{self.style}: {self.pitch:.3f} nats a pitch, {self.duration:.3f} nats a duration, "
            f"over {self.events} events of {self.tunes} tunes"
        )


def duration_class(ticks: int) -> int:
    """Return the index in `COMMON_DURATIONS` of the nearest note value by ratio."""
    quarters = ticks / TICKS_PER_QUARTER
    return min(
        range(len(COMMON_DURATIONS)), key=lambda i: abs(math.log(quarters / COMMON_DURATIONS[i]))
    )


def evaluate_model(
    model: StyleModel, tunes: Sequence[CorpusTune], device: torch.device, style: str = ""
) -> StyleLosses:
    """Measure a model on tunes that it was not trained on; NaN without tunes.

    Args:
        model: both networks of a style.
        tunes: corpus tunes; the first event of each is given and not counted.
        device: where the networks run.
        style: name of the style, for the result.

    Returns:
        Losses in the common alphabet, in nats an event.
    """
    if not tunes:
        return StyleLosses(style, 0, 0, math.nan, math.nan)
    examples = [encode_tune(tune, model.vocabulary) for tune in tunes]
    classes = [
        np.array([duration_class(event.duration) for event in tune.events]) for tune in tunes
    ]
    pitch = _total_nats(
        model.pitch_net,
        [example["pitch"] for example in examples],
        torch.eye(N_PITCH_TOKENS),
        device,
    )
    duration = _total_nats(
        model.duration_net,
        [(one["duration"][0], row) for one, row in zip(examples, classes, strict=True)],
        class_matrix(model.vocabulary),
        device,
    )
    n_events = sum(len(tune.events) - 1 for tune in tunes)
    return StyleLosses(style, len(tunes), n_events, pitch / n_events, duration / n_events)


def class_matrix(vocabulary: DurationVocabulary) -> Tensor:
    """Make a 0/1 matrix ``(V, 26)`` that sums probabilities of a vocabulary over the classes."""
    matrix = torch.zeros(len(vocabulary), len(COMMON_DURATIONS))
    for token, ticks in enumerate(vocabulary.ticks):
        matrix[token, duration_class(ticks)] = 1
    return matrix


def _total_nats(
    network: SequenceNet, examples: Sequence[LabelledRows], matrix: Tensor, device: torch.device
) -> float:
    """Sum -ln p of the targets over all events but the first of each tune; matrix (V, 26)."""
    total = 0.0
    classes = matrix.double().numpy()  # (V, 26)
    for features, targets, probabilities in predict(network, examples, device):
        mixed = probabilities  # (T, V)
        if network.config.cache_weights:
            cache = ContinuousCache(features.shape[1], network.config.cache_weights)
            events = zip(features.tolist(), probabilities, strict=True)
            mixed = np.stack([cache.mix(row, shares) for row, shares in events])
        common = mixed @ classes  # (T, 26)
        common = (1 - MIN_PROBABILITY * common.shape[1]) * common + MIN_PROBABILITY
        total -= float(np.log(common[np.arange(len(targets)), targets])[1:].sum())
    return total


def predict(
    network: SequenceNet, examples: Sequence[LabelledRows], device: torch.device
) -> Iterator[tuple[NDArray[np.int16], NDArray[np.int64], NDArray[np.float64]]]:
    """Yield features ``(T, F)``, targets ``(T,)`` and probabilities ``(T, V)`` of each tune.

    Args:
        network: one network of a style, with V tokens; it is moved to the device.
        examples: features (T, F) and target tokens (T,) of each tune.
        device: where it runs.
    """
    network.to(device).eval()
    with torch.inference_mode():
        for features, targets in examples:
            logits, _ = network(torch.from_numpy(features.astype(np.int32)).to(device)[None])
            yield features, targets, torch.softmax(logits[0].double(), dim=-1).cpu().numpy()


def fit_cache(network: SequenceNet, examples: Sequence[LabelledRows], device: torch.device) -> None:
    """Fit the mixture weights of a trained network's cache on tunes it was not trained on.

    Args:
        network: the weights are written into its ``config.cache_weights``.
        examples: features (T, F) and target tokens (T,) of each tune.
        device: where the network runs.
    """
    weights = fit_cache_weights(
        (features.tolist(), targets.tolist(), probabilities)
        for features, targets, probabilities in predict(network, examples, device)
    )
    network.config = msgspec.structs.replace(network.config, cache_weights=weights)
