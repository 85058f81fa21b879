"""``mst evaluate``: how well a style's networks know tunes that they have not seen."""

from __future__ import annotations

import json
from pathlib import Path

import click

from mst_core.commands import options

_EXAMPLE = """\b
On the folk tunes that are kept apart for measuring:
    mst corpus folk --held-out -o held-out.jsonl
    mst evaluate folk --corpus held-out.jsonl
"""


@click.command("evaluate", epilog=_EXAMPLE)
@click.argument("style", shell_complete=options.complete_style)
@click.option("--corpus", type=click.Path(exists=True, dir_okay=False, path_type=Path),
              multiple=True, required=True, metavar="FILE",
              help="Tunes that were not trained on. May be given several times.")  # fmt: skip
@options.json
@options.device
@options.models
def command(style: str, corpus: tuple[Path, ...], as_json: bool, device: str, models: Path) -> None:
    """Measure how well STYLE knows tunes that it never saw.

    The figures are mean nats an event in the common alphabet: less is better.
    """
    from mst_core.networks.corpus import read_tunes
    from mst_core.networks.evaluation import measure
    from mst_core.networks.style import Style, choose_device
    from mst_core.styles import find_styles, require_style, require_whole

    require_whole(models, [style])
    require_style(style, find_styles(models))
    tunes = [tune for tune in read_tunes(corpus) if len(tune.events) > 1]
    place = choose_device(device)
    losses = measure(Style.load(models / style, place).pair, tunes, place)
    figures = {
        "style": style,
        "tunes": len(tunes),
        "events": losses.events,
        "pitch": round(losses.pitch, 4),
        "duration": round(losses.duration, 4),
    }
    if as_json:
        click.echo(json.dumps(figures))
        return
    click.echo(
        f"{style}: {losses.pitch:.3f} nats a pitch, {losses.duration:.3f} nats a duration, "
        f"over {losses.events} events of {len(tunes)} tunes"
    )
