"""``mst evaluate``: losses of styles on real tunes, and metrics of new tunes and transfers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click
import msgspec

from mst_core.cli import options
from mst_core.cli.output import progress_bar
from mst_core.styles import check_style_folders, load_style_cards, require_style

if TYPE_CHECKING:
    from mst_core.evaluation.config import EvaluationConfig
    from mst_core.training.losses import StyleLosses

NEW_TUNES = 5
"""New tunes composed for each tune that is transferred, with ``--tunes``."""
_EXAMPLE = """\b
All metrics, on the tunes that music21 ships and on solos of your own, in minutes:
    mst evaluate --corpus jazz=solos.jsonl --quick

\b
Only the losses of one style on tunes that it was not trained on:
    mst evaluate folk
    mst evaluate jazz --corpus solos.jsonl

\b
Transfers between two styles, on the part of their corpora that training keeps for validation:
    mst evaluate --corpus folk.jsonl --corpus jazz=solos.jsonl --styles folk,jazz \\
        --part validation --only transfers --tunes 20 --seeds 1
"""


@click.command("evaluate", epilog=_EXAMPLE)
@click.argument("style", required=False, shell_complete=options.complete_style)
@click.option(
    "--corpus",
    multiple=True,
    metavar="[STYLE=]FILE",
    help="Real tunes that no style was trained on, with their style where the file's name does not "
    "begin with it. May be given several times. Default: tunes of the music21 package that "
    "training leaves out.",
)
@click.option(
    "--styles",
    metavar="LIST",
    help="Evaluate only these styles, such as folk,jazz. Default: all with enough real tunes.",
)
@click.option(
    "--tunes",
    type=click.IntRange(2, 1000),
    metavar="N",
    help="Tunes in each direction (default: 40), targets of the transfers to one tune (default: "
    "50), and five times as many new tunes in each style (default: 200).",
)
@click.option(
    "--seeds",
    type=click.IntRange(1, 20),
    metavar="N",
    help="Seeds of each transfer (default: 3).",
)
@click.option(
    "--strengths",
    type=click.IntRange(2, 101),
    metavar="N",
    help="Number of strengths from 0 to 1 (default: 21).",
)
@click.option(
    "--part",
    type=click.Choice(["validation", "test"]),
    help="Of each --corpus only this part, as mst train divides it; the classifiers learn from the "
    "whole. Default: all tunes.",
)
@click.option(
    "--only",
    multiple=True,
    type=click.Choice(["losses", "new", "transfers", "one-tune"]),
    help="Only the losses, the new tunes, the transfers from style to style, or the transfers to "
    "one tune. May be given several times. Default: all.",
)
@click.option(
    "--quick", is_flag=True, help="Few tunes, one seed, five strengths: minutes instead of hours."
)
@options.json
@options.device
@options.models
def command(
    style: str | None,
    corpus: tuple[str, ...],
    styles: str | None,
    tunes: int | None,
    seeds: int | None,
    strengths: int | None,
    part: Literal["validation", "test"] | None,
    only: tuple[str, ...],
    quick: bool,
    as_json: bool,
    device: str,
    models: Path,
) -> None:
    """Evaluate styles, new tunes and transfers by comparison with real tunes.

    With STYLE: the losses of its networks on tunes that they were not trained on, in nats an event
    of the common alphabet; lower is better. Without: the losses of every style, the metrics of
    new tunes composed in it, and the metrics of transfers from each style to each other, beside
    baselines. That takes hours; with --quick, minutes.
    """
    if style is not None:
        check_style_folders(models, [style])
        require_style(style, load_style_cards(models))

    from mst_core.evaluation.run import evaluate, measure_losses
    from mst_core.evaluation.systems import TransferSystem
    from mst_core.evaluation.test_data import load_style_tunes, load_test_tunes

    if style is not None:
        own = load_style_tunes(corpus, style, models)
        losses = measure_losses(style, own, TransferSystem.open(models, device, only=style))
        click.echo(_as_json(losses) if as_json else losses.describe())
        return
    system = TransferSystem.open(models, device)
    config = _evaluation_config(tunes, seeds, strengths, only, quick)
    wanted = [name.strip() for name in styles.split(",")] if styles else list(system.styles)
    for name in wanted:
        require_style(name, load_style_cards(models))
    real = load_test_tunes(corpus, wanted, models, part)
    known = None if part is None else load_test_tunes(corpus, wanted, models)
    with progress_bar() as show:
        report = evaluate(real, system, config, show, known)
    if as_json:
        click.echo(msgspec.json.encode(report))
        return
    for line in report.lines():
        click.echo(line)


def _as_json(losses: StyleLosses) -> str:
    return json.dumps(msgspec.structs.asdict(losses))


def _evaluation_config(
    tunes: int | None,
    seeds: int | None,
    strengths: int | None,
    only: tuple[str, ...],
    quick: bool,
) -> EvaluationConfig:
    from mst_core.evaluation.config import QUICK, EvaluationConfig

    given: dict[str, object] = {}
    if tunes is not None:
        given |= {"tunes": tunes, "new_tunes": NEW_TUNES * tunes, "targets": tunes}
    if only:
        given["tasks"] = frozenset(only)
    if seeds is not None:
        given["seeds"] = tuple(range(seeds))
    if strengths is not None:
        given["strengths"] = tuple(step / (strengths - 1) for step in range(strengths))
    return msgspec.structs.replace(QUICK if quick else EvaluationConfig(), **given)
