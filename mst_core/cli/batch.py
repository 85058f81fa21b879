"""Changes one file after the other, with one studio for all of them.

A file succeeds or fails as a whole: what fails is named, leaves nothing behind and stops no other.
Variants of a tune differ: where a seed brings nothing new, some further seeds are tried.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING, Self

import click

from mst_core.cli.errors import report_error
from mst_core.cli.options import CommonOptions
from mst_core.cli.output import ProgressBar, describe_receipt, measured_facts, print_json
from mst_core.errors import BadOption, MstError, UnreadableScore
from mst_core.jobs import (
    AUDIO_FORMATS,
    FORMATS,
    PICTURE_FORMATS,
    Job,
    Mashup,
    Rendition,
    Side,
    Transfer,
    draw_seed,
    next_seed,
    validate,
)
from mst_core.reading.formats import (
    ACCEPTED_FORMATS,
    SNIFFED_BYTES,
    ScoreFormat,
    detect_format,
    display_name,
    sanitize_line,
)
from mst_core.reading.parsed_score import Limits, ParsedScore
from mst_core.reading.sandbox import parse_sync
from mst_core.styles import check_style_folders, load_style_cards, resolve_style_name

if TYPE_CHECKING:
    from mst_core.generation.composition import Composition
    from mst_core.studio import Studio

# Reads the files that a person names, each in a process of its own.

# What the process logs is for who runs the bot. A person here gets the one line.
_NULL_HANDLER = logging.NullHandler()


def read_score_file(path: Path, *, track: int | None = None) -> tuple[ScoreFormat, ParsedScore]:
    """Read a score; ``track`` names the track or part with the melody, from 1.

    Raises:
        MstError: as `parse_sync`, and UnreadableScore when it cannot be opened.
    """
    logging.getLogger("mst_core.reading.sandbox").addHandler(_NULL_HANDLER)
    data = read_bytes(path)
    kind = detect_format(path.name, len(data), data[:SNIFFED_BYTES])
    return kind, parse_sync(path.name, data, track=track)


def read_bytes(path: Path) -> bytes:
    """Return what a file holds, or one byte more than the limit, which is refused later on.

    Raises:
        UnreadableScore: when it is not there, no file, or not for us.
    """
    try:
        if path.exists() and not path.is_file():  # a folder; or a pipe, which may never end
            raise UnreadableScore(f"{display_name(str(path))} is not a file", ACCEPTED_FORMATS)
        with path.open("rb") as file:
            return file.read(Limits().file_bytes + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "a name that no file can have"
        raise UnreadableScore(
            f"{display_name(str(path))}: {reason.lower()}", ACCEPTED_FORMATS
        ) from error


def describe_file_error(path: Path, error: MstError) -> str:
    """Say in one sentence what is wrong with which file."""
    name = display_name(str(path))
    sentence = " ".join(str(error).split())
    return sentence if name in sentence else f"{name}: {sentence}"


# Writes files together or not at all.


def output_format(path: Path) -> str:
    """Return the format that the ending of an output picks.

    Raises:
        BadOption: when it picks none, or when nothing can be written there.
    """
    format = path.suffix.lower().removeprefix(".")
    if format not in FORMATS:
        raise BadOption("output", path, f"let it end in .{', .'.join(FORMATS)}")
    check_not_folder(path)
    if not path.parent.is_dir():
        raise BadOption("output", path, f"there is no folder {path.parent}")
    if not os.access(path.parent, os.W_OK):
        raise BadOption("output", path, f"nothing can be written into {path.parent}")
    return format


def check_not_folder(path: Path) -> None:
    """Do nothing, when no folder stands where a file is to be.

    Raises:
        BadOption: when one does.
    """
    if path.is_dir():
        raise BadOption("output", path, "it is a folder; name a file")


def check_performed(performed: bool, formats: Iterable[str]) -> None:
    """Do nothing, when what is to be played into a MIDI file has one to go to.

    Raises:
        BadOption: when no MIDI file is written.
    """
    if performed and "mid" not in formats:
        raise BadOption("performed", "yes", "it is about MIDI files, and none is asked for")


def check_compared(compared: bool, formats: Iterable[str]) -> None:
    """Do nothing, when what is to be drawn before and after has a picture to stand in.

    Raises:
        BadOption: when no picture is drawn.
    """
    if compared and not {*formats} & {*PICTURE_FORMATS}:
        raise BadOption("compare", "yes", "it is about pictures; ask for a .png or .svg")


def write_all_or_none(files: dict[Path, bytes]) -> None:
    """Write all files beside their places first, then put them there.

    Raises:
        OSError: when one cannot be written; then none is.
    """
    ready: dict[Path, Path] = {}
    try:
        for path, content in files.items():
            # Not named after the file, whose name may be as long as a name can be.
            with NamedTemporaryFile(dir=path.parent, prefix=".mst-", delete=False) as beside:
                ready[path] = Path(beside.name)
                beside.write(content)
            ready[path].chmod(0o666 & ~_umask())
        for path, beside_path in ready.items():
            os.replace(beside_path, path)
    finally:
        for beside_path in ready.values():
            with suppress(FileNotFoundError):  # it is in its place
                beside_path.unlink()


def _umask() -> int:
    """Return what the person's files are not to allow; there is no way to ask but to set it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask


# Which renditions a call asks for, and the names of their files.
#
# In a folder they are ``<stem>.<strength>.<format>``, the strength with two decimals,
# ``<stem>.<strength>.p<strength>.<format>`` where the pitches have one of their own, and
# ``<stem>.<strength>.v<k>.<format>`` where there are several variants. Of files with the same stem
# the first keeps it, the next are ``<stem>-2``, ``<stem>-3``, by numbers that no other file has.


@dataclass(frozen=True, slots=True)
class Variant:
    """One way to change a tune."""

    strength: float
    seed: int
    number: int = 0
    """Counted from 1; 0 where there is only one."""
    pitch_strength: float | None = None
    """Where the pitches have one of their own."""

    @property
    def name(self) -> str:
        """Such as ``0.50``, ``0.50.p1.00`` or ``0.50.v2``."""
        pitches = "" if self.pitch_strength is None else f".p{self.pitch_strength:.2f}"
        variant = f".v{self.number}" if self.number else ""
        return f"{self.strength:.2f}{pitches}{variant}"


@dataclass(frozen=True, slots=True)
class OutputSpec:
    """Where files go: those named one by one, or a folder. At most one of the two."""

    files: dict[Path, str]
    """Paths with their formats."""
    folder: Path | None
    formats: tuple[str, ...]
    """Every format that is made."""

    def files_for(self, stem: str, version: Variant) -> dict[Path, str]:
        """The files of one rendition with their formats.

        Raises:
            BadOption: when a folder stands where one is to be.
        """
        if self.folder is None:
            return self.files
        files = {self.folder / f"{stem}.{version.name}.{format}": format for format in self.formats}
        for path in files:
            check_not_folder(path)
        return files


def parse_outputs(outputs: Sequence[Path], folder: Path | None, formats: str | None) -> OutputSpec:
    """Read where files are to go, before any work is done; nothing at all prints ABC.

    Raises:
        BadOption: when nothing can be written there.
    """
    if folder is None:
        if formats is not None:
            raise BadOption("formats", formats, "they go with --out-dir; -o takes them by ending")
        named = {path: output_format(path) for path in outputs}
        return OutputSpec(named, None, tuple(dict.fromkeys(named.values())) or ("abc",))
    if outputs:
        raise BadOption("output", outputs[0], "either -o or --out-dir is given")
    wanted = [format.strip().lower().removeprefix(".") for format in (formats or "mid").split(",")]
    for format in wanted:
        if format not in FORMATS:
            raise BadOption("formats", formats, f"choose from {','.join(FORMATS)}")
    ground = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if not ground.is_dir():
        raise BadOption("out-dir", folder, f"{ground} is not a folder")
    if not os.access(ground, os.W_OK):
        raise BadOption("out-dir", folder, f"nothing can be written into {ground}")
    return OutputSpec({}, folder, tuple(dict.fromkeys(wanted)))


def list_variants(
    strengths: Sequence[float], pitch_strengths: Sequence[float] | None, seed: int, variants: int
) -> tuple[Variant, ...]:
    """List the versions of every tune; the k-th variant has the k-th seed from ``seed`` on.

    Raises:
        BadOption: when two strengths would have the same name.
    """
    for option, chosen in (("strength", strengths), ("pitch strength", pitch_strengths or ())):
        names = [f"{strength:.2f}" for strength in chosen]
        for place, name in enumerate(names):
            if name in names[:place]:
                raise BadOption(option, chosen[place], f"two of them are {name}")
    return tuple(
        Variant(strength, next_seed(seed, step), step + 1 if variants > 1 else 0, pitch_strength)
        for strength in strengths
        for pitch_strength in ((None,) if pitch_strengths is None else pitch_strengths)
        for step in range(variants)
    )


def unique_stems(files: Iterable[Path]) -> list[str]:
    """Give each file a stem of its own."""
    files = list(files)
    taken = {file.stem for file in files}
    stems: list[str] = []
    for file in files:
        stem, number = file.stem, 1
        while stem in stems or (number > 1 and stem in taken):
            number += 1
            stem = f"{file.stem}-{number}"
        stems.append(stem)
    return stems


_MAX_TITLE_LENGTH = 100
EXTRA_SEEDS = 6
"""As many more are tried for a variant that differs from those before."""


@dataclass(frozen=True, slots=True)
class BatchSpec:
    """What is to be made of every file."""

    request: Transfer | Mashup
    """For all of them; strengths and seed are those of the versions."""
    variants: tuple[Variant, ...]
    outputs: OutputSpec
    target_tunes: Mapping[str, ParsedScore]
    """The other tunes that the request names, as it names them."""
    performed: bool
    compared: bool
    as_json: bool

    def request_for(self, version: Variant) -> Transfer | Mashup:
        """The request for one version."""
        return self.request.with_seed(version.seed).with_strength(
            version.strength, pitch_strength=version.pitch_strength
        )

    @property
    def needs_sound(self) -> bool:
        """Whether it must sound."""
        return any(format in AUDIO_FORMATS for format in self.outputs.formats)


_DUPLICATE_VARIANT = (
    "This is the same as a variant before it; no seed that was tried gave another one."
)


class LazyStudio:
    """A studio that opens with the first tune: loading torch takes longer than refusing a file."""

    def __init__(self, models: Path, soundfont: Path | None, device: str) -> None:
        self._made_of = models, soundfont, device
        self._studio: Studio | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        if self._studio is not None:
            self._studio.close()

    def open(self, *, with_sound: bool) -> Studio:
        """Return the studio; if it must sound, with its instruments.

        Raises:
            StyleError: when a style cannot be loaded.
            NoSoundFont: when there are no instruments.
        """
        if self._studio is None:
            from mst_core.studio import Studio

            self._studio = Studio.open(*self._made_of)
            if with_sound:
                self._studio.warm()
        return self._studio


def run_batch(order: BatchSpec, files: Mapping[str, Path], studio: LazyStudio) -> int:
    """Do an order for all files, by their stems; return the status: 0, 2, or 1 after a bug.

    Raises:
        StyleError, NoSoundFont: when the studio cannot be opened.
    """
    gauge = ProgressBar(len(files) * len(order.variants))
    faults: list[int] = []

    def name(file: Path, error: Exception) -> None:
        gauge.clear()
        faults.append(report_error(error, file))

    for place, (stem, file) in enumerate(files.items()):
        gauge.set_done(place * len(order.variants))
        try:
            reading = read_score_file(file, track=order.request.track)[1]
        except Exception as error:
            name(file, error)
            continue
        opened = studio.open(with_sound=order.needs_sound)  # its faults are those of no file
        try:
            made = _render_variants(order, file, stem, reading, opened, gauge)
            _write_files(order, made)
        except Exception as error:
            name(file, error)
            continue
        gauge.clear()
        _report_file(order, file, made)
    gauge.clear()
    if faults and len(files) > 1:
        click.echo(f"{len(files) - len(faults)} of {len(files)} files done", err=True)
    return min(faults, default=0)


@dataclass(frozen=True, slots=True)
class _RenderedVariant:
    rendition: Rendition
    outputs: Mapping[Path, str]


def title_for(reading: ParsedScore, file: Path) -> str:
    """Name a tune: by its title, or by the name of its file."""
    return reading.title or sanitize_line(file.stem, _MAX_TITLE_LENGTH)


def _render_variants(
    order: BatchSpec,
    file: Path,
    stem: str,
    reading: ParsedScore,
    studio: Studio,
    gauge: ProgressBar,
) -> list[_RenderedVariant]:
    """Make every version of one tune. Raises MstError."""
    titled = replace(reading, title=title_for(reading, file))
    scores = {**order.target_tunes, order.request.source: titled}
    made: list[_RenderedVariant] = []
    known: dict[tuple[float, float | None], set[object]] = {}
    for version in order.variants:
        outputs = order.outputs.files_for(stem, version)
        heard = known.setdefault((version.strength, version.pitch_strength), set())
        for seed in _candidate_seeds(order, version, bool(heard)):
            job = Job(
                "mst",
                order.request_for(replace(version, seed=seed)),
                order.outputs.formats,
                scores,
                order.performed,
                order.compared,
            )
            composition = studio.compose(job, gauge)
            new = composition.melody.notes not in heard
            if new or _is_unchanged(composition):
                break
        if not new:
            composition = replace(composition, remarks=(*composition.remarks, _DUPLICATE_VARIANT))
        heard.add(composition.melody.notes)
        made.append(_RenderedVariant(studio.render(job, composition, gauge), outputs))
        gauge.advance()
    return made


def _candidate_seeds(order: BatchSpec, version: Variant, more: bool) -> Iterator[int]:
    """The seed of a version; and, for a further variant, some that no version has."""
    yield version.seed
    variants = max(each.number for each in order.variants)
    for step in range(EXTRA_SEEDS if more else 0):
        yield next_seed(version.seed, variants - version.number + 1 + step)


def _is_unchanged(composition: Composition) -> bool:
    """Whether it is the given tune, as at strength 0: then no seed brings another."""
    before = composition.original
    return before is not None and before.notes == composition.melody.notes


def _write_files(order: BatchSpec, made: list[_RenderedVariant]) -> None:
    """Write the files of one tune, all or none. Raises OSError."""
    files = {
        path: each.rendition.files[format] for each in made for path, format in each.outputs.items()
    }
    if order.outputs.folder is not None:
        order.outputs.folder.mkdir(parents=True, exist_ok=True)
    write_all_or_none(files)


def _report_file(order: BatchSpec, file: Path, made: list[_RenderedVariant]) -> None:
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
        click.echo(f"{click.format_filename(file)}: {describe_receipt(receipt)}", err=aside)
        told = [*measured_facts(receipt), *(each for each in receipt.remarks if each not in known)]
        for line in told:
            click.echo(f"    {line}", err=aside)
        known |= {*receipt.remarks}
        for path in each.outputs:
            click.echo(click.format_filename(path))
        if tune:
            click.echo(tune["abc"].rstrip("\n"))


# Changes given tunes, one side of them or both: what `mst rerhythm` and `mst transfer` share.


@dataclass(frozen=True, slots=True)
class TargetOptions:
    """Where rhythm and pitches come from, and how far each goes."""

    rhythm: str | None = None
    like: Path | None = None
    pitch: str | None = None
    pitch_like: Path | None = None
    strengths: tuple[float, ...] | None = None
    """Of whatever changes."""
    pitch_strengths: tuple[float, ...] | None = None
    """Of the pitches, where it is another."""


class TransferOptions(CommonOptions):
    """The options of `options.changed`, and the meter, as click hands them over."""

    meter: str | None
    seed: int | None
    track: int | None
    keep_bars: str | None
    variants: int
    out_dir: Path | None
    formats: str | None
    compare: bool


def transfer_files(files: tuple[Path, ...], sides: TargetOptions, wishes: TransferOptions) -> int:
    """Change every file and write what comes out; return the status.

    Raises:
        MstError, click.ClickException: what can be refused before a file is changed.
    """
    models = wishes["models"]
    strengths, pitch_strengths = _resolve_strengths(sides)
    request = Transfer(
        source="source",
        seed=draw_seed() if wishes["seed"] is None else wishes["seed"],
        rhythm=_side(sides.rhythm, sides.like, "like", models),
        meter=wishes["meter"],
        keep_bars=wishes["keep_bars"],
        track=wishes["track"],
        pitch=_side(sides.pitch, sides.pitch_like, "pitch_like", models),
    )
    check_style_folders(models, request.styles.values())
    versions = list_variants(strengths, pitch_strengths, request.seed, wishes["variants"])
    places = parse_outputs(wishes["outputs"], wishes["out_dir"], wishes["formats"])
    order = BatchSpec(
        request, versions, places, {}, wishes["performed"], wishes["compare"], wishes["as_json"]
    )
    styles = load_style_cards(models)
    for each in (request, *map(order.request_for, versions)):
        validate(each, styles)
    check_performed(wishes["performed"], places.formats)
    check_compared(wishes["compare"], places.formats)
    if places.folder is None and len(files) * len(versions) > 1:
        what = f"{len(files)} files" if len(files) > 1 else f"{len(versions)} versions"
        raise click.UsageError(f"{what} need --out-dir DIR to be written to")
    others = {"like": sides.like, "pitch_like": sides.pitch_like}
    likes = {name: read_target_file(file) for name, file in others.items() if file is not None}
    with LazyStudio(models, wishes["soundfont"], wishes["device"]) as studio:
        stems = dict(zip(unique_stems(files), files, strict=True))
        return run_batch(replace(order, target_tunes=likes), stems, studio)


def _side(style: str | None, like: Path | None, like_name: str, models: Path) -> Side | None:
    """One side of the request; a tune to be like is there by the name ``like_name``."""
    return Side.of(
        None if style is None else resolve_style_name(style, models),
        None if like is None else like_name,
    )


def read_target_file(file: Path) -> ParsedScore:
    """Read a tune that others are to be like, or to be joined with.

    Raises:
        click.ClickException: when it cannot be read, naming it.
    """
    try:
        return read_score_file(file)[1]
    except MstError as error:
        raise click.ClickException(describe_file_error(file, error)) from error


def _resolve_strengths(sides: TargetOptions) -> tuple[tuple[float, ...], tuple[float, ...] | None]:
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
