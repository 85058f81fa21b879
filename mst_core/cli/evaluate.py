"""``mst evaluate``: how well a style's networks know real tunes, and what a transfer keeps."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from mst_core.cli import options
from mst_core.cli.output import gauge
from mst_core.styles import check_style_folders, load_style_cards, require_style

if TYPE_CHECKING:
    from mst_core.evaluation.run import EvaluationConfig, StyleLosses

NEW_TUNES = 5
"""So many new tunes are composed for each tune that is transferred."""
_EXAMPLE = """\b
Everything, by the tunes that music21 ships and by solos of your own, in minutes:
    mst evaluate --corpus jazz=solos.jsonl --quick

\b
Only how well the networks of one style know tunes that they have not seen:
    mst evaluate folk
    mst evaluate jazz --corpus solos.jsonl
"""


@click.command("evaluate", epilog=_EXAMPLE)
@click.argument("style", required=False, shell_complete=options.complete_style)
@click.option(
    "--corpus",
    multiple=True,
    metavar="[STYLE=]FILE",
    help="Real tunes that were not trained on, and the style they are of where the "
    "file's name does not tell. May be given several times. Without it: tunes of "
    "the music21 package that training leaves out.",
)
@click.option(
    "--styles",
    metavar="LIST",
    help="Judge only what goes between these, such as folk,jazz; else between all that "
    "there are real tunes of.",
)
@click.option(
    "--tunes",
    type=click.IntRange(2, 1000),
    metavar="N",
    help="How many tunes go each way; else 40.",
)
@click.option(
    "--seeds",
    type=click.IntRange(1, 20),
    metavar="N",
    help="How many seeds each tune gets; else 3.",
)
@click.option(
    "--strengths",
    type=click.IntRange(2, 101),
    metavar="N",
    help="At how many places of the knob; else 21.",
)
@click.option("--quick", is_flag=True, help="Few tunes, one seed, five strengths: minutes.")
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
    quick: bool,
    as_json: bool,
    device: str,
    models: Path,
) -> None:
    """Measure styles and transfers by real tunes.

    With STYLE: how well its networks know tunes that they have not seen, as mean nats an event in
    the common alphabet; less is better. Without: that of every style, and what a transfer from each
    style to each other keeps and brings, beside easy answers.
    """
    if style is not None:
        check_style_folders(models, [style])
        require_style(style, load_style_cards(models))

    from mst_core.evaluation.run import describe_losses, evaluate, measure_losses
    from mst_core.evaluation.systems import TransferSystem
    from mst_core.evaluation.test_data import load_style_tunes, load_test_tunes

    if style is not None:
        real = load_style_tunes(corpus, style, models)
        losses = measure_losses(style, real, TransferSystem.open(models, device, only=style))
        click.echo(_as_json(losses) if as_json else describe_losses(losses))
        return
    transfers = TransferSystem.open(models, device)
    extent = _extent(tunes, seeds, strengths, quick)
    wanted = [name.strip() for name in styles.split(",")] if styles else list(transfers.styles)
    for name in wanted:
        require_style(name, load_style_cards(models))
    report = evaluate(load_test_tunes(corpus, wanted, models), transfers, extent, gauge())
    if as_json:
        click.echo(msgspec.json.encode(report))
        return
    for line in report.lines():
        click.echo(line)


def _as_json(losses: StyleLosses) -> str:
    return json.dumps(msgspec.structs.asdict(losses))


def _extent(
    tunes: int | None, seeds: int | None, strengths: int | None, quick: bool
) -> EvaluationConfig:
    from mst_core.evaluation.run import QUICK, EvaluationConfig

    extent = QUICK if quick else EvaluationConfig()
    wanted: dict[str, object] = {}
    if tunes is not None:
        wanted["tunes"] = tunes
    if seeds is not None:
        wanted["seeds"] = tuple(range(seeds))
    if strengths is not None:
        wanted["strengths"] = tuple(step / (strengths - 1) for step in range(strengths))
    plan = msgspec.structs.replace(extent.plan, **wanted)
    new_tunes = extent.new_tunes if tunes is None else NEW_TUNES * tunes
    return msgspec.structs.replace(extent, plan=plan, new_tunes=new_tunes)
