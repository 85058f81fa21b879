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
from mst_core.networks.features import DURATION_FEATURES

MAX_END = 144
"""Ticks from the barline; later ends count as this, so that the head takes little time."""
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
        self.ends = nn.Linear(projected, MAX_END + 1)  # (Q, P)
        self.rests = nn.Linear(projected, len(durations))  # (V, P)
        for layer in (self.ends, self.rests):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)
        self.register_buffer("durations", torch.tensor(durations), persistent=False)
        self.durations: Tensor  # (V,)

    def forward(self, features: Tensor, projected: Tensor) -> Tensor:
        """Return the logits (B, T, V) that both heads add.

        Args:
            features: values of all features, (B, T, F).
            projected: output of the projection, (B, T, P).
        """
        ends = (features[..., _POSITION, None] + self.durations).clamp(max=MAX_END)  # (B, T, V)
        by_end: Tensor = self.ends(projected).gather(-1, ends)  # (B, T, V)
        is_rest = features[..., _INTERVAL, None] == REST_TOKEN  # (B, T, 1)
        by_rest: Tensor = self.rests(projected) * is_rest  # (B, T, V)
        return by_end + by_rest
