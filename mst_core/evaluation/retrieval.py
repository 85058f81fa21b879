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
from mst_core.evaluation.comparison import ONE_TUNE, ComparedMetric, compare, estimate_means
from mst_core.evaluation.config import EvaluationConfig
from mst_core.evaluation.form_preservation import form_preservation
from mst_core.evaluation.naturalness import keeps_last_note
from mst_core.evaluation.pieces import EvaluationPiece, as_melody, has_regular_bars, window
from mst_core.evaluation.rhythm_features import RhythmSequence, bar_kind, jensen_shannon
from mst_core.evaluation.systems import TransferSystem
from mst_core.music import Melody
from mst_core.statistics.shared_runs import SharedRunIndex

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
    naturalness: tuple[ComparedMetric, ...] = ()
    """The results, with what is wanted."""


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
    results: list[dict[str, float | None]] = []
    indexes = [
        SharedRunIndex([RhythmSequence.from_corpus(target.first).step_codes]) for target in targets
    ]
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
            results.append(_measure(source, found[OURS][-1], indexes[own]))
        for name, melodies in found.items():
            rhythms = map(RhythmSequence.from_melody, melodies)
            ranks[name].append(fmean(reciprocal_rank(rhythm, own, targets) for rhythm in rhythms))
        first = RhythmSequence.from_corpus(target.first)
        ranks[HALF].append(reciprocal_rank(first, own, targets))
    usual = _usual_runs(targets, indexes)
    way = share_between(ranks[OURS], ranks[GENRE], ranks[COPIED])
    copied = [float((row["run"] or 0.0) > usual[1]) for row in results]
    return RetrievalResult(
        style,
        targets[0].bar_kind,
        len(targets),
        {name: bootstrap_mean(values) for name, values in ranks.items()},
        way,
        compare(
            ONE_TUNE,
            estimate_means(results) | {"way": way, "copied": bootstrap_mean(copied)},
            {"run": usual[0], "copied": 0.05},
        ),
    )


def _measure(source: Melody, result: Melody, target: SharedRunIndex) -> dict[str, float | None]:
    """Measure the form of a result, and its longest run of the target's rhythm in notes."""
    return {
        **form_preservation(source, result),
        "last note": float(keeps_last_note(source, result)),
        "run": float(target.longest(RhythmSequence.from_melody(result).step_codes)),
    }


def _usual_runs(
    targets: Sequence[TargetHalves], indexes: Sequence[SharedRunIndex]
) -> tuple[float, float]:
    """Mean and 95th percentile of the longest runs that two unrelated targets share, in notes."""
    codes = [RhythmSequence.from_corpus(target.first).step_codes for target in targets]
    runs = [
        index.longest(query)
        for own, index in enumerate(indexes)
        for other, query in enumerate(codes)
        if own != other
    ]
    return (float(np.mean(runs)), float(np.percentile(runs, 95))) if runs else (0.0, 0.0)
