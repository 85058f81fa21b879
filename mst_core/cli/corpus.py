"""``mst corpus``: files of tunes to train on."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mst_core.cli import options
from mst_core.cli.output import progress_bar
from mst_core.errors import BadOption

if TYPE_CHECKING:
    from mst_core.corpora.importing import ImportProgress, ImportResult

_EXAMPLE = """\b
A folder of tunes, a downloaded archive, and a database of solos:
    mst corpus import ~/tunes -o mine.jsonl
    mst corpus import norbeck.zip session.abc -o dances.jsonl
    mst corpus import wjazzd.db -o jazz.jsonl
Then train a style on them, starting from folk:
    mst train mine mine.jsonl --init-from folk
"""
_REASONS_SHOWN = 8

_output = click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    metavar="FILE",
    help="The corpus file to write, such as tunes.jsonl.",
)
_held_out = click.option(
    "--held-out",
    is_flag=True,
    help="Write the tunes that are held out for evaluation instead.",
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
    help="Where to list what was rejected and why (default: the output's name with "
    ".report.txt added).",
)
def import_(sources: tuple[Path, ...], output: Path, report: Path | None) -> None:
    """Read tunes from folders, zip archives and files.

    Reads ABC (whole tune books), MusicXML (.musicxml, .xml, .mxl), MIDI, and the Weimar Jazz
    Database (wjazzd.db). Duplicates are rejected. Variants of a tune get the same cluster, so that
    training never validates or tests on a variant of a training tune.
    """
    from mst_core.corpora.importing import import_tunes
    from mst_core.corpora.jsonl import write_lines

    with progress_bar() as show:
        result = import_tunes(sources, on_progress=partial(_show_files, show))
    report = report or output.with_name(output.name + ".report.txt")
    report.write_text(_report_text(result), encoding="utf-8")
    if not result.lines:
        raise BadOption("SOURCE", " ".join(map(str, sources)), f"no tune was read; see {report}")
    write_lines(output, result.lines)
    click.echo(
        f"{len(result.lines)} tunes in {result.n_clusters} clusters of variants written to {output}"
    )
    if result.rejected:
        click.echo(f"{len(result.rejected)} were rejected; {report} lists them:")
        for reason, count in _count_reasons(result).most_common(_REASONS_SHOWN):
            click.echo(f"{count:>7} {reason}")


def _show_files(show: Callable[[str, float], None], progress: ImportProgress) -> None:
    """Move the bar to the share of the files that are read."""
    done, total = progress.files_done, progress.total_files
    figures = f"{done} of {total} files, {progress.tunes} tunes, {progress.rejected} rejected"
    show(figures, done / max(1, total))


def _count_reasons(result: ImportResult) -> Counter[str]:
    """Count the rejections by reason, without the names and numbers in it."""
    return Counter(re.sub(r"\d+|(?<=as ).*|(?<=\().*", "…", r.reason) for r in result.rejected)


def _report_text(result: ImportResult) -> str:
    lines = [
        f"{len(result.lines)} tunes in {result.n_clusters} clusters",
        f"{len(result.rejected)} rejected",
        f"{result.other_files} files that are not scores",
        "",
        *(f"{item.name}: {item.reason}" for item in result.rejected),
    ]
    return "\n".join(lines) + "\n"


@command.command("folk")
@_output
@_held_out
@options.models
def folk(output: Path, held_out: bool, models: Path) -> None:
    """Read the folk books of the music21 package: O'Neill, Ryan and Aird.

    The tunes listed in models/folk/held_out.json are left out, so that a style trained on this
    corpus can be evaluated on them.
    """
    _write_books(output, models, held_out, None)


@command.command("air")
@_output
@_held_out
@options.models
def air(output: Path, held_out: bool, models: Path) -> None:
    """Read the slow airs and songs of O'Neill's book, from the music21 package.

    The tunes listed in models/folk/held_out.json are left out.
    """
    _write_books(output, models, held_out, "air")


@command.command("strathspey")
@_output
@_held_out
@options.models
def strathspey(output: Path, held_out: bool, models: Path) -> None:
    """Read the strathspeys and highland flings of the folk books, from the music21 package.

    The tunes listed in models/folk/held_out.json are left out.
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
    ids = {tune.id for tune in tunes}
    write_lines(output, add_clusters([tune.to_line() for tune in tunes]))
    for item in books.rejected:
        click.echo(f"left out: {item.name}: {item.reason}", err=True)
    uneven = len(ids & books.uneven.keys())
    click.echo(
        f"{len(tunes)} tunes written to {output}; {uneven} of them have uneven bars, "
        f"{len(books.rejected)} were left out"
    )
