"""``mst train``: a style of one's own, from a corpus."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mst_core.commands import options
from mst_core.errors import BadOption

if TYPE_CHECKING:
    from collections.abc import Callable

    from mst_core.networks.school import Part
    from mst_core.networks.training import Epoch

_EXAMPLE = """\b
Folk once more, from the tunes that the music21 package ships:
    mst corpus folk -o folk.jsonl
    mst train folk folk.jsonl
"""


@click.command("train", epilog=_EXAMPLE)
@click.argument("style", shell_complete=options.complete_style)
@click.argument(
    "corpus",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    nargs=-1,
    required=True,
)
@click.option("--epochs", type=click.IntRange(1, 1000), default=24, show_default=True,
              help="How often the networks see every tune, at the most.")  # fmt: skip
@click.option("--hidden", type=click.IntRange(8, 2048), default=320, show_default=True,
              help="Size of the LSTMs.")  # fmt: skip
@click.option("--embedding", type=click.IntRange(8, 2048), default=256, show_default=True,
              help="Size of the embeddings.")  # fmt: skip
@click.option("--dropout", type=click.FloatRange(0, 0.9), default=0.3, show_default=True,
              help="More for a small corpus.")  # fmt: skip
@click.option(
    "--seed", type=int, default=1, show_default=True, help="The same seed, the same pair."
)
@click.option("--only", type=click.Choice(["pitch", "duration"]),
              help="Train one of the two networks; a call without this then writes the style. "
                   "So two processes share the work.")  # fmt: skip
@click.option("--runs", type=click.Path(path_type=Path), default=Path("runs"), show_default=True,
              help="Where checkpoints lie. A killed training goes on from there.")  # fmt: skip
@click.option("--threads", type=click.IntRange(1, 256), default=1, show_default=True,
              help="Processor threads of each training.")  # fmt: skip
@options.device
@options.models
def command(
    style: str,
    corpus: tuple[Path, ...],
    epochs: int,
    hidden: int,
    embedding: int,
    dropout: float,
    seed: int,
    only: Part | None,
    runs: Path,
    threads: int,
    device: str,
    models: Path,
) -> None:
    """Train the two networks of STYLE on a corpus.

    They are written into the folder models/STYLE. A corpus has one tune a line, as JSON. The style
    is in the choices of `mst` at once and in those of the bot after a restart.
    """
    if not style.replace("-", "").replace("_", "").isalnum() or not style.isascii():
        raise BadOption("style", style, "use letters, digits, - and _")

    from mst_core.networks import school
    from mst_core.networks.corpus import read_tunes
    from mst_core.networks.pair import Shape
    from mst_core.networks.style import choose_device
    from mst_core.networks.training import Course, use_threads

    use_threads(threads)
    tunes = list(read_tunes(corpus))
    if len(tunes) < school.FEWEST_TUNES:
        raise BadOption("corpus", len(tunes), f"it needs at least {school.FEWEST_TUNES} tunes")
    result = school.teach(
        style,
        tunes,
        models,
        runs,
        course=Course(epochs=epochs, seed=seed),
        sizes=Shape(features=(), vocabulary=0, embedding=embedding, hidden=hidden, dropout=dropout),
        device=choose_device(device),
        parts=school.PARTS if only is None else (only,),
        tell=_progress(epochs),
    )
    if result is None:
        click.echo(f"The {only} network of {style} is trained; its weights lie in {runs / style}.")
        return
    click.echo(
        f"{style}: trained on {len(result.split.training)} tunes; on {len(result.split.test)} "
        f"others {result.losses.pitch:.3f} nats a pitch, {result.losses.duration:.3f} a duration. "
        f"Written to {models / style}."
    )


def _progress(epochs: int) -> Callable[[Part, Epoch], None]:
    """A bar on a terminal, a line an epoch elsewhere."""
    alive = sys.stderr.isatty()

    def tell(part: Part, epoch: Epoch) -> None:
        share = epoch.number / epochs
        figures = (
            f"{part:<8} epoch {epoch.number:>3} of {epochs}: training {epoch.training:.3f}, "
            f"validation {epoch.validation:.3f} (best {epoch.best:.3f}) nats, "
            f"{epoch.events_a_second:,.0f} notes a second"
        )
        if alive:
            bar = "█" * round(20 * share)
            click.echo(f"\r{bar:<20} {figures} ", err=True, nl=epoch.number == epochs)
        else:
            click.echo(figures, err=True)

    return tell
