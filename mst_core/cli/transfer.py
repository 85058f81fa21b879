"""``mst transfer``: a given tune, or a new one, with a melody and a rhythm of your choice."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import click

from mst_core.cli import options
from mst_core.cli.batch import SOURCE, BatchSpec, list_variants, run_batch, validate_batch
from mst_core.cli.compose import ComposeOptions, run_compose
from mst_core.cli.files import parse_outputs, read_target_file
from mst_core.cli.options import CommonOptions
from mst_core.errors import BadOption
from mst_core.requests import Side, Transfer, draw_seed
from mst_core.styles import resolve_style_name

_NEW_TUNE_ONLY = ("bars", "key", "tempo")
_GIVEN_TUNE_ONLY = {
    "like": "--like",
    "pitch_like": "--pitch-like",
    "strengths": "--strength",
    "pitch_strengths": "--pitch-strength",
    "track": "--track",
    "tune": "--tune",
    "keep_bars": "--keep-bars",
    "out_dir": "--out-dir",
    "formats": "--formats",
    "compare": "--compare",
}
"""Options by the name of their parameter."""
_EXAMPLE = """\b
A tune of yours with a jazz melody and its own rhythm; and with half of jazz on both sides:
    mst transfer tune.mid --pitch jazz -o jazzed.mp3
    mst transfer tune.mid --pitch jazz --rhythm jazz --strength 0.5 -o half.mp3

\b
The full rhythm of folk, with two strengths of the melody:
    mst transfer tune.mid --rhythm folk --pitch jazz --pitch-strength 0.3,0.6 --out-dir steps

\b
A new tune with a jazz melody in the rhythm of a reel:
    mst transfer --pitch jazz --rhythm folk -o jazz-reel.mp3
"""


class TransferOptions(CommonOptions):
    """The options of a transfer, as click passes them."""

    pitch: str | None
    pitch_like: Path | None
    rhythm: str | None
    like: Path | None
    strengths: tuple[float, ...] | None
    pitch_strengths: tuple[float, ...] | None
    meter: str | None
    seed: int | None
    track: int | None
    tune: int | None
    keep_bars: str | None
    variants: int
    out_dir: Path | None
    formats: str | None
    compare: bool


@click.command("transfer", epilog=_EXAMPLE)
@click.argument("files", nargs=-1, type=click.Path(path_type=Path), metavar="[FILE...]")
@options.pitch
@options.pitch_like
@options.rhythm
@options.like
@options.strength
@options.pitch_strength
@options.transfer_new_tune_options
@options.transfer_options
def command(files: tuple[Path, ...], **given: Any) -> int:
    """Transfer a melodic style, a rhythm, or both to your tunes.

    With a FILE (MIDI, ABC or MusicXML) that tune is changed: its form stays, and so does the side
    for which you name no style. Without one a new tune is composed, for which both --pitch and
    --rhythm name a style.
    """
    if files:
        for option in _NEW_TUNE_ONLY:
            if given[option] is not None:
                raise click.UsageError(
                    f"--{option} is for new tunes; leave it out, or leave out the file"
                )
        if not any(given[target] for target in ("rhythm", "like", "pitch", "pitch_like")):
            raise click.UsageError("name a target: --pitch STYLE, --rhythm STYLE, or both")
        return run_transfer(files, cast("TransferOptions", given))
    for parameter, option in _GIVEN_TUNE_ONLY.items():
        if given[parameter] not in (None, False):
            raise click.UsageError(f"{option} is about a tune of yours; name its file")
    for side in ("pitch", "rhythm"):
        if given[side] is None:
            raise click.UsageError(
                f"--{side} STYLE is missing: a new tune needs both --pitch and --rhythm; "
                "to change a tune of yours, name its file"
            )
    if given["variants"] > 1:
        raise click.UsageError("--variants is about a tune of yours; name its file")
    return run_compose(given["pitch"], given["rhythm"], cast("ComposeOptions", given))


def run_transfer(files: tuple[Path, ...], given: TransferOptions) -> int:
    """Change every file and write the results.

    Args:
        files: MIDI, ABC or MusicXML files.
        given: the options of the command.

    Returns:
        The exit status.

    Raises:
        MstError, click.ClickException: when the request is invalid, before a file is changed.
    """
    strengths, pitch_strengths = _resolve_strengths(given)
    request = Transfer(
        source=SOURCE,
        seed=draw_seed() if given["seed"] is None else given["seed"],
        rhythm=_side(given["rhythm"], given["like"], "like", given["models"]),
        pitch=_side(given["pitch"], given["pitch_like"], "pitch_like", given["models"]),
        meter=given["meter"],
        keep_bars=given["keep_bars"],
        track=given["track"],
        tune=given["tune"],
    )
    spec = BatchSpec(
        request=request,
        variants=list_variants(strengths, pitch_strengths, request.seed, given["variants"]),
        outputs=parse_outputs(given["outputs"], given["out_dir"], given["formats"]),
        performed=given["performed"],
        repeats=given["repeats"] != "off",
        light=given["light"],
        show_original=given["compare"],
        as_json=given["as_json"],
    )
    validate_batch(spec, given["models"], inputs=len(files))
    paths = {"like": given["like"], "pitch_like": given["pitch_like"]}
    targets = {name: read_target_file(path) for name, path in paths.items() if path is not None}
    return run_batch(replace(spec, targets=targets), files, given)


def _side(style: str | None, like: Path | None, like_name: str, models: Path) -> Side | None:
    """Return one side of the request; a tune as target is called ``like_name``."""
    return Side.of(
        None if style is None else resolve_style_name(style, models),
        None if like is None else like_name,
    )


def _resolve_strengths(
    given: TransferOptions,
) -> tuple[tuple[float, ...], tuple[float, ...] | None]:
    """Return the strengths, and those of the pitches when they are set apart. Raises BadOption."""
    strengths, pitch_strengths = given["strengths"], given["pitch_strengths"]
    if pitch_strengths is not None and given["pitch"] is None and given["pitch_like"] is None:
        raise BadOption(
            "pitch strength", f"{pitch_strengths[0]:g}", "name where the pitches come from"
        )
    if given["rhythm"] is None and given["like"] is None and pitch_strengths is not None:
        if strengths is not None:
            raise BadOption("strength", f"{strengths[0]:g}", "only the pitches change; give one")
        strengths, pitch_strengths = pitch_strengths, None
    return (1.0,) if strengths is None else strengths, pitch_strengths
