"""Candidates of a tune, generated in one batch: the networks step once an event for all of them.

The batch of a tune always has the same width and no rows of other tunes, so a seed gives the same
tune whatever else the engine does (docs/decisions.md#a-batch-per-tune).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mst_core.generation.melody_writer import MelodyWriter, WritingConstraints
from mst_core.networks.cache import ContinuousCache
from mst_core.networks.model import SequenceNet, StyleModel

EPSILON = 1e-12
"""Probability that stands for none, so that its logarithm is finite."""


def stepwise_decoder(
    network: SequenceNet,
) -> Callable[[Sequence[Sequence[int]]], NDArray[np.float64]]:
    """Return a function that advances a batch of B melodies by one event.

    It keeps the LSTM's state and the continuous cache of each melody from call to call.

    Args:
        network: predicts the events.

    Returns:
        A function from the features of the next event of each melody, (B, F), to the logits of its
        token, (B, V); they are log-probabilities where the network has a cache.
    """
    caches: list[ContinuousCache] = []
    device = next(network.parameters()).device
    lstm_state: tuple[Tensor, Tensor] | None = None

    @torch.inference_mode()
    def step(rows: Sequence[Sequence[int]]) -> NDArray[np.float64]:
        # One row of features a candidate, B rows, to logits (B, V).
        nonlocal lstm_state
        features = torch.tensor(rows, dtype=torch.long, device=device).unsqueeze(1)
        logits, lstm_state = network(features, lstm_state)  # (B, 1, V)
        weights = network.config.cache_weights
        if not weights:
            return np.asarray(logits[:, 0].double().cpu().numpy())
        predicted = torch.softmax(logits[:, 0].double(), dim=-1).cpu().numpy()  # (B, V)
        if not caches:
            caches.extend(ContinuousCache(len(row), weights) for row in rows)
        mixed = [
            cache.mix(row, probabilities)
            for cache, row, probabilities in zip(caches, rows, predicted, strict=True)
        ]
        return np.log(np.stack(mixed) + EPSILON)

    return step


def write_candidates(
    constraints: WritingConstraints,
    model: StyleModel,
    seed: tuple[int, ...],
    on_progress: Callable[[float], None] = lambda share: None,
    count: int | None = None,
    temperatures: Sequence[float] = (),
) -> list[MelodyWriter]:
    """Generate several melodies under the same constraints.

    Args:
        constraints: what all candidates share.
        model: the two networks that predict.
        seed: of the random numbers; each candidate adds its index.
        on_progress: called with the share done, 0 to 1.
        count: number of candidates; None takes `candidate_count` of the config.
        temperatures: taken by the candidates in turn, in place of the constraints' one.

    Returns:
        The writers, each with a complete melody.

    Raises:
        NoSuchTune: when a span cannot be filled.
    """
    variants = [replace(constraints, temperature=t) for t in temperatures] or [constraints]
    count = constraints.config.candidate_count if count is None else count
    writers = [
        MelodyWriter(variants[index % len(variants)], np.random.default_rng((*seed, index)))
        for index in range(count)
    ]
    step_pitch = stepwise_decoder(model.pitch_net)
    step_duration = stepwise_decoder(model.duration_net)
    pitch_padding = [0] * len(model.pitch_net.config.feature_sizes)
    duration_padding = [0] * len(model.duration_net.config.feature_sizes)
    length = constraints.plan.bar_count * constraints.lattice.bar_ticks
    with torch.inference_mode():
        while not all(writer.done for writer in writers):
            logits = step_pitch([pitch_padding if w.done else w.pitch_context() for w in writers])
            active = [index for index, writer in enumerate(writers) if not writer.done]
            for index in active:
                writers[index].choose_pitch(logits[index])
            rows = [duration_padding if w.done else w.duration_context() for w in writers]
            logits = step_duration(rows)
            for index in active:
                writers[index].choose_duration(logits[index])
            on_progress(max(0, min(writer.state.next_onset for writer in writers)) / length)
    return writers
