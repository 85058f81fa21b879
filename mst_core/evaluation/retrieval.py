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
from mst_core.evaluation.bootstrap import Estimate, bootstrap_mean, share_between
from mst_core.evaluation.pieces import (
    EvaluationPiece,
    as_melody,
    has_regular_bars,
    normalized_title,
    window,
)
from mst_core.evaluation.rhythm_features import RhythmSequence, bar_kind, jensen_shannon
from mst_core.evaluation.systems import TransferSystem
from mst_core.music import Melody

MIN_TARGET_BARS = 8
"""In each half."""
N_TARGETS = 50


@dataclass(frozen=True)
class TargetHalves:
    """A target: what is shown of it, and what is kept back."""

    first: CorpusTune
    second: CorpusTune

    @classmethod
    def of(cls, tune: CorpusTune) -> TargetHalves | None:
        """Cut an even tune on its middle barline; None when a half is too short or empty."""
        bars = len(tune.barlines) // 2
        if bars < MIN_TARGET_BARS:
            return None
        halves = window(tune, 0, bars), window(tune, bars, len(tune.barlines) - bars)
        if any(len([e for e in half.events if e.pitch is not None]) < 16 for half in halves):
            return None
        return cls(*halves)

    @property
    def bar_kind(self) -> str:
        """Its kind of bar."""
        return bar_kind(self.first.meter)

    @cached_property
    def first_melody(self) -> Melody:
        """The first half as music."""
        return as_melody(self.first)

    @cached_property
    def second_features(self) -> Counter[object]:
        """What the second half is made of."""
        return rhythm_features(RhythmSequence.from_corpus(self.second))


def rhythm_features(rhythm: RhythmSequence) -> Counter[object]:
    """Places with durations, and pairs of durations with the place of the first."""
    notes = rhythm.notes
    found: Counter[object] = Counter(("at", note.position, note.duration) for note in notes)
    found.update(("pair", a.position, a.duration, b.duration) for a, b in pairwise(notes))
    return found


def reciprocal_rank(rhythm: RhythmSequence, own: int, targets: Sequence[TargetHalves]) -> float:
    """1 / the place of the own target by nearness of its hidden half; ties count half."""
    heard = rhythm_features(rhythm)
    far = [jensen_shannon(heard, target.second_features) for target in targets]
    nearer = sum(distance < far[own] for distance in far)
    level = sum(distance == far[own] for distance in far) - 1
    return 1 / (1 + nearer + level / 2)


def choose_targets(tunes: Iterable[CorpusTune], count: int = N_TARGETS) -> list[TargetHalves]:
    """Up to so many targets of one kind of bar, the one that most tunes have; a title once."""
    kinds: dict[str, dict[str, TargetHalves]] = {}
    for tune in sorted(tunes, key=lambda tune: zlib.crc32(tune.id.encode())):
        halves = TargetHalves.of(tune) if has_regular_bars(tune) else None
        if halves is not None:
            kinds.setdefault(halves.bar_kind, {}).setdefault(normalized_title(tune), halves)
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


class RetrievalResult(msgspec.Struct, frozen=True):
    """How often a target is found, by the mean reciprocal rank."""

    style: str
    meter: str
    """Of the targets: the kind of their bars (`rhythm.bar_kind`)."""
    targets: int
    rows: dict[str, Estimate | None]
    way: Estimate | None
    """Ours, as a share of the way from the genre alone to the copied rhythm."""


def evaluate_retrieval(
    style: str,
    targets: Sequence[TargetHalves],
    sources: Sequence[EvaluationPiece],
    transfers: TransferSystem,
    seeds: Sequence[int],
    tell: Callable[[float], None] = lambda share: None,
) -> RetrievalResult | None:
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
            ours = transfers.to_tune(source, target.first_melody, seed)
            # Where it is refused the tune stays as it is, and finds what it finds.
            found[GENRE].append(genre[-1] if genre else source)
            found[OURS].append(ours[-1] if ours else source)
            found[COPIED].append(baselines.copy_rhythm(source, target.first_melody))
        for name, melodies in found.items():
            ranks[name].append(
                fmean(
                    reciprocal_rank(RhythmSequence.from_melody(melody), own, targets)
                    for melody in melodies
                )
            )
        ranks[HALF].append(reciprocal_rank(RhythmSequence.from_corpus(target.first), own, targets))
    return RetrievalResult(
        style,
        targets[0].bar_kind,
        len(targets),
        {name: bootstrap_mean(values) for name, values in ranks.items()},
        share_between(ranks[OURS], ranks[GENRE], ranks[COPIED]),
    )


def chance_reciprocal_rank(targets: int) -> float:
    """The mean reciprocal rank of who knows nothing."""
    return float(np.mean(1 / np.arange(1, targets + 1)))
