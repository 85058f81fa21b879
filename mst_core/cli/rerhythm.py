"""``mst rerhythm``: given tunes in the rhythm of a style, or of one other tune.

Stands alone because each command is a module.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import click

from mst_core.cli import options
from mst_core.cli.transfer import TransferOptions, run_transfer

_EXAMPLE = """\b
A reel with the rhythm of jazz, to listen to and to play from:
    mst rerhythm reel.mid --rhythm jazz -o jazzed.mp3 -o jazzed.mid

\b
The same reel at three strengths, and a whole folder in the rhythm of one tune:
    mst rerhythm reel.mid --rhythm jazz --strength 0,0.5,1 --out-dir steps --formats mid,mp3
    mst rerhythm tunes/*.abc --like jig.mid --out-dir jigs --formats mid,png

\b
Four different ones to choose from, each drawn before and after:
    mst rerhythm reel.mid --rhythm jazz --variants 4 --out-dir four --formats mp3,png --compare
"""


@click.command("rerhythm", epilog=_EXAMPLE)
@click.argument(
    "files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE..."
)
@options.rhythm
@options.like
@options.strength
@click.option("--meter", metavar="METER", help="Change the meter, for example to 3/4.")
@options.transfer_options
def command(files: tuple[Path, ...], **given: Any) -> int:
    """Give tunes of yours a new rhythm.

    A FILE is MIDI, ABC or MusicXML. Every note keeps its pitch, and no note is added or left out;
    bars and phrases stay where they are. When some of several files fail, the others are written.
    """
    no_pitch = {"pitch": None, "pitch_like": None, "pitch_strengths": None}
    return run_transfer(files, cast("TransferOptions", given | no_pitch))
