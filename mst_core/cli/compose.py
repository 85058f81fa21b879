"""``mst compose``: a new tune in one style."""

from __future__ import annotations

from pathlib import Path
from typing import Unpack

import click

from mst_core.cli import options
from mst_core.cli.batch import check_performed, output_format, write_all_or_none
from mst_core.cli.options import CommonOptions
from mst_core.cli.output import ProgressBar, describe_receipt, measured_facts, print_json
from mst_core.jobs import Compose, Job, Receipt, draw_seed, validate
from mst_core.styles import check_style_folders, load_style_cards, resolve_style_name

# Makes a new tune: checks, composes, writes the files, tells what was made.

DEFAULT_BARS = 16


class ComposeOptions(CommonOptions):
    """The options of a new tune, as click hands them over."""

    bars: int | None
    meter: str | None
    key: str | None
    tempo: float | None
    seed: int | None


def run_compose(pitch: str, rhythm: str, wishes: ComposeOptions) -> None:
    """Compose a tune and write its files, or print it as ABC when none are named.

    Raises:
        MstError: before anything was written.
    """
    pitch, rhythm = (resolve_style_name(style, wishes["models"]) for style in (pitch, rhythm))
    request = Compose(
        pitch=pitch,
        rhythm=rhythm,
        seed=draw_seed() if wishes["seed"] is None else wishes["seed"],
        bars=DEFAULT_BARS if wishes["bars"] is None else wishes["bars"],
        meter=wishes["meter"],
        key=wishes["key"],
        tempo=wishes["tempo"],
    )
    check_style_folders(wishes["models"], (pitch, rhythm))
    validate(request, load_style_cards(wishes["models"]))
    formats = {path: output_format(path) for path in wishes["outputs"]}
    wanted = tuple(dict.fromkeys(formats.values())) or ("abc",)
    check_performed(wishes["performed"], wanted)

    # Only now: torch takes longer to load than a mistake takes to tell.
    from mst_core.studio import Studio

    gauge = ProgressBar()
    studio = Studio.open(wishes["models"], wishes["soundfont"], wishes["device"])
    try:
        job = Job("mst", request, wanted, performed_midi=wishes["performed"])
        rendition = studio.run(job, gauge)
    finally:
        studio.close()
        gauge.clear()
    write_all_or_none({path: rendition.files[format] for path, format in formats.items()})
    report_result(rendition.receipt, rendition.files, wishes["outputs"], as_json=wishes["as_json"])


def report_result(
    receipt: Receipt, files: dict[str, bytes], outputs: tuple[Path, ...], *, as_json: bool
) -> None:
    """Tell what was made of a new tune, and print it when it was not written anywhere."""
    written = [str(path) for path in outputs]
    told = [describe_receipt(receipt), *(f"    {fact}" for fact in measured_facts(receipt))]
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
@options.new_tune_options
@options.seed
@options.output_options
def command(style: str, **wishes: Unpack[ComposeOptions]) -> None:
    """Write a new tune in STYLE."""
    run_compose(style, style, wishes)
