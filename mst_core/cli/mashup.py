"""``mst mashup``: the pitches of one tune on the rhythm of another."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Unpack

import click

from mst_core.cli import options
from mst_core.cli.batch import (
    LateStudio,
    Order,
    Version,
    check_compared,
    check_performed,
    do_all,
    entitle,
    find_places,
    read_other,
)
from mst_core.jobs import Mashup

_EXAMPLE = """\b
A jig played with the rhythm of a solo, to listen to:
    mst mashup jig.abc solo.mid -o mashup.mp3
"""


class Written(options.Written):
    """What is asked of the result."""

    track: int | None
    compare: bool


@click.command("mashup", epilog=_EXAMPLE)
@click.argument("pitch_file", type=click.Path(path_type=Path))
@click.argument("rhythm_file", type=click.Path(path_type=Path))
@options.track
@options.compare
@options.written
def command(pitch_file: Path, rhythm_file: Path, **wishes: Unpack[Written]) -> int:
    """Play the pitches of PITCH_FILE on the rhythm of RHYTHM_FILE.

    Both are MIDI, ABC or MusicXML. Bars that the first tune repeats are repeated; meter and tempo
    are those of the second. --track names the melody of the first.
    """
    places = find_places(wishes["outputs"], None, None)
    check_performed(wishes["performed"], places.formats)
    check_compared(wishes["compare"], places.formats)
    other = read_other(rhythm_file)
    order = Order(
        request=Mashup(
            "source", "like", seed=0, track=wishes["track"]
        ),  # it leaves nothing to luck
        versions=(Version(1.0, 0),),
        places=places,
        likes={"like": replace(other, title=entitle(other, rhythm_file))},
        performed=wishes["performed"],
        compared=wishes["compare"],
        as_json=wishes["as_json"],
    )
    with LateStudio(wishes["models"], wishes["soundfont"], wishes["device"]) as studio:
        return do_all(order, {pitch_file.stem: pitch_file}, studio)
