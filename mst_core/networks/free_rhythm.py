"""The article's way: the duration network writes freely over given pitches, with no care for bars.

After Pati's article. It is here to be measured against: nothing that is shipped uses it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from mst_core.corpora.tunes import Event
from mst_core.networks.context import Heading, Line
from mst_core.networks.model import State, StylePair


def write_freely(
    pair: StylePair, heading: Heading, pitches: Sequence[int | None], seeds: Sequence[int]
) -> list[tuple[Event, ...]]:
    """Draw a duration for each pitch (None is a rest) from the network, once for each seed."""
    lines = [Line(heading, pair.durations) for _ in seeds]
    draws = [np.random.default_rng(seed) for seed in seeds]
    device = next(pair.duration.parameters()).device
    state: State | None = None
    ticks = pair.durations.ticks
    with torch.inference_mode():
        for pitch in pitches:
            rows = [
                line.duration_context(line.pitch_context(), line.interval(pitch), pitch)
                for line in lines
            ]
            features = torch.tensor(rows, device=device).unsqueeze(1)  # (B, 1, F)
            logits, state = pair.duration(features, state)
            shares = torch.softmax(logits[:, 0].double(), dim=-1).cpu().numpy()  # (B, V)
            for line, draw, row in zip(lines, draws, shares, strict=True):
                line.write(pitch, ticks[int(draw.choice(len(row), p=row / row.sum()))])
    return [tuple(line.events) for line in lines]
