"""``mst rerhythm``: given tunes in the rhythm of a style, or of one other tune."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
from msgspec import structs

from mst_core.commands import options
from mst_core.commands.naming import find_places, find_stems, find_versions
from mst_core.commands.reading import name_fault, read_file
from mst_core.commands.restyling import LateStudio, Order, do_all
from mst_core.commands.writing import check_performed
from mst_core.errors import BadOption, MstError
from mst_core.jobs import Restyle
from mst_core.requests import check, draw_seed
from mst_core.score.reading import Reading
from mst_core.styles import find_styles, require_whole

MOST_VARIANTS = 99
_EXAMPLE = """\b
A reel with the rhythm of jazz, to listen to and to play from:
    mst rerhythm reel.mid --rhythm jazz -o jazzed.mp3 -o jazzed.mid

\b
The same reel on its way there, and a whole folder in the rhythm of one tune:
    mst rerhythm reel.mid --rhythm jazz --strength 0,0.5,1 --out-dir steps --formats mid,mp3
    mst rerhythm tunes/*.abc --like jig.mid --out-dir jigs --formats mid,png
"""


class _Strengths(click.ParamType[tuple[float, ...]]):
    """One number or several with commas between them."""

    name = "strength"

    def convert(self, value: Any, param: Any, ctx: Any) -> tuple[float, ...]:
        try:
            return tuple(float(part) for part in str(value).split(","))
        except ValueError as error:
            raise BadOption("strength", value, "write it as 0.5, or several as 0,0.5,1") from error


@click.command("rerhythm", epilog=_EXAMPLE)
@click.argument(
    "files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE..."
)
@click.option("--rhythm", metavar="STYLE", shell_complete=options.complete_style,
              help="The style that its rhythm comes from.")  # fmt: skip
@click.option("--like", type=click.Path(path_type=Path), metavar="OTHER_FILE",
              help="One tune that its rhythm comes from, instead of a style.")  # fmt: skip
@click.option("--strength", "strengths", type=_Strengths(), default="1", metavar="N[,N...]",
              help="How far the rhythm changes: 0 is the tune as it is, 1 (usual) the whole way. "
                   "Several numbers give several versions.")  # fmt: skip
@options.seed
@click.option("--track", type=int, metavar="N",
              help="The track or part with the melody, where it is not found.")  # fmt: skip
@click.option("--meter", metavar="METER", help="Bring it into another meter, such as 3/4.")
@click.option("--keep-bars", metavar="BARS", help="Bars to leave alone, such as 1-4,9.")
@click.option("--variants", type=click.IntRange(1, MOST_VARIANTS), default=1, metavar="N",
              help="Make so many, each with the next seed.")  # fmt: skip
@options.outputs
@click.option("--out-dir", type=click.Path(path_type=Path), metavar="DIR",
              help="A folder for everything that is made, named as reel.0.50.mid; needed for "
                   "several files, strengths or variants.")  # fmt: skip
@click.option(
    "--formats", metavar="LIST", help="What to write there, such as mid,mp3,png; else mid."
)
@options.performed
@options.json
@options.models
@options.soundfont
@options.device
def command(
    files: tuple[Path, ...],
    rhythm: str | None,
    like: Path | None,
    strengths: tuple[float, ...],
    seed: int | None,
    track: int | None,
    meter: str | None,
    keep_bars: str | None,
    variants: int,
    outputs: tuple[Path, ...],
    out_dir: Path | None,
    formats: str | None,
    performed: bool,
    as_json: bool,
    models: Path,
    soundfont: Path | None,
    device: str,
) -> int:
    """Give tunes of yours another rhythm.

    A FILE is MIDI, ABC or MusicXML. Every note keeps its pitch, and there are as many as before;
    bars and phrases stay where they are. Of several files the good ones are done, the bad ones
    named.
    """
    request = Restyle(
        source="source",
        seed=draw_seed() if seed is None else seed,
        rhythm=rhythm,
        like=None if like is None else "like",
        meter=meter,
        keep_bars=keep_bars,
        track=track,
    )
    _check(request, strengths, models)
    places = find_places(outputs, out_dir, formats)
    check_performed(performed, places.formats)
    versions = find_versions(strengths, request.seed, variants)
    if out_dir is None and len(files) * len(versions) > 1:
        what = f"{len(files)} files" if len(files) > 1 else f"{len(versions)} versions"
        raise click.UsageError(f"{what} need --out-dir DIR to be written to")
    order = Order(
        request=request,
        versions=versions,
        places=places,
        like=None if like is None else _read_like(like),
        performed=performed,
        as_json=as_json,
    )
    with LateStudio(models, soundfont, device) as studio:
        return do_all(order, dict(zip(find_stems(files), files, strict=True)), studio)


def _check(request: Restyle, strengths: tuple[float, ...], models: Path) -> None:
    """Refuse what can be refused before a file is read. Raises MstError."""
    require_whole(models, [request.rhythm or ""])
    styles = find_styles(models)
    for strength in strengths:
        check(structs.replace(request, strength=strength), styles)


def _read_like(file: Path) -> Reading:
    """Read the one tune that all others are to be like. Raises ScoreError, naming it."""
    try:
        return read_file(file)[1]
    except MstError as error:
        raise click.ClickException(name_fault(file, error)) from error
