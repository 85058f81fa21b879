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
    from mst_core.styles import load_style_cards, require_style
    from mst_core.training import train_style
    from mst_core.training.train_style import write_reference_data

    require_style(style, load_style_cards(models))
    usable = [tune for tune in read_tunes(corpus) if len(tune.events) >= train_style.MIN_EVENTS]
    split = train_style.CorpusSplit.by_cluster(usable)
    echoes = write_reference_data(models / style, split.training, (*split.validation, *split.test))
    click.echo(
        f"{style}: {len(split.training)} tunes; "
        f"real tunes share at most {echoes.rhythm_config.p95} "
        f"steps of rhythm and {echoes.melody_config.p95} of melody with them, two of them "
        f"{echoes.rhythm_config.pair_p95} and {echoes.melody_config.pair_p95} (95 in 100)"
    )
