"""One way, from a style to another: sources, our versions of them, easy answers, every figure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

import msgspec
import numpy as np

from mst_core.evaluation import baselines
from mst_core.evaluation.bootstrap import Estimate, bootstrap_mean, gap_closure
from mst_core.evaluation.form_preservation import form_preservation, smallest_step
from mst_core.evaluation.overlap import RhythmRunIndex
from mst_core.evaluation.pieces import FOLDS, EvaluationPiece, fitting_sources, sample
from mst_core.evaluation.rhythm_features import (
    PositionDurationCounts,
    RhythmSequence,
    position_durations,
)
from mst_core.evaluation.strength_curve import (
    SeenEvents,
    StrengthCurve,
    changed_share,
    duration_entropy,
    profile_similarity,
    spearman,
)
from mst_core.evaluation.style_classifiers import CLASSIFIERS, CrossFittedClassifiers
from mst_core.evaluation.systems import TransferSystem
from mst_core.music import Melody

Metrics = dict[str, float | None]
"""What was measured of one version of one tune, by the name of the figure."""
SOURCE, TARGET, SHUFFLED, ARTICLE = (
    "source copied",
    "target copied",
    "durations shuffled",
    "the article's way",
)


class DirectionConfig(msgspec.Struct, frozen=True):
    """How much is measured."""

    tunes: int = 40
    seeds: tuple[int, ...] = (0, 1, 2)
    strengths: tuple[float, ...] = tuple(step / 20 for step in range(21))
    shown: tuple[float, ...] = (0.25, 0.5, 0.75, 1.0)
    """The strengths that get a row of their own."""


class SystemResult(msgspec.Struct, frozen=True):
    """One way to answer, and its figures."""

    name: str
    figures: dict[str, Estimate | None]


class StrengthSummary(msgspec.Struct, frozen=True):
    """How the knob turned, over tunes and seeds."""

    falls_of_change: int
    falls_of_closeness: int
    deepest_fall: float
    """Of S, between neighbouring strengths."""
    exact_at_zero: Estimate | None
    largest_jump: float
    leaping: float
    """Share of the turns with a jump of D above .15 and above the smallest step."""
    fewest_repeats: Estimate | None
    """Share of the repeated bars that are kept at the strength that keeps the fewest."""
    order_of_mean: dict[str, float]
    """Spearman of each judge's mean curve with the strength."""
    order: dict[str, Estimate | None]
    """Spearman for a tune, mean."""


class DirectionResult(msgspec.Struct, frozen=True):
    """Everything measured from one style to another."""

    source: str
    target: str
    tunes: int
    refused: int
    rows: tuple[SystemResult, ...]
    knob: StrengthSummary | None
    entropy_of_real: float | None
    usual_run: float | None
    """95th percentile of the longest run that real tunes share with unrelated ones."""


@dataclass(frozen=True)
class _MetricSet:
    """All that a version of a tune is held against."""

    classifiers: CrossFittedClassifiers
    profiles: Mapping[str, PositionDurationCounts]
    """Of real tunes, by kind of bar."""
    run_indexes: Mapping[int, RhythmRunIndex]
    seen_events: Mapping[int, SeenEvents]
    usual_run: float

    def compare(self, before: Melody, after: Melody, fold: int) -> Metrics:
        kept = form_preservation(before, after)
        return {
            "repeats": kept.repeats,
            "precision": kept.precision,
            "barlines": kept.barlines,
            "phrases": kept.phrases,
            "length": kept.length,
            "pickup": float(kept.pickup),
            "changed": changed_share(before, after),
            **self.of_rhythm(RhythmSequence.from_melody(after), fold),
        }

    def of_rhythm(self, rhythm: RhythmSequence, fold: int) -> Metrics:
        """What can be said of a rhythm without the tune that it comes from."""
        run = self.run_indexes[fold].longest_run(rhythm)
        return {
            "close": profile_similarity(rhythm, self.profiles.get(rhythm.kind, Counter())),
            "entropy": duration_entropy(rhythm),
            "strange": self.seen_events[fold].unseen_rate(rhythm),
            "run": float(run),
            "copied": float(run > self.usual_run),
            **self.classifiers.log_odds(rhythm, fold),
        }


def evaluate_direction(
    names: tuple[str, str],
    pieces: tuple[Sequence[EvaluationPiece], Sequence[EvaluationPiece]],
    transfers: TransferSystem,
    plan: DirectionConfig,
    on_progress: Callable[[float], None] = lambda share: None,
) -> DirectionResult | None:
    """Measure the way from the first style to the second; None when no source fits."""
    given, real = pieces
    sources = fitting_sources(given, real, plan.tunes)
    if not sources:
        return None
    measures = _prepare(given, real, sources)
    real_row = f"real {names[1]}"
    rows: dict[str, list[Metrics]] = {
        real_row: [
            measures.of_rhythm(piece.rhythm, piece.fold)
            for piece in sample(_in_same_meters(real, sources), plan.tunes)
        ]
    }
    turns: list[StrengthCurve] = []
    judged: list[EvaluationPiece] = []
    for index, piece in enumerate(sources):
        on_progress(index / len(sources))
        before = piece.melody
        versions = [
            transfers.to_style(before, names[1], seed, plan.strengths) for seed in plan.seeds
        ]
        kept = [found for found in versions if found is not None]
        if not kept:
            continue
        judged.append(piece)
        answers = _baselines(piece, real, transfers, names[1], plan.seeds)
        for name, melodies in answers.items():
            found = [measures.compare(before, melody, piece.fold) for melody in melodies]
            rows.setdefault(name, []).append(_mean(found))
        told = [
            [measures.compare(before, melody, piece.fold) for melody in found] for found in kept
        ]
        for place, strength in enumerate(plan.strengths):
            if strength in plan.shown:
                row = rows.setdefault(f"ours at {strength:.2f}", [])
                row.append(_mean([turn[place] for turn in told]))
        turns += [_curve(before, turn) for turn in told]
    if not judged:
        return None
    odds = {
        judge: _real_log_odds(measures.classifiers, real, judged, judge) for judge in CLASSIFIERS
    }
    entropies = [duration_entropy(piece.rhythm) for piece in _in_same_meters(real, judged)]
    heard = bootstrap_mean(entropies)
    usual = None if heard is None else heard.mean
    return DirectionResult(
        source=names[0],
        target=names[1],
        tunes=len(judged),
        refused=len(sources) - len(judged),
        rows=tuple(
            SystemResult(
                name, _estimates(values, None if name == real_row else rows[SOURCE], odds, usual)
            )
            for name, values in rows.items()
        ),
        knob=_summarize(turns, plan) if len(plan.strengths) > 2 else None,
        entropy_of_real=usual,
        usual_run=measures.usual_run,
    )


def _prepare(
    given: Sequence[EvaluationPiece],
    real: Sequence[EvaluationPiece],
    sources: Sequence[EvaluationPiece],
) -> _MetricSet:
    others = {fold: [piece.rhythm for piece in real if piece.fold != fold] for fold in range(FOLDS)}
    repertoires = {fold: RhythmRunIndex(rhythms) for fold, rhythms in others.items()}
    lengths = [len(piece.rhythm.notes) for piece in sources]
    runs = []
    for index, piece in enumerate(sample(_in_same_meters(real, sources), 200)):
        length = lengths[index % len(lengths)]
        cut = (piece.rhythm.windows(length) or [piece.rhythm])[0]
        runs.append(repertoires[piece.fold].longest_run(cut))
    return _MetricSet(
        classifiers=CrossFittedClassifiers(given, real),
        profiles={
            kind: position_durations(piece.rhythm for piece in real if piece.bar_kind == kind)
            for kind in {piece.bar_kind for piece in real}
        },
        run_indexes=repertoires,
        seen_events={fold: SeenEvents(rhythms) for fold, rhythms in others.items()},
        usual_run=float(np.percentile(runs, 95)) if runs else 0.0,
    )


def _in_same_meters(
    real: Sequence[EvaluationPiece], sources: Sequence[EvaluationPiece]
) -> list[EvaluationPiece]:
    """Real pieces in the meters of the sources."""
    kinds = {piece.bar_kind for piece in sources}
    return [piece for piece in real if piece.bar_kind in kinds]


def _baselines(
    piece: EvaluationPiece,
    real: Sequence[EvaluationPiece],
    transfers: TransferSystem,
    style: str,
    seeds: Sequence[int],
) -> dict[str, list[Melody]]:
    before = piece.melody
    # Of its own fold, so that the judges have not heard the copied tune either.
    models = [
        other for other in real if other.bar_kind == piece.bar_kind and other.fold == piece.fold
    ]
    models = models or [other for other in real if other.bar_kind == piece.bar_kind]
    drawn = np.random.default_rng(len(before.notes)).integers(0, len(models), len(seeds))
    return {
        SOURCE: [before],
        TARGET: [baselines.copy_rhythm(before, models[place].melody) for place in drawn],
        SHUFFLED: [baselines.shuffle_durations(before, seed) for seed in seeds],
        ARTICLE: baselines.pati_baseline(before, transfers.styles[style].model, seeds),
    }


def _mean(found: Sequence[Metrics]) -> Metrics:
    """The mean of each figure over the seeds."""
    means: Metrics = {}
    for name in found[0]:
        known = [value for values in found if (value := values[name]) is not None]
        means[name] = fmean(known) if known else None
    return means


def _curve(before: Melody, told: Sequence[Metrics]) -> StrengthCurve:
    def curve(name: str) -> tuple[float, ...]:
        return tuple(values[name] or 0.0 for values in told)

    return StrengthCurve(
        curve("changed"),
        curve("close"),
        {judge: curve(judge) for judge in CLASSIFIERS},
        smallest_step(before),
        tuple(values["repeats"] for values in told),
    )


def _real_log_odds(
    court: CrossFittedClassifiers,
    real: Sequence[EvaluationPiece],
    judged: Sequence[EvaluationPiece],
    judge: str,
) -> list[float]:
    pieces = sample(_in_same_meters(real, judged), 200)
    return [court.log_odds(piece.rhythm, piece.fold)[judge] for piece in pieces]


def _estimates(
    values: Sequence[Metrics],
    source: Sequence[Metrics] | None,
    odds: Mapping[str, Sequence[float]],
    usual_entropy: float | None,
) -> dict[str, Estimate | None]:
    figures: dict[str, Estimate | None] = {}
    for name in values[0]:
        column = [row[name] for row in values]
        if name in odds:
            if source is not None:
                figures[f"closure by {name}"] = gap_closure(
                    [value or 0.0 for value in column],
                    [row[name] or 0.0 for row in source],
                    odds[name],
                )
        elif name == "entropy":
            figures[name] = bootstrap_mean(
                [
                    None if value is None or usual_entropy is None else value - usual_entropy
                    for value in column
                ]
            )
        else:
            figures[name] = bootstrap_mean(column)
    return figures


def _summarize(turns: Sequence[StrengthCurve], plan: DirectionConfig) -> StrengthSummary:
    curves = {
        judge: np.mean([turn.log_odds[judge] for turn in turns], axis=0) for judge in CLASSIFIERS
    }
    zero = plan.strengths.index(0.0) if 0.0 in plan.strengths else None
    return StrengthSummary(
        falls_of_change=sum(turn.decreases[0] for turn in turns),
        falls_of_closeness=sum(turn.decreases[1] for turn in turns),
        deepest_fall=max(turn.largest_decrease for turn in turns),
        exact_at_zero=None
        if zero is None
        else bootstrap_mean([float(t.changed[zero] == 0) for t in turns]),
        largest_jump=max(turn.largest_jump for turn in turns),
        leaping=fmean(turn.jumps_too_far for turn in turns),
        fewest_repeats=bootstrap_mean([turn.fewest_repeats for turn in turns]),
        order_of_mean={j: spearman(plan.strengths, list(curve)) for j, curve in curves.items()},
        order={
            judge: bootstrap_mean([turn.rank_correlation(judge) for turn in turns])
            for judge in CLASSIFIERS
        },
    )
