"""Runs a whole evaluation: losses, new tunes, every direction between styles, retrieval."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import permutations

import msgspec

from mst_core.composing.composer import Composer
from mst_core.corpora.tunes import CorpusTune, title_key
from mst_core.evaluation.config import EvaluationConfig
from mst_core.evaluation.new_tunes import NewTuneStatistics, measure_new_tunes
from mst_core.evaluation.phrases import passages
from mst_core.evaluation.pieces import EvaluationPiece, find_pieces, fitting_sources
from mst_core.evaluation.report import LEGEND, direction_lines, retrieval_lines
from mst_core.evaluation.retrieval import RetrievalResult, choose_targets, evaluate_retrieval
from mst_core.evaluation.systems import TransferSystem
from mst_core.evaluation.transfer_eval import DirectionResult, evaluate_direction
from mst_core.training.losses import StyleLosses


class EvaluationReport(
    msgspec.Struct,
    frozen=True,
    rename={"directions": "ways", "retrieval": "findings", "warnings": "remarks"},
):
    """All results of an evaluation."""

    losses: tuple[StyleLosses, ...] = ()
    new_tunes: tuple[NewTuneStatistics, ...] = ()
    directions: tuple[DirectionResult, ...] = ()
    retrieval: tuple[RetrievalResult, ...] = ()
    warnings: tuple[str, ...] = ()
    """What could not be measured, and why."""

    def lines(self) -> Iterator[str]:
        """Format the report."""
        for loss in self.losses:
            yield loss.describe()
        for new in self.new_tunes:
            yield ""
            yield new.describe()
        for direction in self.directions:
            yield ""
            yield from direction_lines(direction)
        for result in self.retrieval:
            yield ""
            yield from retrieval_lines(result)
        if self.directions:
            yield ""
            yield LEGEND
        yield from self.warnings


def measure_losses(style: str, tunes: Sequence[CorpusTune], system: TransferSystem) -> StyleLosses:
    """Compute the losses of a style's networks on tunes that they were not trained on.

    Args:
        style: name of a loaded style.
        tunes: its test tunes.
        system: the system whose networks are measured.

    Returns:
        Losses in nats an event, rounded to four decimals; NaN without tunes.
    """
    losses = system.losses(style, tunes)
    return msgspec.structs.replace(
        losses, pitch=round(losses.pitch, 4), duration=round(losses.duration, 4)
    )


def evaluate(
    real: Mapping[str, tuple[CorpusTune, ...]],
    system: TransferSystem,
    config: EvaluationConfig,
    on_progress: Callable[[str, float], None] = lambda task, share: None,
    known: Mapping[str, tuple[CorpusTune, ...]] | None = None,
) -> EvaluationReport:
    """Evaluate every style with enough test tunes, and every direction between two of them.

    Args:
        real: test tunes by style.
        system: the transfer under evaluation, with its styles loaded.
        config: sample sizes and parameters.
        on_progress: called with the name of a task and the share of it that is done, 0 to 1.
        known: real tunes by style that the classifiers learn from; None for ``real``.
    """
    tested = {name: tunes for name, tunes in real.items() if len(tunes) >= config.min_real_tunes}
    warnings = [
        f"{name} is not evaluated: give {config.min_real_tunes} real tunes by "
        f"--corpus {name}=FILE.jsonl"
        for name in real
        if name not in tested
    ]
    losses = tuple(
        measure_losses(name, tunes, system)
        for name, tunes in real.items()
        if tunes and "losses" in config.tasks
    )
    new_tunes = tuple(
        measure_new_tunes(
            Composer(system.styles),
            name,
            tunes,
            seeds=range(config.new_tunes),
            bars=config.new_tune_bars,
            fingerprints=system.styles[name].fingerprints,
            on_progress=lambda share, task=f"new tunes of {name}": (  # type: ignore[misc]
                on_progress(task, share)
            ),
        )
        for name, tunes in tested.items()
        if "new" in config.tasks and passages(tunes, config.new_tune_bars, 1)
    )
    pieces = {name: find_pieces(tunes, config) for name, tunes in tested.items()}
    all_pieces = pieces
    if known is not None and "transfers" in config.tasks:
        all_pieces = {name: find_pieces(known[name], config) for name in tested}
    directions: list[DirectionResult] = []
    for source, target in permutations(pieces, 2) if "transfers" in config.tasks else ():
        direction = evaluate_direction(
            (source, target),
            (pieces[source], pieces[target]),
            system,
            config,
            lambda share, task=f"{source} to {target}": on_progress(task, share),  # type: ignore[misc]
            (all_pieces[source], all_pieces[target]),
        )
        if direction is None:
            warnings.append(f"{source} to {target}: no tune is in a meter and density of {target}")
        else:
            directions.append(direction)
    retrieval = tuple(
        result
        for name, tunes in tested.items()
        if "one-tune" in config.tasks
        and (result := _retrieve(name, tunes, pieces, system, config, on_progress)) is not None
    )
    return EvaluationReport(losses, new_tunes, tuple(directions), retrieval, tuple(warnings))


def _retrieve(
    name: str,
    tunes: Sequence[CorpusTune],
    pieces: Mapping[str, tuple[EvaluationPiece, ...]],
    system: TransferSystem,
    config: EvaluationConfig,
    on_progress: Callable[[str, float], None],
) -> RetrievalResult | None:
    """Evaluate retrieval with sources of other styles that have such bars, else of the same one."""
    targets = choose_targets(tunes, config)
    if len(targets) < config.min_targets:
        return None
    kind = targets[0].bar_kind
    same_kind = [piece for piece in pieces[name] if piece.bar_kind == kind]
    others = [piece for other in pieces if other != name for piece in pieces[other]]
    titles = {title_key(target.first) for target in targets}
    own = [piece for piece in same_kind if title_key(piece.tune) not in titles]
    sources: list[EvaluationPiece] = []
    for given in (others, own):
        fitting = fitting_sources(given, same_kind, config.targets)
        sources = sources or [source for source in fitting if source.bar_kind == kind]
    return evaluate_retrieval(
        name,
        targets,
        sources,
        system,
        config.seeds,
        lambda share: on_progress(f"one tune of {name}", share),
    )
