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

from mst_core.generation.melody_writer import MelodyWriter, WritingConstraints
from mst_core.networks.cache import ContinuousCache
from mst_core.networks.model import SequenceNet, StyleModel

EPSILON = 1e-12
"""Probability that stands for none, so that its logarithm is finite."""


class StepwiseDecoder:
    """One network that predicts event by event for a batch of B melodies.

    It keeps the LSTM's states and the continuous cache of each melody.
    """

    def __init__(self, network: SequenceNet) -> None:
        self._network = network
        self._caches: list[ContinuousCache] = []
        self._device = next(network.parameters()).device
        self._state: tuple[torch.Tensor, torch.Tensor] | None = None

    @torch.inference_mode()
    def step(self, rows: Sequence[Sequence[int]]) -> NDArray[np.float64]:
        """Advance by one event.

        Args:
            rows: the features of the next event of each melody, (B, F).

        Returns:
            Logits of its token, (B, V); log-probabilities where the network has a cache.
        """
        features = torch.tensor(rows, dtype=torch.long, device=self._device).unsqueeze(1)
        logits, self._state = self._network(features, self._state)  # (B, 1, V)
        weights = self._network.config.cache_weights
        if not weights:
            return np.asarray(logits[:, 0].double().cpu().numpy())
        predicted = torch.softmax(logits[:, 0].double(), dim=-1).cpu().numpy()  # (B, V)
        self._caches = self._caches or [ContinuousCache(len(row), weights) for row in rows]
        mixed = [
            cache.mix(row, probabilities)
            for cache, row, probabilities in zip(self._caches, rows, predicted, strict=True)
        ]
        return np.log(np.stack(mixed) + EPSILON)


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
    pitch, duration = StepwiseDecoder(model.pitch_net), StepwiseDecoder(model.duration_net)
    pitch_padding = [0] * len(model.pitch_net.config.feature_sizes)
    duration_padding = [0] * len(model.duration_net.config.feature_sizes)
    length = constraints.plan.bar_count * constraints.lattice.bar_ticks
    with torch.inference_mode():
        while not all(writer.done for writer in writers):
            logits = pitch.step([pitch_padding if w.done else w.pitch_context() for w in writers])
            active = [index for index, writer in enumerate(writers) if not writer.done]
            for index in active:
                writers[index].choose_pitch(logits[index])
            rows = [duration_padding if w.done else w.duration_context() for w in writers]
            logits = duration.step(rows)
            for index in active:
                writers[index].choose_duration(logits[index])
            on_progress(max(0, min(writer.state.next_onset for writer in writers)) / length)
    return writers
