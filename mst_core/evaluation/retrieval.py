"""One-tune retrieval: whether a transferred rhythm is nearest to the tune it was made like.

Each target tune is cut into halves. A system may use the first half only; its result is compared
with the second halves of all targets, and the rank of its own target gives the mean reciprocal
rank (MRR). Baselines: the genre alone (the whole style as the target), the first half's rhythm
copied, and the first half itself.
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

from mst_core.corpora.tunes import CorpusTune, title_key
from mst_core.evaluation import baselines
from mst_core.evaluation.bootstrap import Estimate, bootstrap_mean, share_between
from mst_core.evaluation.config import EvaluationConfig
from mst_core.evaluation.pieces import EvaluationPiece, as_melody, has_regular_bars, window
from mst_core.evaluation.rhythm_features import RhythmSequence, bar_kind, jensen_shannon
from mst_core.evaluation.systems import TransferSystem
from mst_core.music import Melody

GENRE, COPIED, HALF, OURS = (
    "genre only",
    "target's rhythm copied",
    "its whole first half",
    "ours",
)


@dataclass(frozen=True)
class TargetHalves:
    """A target tune in two halves: the first is given to systems, the second is held out."""

    first: CorpusTune
    second: CorpusTune

    @classmethod
    def of(cls, tune: CorpusTune, config: EvaluationConfig) -> TargetHalves | None:
        """Cut a tune with regular bars at its middle barline; None when a half is too short.

        Args:
            tune: a corpus tune.
            config: bars and notes that a half needs.
        """
        bars = len(tune.barlines) // 2
        if bars < config.min_half_bars:
            return None
        halves = window(tune, 0, bars), window(tune, bars, len(tune.barlines) - bars)
        if any(
            sum(event.pitch is not None for event in half.events) < config.min_half_notes
            for half in halves
        ):
            return None
        return cls(*halves)

    @property
    def bar_kind(self) -> str:
        """See `rhythm_features.bar_kind`."""
        return bar_kind(self.first.meter)

    @cached_property
    def first_melody(self) -> Melody:
        """The first half as a melody."""
        return as_melody(self.first)

    @cached_property
    def second_features(self) -> Counter[object]:
        """The features of the second half."""
        return retrieval_features(RhythmSequence.from_corpus(self.second))


def retrieval_features(rhythm: RhythmSequence) -> Counter[object]:
    """Count (position, duration), and pairs of durations with the position of the first."""
    notes = rhythm.notes
    found: Counter[object] = Counter(("at", note.position, note.duration) for note in notes)
    found.update(("pair", a.position, a.duration, b.duration) for a, b in pairwise(notes))
    return found


def reciprocal_rank(rhythm: RhythmSequence, own: int, targets: Sequence[TargetHalves]) -> float:
    """Return 1 / rank of target ``own`` by nearness of its second half; ties count half.

    Args:
        rhythm: the rhythm of a result.
        own: index in ``targets`` of the one that the result was made like.
        targets: all candidates of the retrieval.

    Returns:
        Above 0 to 1; 1 when the own target is the nearest.
    """
    features = retrieval_features(rhythm)
    far = [jensen_shannon(features, target.second_features) for target in targets]
    nearer = sum(distance < far[own] for distance in far)
    level = sum(distance == far[own] for distance in far) - 1
    return 1 / (1 + nearer + level / 2)


def chance_reciprocal_rank(n_targets: int) -> float:
    """Return the mean reciprocal rank of a random order."""
    return float(np.mean(1 / np.arange(1, n_targets + 1)))


def choose_targets(
    tunes: Iterable[CorpusTune], config: EvaluationConfig = EvaluationConfig()
) -> list[TargetHalves]:
    """Select targets of the most frequent kind of bar, one a title.

    Args:
        tunes: real tunes of the target style, in any order.
        config: the largest number of targets, and what a half needs.

    Returns:
        Targets in an order that depends on the ids of the tunes only; empty when no tune is long
        enough.
    """
    kinds: dict[str, dict[str, TargetHalves]] = {}
    for tune in sorted(tunes, key=lambda tune: zlib.crc32(tune.id.encode())):
        halves = TargetHalves.of(tune, config) if has_regular_bars(tune) else None
        if halves is not None:
            kinds.setdefault(halves.bar_kind, {}).setdefault(title_key(tune), halves)
    found = max(kinds.values(), key=len, default={})
    return list(found.values())[: config.targets]


class RetrievalResult(msgspec.Struct, frozen=True, rename={"share_of_way": "way"}):
    """Mean reciprocal ranks of the system and of its baselines."""

    style: str
    meter: str
    """Kind of the targets' bars (`rhythm_features.bar_kind`)."""
    targets: int
    rows: dict[str, Estimate | None]
    """Mean reciprocal rank by system."""
    share_of_way: Estimate | None
    """Our gain over the genre alone, as a share of the copied rhythm's gain."""


def evaluate_retrieval(
    style: str,
    targets: Sequence[TargetHalves],
    sources: Sequence[EvaluationPiece],
    system: TransferSystem,
    seeds: Sequence[int],
    on_progress: Callable[[float], None] = lambda share: None,
) -> RetrievalResult | None:
    """Transfer source tunes to the first half of each target and rank all targets.

    Args:
        style: name of the targets' style.
        targets: of one kind of bar.
        sources: pieces with bars of the same kind.
        system: the transfer under evaluation.
        seeds: of the transfers to each target.
        on_progress: called with the share of targets done, 0 to 1.

    Returns:
        None without targets or sources.
    """
    if not targets or not sources:
        return None
    ranks: dict[str, list[float]] = {name: [] for name in (GENRE, COPIED, HALF, OURS)}
    for own, target in enumerate(targets):
        on_progress(own / len(targets))
        found: dict[str, list[Melody]] = {GENRE: [], COPIED: [], OURS: []}
        for seed in seeds:
            source = sources[(own + seed * 7) % len(sources)].melody
            genre = system.to_style(source, style, seed)
            ours = system.to_tune(source, target.first_melody, seed)
            # A refused transfer leaves the source as it is.
            found[GENRE].append(genre[-1] if genre else source)
            found[OURS].append(ours[-1] if ours else source)
            found[COPIED].append(baselines.copy_rhythm(source, target.first_melody))
        for name, melodies in found.items():
            rhythms = map(RhythmSequence.from_melody, melodies)
            ranks[name].append(fmean(reciprocal_rank(rhythm, own, targets) for rhythm in rhythms))
        first = RhythmSequence.from_corpus(target.first)
        ranks[HALF].append(reciprocal_rank(first, own, targets))
    return RetrievalResult(
        style,
        targets[0].bar_kind,
        len(targets),
        {name: bootstrap_mean(values) for name, values in ranks.items()},
        share_between(ranks[OURS], ranks[GENRE], ranks[COPIED]),
    )
