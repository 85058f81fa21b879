"""One way, from a style to another: sources, our versions of them, easy answers, every figure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

import msgspec
import numpy as np

from mst_core.evaluation import baselines
from mst_core.evaluation.bootstrap import Figure, closure, mean_of
from mst_core.evaluation.form_preservation import compare, smallest_step
from mst_core.evaluation.overlap import Repertoire
from mst_core.evaluation.pieces import FOLDS, Piece, fitting_sources, sample
from mst_core.evaluation.rhythm_features import Profile, Rhythm, profile_of
from mst_core.evaluation.strength_curve import Practice, Turn, change, closeness, entropy, spearman
from mst_core.evaluation.style_classifiers import JUDGES, Court
from mst_core.evaluation.systems import Transfers
from mst_core.music import Melody

Values = dict[str, float | None]
"""What was measured of one version of one tune, by the name of the figure."""
SOURCE, TARGET, SHUFFLED, ARTICLE = (
    "source copied",
    "target copied",
    "durations shuffled",
    "the article's way",
)


class Plan(msgspec.Struct, frozen=True):
    """How much is measured."""

    tunes: int = 40
    seeds: tuple[int, ...] = (0, 1, 2)
    strengths: tuple[float, ...] = tuple(step / 20 for step in range(21))
    shown: tuple[float, ...] = (0.25, 0.5, 0.75, 1.0)
    """The strengths that get a row of their own."""


class Row(msgspec.Struct, frozen=True):
    """One way to answer, and its figures."""

    name: str
    figures: dict[str, Figure | None]


class Knob(msgspec.Struct, frozen=True):
    """How the knob turned, over tunes and seeds."""

    falls_of_change: int
    falls_of_closeness: int
    deepest_fall: float
    """Of S, between neighbouring strengths."""
    exact_at_zero: Figure | None
    largest_jump: float
    leaping: float
    """Share of the turns with a jump of D above .15 and above the smallest step."""
    fewest_repeats: Figure | None
    """Share of the repeated bars that are kept at the strength that keeps the fewest."""
    order_of_mean: dict[str, float]
    """Spearman of each judge's mean curve with the strength."""
    order: dict[str, Figure | None]
    """Spearman for a tune, mean."""


class Way(msgspec.Struct, frozen=True):
    """Everything measured from one style to another."""

    source: str
    target: str
    tunes: int
    refused: int
    rows: tuple[Row, ...]
    knob: Knob | None
    entropy_of_real: float | None
    usual_run: float | None
    """95th percentile of the longest run that real tunes share with unrelated ones."""


@dataclass(frozen=True)
class _Measures:
    """All that a version of a tune is held against."""

    court: Court
    profiles: Mapping[str, Profile]
    """Of real tunes, by kind of bar."""
    repertoires: Mapping[int, Repertoire]
    practice: Mapping[int, Practice]
    usual_run: float

    def of(self, before: Melody, after: Melody, fold: int) -> Values:
        kept = compare(before, after)
        return {
            "repeats": kept.repeats,
            "precision": kept.precision,
            "barlines": kept.barlines,
            "phrases": kept.phrases,
            "length": kept.length,
            "pickup": float(kept.pickup),
            "changed": change(before, after),
            **self.alone(Rhythm.of(after), fold),
        }

    def alone(self, rhythm: Rhythm, fold: int) -> Values:
        """What can be said of a rhythm without the tune that it comes from."""
        run = self.repertoires[fold].longest_run(rhythm)
        return {
            "close": closeness(rhythm, self.profiles.get(rhythm.kind, Counter())),
            "entropy": entropy(rhythm),
            "strange": self.practice[fold].strange(rhythm),
            "run": float(run),
            "copied": float(run > self.usual_run),
            **self.court.verdicts(rhythm, fold),
        }


def try_way(
    names: tuple[str, str],
    pieces: tuple[Sequence[Piece], Sequence[Piece]],
    transfers: Transfers,
    plan: Plan,
    tell: Callable[[float], None] = lambda share: None,
) -> Way | None:
    """Measure the way from the first style to the second; None when no source fits."""
    given, real = pieces
    sources = fitting_sources(given, real, plan.tunes)
    if not sources:
        return None
    measures = _prepare(given, real, sources)
    real_row = f"real {names[1]}"
    rows: dict[str, list[Values]] = {
        real_row: [
            measures.alone(piece.rhythm, piece.fold)
            for piece in sample(_alike(real, sources), plan.tunes)
        ]
    }
    turns: list[Turn] = []
    judged: list[Piece] = []
    for index, piece in enumerate(sources):
        tell(index / len(sources))
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
            found = [measures.of(before, melody, piece.fold) for melody in melodies]
            rows.setdefault(name, []).append(_mean(found))
        told = [[measures.of(before, melody, piece.fold) for melody in found] for found in kept]
        for place, strength in enumerate(plan.strengths):
            if strength in plan.shown:
                row = rows.setdefault(f"ours at {strength:.2f}", [])
                row.append(_mean([turn[place] for turn in told]))
        turns += [_turn(before, turn) for turn in told]
    if not judged:
        return None
    odds = {judge: _real_odds(measures.court, real, judged, judge) for judge in JUDGES}
    entropies = [entropy(piece.rhythm) for piece in _alike(real, judged)]
    heard = mean_of(entropies)
    usual = None if heard is None else heard.mean
    return Way(
        source=names[0],
        target=names[1],
        tunes=len(judged),
        refused=len(sources) - len(judged),
        rows=tuple(
            Row(name, _figures(values, None if name == real_row else rows[SOURCE], odds, usual))
            for name, values in rows.items()
        ),
        knob=_knob(turns, plan) if len(plan.strengths) > 2 else None,
        entropy_of_real=usual,
        usual_run=measures.usual_run,
    )


def _prepare(given: Sequence[Piece], real: Sequence[Piece], sources: Sequence[Piece]) -> _Measures:
    others = {fold: [piece.rhythm for piece in real if piece.fold != fold] for fold in range(FOLDS)}
    repertoires = {fold: Repertoire(rhythms) for fold, rhythms in others.items()}
    lengths = [len(piece.rhythm.notes) for piece in sources]
    runs = []
    for index, piece in enumerate(sample(_alike(real, sources), 200)):
        length = lengths[index % len(lengths)]
        cut = (piece.rhythm.cut(length) or [piece.rhythm])[0]
        runs.append(repertoires[piece.fold].longest_run(cut))
    return _Measures(
        court=Court(given, real),
        profiles={
            kind: profile_of(piece.rhythm for piece in real if piece.kind == kind)
            for kind in {piece.kind for piece in real}
        },
        repertoires=repertoires,
        practice={fold: Practice(rhythms) for fold, rhythms in others.items()},
        usual_run=float(np.percentile(runs, 95)) if runs else 0.0,
    )


def _alike(real: Sequence[Piece], sources: Sequence[Piece]) -> list[Piece]:
    """Real pieces in the meters of the sources."""
    kinds = {piece.kind for piece in sources}
    return [piece for piece in real if piece.kind in kinds]


def _baselines(
    piece: Piece, real: Sequence[Piece], transfers: Transfers, style: str, seeds: Sequence[int]
) -> dict[str, list[Melody]]:
    before = piece.melody
    # Of its own fold, so that the judges have not heard the copied tune either.
    models = [other for other in real if other.kind == piece.kind and other.fold == piece.fold]
    models = models or [other for other in real if other.kind == piece.kind]
    drawn = np.random.default_rng(len(before.notes)).integers(0, len(models), len(seeds))
    return {
        SOURCE: [before],
        TARGET: [baselines.copy_rhythm(before, models[place].melody) for place in drawn],
        SHUFFLED: [baselines.shuffle_durations(before, seed) for seed in seeds],
        ARTICLE: baselines.write_like_the_article(before, transfers.styles[style].model, seeds),
    }


def _mean(found: Sequence[Values]) -> Values:
    """The mean of each figure over the seeds."""
    means: Values = {}
    for name in found[0]:
        known = [value for values in found if (value := values[name]) is not None]
        means[name] = fmean(known) if known else None
    return means


def _turn(before: Melody, told: Sequence[Values]) -> Turn:
    def curve(name: str) -> tuple[float, ...]:
        return tuple(values[name] or 0.0 for values in told)

    return Turn(
        curve("changed"),
        curve("close"),
        {judge: curve(judge) for judge in JUDGES},
        smallest_step(before),
        tuple(values["repeats"] for values in told),
    )


def _real_odds(
    court: Court, real: Sequence[Piece], judged: Sequence[Piece], judge: str
) -> list[float]:
    pieces = sample(_alike(real, judged), 200)
    return [court.verdicts(piece.rhythm, piece.fold)[judge] for piece in pieces]


def _figures(
    values: Sequence[Values],
    source: Sequence[Values] | None,
    odds: Mapping[str, Sequence[float]],
    usual_entropy: float | None,
) -> dict[str, Figure | None]:
    figures: dict[str, Figure | None] = {}
    for name in values[0]:
        column = [row[name] for row in values]
        if name in odds:
            if source is not None:
                figures[f"closure by {name}"] = closure(
                    [value or 0.0 for value in column],
                    [row[name] or 0.0 for row in source],
                    odds[name],
                )
        elif name == "entropy":
            figures[name] = mean_of(
                [
                    None if value is None or usual_entropy is None else value - usual_entropy
                    for value in column
                ]
            )
        else:
            figures[name] = mean_of(column)
    return figures


def _knob(turns: Sequence[Turn], plan: Plan) -> Knob:
    curves = {judge: np.mean([turn.verdicts[judge] for turn in turns], axis=0) for judge in JUDGES}
    zero = plan.strengths.index(0.0) if 0.0 in plan.strengths else None
    return Knob(
        falls_of_change=sum(turn.falls[0] for turn in turns),
        falls_of_closeness=sum(turn.falls[1] for turn in turns),
        deepest_fall=max(turn.deepest_fall for turn in turns),
        exact_at_zero=None
        if zero is None
        else mean_of([float(t.changes[zero] == 0) for t in turns]),
        largest_jump=max(turn.jump for turn in turns),
        leaping=fmean(turn.leaps for turn in turns),
        fewest_repeats=mean_of([turn.fewest_repeats for turn in turns]),
        order_of_mean={j: spearman(plan.strengths, list(curve)) for j, curve in curves.items()},
        order={judge: mean_of([turn.order(judge) for turn in turns]) for judge in JUDGES},
    )
