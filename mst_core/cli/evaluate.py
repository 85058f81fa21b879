"""``mst evaluate``: losses of styles on real tunes, and metrics of new tunes and transfers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

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
    help="Tunes in each direction (default: 40), and five times as many new tunes in each style "
    "(default: 200).",
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
        real = load_style_tunes(corpus, style, models)
        losses = measure_losses(style, real, TransferSystem.open(models, device, only=style))
        click.echo(_as_json(losses) if as_json else losses.describe())
        return
    system = TransferSystem.open(models, device)
    config = _evaluation_config(tunes, seeds, strengths, quick)
    wanted = [name.strip() for name in styles.split(",")] if styles else list(system.styles)
    for name in wanted:
        require_style(name, load_style_cards(models))
    with progress_bar() as show:
        report = evaluate(load_test_tunes(corpus, wanted, models), system, config, show)
    if as_json:
        click.echo(msgspec.json.encode(report))
        return
    for line in report.lines():
        click.echo(line)


def _as_json(losses: StyleLosses) -> str:
    return json.dumps(msgspec.structs.asdict(losses))


def _evaluation_config(
    tunes: int | None, seeds: int | None, strengths: int | None, quick: bool
) -> EvaluationConfig:
    from mst_core.evaluation.config import QUICK, EvaluationConfig

    given: dict[str, object] = {}
    if tunes is not None:
        given |= {"tunes": tunes, "new_tunes": NEW_TUNES * tunes}
    if seeds is not None:
        given["seeds"] = tuple(range(seeds))
    if strengths is not None:
        given["strengths"] = tuple(step / (strengths - 1) for step in range(strengths))
    return msgspec.structs.replace(QUICK if quick else EvaluationConfig(), **given)
