"""The trial of one tune as the target: whose answer is so near that it finds that tune again.

Beside our own answer stand the genre alone (the whole style as the target), the first half's rhythm
copied, and the first half itself. What the style of one tune is worth is the way from the first of
these to the second.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import fmean

import msgspec
import numpy as np

from mst_core.evaluation import baselines
from mst_core.evaluation.bootstrap import Figure, mean_of, share_of_way
from mst_core.evaluation.pieces import Piece
from mst_core.evaluation.retrieval import Halves, reciprocal_rank
from mst_core.evaluation.rhythm_features import Rhythm
from mst_core.evaluation.systems import Transfers
from mst_core.music import Melody

GENRE, COPIED, HALF, OURS = (
    "genre only", "target's rhythm copied", "its whole first half", "ours",
)  # fmt: skip


class Finding(msgspec.Struct, frozen=True):
    """How often a target is found, by the mean reciprocal rank."""

    style: str
    meter: str
    """Of the targets: the kind of their bars (`rhythm.kind_of`)."""
    targets: int
    rows: dict[str, Figure | None]
    way: Figure | None
    """Ours, as a share of the way from the genre alone to the copied rhythm."""


def try_finding(
    style: str,
    targets: Sequence[Halves],
    sources: Sequence[Piece],
    transfers: Transfers,
    seeds: Sequence[int],
    tell: Callable[[float], None] = lambda share: None,
) -> Finding | None:
    """Bring sources near to the first half of each target; None without targets or sources."""
    if not targets or not sources:
        return None
    ranks: dict[str, list[float]] = {name: [] for name in (GENRE, COPIED, HALF, OURS)}
    for own, target in enumerate(targets):
        tell(own / len(targets))
        found: dict[str, list[Melody]] = {GENRE: [], COPIED: [], OURS: []}
        for seed in seeds:
            source = sources[(own + seed * 7) % len(sources)].melody
            genre = transfers.to_style(source, style, seed)
            ours = transfers.like(source, target.shown, seed)
            # Where it is refused the tune stays as it is, and finds what it finds.
            found[GENRE].append(genre[-1] if genre else source)
            found[OURS].append(ours[-1] if ours else source)
            found[COPIED].append(baselines.copy_rhythm(source, target.shown))
        for name, melodies in found.items():
            ranks[name].append(
                fmean(reciprocal_rank(Rhythm.of(melody), own, targets) for melody in melodies)
            )
        ranks[HALF].append(reciprocal_rank(Rhythm.of_tune(target.first), own, targets))
    return Finding(
        style,
        targets[0].kind,
        len(targets),
        {name: mean_of(values) for name, values in ranks.items()},
        share_of_way(ranks[OURS], ranks[GENRE], ranks[COPIED]),
    )


def chance(targets: int) -> float:
    """The mean reciprocal rank of who knows nothing."""
    return float(np.mean(1 / np.arange(1, targets + 1)))
