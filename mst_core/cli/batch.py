"""Changes one file after the other, with one studio for all of them.

A file succeeds or fails as a whole: what fails is named, leaves nothing behind and stops no other.
Variants of a tune differ: where a seed brings nothing new, some further seeds are tried.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Self

import click
from msgspec import structs

from mst_core.cli.errors import tell_fault
from mst_core.cli.naming import Places, Version
from mst_core.cli.output import Gauge, describe, list_facts, print_json
from mst_core.cli.reading import read_file
from mst_core.cli.writing import write_together
from mst_core.jobs import AUDIO_FORMATS, Job, Mashup, Rendition, Restyle
from mst_core.reading.formats import one_line
from mst_core.reading.parsed_score import Reading
from mst_core.reading.serialization import encode_reading
from mst_core.requests import next_seed

if TYPE_CHECKING:
    from mst_core.generation.composition import Composition
    from mst_core.studio import Studio

_LONGEST_TITLE = 100
FURTHER_SEEDS = 6
"""As many more are tried for a variant that differs from those before."""


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be made of every file."""

    request: Restyle | Mashup
    """For all of them; strengths and seed are those of the versions."""
    versions: tuple[Version, ...]
    places: Places
    likes: Mapping[str, Reading]
    """The other tunes that the request names, as it names them."""
    performed: bool
    compared: bool
    as_json: bool

    def request_for(self, version: Version) -> Restyle | Mashup:
        """The request for one version."""
        if isinstance(self.request, Mashup):
            return self.request
        pitches = version.pitch_strength
        return structs.replace(
            self.request,
            seed=version.seed,
            strength=version.strength,
            pitch_strength=version.strength if pitches is None else pitches,
        )

    @property
    def audible(self) -> bool:
        """Whether it must sound."""
        return any(format in AUDIO_FORMATS for format in self.places.formats)


_NOTHING_NEW = "This is the same as a variant before it; no seed that was tried gave another one."


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


def entitle(reading: Reading, file: Path) -> str:
    """Name a tune: by its title, or by the name of its file."""
    return reading.title or one_line(file.stem, _LONGEST_TITLE)


def _make(
    order: Order, file: Path, stem: str, reading: Reading, studio: Studio, gauge: Gauge
) -> list[_Made]:
    """Make every version of one tune. Raises MstError."""
    titled = replace(reading, title=entitle(reading, file))
    readings = {name: encode_reading(other) for name, other in order.likes.items()}
    readings[order.request.source] = encode_reading(titled)
    made: list[_Made] = []
    known: dict[tuple[float, float | None], set[object]] = {}
    for version in order.versions:
        outputs = order.places.name(stem, version)
        heard = known.setdefault((version.strength, version.pitch_strength), set())
        for seed in _seeds(order, version, bool(heard)):
            job = Job(
                "mst",
                order.request_for(replace(version, seed=seed)),
                order.places.formats,
                readings,
                order.performed,
                order.compared,
            )
            composition = studio.compose(job, gauge)
            new = composition.melody.notes not in heard
            if new or _unchanged(composition):
                break
        if not new:
            composition = replace(composition, remarks=(*composition.remarks, _NOTHING_NEW))
        heard.add(composition.melody.notes)
        made.append(_Made(studio.finish(job, composition, gauge), outputs))
        gauge.step()
    return made


def _seeds(order: Order, version: Version, more: bool) -> Iterator[int]:
    """The seed of a version; and, for a further variant, some that no version has."""
    yield version.seed
    variants = max(each.variant for each in order.versions)
    for step in range(FURTHER_SEEDS if more else 0):
        yield next_seed(version.seed, variants - version.variant + 1 + step)


def _unchanged(composition: Composition) -> bool:
    """Whether it is the given tune, as at strength 0: then no seed brings another."""
    before = composition.before
    return before is not None and before.notes == composition.melody.notes


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
        told = [*list_facts(receipt), *(each for each in receipt.remarks if each not in known)]
        for line in told:
            click.echo(f"    {line}", err=aside)
        known |= {*receipt.remarks}
        for path in each.outputs:
            click.echo(click.format_filename(path))
        if tune:
            click.echo(tune["abc"].rstrip("\n"))
