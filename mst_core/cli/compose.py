"""``mst compose``: a new tune in one style."""

from __future__ import annotations

from typing import Unpack

import click

from mst_core.cli import options
from mst_core.cli.batch import BatchSpec, Variant, run_batch, validate_batch
from mst_core.cli.files import parse_outputs
from mst_core.cli.options import CommonOptions
from mst_core.requests import Compose, draw_seed
from mst_core.styles import resolve_style_name

DEFAULT_BARS = 16
_EXAMPLE = """\b
A jig in D as sound, as MIDI and as a score:
    mst compose folk --meter 6/8 --key D -o jig.mp3 -o jig.mid -o jig.png
"""


class ComposeOptions(CommonOptions):
    """The options of a new tune, as click passes them."""

    bars: int | None
    meter: str | None
    key: str | None
    tempo: float | None
    seed: int | None


@click.command("compose", epilog=_EXAMPLE)
@click.argument("style", shell_complete=options.complete_style)
@options.new_tune_options
@options.seed
@options.output_options
def command(style: str, **given: Unpack[ComposeOptions]) -> int:
    """Compose a new tune in STYLE."""
    return run_compose(style, style, given)


def run_compose(pitch: str, rhythm: str, given: ComposeOptions) -> int:
    """Compose a tune and write its files, or print it as ABC when no file is named.

    Args:
        pitch: name of the style of the pitches, in any case.
        rhythm: name of the style of the rhythm, in any case.
        given: the options of the command.

    Returns:
        The exit status.

    Raises:
        MstError: when the request is invalid.
    """
    request = Compose(
        pitch=resolve_style_name(pitch, given["models"]),
        rhythm=resolve_style_name(rhythm, given["models"]),
        seed=draw_seed() if given["seed"] is None else given["seed"],
        bars=DEFAULT_BARS if given["bars"] is None else given["bars"],
        meter=given["meter"],
        key=given["key"],
        tempo=given["tempo"],
    )
    spec = BatchSpec(
        request=request,
        variants=(Variant(request.seed),),
        outputs=parse_outputs(given["outputs"], None, None),
        performed=given["performed"],
        repeats=given["repeats"] != "off",
        light=given["light"],
        as_json=given["as_json"],
    )
    validate_batch(spec, given["models"])
    return run_batch(spec, (), given)
