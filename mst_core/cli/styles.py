"""``mst styles``: the available styles.

A module of its own because every command has one.
"""

from __future__ import annotations

import json
from pathlib import Path

import click
import msgspec

from mst_core.cli import options
from mst_core.styles import StyleCard, load_style_cards

_EXAMPLE = """\b
What can I ask for?
    mst styles
"""


@click.command("styles", epilog=_EXAMPLE)
@options.json
@options.models
def command(as_json: bool, models: Path) -> None:
    """List the styles with their meters."""
    styles = load_style_cards(models)
    if as_json:
        click.echo(json.dumps({"styles": msgspec.to_builtins(styles)}, ensure_ascii=False))
        return
    if not styles:
        click.echo(f"There are no styles in {models} yet; `mst train` makes one.")
    for name, card in styles.items():
        click.echo(f"{name}: {card.title}. {card.description}")
        click.echo(f"    {_describe(card)}")


def _describe(card: StyleCard) -> str:
    """Return the meters, most frequent first, and the instrument of a style."""
    by_weight = sorted(card.meters.items(), key=lambda entry: -entry[1].weight)
    meters = [f"{meter} ({played.name})" if played.name else meter for meter, played in by_weight]
    return f"meters: {', '.join(meters)}; played on {card.instrument}"
