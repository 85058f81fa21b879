"""``mst train``: a style of one's own, from a corpus."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

import click

from mst_core.cli import options
from mst_core.errors import BadOption

if TYPE_CHECKING:
    from collections.abc import Callable

    from mst_core.training.loop import EpochResult, Precision
    from mst_core.training.train_style import NetworkName

_EXAMPLE = """\b
Folk once more, from the tunes that the music21 package ships:
    mst corpus folk -o folk.jsonl
    mst train folk folk.jsonl
A style of your own, from a folder of tunes; with fewer than a few hundred let it go on from folk:
    mst corpus import ~/tunes -o mine.jsonl
    mst train mine mine.jsonl --from folk
"""


@click.command("train", epilog=_EXAMPLE)
@click.argument("style", shell_complete=options.complete_style)
@click.argument(
    "corpus",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    nargs=-1,
    required=True,
)
@click.option(
    "--from",
    "base",
    metavar="STYLE",
    shell_complete=options.complete_style,
    help="Go on from what this style has learned, with its sizes. For a small corpus: 20 "
    "tunes are enough then. docs/corpus.md has figures.",
)
@click.option(
    "--epochs",
    type=click.IntRange(1, 1000),
    default=13,
    show_default=True,
    help="How often the networks see every tune, at the most; training stops when a "
    "validation part is not foretold better for five times.",
)
@click.option(
    "--hidden",
    type=click.IntRange(8, 2048),
    help="Size of the LSTMs, else that of the shipped styles; less for a small corpus.",
)
@click.option("--embedding", type=click.IntRange(8, 2048), help="Size of the embeddings, likewise.")
@click.option(
    "--dropout",
    type=click.FloatRange(0, 0.9),
    help="Share that is left out at each step, likewise; more for a small corpus.",
)
@click.option(
    "--seed", type=int, default=1, show_default=True, help="The same seed, the same pair."
)
@click.option(
    "--only",
    type=click.Choice(["pitch", "duration"]),
    help="Train one of the two networks; a call without this then writes the style. "
    "So two processes share the work.",
)
@click.option(
    "--runs",
    type=click.Path(path_type=Path),
    default=Path("runs"),
    show_default=True,
    help="Where checkpoints lie. A killed training goes on from there.",
)
@click.option(
    "--threads",
    type=click.IntRange(1, 256),
    default=1,
    show_default=True,
    help="Processor threads of each training.",
)
@click.option(
    "--precision",
    type=click.Choice(["auto", "float32", "bfloat16", "float16"]),
    default="auto",
    show_default=True,
    help="What is computed in; auto is mixed precision on a GPU and on a processor with "
    "instructions for it, else float32.",
)
@options.device
@options.models
def command(
    style: str,
    corpus: tuple[Path, ...],
    base: str | None,
    epochs: int,
    hidden: int | None,
    embedding: int | None,
    dropout: float | None,
    seed: int,
    only: NetworkName | None,
    runs: Path,
    threads: int,
    precision: Literal["auto", "float32", "bfloat16", "float16"],
    device: str,
    models: Path,
) -> None:
    """Train the two networks of STYLE on a corpus.

    They are written into the folder models/STYLE with a card of what they are, and the style is in
    the choices of `mst` at once and in those of the bot after a restart. A corpus has one tune a
    line, as `mst corpus` writes them. One tune in twenty, with its variants, decides when to stop,
    and another one in twenty measures the result. A killed training goes on where it was, with the
    same result. The losses are drawn in the folder of --runs.
    """
    if not style.replace("-", "").replace("_", "").isalnum() or not style.isascii():
        raise BadOption("style", style, "use letters, digits, - and _")

    if base and (hidden or embedding):
        raise BadOption("--from", base, "with it the sizes are those of that style")

    import msgspec

    from mst_core.corpora.tunes import read_tunes
    from mst_core.networks.model import ModelConfig, StyleModel
    from mst_core.networks.style import pick_device
    from mst_core.styles import check_style_folders, load_style_cards, require_style
    from mst_core.training import train_style
    from mst_core.training.loop import TrainConfig, set_threads
    from mst_core.training.loss_log import LossLog

    set_threads(threads)
    place = pick_device(device)
    sizes = ModelConfig(feature_sizes=(), vocabulary_size=0)
    course = TrainConfig(
        epochs=epochs, seed=seed, precision=_choose_precision(precision, place.type)
    )
    if base:
        check_style_folders(models, [base])
        require_style(base, load_style_cards(models))
        sizes = StyleModel.load(models / base, place).pitch_net.config
    given = {"hidden": hidden, "embedding": embedding, "dropout": dropout}
    sizes = msgspec.structs.replace(
        sizes,
        feature_sizes=(),
        vocabulary_size=0,
        **{k: v for k, v in given.items() if v is not None},
    )
    tunes = list(read_tunes(corpus))
    if len(tunes) < train_style.MIN_TUNES:
        raise BadOption("corpus", len(tunes), f"it needs at least {train_style.MIN_TUNES} tunes")
    book, progress = LossLog(runs / style), _progress(epochs)

    def tell(part: NetworkName, epoch: EpochResult) -> None:
        progress(part, epoch)
        book.append(part, epoch)

    result = train_style.train_style(
        style,
        tunes,
        models,
        runs,
        config=course,
        model_config=sizes,
        device=place,
        networks=train_style.NETWORKS if only is None else (only,),
        init_from=models / base if base else None,
        on_epoch=tell,
    )
    if result is None:
        click.echo(f"The {only} network of {style} is trained; its weights lie in {runs / style}.")
        return
    click.echo(
        f"{style}: trained on {len(result.split.training)} tunes; on {len(result.split.test)} "
        f"others {result.losses.pitch:.3f} nats a pitch, {result.losses.duration:.3f} a duration. "
        f"Written to {models / style}; the losses are drawn in {runs / style / 'losses.svg'}."
    )


def _choose_precision(name: str, device: str) -> Precision:
    """Mixed precision where the hardware is made for it, if nothing else is asked."""
    if name != "auto":
        return cast("Precision", name)
    from mst_core.training.loop import default_precision

    return default_precision(device)


def _progress(epochs: int) -> Callable[[NetworkName, EpochResult], None]:
    """A bar on a terminal, a line an epoch elsewhere."""
    alive = sys.stderr.isatty()

    def tell(part: NetworkName, epoch: EpochResult) -> None:
        share = epoch.number / epochs
        figures = (
            f"{part:<8} epoch {epoch.number:>3} of {epochs}: training {epoch.training_loss:.3f}, "
            f"validation {epoch.validation_loss:.3f} (best {epoch.best_loss:.3f}) nats, "
            f"{epoch.events_per_second:,.0f} notes a second"
        )
        if alive:
            bar = "█" * round(20 * share)
            click.echo(f"\r{bar:<20} {figures} ", err=True, nl=epoch.number == epochs)
        else:
            click.echo(figures, err=True)

    return tell
