"""Changes given tunes, one side of them or both: what `mst rerhythm` and `mst transfer` share."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import click
from mst_core.cli.naming import find_places, find_stems, find_versions
from mst_core.cli.reading import name_fault, read_file
from mst_core.cli.writing import check_compared, check_performed

from mst_core.cli.batch import LateStudio, Order, do_all
from mst_core.cli.options import Written
from mst_core.errors import BadOption, MstError
from mst_core.jobs import Restyle
from mst_core.reading.parsed_score import Reading
from mst_core.requests import check, draw_seed
from mst_core.styles import find_styles, meant_style, require_whole


@dataclass(frozen=True, slots=True)
class Sides:
    """Where rhythm and pitches come from, and how far each goes."""

    rhythm: str | None = None
    like: Path | None = None
    pitch: str | None = None
    pitch_like: Path | None = None
    strengths: tuple[float, ...] | None = None
    """Of whatever changes."""
    pitch_strengths: tuple[float, ...] | None = None
    """Of the pitches, where it is another."""


class Wishes(Written):
    """The options of `options.changed`, and the meter, as click hands them over."""

    meter: str | None
    seed: int | None
    track: int | None
    keep_bars: str | None
    variants: int
    out_dir: Path | None
    formats: str | None
    compare: bool


def change(files: tuple[Path, ...], sides: Sides, wishes: Wishes) -> int:
    """Change every file and write what comes out; return the status.

    Raises:
        MstError, click.ClickException: what can be refused before a file is changed.
    """
    models = wishes["models"]
    strengths, pitch_strengths = _knobs(sides)
    request = Restyle(
        source="source",
        seed=draw_seed() if wishes["seed"] is None else wishes["seed"],
        rhythm=None if sides.rhythm is None else meant_style(sides.rhythm, models),
        like=None if sides.like is None else "like",
        meter=wishes["meter"],
        keep_bars=wishes["keep_bars"],
        track=wishes["track"],
        pitch=None if sides.pitch is None else meant_style(sides.pitch, models),
        pitch_like=None if sides.pitch_like is None else "pitch_like",
    )
    require_whole(models, [request.rhythm or "", request.pitch or ""])
    versions = find_versions(strengths, pitch_strengths, request.seed, wishes["variants"])
    places = find_places(wishes["outputs"], wishes["out_dir"], wishes["formats"])
    order = Order(request, versions, places, {}, wishes["performed"], wishes["compare"],
                  wishes["as_json"])  # fmt: skip
    styles = find_styles(models)
    for each in (request, *map(order.request_for, versions)):
        check(each, styles)
    check_performed(wishes["performed"], places.formats)
    check_compared(wishes["compare"], places.formats)
    if places.folder is None and len(files) * len(versions) > 1:
        what = f"{len(files)} files" if len(files) > 1 else f"{len(versions)} versions"
        raise click.UsageError(f"{what} need --out-dir DIR to be written to")
    others = {"like": sides.like, "pitch_like": sides.pitch_like}
    likes = {name: read_other(file) for name, file in others.items() if file is not None}
    with LateStudio(models, wishes["soundfont"], wishes["device"]) as studio:
        stems = dict(zip(find_stems(files), files, strict=True))
        return do_all(replace(order, likes=likes), stems, studio)


def read_other(file: Path) -> Reading:
    """Read a tune that others are to be like, or to be joined with.

    Raises:
        click.ClickException: when it cannot be read, naming it.
    """
    try:
        return read_file(file)[1]
    except MstError as error:
        raise click.ClickException(name_fault(file, error)) from error


def _knobs(sides: Sides) -> tuple[tuple[float, ...], tuple[float, ...] | None]:
    """The strengths of what changes, and those of the pitches where they have their own."""
    strengths, pitch_strengths = sides.strengths, sides.pitch_strengths
    if pitch_strengths is not None and sides.pitch is None and sides.pitch_like is None:
        raise BadOption(
            "pitch strength", f"{pitch_strengths[0]:g}", "name where the pitches come from"
        )
    if sides.rhythm is None and sides.like is None and pitch_strengths is not None:
        if strengths is not None:
            raise BadOption("strength", f"{strengths[0]:g}", "only the pitches change; give one")
        strengths, pitch_strengths = pitch_strengths, None
    return (1.0,) if strengths is None else strengths, pitch_strengths
