"""``mst mashup``: the pitches of one tune on the rhythm of another."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Unpack

import click

from mst_core.cli import options
from mst_core.cli.batch import (
    BatchSpec,
    LazyStudio,
    Variant,
    check_compared,
    check_performed,
    parse_outputs,
    read_target_file,
    run_batch,
    title_for,
)
from mst_core.jobs import Mashup

_EXAMPLE = """\b
A jig played with the rhythm of a solo, to listen to:
    mst mashup jig.abc solo.mid -o mashup.mp3
"""


class MashupOptions(options.CommonOptions):
    """What is asked of the result."""

    track: int | None
    compare: bool


@click.command("mashup", epilog=_EXAMPLE)
@click.argument("pitch_file", type=click.Path(path_type=Path))
@click.argument("rhythm_file", type=click.Path(path_type=Path))
@options.track
@options.compare
@options.output_options
def command(pitch_file: Path, rhythm_file: Path, **wishes: Unpack[MashupOptions]) -> int:
    """Play the pitches of PITCH_FILE on the rhythm of RHYTHM_FILE.

    Both are MIDI, ABC or MusicXML. Bars that the first tune repeats are repeated; meter and tempo
    are those of the second. --track names the melody of the first.
    """
    places = parse_outputs(wishes["outputs"], None, None)
    check_performed(wishes["performed"], places.formats)
    check_compared(wishes["compare"], places.formats)
    other = read_target_file(rhythm_file)
    order = BatchSpec(
        request=Mashup(
            source="source", like="like", track=wishes["track"]
        ),  # it leaves nothing to luck
        variants=(Variant(1.0, 0),),
        outputs=places,
        target_tunes={"like": replace(other, title=title_for(other, rhythm_file))},
        performed=wishes["performed"],
        compared=wishes["compare"],
        as_json=wishes["as_json"],
    )
    with LazyStudio(wishes["models"], wishes["soundfont"], wishes["device"]) as studio:
        return run_batch(order, {pitch_file.stem: pitch_file}, studio)
