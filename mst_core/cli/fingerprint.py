"""``mst echoes``: what a style keeps of its tunes to tell copies by, made anew."""

from __future__ import annotations

from pathlib import Path

import click

from mst_core.cli import options

_EXAMPLE = """\b
Those of folk, from the tunes that it was trained on:
    mst corpus folk -o folk.jsonl
    mst echoes folk folk.jsonl
"""


@click.command("echoes", epilog=_EXAMPLE)
@click.argument("style", shell_complete=options.complete_style)
@click.argument(
    "corpus",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    nargs=-1,
    required=True,
)
@options.models
def command(style: str, corpus: tuple[Path, ...], models: Path) -> None:
    """Make anew what STYLE keeps to tell copies by, from its CORPUS.

    `mst train` does this at its end; here it is for a style whose networks stay.
    """
    from mst_core.corpora.tunes import read_tunes
    from mst_core.styles import find_styles, require_style
    from mst_core.training import train_style
    from mst_core.training.train_style import leave_traces

    require_style(style, find_styles(models))
    usable = [tune for tune in read_tunes(corpus) if len(tune.events) >= train_style.FEWEST_EVENTS]
    split = train_style.Split.of(usable)
    echoes = leave_traces(models / style, split.training, (*split.validation, *split.test))
    click.echo(
        f"{style}: {len(split.training)} tunes; real tunes share at most {echoes.rhythm.usual} "
        f"steps of rhythm and {echoes.melody.usual} of melody with them, two of them "
        f"{echoes.rhythm.usual_of_two} and {echoes.melody.usual_of_two} (95 in 100)"
    )
