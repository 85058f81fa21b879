"""``mst mashup``: the pitches of one tune on the rhythm of another.

Stands alone because each command is a module.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Unpack

import click

from mst_core.cli import options
from mst_core.cli.batch import SOURCE, BatchSpec, Variant, run_batch, validate_batch
from mst_core.cli.files import parse_outputs, read_target_file, title_for
from mst_core.cli.options import CommonOptions
from mst_core.requests import Mashup

_EXAMPLE = """\b
A jig played with the rhythm of a solo, to listen to:
    mst mashup jig.abc solo.mid -o mashup.mp3
"""


@click.command("mashup", epilog=_EXAMPLE)
@click.argument("pitch_file", type=click.Path(path_type=Path))
@click.argument("rhythm_file", type=click.Path(path_type=Path))
@options.track
@options.tune
@options.compare
@options.output_options
def command(
    pitch_file: Path,
    rhythm_file: Path,
    track: int | None,
    tune: int | None,
    compare: bool,
    **given: Unpack[CommonOptions],
) -> int:
    """Combine the pitches of PITCH_FILE with the rhythm of RHYTHM_FILE.

    Both are MIDI, ABC or MusicXML. Bars that the first tune repeats are repeated; meter and tempo
    are those of the second. --track names the melody of the first, and
    --tune the tune where that file is a book.
    """
    request = Mashup(source=SOURCE, like="like", track=track, tune=tune)
    spec = BatchSpec(
        request=request,
        variants=(Variant(request.seed),),
        outputs=parse_outputs(given["outputs"], None, None),
        performed=given["performed"],
        repeats=given["repeats"] != "off",
        light=given["light"],
        show_original=compare,
        as_json=given["as_json"],
    )
    validate_batch(spec, given["models"])
    other = read_target_file(rhythm_file)
    targets = {"like": replace(other, title=title_for(other, rhythm_file))}
    return run_batch(replace(spec, targets=targets), [pitch_file], given)
