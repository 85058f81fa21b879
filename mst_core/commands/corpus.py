"""``mst corpus``: files of tunes to train on."""

from __future__ import annotations

from pathlib import Path

import click

from mst_core.commands import options


@click.group("corpus")
def command() -> None:
    """Make corpora: files with one tune a line."""


@command.command("folk")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), required=True,
              metavar="FILE", help="Where to write it, such as folk.jsonl.")  # fmt: skip
@click.option("--held-out", is_flag=True,
              help="Write the tunes that are kept apart for measuring instead.")  # fmt: skip
@options.models
def folk(output: Path, held_out: bool, models: Path) -> None:
    """Read the folk books of the music21 package: O'Neill, Ryan and Aird.

    The tunes listed in models/folk/held_out.json are left out, so that what is trained here can be
    measured on them.
    """
    from mst_core.networks.folk_books import read_folk_books, write_jsonl

    books = read_folk_books(models / "folk" / "held_out.json", only_held_out=held_out)
    write_jsonl(output, books.tunes)
    left_out = [doubt for doubt in books.doubts if doubt.left_out]
    for doubt in left_out:
        click.echo(f"left out: {doubt.id}: {doubt.reason}", err=True)
    uneven = len(books.doubts) - len(left_out)
    click.echo(
        f"{len(books.tunes)} tunes written to {output}; {uneven} of them have uneven bars, "
        f"{len(left_out)} were left out"
    )
