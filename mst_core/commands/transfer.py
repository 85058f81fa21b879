"""``mst transfer``: the melody of one style in the rhythm of another."""

from __future__ import annotations

from pathlib import Path
from typing import Unpack

import click

from mst_core.commands import options
from mst_core.commands.making import Wishes, make

_EXAMPLE = """\b
A jazz melody that dances like a reel:
    mst transfer --pitch jazz --rhythm folk -o jazz-reel.mp3
"""


@click.command("transfer", epilog=_EXAMPLE)
@click.argument("file", type=click.Path(path_type=Path), required=False)
@click.option("--pitch", required=True, metavar="STYLE", shell_complete=options.complete_style,
              help="The style its pitches come from.")  # fmt: skip
@click.option("--rhythm", required=True, metavar="STYLE", shell_complete=options.complete_style,
              help="The style its rhythm comes from.")  # fmt: skip
@options.tune
def command(file: Path | None, pitch: str, rhythm: str, **wishes: Unpack[Wishes]) -> None:
    """Write a new tune: pitches of one style, rhythm of another."""
    if file is not None:
        raise click.UsageError(
            f"{file} cannot be changed yet: this version writes new tunes only; leave the file out"
        )
    make(pitch, rhythm, wishes)
