"""``mst corpus``: files of tunes to train on."""

from __future__ import annotations

import re
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mst_core.cli import options
from mst_core.errors import BadOption

if TYPE_CHECKING:
    from collections.abc import Callable

    from mst_core.corpora.importing import ImportProgress, ImportResult

_EXAMPLE = """\b
A folder of tunes, an archive as it was downloaded, and a database of solos:
    mst corpus import ~/tunes -o mine.jsonl
    mst corpus import norbeck.zip session.abc -o dances.jsonl
    mst corpus import wjazzd.db -o jazz.jsonl
Then a style of them, which learns from folk as well:
    mst train mine mine.jsonl --from folk
"""
_REASONS_SHOWN = 8

_output = click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    metavar="FILE",
    help="Where to write it, such as tunes.jsonl.",
)
_held_out = click.option(
    "--held-out",
    is_flag=True,
    help="Write the tunes that are kept apart for measuring instead.",
)


@click.group("corpus")
def command() -> None:
    """Make corpora: files with one tune a line."""


@command.command("import", epilog=_EXAMPLE)
@click.argument(
    "sources", nargs=-1, required=True, metavar="SOURCE...", type=click.Path(path_type=Path)
)
@_output
@click.option(
    "--report",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Where to write what was refused and why; else beside the output, with the "
    "ending .report.txt.",
)
def import_(sources: tuple[Path, ...], output: Path, report: Path | None) -> None:
    """Read tunes from folders, zip archives and files.

    ABC (whole tune books), MusicXML (.musicxml, .xml, .mxl) and MIDI are read, and the Weimar Jazz
    Database (wjazzd.db). A tune that stands there twice is taken once. Variants of a tune get the
    same cluster, so that training never tests itself on a variant of what it has learned.
    """
    from mst_core.corpora.importing import import_tunes
    from mst_core.corpora.jsonl import write_lines

    gauge = _gauge()
    harvest = import_tunes(sources, on_progress=gauge)
    told = report or output.with_name(output.name + ".report.txt")
    told.write_text(_report(harvest), encoding="utf-8")
    if not harvest.lines:
        raise BadOption("SOURCE", " ".join(map(str, sources)), f"no tune was read; see {told}")
    write_lines(output, harvest.lines)
    click.echo(
        f"{len(harvest.lines)} tunes in {harvest.n_clusters} clusters of variants "
        f"written to {output}"
    )
    if harvest.rejected:
        click.echo(f"{len(harvest.rejected)} were refused, as {told} tells:")
        for reason, count in _reasons(harvest).most_common(_REASONS_SHOWN):
            click.echo(f"{count:>7} {reason}")


def _gauge() -> Callable[[ImportProgress], None]:
    """A bar on a terminal, nothing elsewhere."""
    alive = sys.stderr.isatty()

    def tell(state: ImportProgress) -> None:
        if alive:
            done = state.files_done == state.total_files
            bar = "█" * round(20 * state.files_done / max(1, state.total_files))
            figures = f"{state.files_done} of {state.total_files} files, {state.tunes} tunes"
            click.echo(f"\r{bar:·<20} {figures}, {state.rejected} refused ", err=True, nl=done)

    return tell


def _reasons(harvest: ImportResult) -> Counter[str]:
    """How often what was the matter; names and figures are left out so that they add up."""
    return Counter(re.sub(r"\d+|(?<=as ).*|(?<=\().*", "…", r.reason) for r in harvest.rejected)


def _report(harvest: ImportResult) -> str:
    lines = [
        f"{len(harvest.lines)} tunes in {harvest.n_clusters} clusters",
        f"{len(harvest.rejected)} refused",
        f"{harvest.other_files} files that are no scores",
        "",
        *(f"{refusal.name}: {refusal.reason}" for refusal in harvest.rejected),
    ]
    return "\n".join(lines) + "\n"


@command.command("folk")
@_output
@_held_out
@options.models
def folk(output: Path, held_out: bool, models: Path) -> None:
    """Read the folk books of the music21 package: O'Neill, Ryan and Aird.

    The tunes listed in models/folk/held_out.json are left out, so that what is trained here can be
    measured on them.
    """
    _write_books(output, models, held_out, None)


@command.command("air")
@_output
@_held_out
@options.models
def air(output: Path, held_out: bool, models: Path) -> None:
    """Read the slow airs and songs of O'Neill's book, from the music21 package.

    What models/folk/held_out.json lists is left out.
    """
    _write_books(output, models, held_out, "air")


@command.command("strathspey")
@_output
@_held_out
@options.models
def strathspey(output: Path, held_out: bool, models: Path) -> None:
    """Read the strathspeys and highland flings of the folk books, from the music21 package.

    What models/folk/held_out.json lists is left out.
    """
    _write_books(output, models, held_out, "strathspey")


@command.command("chorale")
@_output
def chorale(output: Path) -> None:
    """Read the sopranos of Bach's chorales, from the music21 package."""
    from mst_core.corpora.chorales import read_chorales
    from mst_core.corpora.files import RejectedItem
    from mst_core.corpora.jsonl import write_lines
    from mst_core.corpora.variants import add_clusters

    read = list(read_chorales())
    lines = add_clusters([item for item in read if not isinstance(item, RejectedItem)])
    write_lines(output, lines)
    for item in read:
        if isinstance(item, RejectedItem):
            click.echo(f"left out: {item.name}: {item.reason}", err=True)
    melodies = len({line["cluster"] for line in lines})
    click.echo(f"{len(lines)} settings of {melodies} melodies written to {output}")


def _write_books(output: Path, models: Path, held_out: bool, kind: str | None) -> None:
    """Write the tunes of the folk books, or those of one kind."""
    from mst_core.corpora.folk_books import TUNE_KINDS, read_folk_books
    from mst_core.corpora.jsonl import write_lines
    from mst_core.corpora.variants import add_clusters

    books = read_folk_books(models / "folk" / "held_out.json", only_held_out=held_out)
    tunes = [tune for tune in books.tunes if kind is None or TUNE_KINDS[kind](tune)]
    names = {tune.id for tune in tunes}
    write_lines(output, add_clusters([tune.to_line() for tune in tunes]))
    left_out = [doubt for doubt in books.issues if doubt.left_out]
    for doubt in left_out:
        click.echo(f"left out: {doubt.id}: {doubt.reason}", err=True)
    uneven = sum(doubt.id in names for doubt in books.issues)
    click.echo(
        f"{len(tunes)} tunes written to {output}; {uneven} of them have uneven bars, "
        f"{len(left_out)} were left out"
    )
