"""The options that several verbs share. The only place of the core that hears the environment."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click
from click.shell_completion import CompletionItem

from mst_core.jobs import BARS_RANGE, TEMPO_RANGE
from mst_core.styles import find_styles

MODELS = Path(__file__).parents[2] / "models"
"""Where the styles of a checkout are."""

Function = TypeVar("Function", bound=Callable[..., Any])

models = click.option(
    "--models",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=MODELS,
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
    context: click.Context, parameter: click.Parameter, begun: str
) -> list[CompletionItem]:
    """Complete the name of a style as far as it is typed."""
    folder = context.params.get("models") or MODELS
    styles = find_styles(Path(folder))
    return [
        CompletionItem(name, help=card.title)
        for name, card in styles.items()
        if name.startswith(begun)
    ]


_TUNE = (
    click.option(
        "--bars",
        type=int,
        default=16,
        metavar="N",
        show_default=True,
        help=f"How many bars, {BARS_RANGE[0]} to {BARS_RANGE[1]}.",
    ),
    click.option("--meter", metavar="METER", help="Such as 6/8; `mst styles` tells which."),
    click.option("--key", metavar="KEY", help="Such as D, Em, 'F# minor' or 'A mixolydian'."),
    click.option(
        "--tempo",
        type=float,
        metavar="N",
        help=f"Quarter notes a minute, {TEMPO_RANGE[0]:.0f} to {TEMPO_RANGE[1]:.0f}.",
    ),
    seed,
    outputs,
    performed,
    json,
    models,
    soundfont,
    device,
)


def tune(function: Function) -> Function:
    """Give a verb the options of every tune, in the order of its help."""
    for option in reversed(_TUNE):
        function = option(function)
    return function
