"""Candidates written together: the networks step once for all of them, event by event.

A tune's candidates always make a batch of the same width, so a seed gives the same tune whatever
else the engine does: no other job's rows ever stand in its matrices.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import torch

from mst_core.generation.melody_writer import MelodyWriter, WritingConstraints
from mst_core.generation.sampling import Logits
from mst_core.networks.cache import ContinuousCache
from mst_core.networks.model import LstmState, SequenceNet, StyleModel

CANDIDATES = 12
EPSILON = 1e-12
"""Share of probability: none is nothing."""


class StepwiseDecoder:
    """One network with the states of a batch of lines, and what each line did so far."""

    def __init__(self, network: SequenceNet) -> None:
        self._network = network
        self._caches: list[ContinuousCache] = []
        self._device = next(network.parameters()).device
        self._state: LstmState | None = None

    @torch.inference_mode()
    def step(self, rows: Sequence[Sequence[int]]) -> Logits:
        """Advance by one event: feature rows (B, F) to logits (B, V)."""
        features = torch.tensor(rows, dtype=torch.long, device=self._device).unsqueeze(1)
        logits, self._state = self._network(features, self._state)
        trust = self._network.config.cache_weights
        if not trust:
            return np.asarray(logits[:, 0].double().cpu().numpy())
        shares = torch.softmax(logits[:, 0].double(), dim=-1).cpu().numpy()
        self._caches = self._caches or [ContinuousCache(len(row), trust) for row in rows]
        mixed = [c.mix(row, own) for c, row, own in zip(self._caches, rows, shares, strict=True)]
        return np.log(np.stack(mixed) + EPSILON)


def write_candidates(
    constraints: WritingConstraints,
    model: StyleModel,
    seed: tuple[int, ...],
    on_progress: Callable[[float], None] = lambda share: None,
    candidates: int = CANDIDATES,
    temperatures: Sequence[float] = (),
) -> list[MelodyWriter]:
    """Write several lines in the same frame, each from its own random numbers.

    ``heats`` are temperatures that they take in turn, instead of the frame's.
    """
    frames = [replace(constraints, temperature=heat) for heat in temperatures] or [constraints]
    writers = [
        MelodyWriter(frames[place % len(frames)], np.random.default_rng((*seed, place)))
        for place in range(candidates)
    ]
    pitch, duration = StepwiseDecoder(model.pitch_net), StepwiseDecoder(model.duration_net)
    idle_pitch = [0] * len(model.pitch_net.config.feature_sizes)
    idle_duration = [0] * len(model.duration_net.config.feature_sizes)
    length = constraints.plan.bar_count * constraints.lattice.bar_ticks
    with torch.inference_mode():
        while not all(writer.done for writer in writers):
            logits = pitch.step([idle_pitch if w.done else w.pitch_context() for w in writers])
            active = [place for place, writer in enumerate(writers) if not writer.done]
            for place in active:
                writers[place].choose_pitch(logits[place])
            rows = [idle_duration if w.done else w.duration_context() for w in writers]
            logits = duration.step(rows)
            for place in active:
                writers[place].choose_duration(logits[place])
            on_progress(max(0, min(writer.state.next_onset for writer in writers)) / length)
    return writers
