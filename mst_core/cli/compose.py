"""``mst compose``: a new tune in one style."""

from __future__ import annotations

from typing import Unpack

import click

from mst_core.cli import options
from mst_core.cli.making import Wishes, make

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
