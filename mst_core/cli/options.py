"""The options that several verbs share. The only place of the core that hears the environment."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypedDict, TypeVar

import click
from click.shell_completion import CompletionItem

from mst_core.errors import BadOption
from mst_core.jobs import BARS_RANGE, TEMPO_RANGE
from mst_core.styles import default_models_dir, load_style_cards

MAX_VARIANTS = 99

Function = TypeVar("Function", bound=Callable[..., Any])

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
    help="The instruments, a .sf2 file; else the one of the system. [environment: MST_SOUNDFONT]",
)
device = click.option(
    "--device",
    type=click.Choice(["auto", "cpu", "cuda"]),
    default="auto",
    envvar="MST_DEVICE",
    help="Where the networks run. [environment: MST_DEVICE]",
)
json = click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead.")
seed = click.option(
    "--seed",
    type=int,
    metavar="N",
    help="The same seed gives the same tune; else one is drawn.",
)
outputs = click.option(
    "-o",
    "--output",
    "outputs",
    type=click.Path(path_type=Path),
    multiple=True,
    metavar="FILE",
    help="Where to write; the ending picks the format (.mp3 .ogg .wav .mid .musicxml .abc .png "
    ".svg). May be given several times. Without it the tune is printed as ABC.",
)
performed = click.option(
    "--performed",
    is_flag=True,
    help="Write MIDI files as they are played, with swing and feel, not as the score.",
)


def complete_style(
    context: click.Context, parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Complete the name of a style as far as it is typed."""
    folder = context.params.get("models") or default_models_dir()
    styles = load_style_cards(Path(folder))
    return [
        CompletionItem(name, help=card.title)
        for name, card in styles.items()
        if name.casefold().startswith(incomplete.casefold())
    ]


class _StrengthList(click.ParamType[tuple[float, ...]]):
    """One number or several with commas between them."""

    name = "strength"

    def convert(self, value: Any, param: Any, ctx: Any) -> tuple[float, ...]:
        try:
            return tuple(float(part) for part in str(value).split(","))
        except ValueError as error:
            raise BadOption("strength", value, "write it as 0.5, or several as 0,0.5,1") from error


def _like_option(option: str, side: str) -> Callable[[Function], Function]:
    return click.option(
        option,
        type=click.Path(path_type=Path),
        metavar="OTHER_FILE",
        help=f"One tune that its {side} comes from, instead of a style.",
    )


like = _like_option("--like", "rhythm")
pitch_like = _like_option("--pitch-like", "melody language")
strength = click.option(
    "--strength",
    "strengths",
    type=_StrengthList(),
    metavar="N[,N...]",
    help="How far it changes: 0 is the tune as it is, 1 (usual) the whole way. Several numbers "
    "give several versions.",
)
pitch_strength = click.option(
    "--pitch-strength",
    "pitch_strengths",
    type=_StrengthList(),
    metavar="N[,N...]",
    help="How far the pitches change, where it is not as far as the rhythm.",
)
meter = click.option("--meter", metavar="METER", help="Such as 6/8; `mst styles` tells which.")
track = click.option(
    "--track",
    type=int,
    metavar="N",
    help="The track or part with the melody, where it is not found.",
)
compare = click.option(
    "--compare", is_flag=True, help="Let the pictures show the tune before and after."
)


class CommonOptions(TypedDict):
    """What `output_options` gives to a verb, as click hands it over."""

    outputs: tuple[Path, ...]
    performed: bool
    as_json: bool
    models: Path
    soundfont: Path | None
    device: str


_NEW_TUNE_OPTIONS = (
    click.option(
        "--bars",
        type=int,
        metavar="N",
        help=f"How many bars, {BARS_RANGE[0]} to {BARS_RANGE[1]}; else 16.",
    ),
    meter,
    click.option("--key", metavar="KEY", help="Such as D, Em, 'B flat' or 'A mixolydian'."),
    click.option(
        "--tempo",
        type=float,
        metavar="N",
        help=f"Quarter notes a minute, {TEMPO_RANGE[0]:.0f} to {TEMPO_RANGE[1]:.0f}; a dotted "
        "quarter of a jig is one and a half of them.",
    ),
)
_OUTPUT_OPTIONS = (outputs, performed, json, models, soundfont, device)
_TRANSFER_OPTIONS = (
    seed,
    track,
    click.option("--keep-bars", metavar="BARS", help="Bars to leave alone, such as 1-4,9."),
    click.option(
        "--variants",
        type=click.IntRange(1, MAX_VARIANTS),
        default=1,
        metavar="N",
        help="Make so many different ones, each with the next seed.",
    ),
    outputs,
    click.option(
        "--out-dir",
        type=click.Path(path_type=Path),
        metavar="DIR",
        help="A folder for everything that is made, named as reel.0.50.mid; needed for several "
        "files, strengths or variants.",
    ),
    click.option(
        "--formats", metavar="LIST", help="What to write there, such as mid,mp3,png; else mid."
    ),
    compare,
    *_OUTPUT_OPTIONS[1:],
)


def new_tune_options(function: Function) -> Function:
    """Give a verb what can be asked of a new tune."""
    return _apply_options(_NEW_TUNE_OPTIONS, function)


def output_options(function: Function) -> Function:
    """Give a verb what can be asked of one tune that is written."""
    return _apply_options(_OUTPUT_OPTIONS, function)


def transfer_options(function: Function) -> Function:
    """Give a verb what can be asked of tunes that are changed and written."""
    return _apply_options(_TRANSFER_OPTIONS, function)


def _apply_options(options: tuple[Any, ...], function: Function) -> Function:
    for option in reversed(options):  # so they stand in their order in the help
        function = option(function)
    return function
