"""Makes what a verb asked for: checks, composes, writes the files, tells what was made."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypedDict

import click
import msgspec

from mst_core.commands.writing import format_of, write_together
from mst_core.jobs import Compose, Job, Progress, Receipt
from mst_core.requests import check, draw_seed
from mst_core.styles import find_styles


class Wishes(TypedDict):
    """The options of `options.tune`, as click hands them over."""

    bars: int
    meter: str | None
    key: str | None
    tempo: float | None
    seed: int | None
    outputs: tuple[Path, ...]
    as_json: bool
    models: Path
    soundfont: Path | None
    device: str


def make(pitch: str, rhythm: str, wishes: Wishes) -> None:
    """Compose a tune and write its files, or print it as ABC when none are named.

    Raises:
        MstError: before anything was written.
    """
    request = Compose(
        pitch=pitch,
        rhythm=rhythm,
        seed=draw_seed() if wishes["seed"] is None else wishes["seed"],
        bars=wishes["bars"],
        meter=wishes["meter"],
        key=wishes["key"],
        tempo=wishes["tempo"],
    )
    check(request, find_styles(wishes["models"]))
    formats = {path: format_of(path) for path in wishes["outputs"]}
    wanted = tuple(dict.fromkeys(formats.values())) or ("abc",)

    # Only now: torch takes longer to load than a mistake takes to tell.
    from mst_core.studio import Studio

    studio = Studio.open(wishes["models"], wishes["soundfont"], wishes["device"])
    try:
        rendition = studio.perform(Job("mst", request, wanted), _progress())
    finally:
        studio.close()
        _end_progress()
    write_together({path: rendition.files[format] for path, format in formats.items()})
    _tell(rendition.receipt, rendition.files, wishes)


def _tell(receipt: Receipt, files: dict[str, bytes], wishes: Wishes) -> None:
    written = [str(path) for path in wishes["outputs"]]
    if wishes["as_json"]:
        answer = msgspec.to_builtins(receipt) | {"files": written}
        if not written:
            answer["abc"] = files["abc"].decode()
        click.echo(json.dumps(answer, ensure_ascii=False))
    elif written:
        click.echo(_sentence(receipt))
        for path in written:
            click.echo(path)
    else:
        # The tune alone on standard output, so that it can go on to another program.
        click.echo(_sentence(receipt), err=True)
        click.echo(files["abc"].decode().rstrip("\n"))


def _sentence(receipt: Receipt) -> str:
    styles = receipt.pitch
    if receipt.pitch != receipt.rhythm:
        styles = f"{receipt.pitch} melody in {receipt.rhythm} rhythm"
    return (
        f"{styles}: {receipt.bars} bars of {receipt.meter} in {receipt.key} ({receipt.form}), "
        f"{receipt.notes} notes, {receipt.seconds:.0f} s, seed {receipt.seed}"
    )


def _progress() -> Callable[[Progress], None]:
    """Return where progress goes: to the eyes of a person, never into a file."""
    if not sys.stderr.isatty():
        return lambda progress: None
    return lambda progress: click.echo(
        f"\r{progress.stage:<10} {progress.share:4.0%} ", err=True, nl=False
    )


def _end_progress() -> None:
    if sys.stderr.isatty():
        click.echo(f"\r{'':<20}\r", err=True, nl=False)
