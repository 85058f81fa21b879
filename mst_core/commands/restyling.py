"""Gives one file after the other its new rhythms, with one studio for all of them.

A file succeeds or fails as a whole: what fails is named, leaves nothing behind and stops no other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Self

import click
from msgspec import structs

from mst_core.commands.faults import tell_fault
from mst_core.commands.naming import Places, Version
from mst_core.commands.reading import read_file
from mst_core.commands.telling import Gauge, describe, print_json
from mst_core.commands.writing import write_together
from mst_core.jobs import AUDIO_FORMATS, Job, Rendition, Restyle
from mst_core.score.kind import one_line
from mst_core.score.reading import Reading
from mst_core.score.reading_wire import encode_reading

if TYPE_CHECKING:
    from mst_core.studio import Studio

_LONGEST_TITLE = 100


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be made of every file."""

    request: Restyle
    """For all of them; strength and seed are those of the versions."""
    versions: tuple[Version, ...]
    places: Places
    like: Reading | None
    performed: bool
    as_json: bool

    @property
    def audible(self) -> bool:
        """Whether it must sound."""
        return any(format in AUDIO_FORMATS for format in self.places.formats)


class LateStudio:
    """A studio that opens with the first tune: loading torch takes longer than refusing a file."""

    def __init__(self, models: Path, soundfont: Path | None, device: str) -> None:
        self._made_of = models, soundfont, device
        self._studio: Studio | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        if self._studio is not None:
            self._studio.close()

    def open(self, *, audible: bool) -> Studio:
        """Return the studio; if it must sound, with its instruments.

        Raises:
            StyleError: when a style cannot be loaded.
            NoSoundFont: when there are no instruments.
        """
        if self._studio is None:
            from mst_core.studio import Studio

            self._studio = Studio.open(*self._made_of)
            if audible:
                self._studio.warm()
        return self._studio


def do_all(order: Order, files: Mapping[str, Path], studio: LateStudio) -> int:
    """Do an order for all files, by their stems; return the status: 0, 2, or 1 after a bug.

    Raises:
        StyleError, NoSoundFont: when the studio cannot be opened.
    """
    gauge = Gauge(len(files) * len(order.versions))
    faults: list[int] = []

    def name(file: Path, error: Exception) -> None:
        gauge.clear()
        faults.append(tell_fault(error, file))

    for place, (stem, file) in enumerate(files.items()):
        gauge.reach(place * len(order.versions))
        try:
            reading = read_file(file, track=order.request.track)[1]
        except Exception as error:
            name(file, error)
            continue
        opened = studio.open(audible=order.audible)  # its faults are those of no file
        try:
            made = _make(order, file, stem, reading, opened, gauge)
            _write(order, made)
        except Exception as error:
            name(file, error)
            continue
        gauge.clear()
        _tell(order, file, made)
    gauge.clear()
    if faults and len(files) > 1:
        click.echo(f"{len(files) - len(faults)} of {len(files)} files done", err=True)
    return min(faults, default=0)


@dataclass(frozen=True, slots=True)
class _Made:
    rendition: Rendition
    outputs: Mapping[Path, str]


def _make(
    order: Order, file: Path, stem: str, reading: Reading, studio: Studio, gauge: Gauge
) -> list[_Made]:
    """Make every version of one tune. Raises MstError."""
    title = reading.title or one_line(file.stem, _LONGEST_TITLE)
    readings = {order.request.source: encode_reading(replace(reading, title=title))}
    if order.like is not None and order.request.like is not None:
        readings[order.request.like] = encode_reading(order.like)
    made = []
    for version in order.versions:
        outputs = order.places.name(stem, version)
        request = structs.replace(order.request, strength=version.strength, seed=version.seed)
        job = Job("mst", request, order.places.formats, readings, order.performed)
        made.append(_Made(studio.perform(job, gauge), outputs))
        gauge.step()
    return made


def _write(order: Order, made: list[_Made]) -> None:
    """Write the files of one tune, all or none. Raises OSError."""
    files = {
        path: each.rendition.files[format] for each in made for path, format in each.outputs.items()
    }
    if order.places.folder is not None:
        order.places.folder.mkdir(parents=True, exist_ok=True)
    write_together(files)


def _tell(order: Order, file: Path, made: list[_Made]) -> None:
    known: set[str] = set()
    for each in made:
        receipt = each.rendition.receipt
        written = [str(path) for path in each.outputs]
        tune = {} if written else {"abc": each.rendition.files["abc"].decode()}
        if order.as_json:
            print_json(receipt, {"files": written, "input": str(file)} | tune)
            continue
        # The tune alone on standard output, so that it can go on to another program.
        aside = bool(tune)
        click.echo(f"{click.format_filename(file)}: {describe(receipt)}", err=aside)
        for remark in receipt.remarks:
            if remark not in known:
                click.echo(f"    {remark}", err=aside)
        known |= {*receipt.remarks}
        for path in each.outputs:
            click.echo(click.format_filename(path))
        if tune:
            click.echo(tune["abc"].rstrip("\n"))
