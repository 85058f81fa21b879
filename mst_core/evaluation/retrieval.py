"""One tune: whether a rhythm finds the tune that it was made like, among fifty of its kind.

Each target is cut in two halves. What is judged may know the first half only; it is compared with
the second halves of all targets, and the place of its own among them is read: 1 / place, whose
mean over targets is the mean reciprocal rank.
"""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from statistics import fmean

import msgspec
import numpy as np

from mst_core.corpora.tunes import CorpusTune
from mst_core.evaluation import baselines
from mst_core.evaluation.bootstrap import Figure, mean_of, share_of_way
from mst_core.evaluation.pieces import Piece, as_melody, is_even, normal_title, window
from mst_core.evaluation.rhythm_features import Rhythm, divergence, kind_of
from mst_core.evaluation.systems import Transfers
from mst_core.music import Melody

FEWEST_BARS = 8
"""In each half."""
TARGETS = 50


@dataclass(frozen=True)
class Halves:
    """A target: what is shown of it, and what is kept back."""

    first: CorpusTune
    second: CorpusTune

    @classmethod
    def of(cls, tune: CorpusTune) -> Halves | None:
        """Cut an even tune on its middle barline; None when a half is too short or empty."""
        bars = len(tune.barlines) // 2
        if bars < FEWEST_BARS:
            return None
        halves = window(tune, 0, bars), window(tune, bars, len(tune.barlines) - bars)
        if any(len([e for e in half.events if e.pitch is not None]) < 16 for half in halves):
            return None
        return cls(*halves)

    @property
    def kind(self) -> str:
        """Its kind of bar."""
        return kind_of(self.first.meter)

    @cached_property
    def shown(self) -> Melody:
        """The first half as music."""
        return as_melody(self.first)

    @cached_property
    def hidden(self) -> Counter[object]:
        """What the second half is made of."""
        return traits(Rhythm.of_tune(self.second))


def traits(rhythm: Rhythm) -> Counter[object]:
    """Places with durations, and pairs of durations with the place of the first."""
    notes = rhythm.notes
    found: Counter[object] = Counter(("at", note.place, note.ticks) for note in notes)
    found.update(("pair", a.place, a.ticks, b.ticks) for a, b in pairwise(notes))
    return found


def reciprocal_rank(rhythm: Rhythm, own: int, targets: Sequence[Halves]) -> float:
    """1 / the place of the own target by nearness of its hidden half; ties count half."""
    heard = traits(rhythm)
    far = [divergence(heard, target.hidden) for target in targets]
    nearer = sum(distance < far[own] for distance in far)
    level = sum(distance == far[own] for distance in far) - 1
    return 1 / (1 + nearer + level / 2)


def choose_targets(tunes: Iterable[CorpusTune], count: int = TARGETS) -> list[Halves]:
    """Up to so many targets of one kind of bar, the one that most tunes have; a title once."""
    kinds: dict[str, dict[str, Halves]] = {}
    for tune in sorted(tunes, key=lambda tune: zlib.crc32(tune.id.encode())):
        halves = Halves.of(tune) if is_even(tune) else None
        if halves is not None:
            kinds.setdefault(halves.kind, {}).setdefault(normal_title(tune), halves)
    found = max(kinds.values(), key=len, default={})
    return list(found.values())[:count]


# The trial of one tune as the target: whose answer is so near that it finds that tune again.
#
# Beside our own answer stand the genre alone (the whole style as the target), the first half's
# rhythm
# copied, and the first half itself. What the style of one tune is worth is the way from the first
# of
# these to the second.

GENRE, COPIED, HALF, OURS = (
    "genre only",
    "target's rhythm copied",
    "its whole first half",
    "ours",
)


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
