"""``mst compose``: a new tune in one style."""

from __future__ import annotations

from pathlib import Path
from typing import Unpack

import click

from mst_core.cli import options
from mst_core.cli.batch import check_performed, format_of, write_together
from mst_core.cli.options import Written
from mst_core.cli.output import Gauge, describe, list_facts, print_json
from mst_core.jobs import Compose, Job, Receipt, check, draw_seed
from mst_core.styles import find_styles, meant_style, require_whole

# Makes a new tune: checks, composes, writes the files, tells what was made.

USUAL_BARS = 16


class Wishes(Written):
    """The options of a new tune, as click hands them over."""

    bars: int | None
    meter: str | None
    key: str | None
    tempo: float | None
    seed: int | None


def make(pitch: str, rhythm: str, wishes: Wishes) -> None:
    """Compose a tune and write its files, or print it as ABC when none are named.

    Raises:
        MstError: before anything was written.
    """
    pitch, rhythm = (meant_style(style, wishes["models"]) for style in (pitch, rhythm))
    request = Compose(
        pitch=pitch,
        rhythm=rhythm,
        seed=draw_seed() if wishes["seed"] is None else wishes["seed"],
        bars=USUAL_BARS if wishes["bars"] is None else wishes["bars"],
        meter=wishes["meter"],
        key=wishes["key"],
        tempo=wishes["tempo"],
    )
    require_whole(wishes["models"], (pitch, rhythm))
    check(request, find_styles(wishes["models"]))
    formats = {path: format_of(path) for path in wishes["outputs"]}
    wanted = tuple(dict.fromkeys(formats.values())) or ("abc",)
    check_performed(wishes["performed"], wanted)

    # Only now: torch takes longer to load than a mistake takes to tell.
    from mst_core.studio import Studio

    gauge = Gauge()
    studio = Studio.open(wishes["models"], wishes["soundfont"], wishes["device"])
    try:
        job = Job("mst", request, wanted, performed=wishes["performed"])
        rendition = studio.perform(job, gauge)
    finally:
        studio.close()
        gauge.clear()
    write_together({path: rendition.files[format] for path, format in formats.items()})
    tell(rendition.receipt, rendition.files, wishes["outputs"], as_json=wishes["as_json"])


def tell(
    receipt: Receipt, files: dict[str, bytes], outputs: tuple[Path, ...], *, as_json: bool
) -> None:
    """Tell what was made of a new tune, and print it when it was not written anywhere."""
    written = [str(path) for path in outputs]
    told = [describe(receipt), *(f"    {fact}" for fact in list_facts(receipt))]
    if as_json:
        abc = {} if written else {"abc": files["abc"].decode()}
        print_json(receipt, {"files": written} | abc)
    elif written:
        click.echo("\n".join(told))
        for path in written:
            click.echo(path)
    else:
        # The tune alone on standard output, so that it can go on to another program.
        click.echo("\n".join(told), err=True)
        click.echo(files["abc"].decode().rstrip("\n"))


_EXAMPLE = """\b
A jig in D to listen to, to play from and to look at:
    mst compose folk --meter 6/8 --key D -o jig.mp3 -o jig.mid -o jig.png
"""


@click.command("compose", epilog=_EXAMPLE)
@click.argument("style", shell_complete=options.complete_style)
@options.new_tune
@options.seed
@options.written
def command(style: str, **wishes: Unpack[Wishes]) -> None:
    """Write a new tune in STYLE."""
    make(style, style, wishes)
