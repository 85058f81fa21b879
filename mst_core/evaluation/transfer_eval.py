"""Evaluates one direction, from a source style to a target style: all systems, all metrics."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

import msgspec
import numpy as np

from mst_core.corpora.tunes import CorpusTune
from mst_core.evaluation import baselines
from mst_core.evaluation.bootstrap import Estimate, bootstrap_mean, gap_closure
from mst_core.evaluation.comparison import (
    FEWER_RHYTHMS,
    TRANSFER,
    ComparedMetric,
    closure_spread,
    compare,
    estimate_means,
    means,
)
from mst_core.evaluation.config import EvaluationConfig
from mst_core.evaluation.form_preservation import form_preservation, smallest_step
from mst_core.evaluation.naturalness import keeps_last_note, rhythm_naturalness
from mst_core.evaluation.pieces import EvaluationPiece, fitting_sources, sample
from mst_core.evaluation.rhythm_features import RhythmSequence, position_durations
from mst_core.evaluation.strength_curve import (
    StrengthCurve,
    changed_share,
    profile_similarity,
    rhythm_entropy,
    seen_events,
    spearman,
    unseen_rate,
)
from mst_core.evaluation.style_classifiers import CLASSIFIERS, CrossFittedClassifiers
from mst_core.evaluation.systems import TransferSystem
from mst_core.music import Melody
from mst_core.statistics.shared_runs import SharedRunIndex

SOURCE, TARGET, SHUFFLED, ARTICLE = (
    "source copied",
    "target copied",
    "durations shuffled",
    "the article's way",
)


class SystemResult(msgspec.Struct, frozen=True, rename={"estimates": "figures"}):
    """The metrics of one system."""

    name: str
    estimates: dict[str, Estimate | None]


class StrengthSummary(
    msgspec.Struct,
    frozen=True,
    rename={
        "decreases_of_changed": "falls_of_change",
        "decreases_of_similarity": "falls_of_closeness",
        "largest_decrease": "deepest_fall",
        "jumping_share": "leaping",
        "correlation_of_mean": "order_of_mean",
        "correlation": "order",
    },
):
    """The strength curves of all tunes and seeds."""

    decreases_of_changed: int
    """Steps at which D falls."""
    decreases_of_similarity: int
    """Steps at which S falls."""
    largest_decrease: float
    """Of S, between neighbouring strengths."""
    exact_at_zero: Estimate | None
    """Share of curves that equal the source at strength 0."""
    largest_jump: float
    """Of D, between neighbouring strengths."""
    jumping_share: float
    """Share of curves, 0 to 1, with a jump of D above .15 and above the smallest step."""
    fewest_repeats: Estimate | None
    """Share of repeated bars kept at the strength that keeps the fewest."""
    correlation_of_mean: dict[str, float]
    """Spearman correlation of strength and mean log-odds, by classifier."""
    correlation: dict[str, Estimate | None]
    """The same of each tune, mean over tunes."""


class DirectionResult(
    msgspec.Struct,
    frozen=True,
    rename={
        "curves": "knob",
        "real_entropy": "entropy_of_real",
        "p95_run": "usual_run",
    },
):
    """Everything measured from one style to another."""

    source: str
    target: str
    tunes: int
    refused: int
    """Sources that no seed could transfer."""
    rows: tuple[SystemResult, ...]
    curves: StrengthSummary | None
    real_entropy: float | None
    """Mean entropy of durations of real target tunes, in bits."""
    p95_run: float | None
    """95th percentile of the longest run that real tunes share with unrelated ones, in notes."""
    naturalness: tuple[ComparedMetric, ...] = ()
    """Results at the highest strength beside real tunes, with what is wanted."""


@dataclass(frozen=True)
class _MetricSet:
    """Models and reference data of the target style, from which metrics are computed."""

    classifiers: CrossFittedClassifiers
    profiles: Mapping[str, Counter[tuple[int, int]]]
    """(position, duration) counts of real target tunes, by kind of bar."""
    run_indexes: Mapping[int, SharedRunIndex]
    """Real target tunes outside each fold."""
    seen_events: Mapping[int, frozenset[tuple[str, int, int]]]
    """Events of real target tunes outside each fold."""
    p95_run: float

    @classmethod
    def build(
        cls,
        known: tuple[Sequence[EvaluationPiece], Sequence[EvaluationPiece]],
        real: Sequence[EvaluationPiece],
        sources: Sequence[EvaluationPiece],
        config: EvaluationConfig,
    ) -> _MetricSet:
        """Train the classifiers and count the reference data."""
        theirs = sample(known[1], config.max_training_pieces)
        others = {
            fold: [piece.rhythm for piece in theirs if piece.fold != fold]
            for fold in range(config.folds)
        }
        indexes = {
            fold: SharedRunIndex([rhythm.step_codes for rhythm in rhythms])
            for fold, rhythms in others.items()
        }
        lengths = [len(piece.rhythm.notes) for piece in sources]
        runs = []
        for index, piece in enumerate(
            sample(_in_same_meters(real, sources), config.reference_pieces)
        ):
            length = lengths[index % len(lengths)]
            window = (piece.rhythm.windows(length) or [piece.rhythm])[0]
            runs.append(indexes[piece.fold].longest(window.step_codes))
        return cls(
            classifiers=CrossFittedClassifiers(*known, config),
            profiles={
                kind: position_durations(piece.rhythm for piece in theirs if piece.bar_kind == kind)
                for kind in {piece.bar_kind for piece in theirs}
            },
            run_indexes=indexes,
            seen_events={fold: seen_events(rhythms) for fold, rhythms in others.items()},
            p95_run=float(np.percentile(runs, 95)) if runs else 0.0,
        )

    def of_transfer(self, before: Melody, after: Melody, fold: int) -> dict[str, float | None]:
        """Compute all metrics of a transferred tune, by name; None where one is undefined."""
        return {
            **form_preservation(before, after),
            "changed": changed_share(before, after),
            "last note": float(keeps_last_note(before, after)),
            **rhythm_naturalness(CorpusTune.from_melody(after)),
            **self.of_rhythm(RhythmSequence.from_melody(after), fold),
        }

    def of_rhythm(self, rhythm: RhythmSequence, fold: int) -> dict[str, float | None]:
        """Compute the metrics that need no original, by name; None where one is undefined."""
        run = self.run_indexes[fold].longest(rhythm.step_codes)
        return {
            "close": profile_similarity(rhythm, self.profiles.get(rhythm.bar_kind, Counter())),
            "entropy": rhythm_entropy(rhythm),
            "strange": unseen_rate(rhythm, self.seen_events[fold]),
            "run": float(run),
            "copied": float(run > self.p95_run),
            **self.classifiers.log_odds(rhythm, fold),
        }


def evaluate_direction(
    names: tuple[str, str],
    pieces: tuple[Sequence[EvaluationPiece], Sequence[EvaluationPiece]],
    system: TransferSystem,
    config: EvaluationConfig,
    on_progress: Callable[[float], None] = lambda share: None,
    known: tuple[Sequence[EvaluationPiece], Sequence[EvaluationPiece]] | None = None,
) -> DirectionResult | None:
    """Transfer tunes of one style to another and measure system and baselines.

    Args:
        names: of the source and the target style.
        pieces: real pieces of both styles.
        system: the transfer under evaluation.
        config: sample sizes and parameters.
        on_progress: called with the share of sources done, 0 to 1.
        known: pieces of both styles that the classifiers learn from, and that copies are looked
            for in; None for ``pieces``. No piece is classified by a model it trained.

    Returns:
        None when no source fits the target style, or none could be transferred.
    """
    given, real = pieces
    sources = fitting_sources(given, real, config.tunes)
    if not sources:
        return None
    metrics = _MetricSet.build(known or pieces, real, sources, config)
    real_row = f"real {names[1]}"
    rows: dict[str, list[dict[str, float | None]]] = {
        real_row: [
            rhythm_naturalness(piece.tune) | metrics.of_rhythm(piece.rhythm, piece.fold)
            for piece in sample(_in_same_meters(real, sources), config.reference_pieces)
        ]
    }
    curves: list[StrengthCurve] = []
    measured: list[EvaluationPiece] = []
    for index, piece in enumerate(sources):
        on_progress(index / len(sources))
        before = piece.melody
        versions = [
            found
            for seed in config.seeds
            if (found := system.to_style(before, names[1], seed, config.strengths)) is not None
        ]
        if not versions:
            continue
        measured.append(piece)
        for name, melodies in _baselines(piece, real, system, names[1], config.seeds).items():
            measured_versions = [
                metrics.of_transfer(before, melody, piece.fold) for melody in melodies
            ]
            rows.setdefault(name, []).append(_mean(measured_versions))
        by_seed = [
            [metrics.of_transfer(before, melody, piece.fold) for melody in melodies]
            for melodies in versions
        ]
        for index_of_strength, strength in enumerate(config.strengths):
            if strength in config.shown_strengths:
                row = rows.setdefault(f"ours at {strength:.2f}", [])
                row.append(_mean([values[index_of_strength] for values in by_seed]))
        curves += [_curve(before, values, config) for values in by_seed]
    if not measured:
        return None
    log_odds = {
        name: _real_log_odds(metrics.classifiers, real, measured, name, config)
        for name in CLASSIFIERS
    }
    entropy = bootstrap_mean(
        [rhythm_entropy(piece.rhythm) for piece in _in_same_meters(real, measured)]
    )
    real_entropy = None if entropy is None else entropy.mean
    return DirectionResult(
        source=names[0],
        target=names[1],
        tunes=len(measured),
        refused=len(sources) - len(measured),
        rows=tuple(
            SystemResult(
                name,
                _estimates(
                    values, None if name == real_row else rows[SOURCE], log_odds, real_entropy
                ),
            )
            for name, values in rows.items()
        ),
        curves=_summarize(curves, config) if len(config.strengths) > 2 else None,
        real_entropy=real_entropy,
        p95_run=metrics.p95_run,
        naturalness=_compare(rows, real_row, log_odds, curves, config),
    )


def _compare(
    rows: Mapping[str, Sequence[dict[str, float | None]]],
    real_row: str,
    log_odds: Mapping[str, Sequence[float]],
    curves: Sequence[StrengthCurve],
    config: EvaluationConfig,
) -> tuple[ComparedMetric, ...]:
    """Return the results at the highest strength beside real tunes and sources."""
    shown = [name for name in rows if name.startswith("ours")]
    if not shown:
        return ()
    ours, source = rows[shown[-1]], rows[SOURCE]

    def scores(tunes: Sequence[dict[str, float | None]], name: str) -> list[float]:
        return [row[name] or 0.0 for row in tunes]

    found = estimate_means(ours)
    for name in CLASSIFIERS:
        found[f"closure by {name}"] = gap_closure(
            scores(ours, name), scores(source, name), log_odds[name]
        )
    first = CLASSIFIERS[0]
    found |= closure_spread(scores(ours, first), scores(source, first), log_odds[first])
    if len(config.strengths) > 2:
        if len(config.strengths) >= config.jump_strengths:
            found["jumps"] = bootstrap_mean([float(curve.jumps_too_far) for curve in curves])
        found["spearman"] = bootstrap_mean([curve.rank_correlation(first) for curve in curves])
    real, before = means(rows[real_row]), means(source)
    fewer = (real["distinct"] or 0.0) < (before["distinct"] or 0.0)
    return compare(TRANSFER, found, real, before, FEWER_RHYTHMS if fewer else {})


def _in_same_meters(
    real: Sequence[EvaluationPiece], sources: Sequence[EvaluationPiece]
) -> list[EvaluationPiece]:
    """Return the real pieces with a kind of bar that a source has."""
    kinds = {piece.bar_kind for piece in sources}
    return [piece for piece in real if piece.bar_kind in kinds]


def _baselines(
    piece: EvaluationPiece,
    real: Sequence[EvaluationPiece],
    system: TransferSystem,
    style: str,
    seeds: Sequence[int],
) -> dict[str, list[Melody]]:
    """Return the versions of a tune by each baseline."""
    before = piece.melody
    # Of its own fold, so that the classifiers are not trained on the copied tune.
    same_kind = [other for other in real if other.bar_kind == piece.bar_kind]
    copied = [other for other in same_kind if other.fold == piece.fold] or same_kind
    drawn = np.random.default_rng(len(before.notes)).integers(0, len(copied), len(seeds))
    return {
        SOURCE: [before],
        TARGET: [baselines.copy_rhythm(before, copied[index].melody) for index in drawn],
        SHUFFLED: [baselines.shuffle_durations(before, seed) for seed in seeds],
        ARTICLE: baselines.pati_baseline(before, system.styles[style].model, seeds),
    }


def _mean(found: Sequence[dict[str, float | None]]) -> dict[str, float | None]:
    """Return the mean of each metric over the seeds."""
    means: dict[str, float | None] = {}
    for name in found[0]:
        known = [value for values in found if (value := values[name]) is not None]
        means[name] = fmean(known) if known else None
    return means


def _curve(
    before: Melody, by_strength: Sequence[dict[str, float | None]], config: EvaluationConfig
) -> StrengthCurve:
    def values(name: str) -> tuple[float, ...]:
        return tuple(metrics[name] or 0.0 for metrics in by_strength)

    return StrengthCurve(
        values("changed"),
        values("close"),
        {name: values(name) for name in CLASSIFIERS},
        smallest_step(before),
        tuple(metrics["repeats"] for metrics in by_strength),
        config.max_jump,
    )


def _real_log_odds(
    classifiers: CrossFittedClassifiers,
    real: Sequence[EvaluationPiece],
    measured: Sequence[EvaluationPiece],
    name: str,
    config: EvaluationConfig,
) -> list[float]:
    pieces = sample(_in_same_meters(real, measured), config.reference_pieces)
    return [classifiers.log_odds(piece.rhythm, piece.fold)[name] for piece in pieces]


def _estimates(
    values: Sequence[dict[str, float | None]],
    source: Sequence[dict[str, float | None]] | None,
    log_odds: Mapping[str, Sequence[float]],
    real_entropy: float | None,
) -> dict[str, Estimate | None]:
    """Estimate each metric of a system: gap closure for log-odds, difference for entropy."""
    estimates: dict[str, Estimate | None] = {}
    for name in values[0]:
        column = [row[name] for row in values]
        if name in log_odds:
            if source is not None:
                estimates[f"closure by {name}"] = gap_closure(
                    [value or 0.0 for value in column],
                    [row[name] or 0.0 for row in source],
                    log_odds[name],
                )
        elif name == "entropy":
            estimates[name] = bootstrap_mean(
                [
                    None if value is None or real_entropy is None else value - real_entropy
                    for value in column
                ]
            )
        else:
            estimates[name] = bootstrap_mean(column)
    return estimates


def _summarize(curves: Sequence[StrengthCurve], config: EvaluationConfig) -> StrengthSummary:
    means = {
        name: np.mean([curve.log_odds[name] for curve in curves], axis=0) for name in CLASSIFIERS
    }
    zero = config.strengths.index(0.0) if 0.0 in config.strengths else None
    return StrengthSummary(
        decreases_of_changed=sum(curve.decreases[0] for curve in curves),
        decreases_of_similarity=sum(curve.decreases[1] for curve in curves),
        largest_decrease=max(curve.largest_decrease for curve in curves),
        exact_at_zero=None
        if zero is None
        else bootstrap_mean([float(curve.changed[zero] == 0) for curve in curves]),
        largest_jump=max(curve.largest_jump for curve in curves),
        jumping_share=fmean(curve.jumps_too_far for curve in curves),
        fewest_repeats=bootstrap_mean([curve.fewest_repeats for curve in curves]),
        correlation_of_mean={
            name: spearman(config.strengths, list(mean)) for name, mean in means.items()
        },
        correlation={
            name: bootstrap_mean([curve.rank_correlation(name) for curve in curves])
            for name in CLASSIFIERS
        },
    )
