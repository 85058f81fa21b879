"""Make renditions: one request for one input after the other, with one studio for all.

Every command that writes music ends here: `mst compose` without an input, `mst transfer`,
`mst rerhythm` and `mst mashup` with one or many. An input succeeds or fails as a whole: a failure
is reported, leaves no file and does not stop the others. Variants of a tune differ: when a seed
gives a tune that an earlier variant has, some further seeds are tried.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mst_core.cli.errors import report_error
from mst_core.cli.files import (
    OutputSpec,
    page_files,
    page_path,
    read_score_file,
    title_for,
    unique_stems,
    write_all_or_none,
)
from mst_core.cli.options import CommonOptions
from mst_core.cli.output import print_rendition, progress_bar
from mst_core.errors import BadOption
from mst_core.jobs import AUDIO_FORMATS, PICTURE_FORMATS, Job, Progress, Rendition
from mst_core.reading.parsed_score import ParsedScore
from mst_core.requests import Request, next_seed, validate
from mst_core.styles import check_style_folders, load_style_cards

if TYPE_CHECKING:
    from mst_core.generation.composition import Composition
    from mst_core.studio import Studio

SOURCE = "source"
"""Name of the input in a request; the other tunes have names that the command chooses."""
EXTRA_SEEDS = 6
"""Further seeds that are tried for a variant that is the same as an earlier one."""
_DUPLICATE_VARIANT = (
    "This is the same as a variant before it; no seed that was tried gave another one."
)


@dataclass(frozen=True, slots=True)
class Variant:
    """One of the renditions that are made of every input."""

    seed: int
    strength: float = 1.0
    """0 to 1, of every side that changes."""
    pitch_strength: float | None = None
    """0 to 1, when the strength of the pitches is set apart."""
    number: int = 0
    """Counted from 1; 0 when there is only one for these strengths."""

    @property
    def name(self) -> str:
        """Part of the file name: ``0.50``, ``0.50.p1.00`` or ``0.50.v2``."""
        pitch = "" if self.pitch_strength is None else f".p{self.pitch_strength:.2f}"
        number = f".v{self.number}" if self.number else ""
        return f"{self.strength:.2f}{pitch}{number}"


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchSpec:
    """What to make of every input."""

    request: Request
    """Its own tune is called `SOURCE`; seed and strengths are those of the variants."""
    variants: tuple[Variant, ...]
    outputs: OutputSpec
    targets: Mapping[str, ParsedScore] = field(default_factory=dict)
    """The other tunes of the request by name."""
    performed: bool = False
    repeats: bool = True
    show_original: bool = False
    light: bool = False
    as_json: bool = False

    def request_for(self, variant: Variant) -> Request:
        """Return the request for one variant."""
        return self.request.with_seed(variant.seed).with_strength(
            variant.strength, pitch_strength=variant.pitch_strength
        )


def list_variants(
    strengths: Sequence[float], pitch_strengths: Sequence[float] | None, seed: int, count: int
) -> tuple[Variant, ...]:
    """Return the variants of every tune: each combination of strengths, ``count`` times.

    Args:
        strengths: 0 to 1.
        pitch_strengths: 0 to 1, combined with each strength; None: the same strength.
        seed: of the first variant; the others have the seeds that follow.
        count: number of variants for each combination.

    Raises:
        BadOption: when two strengths give the same file name.
    """
    for option, chosen in (("strength", strengths), ("pitch strength", pitch_strengths or ())):
        names = [f"{strength:.2f}" for strength in chosen]
        for index, name in enumerate(names):
            if name in names[:index]:
                raise BadOption(option, chosen[index], f"two of them are {name}")
    return tuple(
        Variant(next_seed(seed, index), strength, pitch_strength, index + 1 if count > 1 else 0)
        for strength in strengths
        for pitch_strength in ((None,) if pitch_strengths is None else pitch_strengths)
        for index in range(count)
    )


def validate_batch(spec: BatchSpec, models: Path, *, inputs: int = 1) -> None:
    """Check a batch before anything is parsed or loaded.

    Args:
        spec: the batch; its targets may still be missing.
        models: folder of the styles.
        inputs: number of inputs.

    Raises:
        StyleError, RequestError: when a request is invalid.
        BadOption, click.UsageError: when the outputs do not fit the request.
    """
    check_style_folders(models, spec.request.styles.values())
    styles = load_style_cards(models)
    for request in (spec.request, *map(spec.request_for, spec.variants)):
        validate(request, styles)
    if spec.performed and "mid" not in spec.outputs.formats:
        raise BadOption("performed", "yes", "it is about MIDI files, and none is asked for")
    if spec.show_original and not {*spec.outputs.formats} & {*PICTURE_FORMATS}:
        raise BadOption("compare", "yes", "it is about pictures; ask for a .png, .svg or .pdf")
    if spec.outputs.folder is None and inputs * len(spec.variants) > 1:
        what = f"{inputs} files" if inputs > 1 else f"{len(spec.variants)} versions"
        raise click.UsageError(f"to write {what}, name a folder with --out-dir DIR")


def run_batch(spec: BatchSpec, files: Sequence[Path], options: CommonOptions) -> int:
    """Make and write every rendition; report results and errors as they come.

    Args:
        spec: a batch that `validate_batch` accepted, with its targets.
        files: the inputs; none for a new tune.
        options: where the styles and instruments are.

    Returns:
        The exit status: 0, 2 when an input was at fault, 1 after a bug.

    Raises:
        StyleError, NoSoundFont: when the studio cannot be opened.
    """
    inputs: list[tuple[str, Path | None]] = [*zip(unique_stems(files), files, strict=True)]
    statuses: list[int] = []
    studio: Studio | None = None
    try:
        for number, (stem, file) in enumerate(inputs or [("", None)], start=1):
            try:
                scores = dict(spec.targets) | _read_source(spec, file)
            except Exception as error:
                statuses.append(report_error(error, file))
                continue
            # Opened after the first file was parsed: loading torch takes longer than an error.
            studio = studio or _open_studio(spec, options)
            label = f"{number} of {len(inputs)}: " if len(inputs) > 1 else ""
            try:
                with progress_bar(label) as show:
                    made = _make_variants(spec, stem, scores, studio, show)
                _write_files(spec, made)
            except Exception as error:
                statuses.append(report_error(error, file))
                continue
            _report_results(spec, file, made)
    finally:
        if studio is not None:
            studio.close()
    if statuses and len(inputs) > 1:
        click.echo(f"{len(inputs) - len(statuses)} of {len(inputs)} files done", err=True)
    return min(statuses, default=0)


def _open_studio(spec: BatchSpec, options: CommonOptions) -> Studio:
    """Open a studio, with its synthesizer when audio is made. Raises StyleError, NoSoundFont."""
    from mst_core.studio import Studio

    studio = Studio.open(options["models"], options["soundfont"], options["device"])
    if {*spec.outputs.formats} & {*AUDIO_FORMATS}:
        studio.warm()
    return studio


def _read_source(spec: BatchSpec, file: Path | None) -> dict[str, ParsedScore]:
    """Parse an input and give it a title; no input gives nothing. Raises MstError."""
    if file is None:
        return {}
    score = read_score_file(file, spec.request.sources[SOURCE])[1]
    return {SOURCE: replace(score, title=title_for(score, file))}


def _make_variants(
    spec: BatchSpec,
    stem: str,
    scores: dict[str, ParsedScore],
    studio: Studio,
    show: Callable[[str, float], None],
) -> list[tuple[Rendition, Mapping[Path, str]]]:
    """Make every variant of one tune, with the files for each. Raises MstError."""
    made: list[tuple[Rendition, Mapping[Path, str]]] = []
    earlier: dict[tuple[float, float | None], set[object]] = {}
    for index, variant in enumerate(spec.variants):
        files = spec.outputs.files_for(stem, variant.name)
        on_progress = partial(_show_share, show, index, len(spec.variants))
        known = earlier.setdefault((variant.strength, variant.pitch_strength), set())
        for seed in _candidate_seeds(spec, variant, retry=bool(known)):
            job = Job(
                id="mst",
                request=spec.request_for(replace(variant, seed=seed)),
                formats=spec.outputs.formats,
                scores=scores,
                performed_midi=spec.performed,
                repeats=spec.repeats,
                show_original=spec.show_original,
                light=spec.light,
            )
            composition = studio.compose(job, on_progress)
            is_new = composition.melody.notes not in known
            if is_new or _is_unchanged(composition):
                break
        if not is_new:
            warnings = (*composition.warnings, _DUPLICATE_VARIANT)
            composition = replace(composition, warnings=warnings)
        known.add(composition.melody.notes)
        made.append((studio.render(job, composition, on_progress), files))
    return made


def _show_share(show: Callable[[str, float], None], index: int, count: int, done: Progress) -> None:
    """Show the progress of one of ``count`` variants as a share of all of them."""
    show(done.stage, (index + done.share) / count)


def _candidate_seeds(spec: BatchSpec, variant: Variant, *, retry: bool) -> Iterator[int]:
    """Yield the seed of a variant, and for a retry some further ones that no variant has."""
    yield variant.seed
    last = max(each.number for each in spec.variants)
    for offset in range(EXTRA_SEEDS if retry else 0):
        yield next_seed(variant.seed, last - variant.number + 1 + offset)


def _is_unchanged(composition: Composition) -> bool:
    """Whether the result is the given tune, as at strength 0: then no seed gives another one."""
    original = composition.original
    return original is not None and original.notes == composition.melody.notes


def _write_files(spec: BatchSpec, made: list[tuple[Rendition, Mapping[Path, str]]]) -> None:
    """Write the files of one tune, all or none. Raises OSError."""
    if spec.outputs.folder is not None:
        spec.outputs.folder.mkdir(parents=True, exist_ok=True)
    write_all_or_none(
        {
            path: content
            for rendition, files in made
            for path, content in page_files(rendition, files).items()
        }
    )


def _report_results(
    spec: BatchSpec, file: Path | None, made: list[tuple[Rendition, Mapping[Path, str]]]
) -> None:
    """Print the results of one input; a warning is printed once."""
    known_warnings: set[str] = set()
    for rendition, files in made:
        warnings = [each for each in rendition.receipt.warnings if each not in known_warnings]
        written = page_files(rendition, files)
        for path, format in files.items():
            count = len(rendition.pages(format))
            if count > 1:
                name, last = (
                    click.format_filename(path),
                    click.format_filename(page_path(path, count)),
                )
                click.echo(f"{name}: the score has {count} pages, up to {last}", err=True)
        print_rendition(rendition, [*written], warnings, source=file, as_json=spec.as_json)
        known_warnings |= {*warnings}
