"""``mst rerhythm``: given tunes in the rhythm of a style, or of one other tune."""

from __future__ import annotations

from pathlib import Path
from typing import Unpack

import click

from mst_core.cli import options
from mst_core.cli.batch import TargetOptions, TransferOptions, transfer_files

_EXAMPLE = """\b
A reel with the rhythm of jazz, to listen to and to play from:
    mst rerhythm reel.mid --rhythm jazz -o jazzed.mp3 -o jazzed.mid

\b
The same reel on its way there, and a whole folder in the rhythm of one tune:
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
@click.option(
    "--rhythm",
    metavar="STYLE",
    shell_complete=options.complete_style,
    help="The style that its rhythm comes from.",
)
@options.like
@options.strength
@click.option("--meter", metavar="METER", help="Bring it into another meter, such as 3/4.")
@options.transfer_options
def command(
    files: tuple[Path, ...],
    rhythm: str | None,
    like: Path | None,
    strengths: tuple[float, ...] | None,
    **wishes: Unpack[TransferOptions],
) -> int:
    """Give tunes of yours another rhythm.

    A FILE is MIDI, ABC or MusicXML. Every note keeps its pitch, and there are as many as before;
    bars and phrases stay where they are. Of several files the good ones are done, the bad ones
    named.
    """
    return transfer_files(
        files, TargetOptions(rhythm=rhythm, like=like, strengths=strengths), wishes
    )
