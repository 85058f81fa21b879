"""The options that several commands share. Only this module of the core reads the environment."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypedDict

import click
from click.decorators import FC
from click.shell_completion import CompletionItem

from mst_core.errors import BadOption
from mst_core.requests import BARS_RANGE, TEMPO_RANGE
from mst_core.styles import default_models_dir, load_style_cards

MAX_VARIANTS = 99

models = click.option(
    "--models",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=default_models_dir,
    envvar="MST_MODELS_DIR",
    metavar="DIR",
    help="The folder of the styles. [environment: MST_MODELS_DIR]",
)
soundfont = click.option(
    "--soundfont",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    envvar="MST_SOUNDFONT",
    metavar="FILE",
    help="The instruments, an .sf2 file (default: that of the system). "
    "[environment: MST_SOUNDFONT]",
)
device = click.option(
    "--device",
    type=click.Choice(["auto", "cpu", "cuda"]),
    default="auto",
    envvar="MST_DEVICE",
    help="Where the networks run (default: auto). [environment: MST_DEVICE]",
)
json = click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead.")
seed = click.option(
    "--seed",
    type=int,
    metavar="N",
    help="The same seed gives the same tune (default: a random one).",
)
outputs = click.option(
    "-o",
    "--output",
    "outputs",
    type=click.Path(path_type=Path),
    multiple=True,
    metavar="FILE",
    help="The file to write; its ending sets the format (.mp3 .ogg .wav .mid .musicxml .abc .png "
    ".svg .pdf). May be given several times. Without it the tune is printed as ABC. Further pages "
    "of score.png are score-2.png and so on; a .pdf has all pages.",
)
repeats = click.option(
    "--repeats",
    type=click.Choice(["on", "off"]),
    default="on",
    help="Whether the audio plays the repeats of the score.  [default: on]",
)
performed = click.option(
    "--performed",
    is_flag=True,
    help="Write swing and timing of the audio into MIDI files instead of the straight score.",
)
light = click.option(
    "--light",
    is_flag=True,
    help="Draw .png and .svg in black on white, for paper; a .pdf always is.",
)


def complete_style(
    context: click.Context, parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Return the styles whose names begin with what is typed, for the shell's Tab key.

    Args:
        context: the command being typed; its ``models`` option names the folder of the styles.
        parameter: the option being typed; not used.
        incomplete: what is typed of the name, in upper or lower case.

    Returns:
        Names of styles, each with its title as help.
    """
    folder = context.params.get("models") or default_models_dir()
    styles = load_style_cards(Path(folder))
    return [
        CompletionItem(name, help=card.title)
        for name, card in styles.items()
        if name.casefold().startswith(incomplete.casefold())
    ]


def _parse_strengths(
    context: click.Context, parameter: click.Parameter, value: str | None
) -> tuple[float, ...] | None:
    """Return the numbers of a list such as ``0,0.5,1``. Raises BadOption."""
    if value is None:
        return None
    try:
        return tuple(float(part) for part in value.split(","))
    except ValueError as error:
        raise BadOption("strength", value, "write it as 0.5, or several as 0,0.5,1") from error


def _style_option(option: str, what: str) -> Callable[[FC], FC]:
    """Return an option that names a style for one side."""
    return click.option(
        option, metavar="STYLE", shell_complete=complete_style, help=f"The style of the {what}."
    )


def _like_option(option: str, what: str) -> Callable[[FC], FC]:
    """Return an option that names one tune for one side."""
    return click.option(
        option,
        type=click.Path(path_type=Path),
        metavar="OTHER_FILE",
        help=f"One tune whose {what} is the target, instead of a style.",
    )


pitch = _style_option("--pitch", "pitches")
pitch_like = _like_option("--pitch-like", "melodic style")
rhythm = _style_option("--rhythm", "rhythm")
like = _like_option("--like", "rhythm")
strength = click.option(
    "--strength",
    "strengths",
    callback=_parse_strengths,
    metavar="N[,N...]",
    help="How much changes: 0 keeps every note, 1 is the full change (default: 1). Several "
    "numbers give several versions.",
)
pitch_strength = click.option(
    "--pitch-strength",
    "pitch_strengths",
    callback=_parse_strengths,
    metavar="N[,N...]",
    help="How much the pitches change (default: as much as the rhythm).",
)
meter = click.option(
    "--meter", metavar="METER", help="Such as 6/8; `mst styles` lists those of each style."
)
track = click.option(
    "--track",
    type=int,
    metavar="N",
    help="The track or part with the melody, counted from 1 (default: found automatically).",
)
tune = click.option(
    "--tune",
    type=int,
    metavar="N",
    help="The tune of an ABC book, counted from 1 (default: the first that can be read).",
)
compare = click.option(
    "--compare", is_flag=True, help="Draw the tune before and after into every picture."
)


class CommonOptions(TypedDict):
    """The options of `output_options`, as click passes them."""

    outputs: tuple[Path, ...]
    performed: bool
    repeats: str
    light: bool
    as_json: bool
    models: Path
    soundfont: Path | None
    device: str


def _new_tune_options(condition: str = "") -> tuple[Callable[[FC], FC], ...]:
    """Return the options of a new tune, with a condition before their defaults in the help."""
    return (
        click.option(
            "--bars",
            type=int,
            metavar="N",
            help=f"Number of bars, {BARS_RANGE[0]} to {BARS_RANGE[1]} ({condition}default: 16).",
        ),
        meter,
        click.option(
            "--key",
            metavar="KEY",
            help="Such as D, Em, 'B flat' or 'A mixolydian' "
            f"({condition}default: chosen by the style).",
        ),
        click.option(
            "--tempo",
            type=float,
            metavar="N",
            help=f"Quarter notes per minute, {TEMPO_RANGE[0]:.0f} to {TEMPO_RANGE[1]:.0f}; the "
            "dotted quarter of a jig is one and a half of them "
            f"({condition}default: chosen by the style).",
        ),
    )


_OUTPUT_OPTIONS = (outputs, performed, repeats, light, json, models, soundfont, device)
_TRANSFER_OPTIONS = (
    seed,
    track,
    tune,
    click.option("--keep-bars", metavar="BARS", help="Bars that are not changed, such as 1-4,9."),
    click.option(
        "--variants",
        type=click.IntRange(1, MAX_VARIANTS),
        default=1,
        metavar="N",
        help="Number of different versions, each with the next seed (default: 1).",
    ),
    outputs,
    click.option(
        "--out-dir",
        type=click.Path(path_type=Path),
        metavar="DIR",
        help="A folder for all results, with names such as reel.0.50.mid; required for several "
        "files, strengths or variants.",
    ),
    click.option(
        "--formats",
        metavar="LIST",
        help="Formats to write there, such as mid,mp3,png (default: mid).",
    ),
    compare,
    *_OUTPUT_OPTIONS[1:],
)


def new_tune_options(function: FC) -> FC:
    """Add the options of a new tune to a command."""
    return _apply_options(_new_tune_options(), function)


def transfer_new_tune_options(function: FC) -> FC:
    """Add the same options to a command that refuses some of them for given tunes."""
    return _apply_options(_new_tune_options("new tunes only; "), function)


def output_options(function: FC) -> FC:
    """Add the options for the files of one result to a command."""
    return _apply_options(_OUTPUT_OPTIONS, function)


def transfer_options(function: FC) -> FC:
    """Add the options for given tunes and their results to a command."""
    return _apply_options(_TRANSFER_OPTIONS, function)


def _apply_options(options: tuple[Any, ...], function: FC) -> FC:
    """Add options to a command, the first one on top."""
    for option in reversed(options):  # so that the help lists them in their order
        function = option(function)
    return function
