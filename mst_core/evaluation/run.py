"""Everything measured at once: losses, every way from style to style, one tune as the target."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import permutations

import msgspec

from mst_core.composing.composer import Composer
from mst_core.corpora.tunes import CorpusTune
from mst_core.evaluation.new_tunes import N_BARS, NewTuneStatistics, measure_new_tunes
from mst_core.evaluation.phrases import passages
from mst_core.evaluation.pieces import (
    EvaluationPiece,
    find_pieces,
    fitting_sources,
    normalized_title,
)
from mst_core.evaluation.report import LEGEND, direction_lines, retrieval_lines
from mst_core.evaluation.retrieval import (
    N_TARGETS,
    RetrievalResult,
    choose_targets,
    evaluate_retrieval,
)
from mst_core.evaluation.systems import TransferSystem
from mst_core.evaluation.test_data import RealTunesByStyle
from mst_core.evaluation.transfer_eval import DirectionConfig, DirectionResult, evaluate_direction

MIN_REAL_TUNES = 20
"""Real tunes below which nothing is judged by a style."""
MIN_TARGETS = 10
OnProgress = Callable[[str, float], None]


class EvaluationConfig(msgspec.Struct, frozen=True):
    """How much is measured."""

    plan: DirectionConfig = DirectionConfig()
    targets: int = N_TARGETS
    new_tunes: int = 200


QUICK = EvaluationConfig(
    DirectionConfig(tunes=10, seeds=(0,), strengths=(0.0, 0.25, 0.5, 0.75, 1.0)),
    targets=15,
    new_tunes=20,
)
"""Minutes on two busy cores, and intervals to match."""


class StyleLosses(msgspec.Struct, frozen=True):
    """Nats an event in the common alphabet."""

    style: str
    tunes: int
    events: int
    pitch: float
    duration: float


class EvaluationReport(msgspec.Struct, frozen=True):
    """What was measured."""

    losses: tuple[StyleLosses, ...] = ()
    new_tunes: tuple[NewTuneStatistics, ...] = ()
    ways: tuple[DirectionResult, ...] = ()
    findings: tuple[RetrievalResult, ...] = ()
    remarks: tuple[str, ...] = ()
    """What could not be measured, and why."""

    def lines(self) -> Iterator[str]:
        """The report for people."""
        for loss in self.losses:
            yield describe_losses(loss)
        for new in self.new_tunes:
            yield ""
            yield new.describe()
        for way in self.ways:
            yield ""
            yield from direction_lines(way)
        for finding in self.findings:
            yield ""
            yield from retrieval_lines(finding)
        if self.ways:
            yield ""
            yield LEGEND
        yield from self.remarks


def describe_losses(losses: StyleLosses) -> str:
    """One line for people."""
    return (
        f"{losses.style}: {losses.pitch:.3f} nats a pitch, {losses.duration:.3f} nats a duration, "
        f"over {losses.events} events of {losses.tunes} tunes"
    )


def measure_losses(
    style: str, tunes: Sequence[CorpusTune], transfers: TransferSystem
) -> StyleLosses:
    """How well the style's networks know tunes that they have not seen."""
    found = transfers.losses(style, tunes)
    return StyleLosses(
        style, len(tunes), found.n_events, round(found.pitch, 4), round(found.duration, 4)
    )


def evaluate(
    real: RealTunesByStyle,
    transfers: TransferSystem,
    extent: EvaluationConfig,
    tell: OnProgress = lambda what, share: None,
) -> EvaluationReport:
    """Measure every style and every way between styles whose real tunes are at hand."""
    judged = {name: tunes for name, tunes in real.items() if len(tunes) >= MIN_REAL_TUNES}
    remarks = [
        f"{name} is not judged: give {MIN_REAL_TUNES} real tunes by --corpus {name}=FILE.jsonl"
        for name in real
        if name not in judged
    ]
    losses = tuple(measure_losses(name, tunes, transfers) for name, tunes in real.items() if tunes)
    new_tunes = tuple(
        _compose(name, judged[name], transfers, extent, tell)
        for name in judged
        if passages(judged[name], N_BARS, 1)
    )
    pieces = {name: find_pieces(tunes) for name, tunes in judged.items()}
    ways: list[DirectionResult] = []
    for source, target in permutations(pieces, 2):
        way = evaluate_direction(
            (source, target),
            (pieces[source], pieces[target]),
            transfers,
            extent.plan,
            lambda share, what=f"{source} to {target}": tell(what, share),  # type: ignore[misc]
        )
        if way is None:
            remarks.append(f"{source} to {target}: no tune is in a meter and density of {target}")
        else:
            ways.append(way)
    findings = (_try_finding(name, judged, pieces, transfers, extent, tell) for name in judged)
    found = tuple(finding for finding in findings if finding)
    return EvaluationReport(losses, new_tunes, tuple(ways), found, tuple(remarks))


def _compose(
    name: str,
    tunes: Sequence[CorpusTune],
    transfers: TransferSystem,
    extent: EvaluationConfig,
    tell: OnProgress,
) -> NewTuneStatistics:
    return measure_new_tunes(
        Composer(transfers.styles),
        name,
        tunes,
        tunes=extent.new_tunes,
        echoes=transfers.styles[name].fingerprints,
        tell=lambda share: tell(f"new tunes of {name}", share),
    )


def _try_finding(
    name: str,
    judged: RealTunesByStyle,
    pieces: dict[str, tuple[EvaluationPiece, ...]],
    transfers: TransferSystem,
    extent: EvaluationConfig,
    tell: OnProgress,
) -> RetrievalResult | None:
    """Sources come from another style that has such bars, else from the same."""
    targets = choose_targets(judged[name], extent.targets)
    if len(targets) < MIN_TARGETS:
        return None
    kind = targets[0].bar_kind
    alike = [piece for piece in pieces[name] if piece.bar_kind == kind]
    others = [piece for other in pieces if other != name for piece in pieces[other]]
    taken = {normalized_title(target.first) for target in targets}
    own = [piece for piece in alike if normalized_title(piece.tune) not in taken]
    sources: list[EvaluationPiece] = []
    for given in (others, own):
        fitting = fitting_sources(given, alike, extent.targets)
        sources = sources or [source for source in fitting if source.bar_kind == kind]
    return evaluate_retrieval(
        name,
        targets,
        sources,
        transfers,
        extent.plan.seeds,
        lambda share: tell(f"one tune of {name}", share),
    )
