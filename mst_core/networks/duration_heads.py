"""Two more heads of a duration network: where an event ends in the bar, and how long a rest lasts.

A plain head has to learn for each position anew which durations end on a beat. Here a logit is
added for the position at which a duration ends, so that what is learned of ends is shared by all
positions and durations. Rests, one event in twenty, follow other laws than notes: they get logits
of their own on top of the common ones. Both start at zero, so that a network without them can be
trained on with them. The module stands alone because only the duration network has these heads.

Shapes: B melodies, T events, F features, P projection width, V vocabulary size, Q positions where
an event may end.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from mst_core.corpora.vocabulary import REST_TOKEN
from mst_core.networks.features import DURATION_FEATURES, POSITIONS

MAX_END = 144
"""Ticks from the barline; later ends count as this, so that the head takes little time."""
END_COUNT = MAX_END + 1
_NAMES = [feature.name for feature in DURATION_FEATURES]
_POSITION, _INTERVAL = _NAMES.index("position"), _NAMES.index("interval now")


class DurationHeads(nn.Module):
    """Logits of a duration by where it ends and, where the event is a rest, by what rests do."""

    def __init__(self, durations: Sequence[int], projected: int) -> None:
        """Build both heads, which add nothing before training.

        Args:
            durations: ticks of each token, (V,).
            projected: width of the projection, P.
        """
        super().__init__()
        # One layer for both is faster than two: its first rows are the ends, then the rests.
        self.linear = nn.Linear(projected, END_COUNT + len(durations))  # (Q + V, P)
        nn.init.zeros_(self.linear.weight)
        nn.init.zeros_(self.linear.bias)
        positions = torch.arange(POSITIONS)[:, None]  # (POSITIONS, 1)
        ends = (positions + torch.tensor(durations)).clamp(max=MAX_END)  # (POSITIONS, V)
        self.register_buffer("ends", ends, persistent=False)
        self.ends: Tensor

    def forward(self, features: Tensor, projected: Tensor) -> Tensor:
        """Return the logits (B, T, V) that both heads add.

        Args:
            features: values of all features, (B, T, F).
            projected: output of the projection, (B, T, P).
        """
        outputs: Tensor = self.linear(projected)  # (B, T, Q + V)
        by_end = outputs.gather(-1, self.ends[features[..., _POSITION]])  # (B, T, V)
        is_rest = features[..., _INTERVAL, None] == REST_TOKEN  # (B, T, 1)
        return by_end + outputs[..., END_COUNT:] * is_rest
