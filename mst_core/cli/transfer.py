"""``mst transfer``: a given tune, or a new one, with a melody and a rhythm of your choice."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import click

from mst_core.cli import batch, compose, options
from mst_core.cli.batch import TargetOptions, transfer_files
from mst_core.cli.compose import run_compose

_OF_NEW_TUNES = ("bars", "key", "tempo")
_OF_GIVEN_TUNES = (
    "like",
    "pitch_like",
    "strengths",
    "pitch_strengths",
    "track",
    "keep_bars",
    "out_dir",
    "formats",
    "compare",
)
_EXAMPLE = """\b
A tune of yours with a jazz melody, its rhythm as it is; and half the way to both sides of jazz:
    mst transfer tune.mid --pitch jazz -o jazzed.mp3
    mst transfer tune.mid --pitch jazz --rhythm jazz --strength 0.5 -o half.mp3

\b
The rhythm all the way, the melody less and less like itself:
    mst transfer tune.mid --rhythm folk --pitch jazz --pitch-strength 0.3,0.6 --out-dir steps

\b
A new tune, a jazz melody that dances like a reel:
    mst transfer --pitch jazz --rhythm folk -o jazz-reel.mp3
"""


@click.command("transfer", epilog=_EXAMPLE)
@click.argument("files", nargs=-1, type=click.Path(path_type=Path), metavar="[FILE...]")
@click.option(
    "--pitch",
    metavar="STYLE",
    shell_complete=options.complete_style,
    help="The style its pitches come from.",
)
@options.pitch_like
@click.option(
    "--rhythm",
    metavar="STYLE",
    shell_complete=options.complete_style,
    help="The style its rhythm comes from.",
)
@options.like
@options.strength
@options.pitch_strength
@options.new_tune_options
@options.transfer_options
def command(
    files: tuple[Path, ...],
    pitch: str | None,
    pitch_like: Path | None,
    rhythm: str | None,
    like: Path | None,
    strengths: tuple[float, ...] | None,
    pitch_strengths: tuple[float, ...] | None,
    **wishes: Any,
) -> int:
    """Give tunes of yours another melody language, another rhythm, or both.

    With a FILE (MIDI, ABC or MusicXML) that tune is changed: its form stays, and so does the side
    that you name no style for. Without one a new tune is written, and both --pitch and --rhythm
    say of what styles.
    """
    given = {
        "like": like,
        "pitch_like": pitch_like,
        "strengths": strengths,
        "pitch_strengths": pitch_strengths,
    } | wishes
    if files:
        _refuse(given, _OF_NEW_TUNES, "is for new tunes; leave it out, or leave out the file")
        sides = TargetOptions(rhythm, like, pitch, pitch_like, strengths, pitch_strengths)
        if not any((rhythm, like, pitch, pitch_like)):
            raise click.UsageError(
                "say what the tune is to get: --pitch STYLE, --rhythm STYLE, or both"
            )
        return transfer_files(files, sides, cast(batch.TransferOptions, wishes))
    _refuse(given, _OF_GIVEN_TUNES, "is about a tune of yours; name its file")
    if pitch is None or rhythm is None:
        lacking = "--pitch" if pitch is None else "--rhythm"
        raise click.UsageError(
            f"{lacking} STYLE is missing: a new tune needs both --pitch and --rhythm; "
            "to change a tune of yours, name its file"
        )
    if wishes["variants"] > 1:
        raise click.UsageError("--variants is about a tune of yours; name its file")
    run_compose(pitch, rhythm, cast(compose.ComposeOptions, wishes))
    return 0


def _refuse(given: dict[str, Any], options_: tuple[str, ...], why: str) -> None:
    for option in options_:
        if given[option] not in (None, False):
            name = option.replace("_", "-").removesuffix("strengths") + (
                "strength" if option.endswith("strengths") else ""
            )
            raise click.UsageError(f"--{name} {why}")
