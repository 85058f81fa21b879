"""``mst train``: train a style of your own from a corpus."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

import click

from mst_core.cli import options
from mst_core.cli.output import progress_bar
from mst_core.errors import BadOption

if TYPE_CHECKING:
    from mst_core.training.loop import EpochResult, NetworkName, Precision

_EXAMPLE = """\b
Folk again, from the tunes that the music21 package ships:
    mst corpus folk -o folk.jsonl
    mst train folk folk.jsonl
A style of your own from a folder of tunes; with fewer than a few hundred, start from folk:
    mst corpus import ~/tunes -o mine.jsonl
    mst train mine mine.jsonl --init-from folk
"""


class OptionWithOldName(click.Option):
    """An option whose help lists only its first name; the names of version 0.1 still work."""

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        """Return the names and the help text.

        Args:
            ctx: the context of the running program.
        """
        record = super().get_help_record(ctx)
        if record is None:
            return None
        names, text = record
        return names.replace(", ".join(self.opts), self.opts[0]), text


@click.command("train", epilog=_EXAMPLE)
@click.argument("style", shell_complete=options.complete_style)
@click.argument(
    "corpus",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    nargs=-1,
    required=True,
)
@click.option(
    "--init-from",
    "--from",
    "init_from",
    cls=OptionWithOldName,
    metavar="STYLE",
    shell_complete=options.complete_style,
    help="Start from the weights of this style, with its sizes. Then 20 tunes are enough; "
    "docs/corpus.md has figures.",
)
@click.option(
    "--pretrain-on",
    multiple=True,
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Train on these tunes first, together with the corpus: another reading of it, or a "
    "related style. Variants of tunes for validation and test are left out. May be given several "
    "times.",
)
@click.option(
    "--pretrain-epochs",
    type=click.IntRange(1, 1000),
    default=4,
    help="Passes over --pretrain-on and the corpus, at most (default: 4).",
)
@click.option(
    "--epochs",
    type=click.IntRange(1, 1000),
    default=13,
    help="Passes over the corpus, at most (default: 13); training stops after 5 epochs without a "
    "lower validation loss.",
)
@click.option(
    "--steps",
    type=click.IntRange(1, 10_000),
    default=40,
    help="Steps of an epoch, at least (default: 40): a small corpus learns more in the same time "
    "from more steps of fewer notes.",
)
@click.option(
    "--hidden",
    type=click.IntRange(8, 2048),
    help="Units of the LSTMs (default: as the shipped styles); fewer for a small corpus.",
)
@click.option(
    "--embedding",
    type=click.IntRange(8, 2048),
    help="Size of the embeddings (default: as the shipped styles).",
)
@click.option(
    "--dropout",
    type=click.FloatRange(0, 0.9),
    help="Dropout probability (default: as the shipped styles); higher for a small corpus.",
)
@click.option(
    "--seed",
    type=int,
    default=1,
    help="The same seed and device give the same weights (default: 1).",
)
@click.option(
    "--network",
    "--only",
    "network",
    cls=OptionWithOldName,
    type=click.Choice(["pitch", "duration"]),
    help="Train one of the two networks, so that two processes can share the work; a last call "
    "without this option writes the style.",
)
@click.option(
    "--checkpoint-dir",
    "--runs",
    "checkpoint_dir",
    cls=OptionWithOldName,
    type=click.Path(path_type=Path),
    default=Path("runs"),
    help="Where checkpoints and losses are written (default: runs). An interrupted training goes "
    "on from there.",
)
@click.option(
    "--threads",
    type=click.IntRange(1, 256),
    default=1,
    help="Processor threads (default: 1).",
)
@click.option(
    "--precision",
    type=click.Choice(["auto", "float32", "bfloat16", "float16"]),
    default="auto",
    help="Number format of the computation (default: auto); auto is bfloat16 on a GPU and on a "
    "processor with instructions for it, else float32.",
)
@options.device
@options.models
def command(
    style: str,
    corpus: tuple[Path, ...],
    init_from: str | None,
    pretrain_on: tuple[Path, ...],
    pretrain_epochs: int,
    epochs: int,
    steps: int,
    hidden: int | None,
    embedding: int | None,
    dropout: float | None,
    seed: int,
    network: NetworkName | None,
    checkpoint_dir: Path,
    threads: int,
    precision: Literal["auto", "float32", "bfloat16", "float16"],
    device: str,
    models: Path,
) -> None:
    """Train the two networks of STYLE on a corpus.

    The folder models/STYLE is written: networks, statistics and a card. `mst` offers the style at
    once, the bot after a restart. A corpus has one tune a line, as `mst corpus` writes them. One
    tune in twenty, with its variants, is for validation and decides when to stop; another one in
    twenty is for the test. An interrupted training goes on from its checkpoint, with the same
    result. The losses are plotted in the folder of --checkpoint-dir.
    """
    if not style.replace("-", "").replace("_", "").isalnum() or not style.isascii():
        raise BadOption("style", style, "use letters, digits, - and _")

    if init_from and (hidden or embedding):
        raise BadOption("--init-from", init_from, "with it the sizes are those of that style")

    import msgspec

    from mst_core.corpora.tunes import read_tunes
    from mst_core.networks.model import ModelConfig, StyleModel
    from mst_core.networks.style import pick_device
    from mst_core.styles import check_style_folders, load_style_cards, require_style
    from mst_core.training import train_style
    from mst_core.training.loop import TrainConfig, set_threads
    from mst_core.training.loss_log import PLOT_FILE, log_epoch

    set_threads(threads)
    torch_device = pick_device(device)
    model_config = ModelConfig()
    if init_from:
        check_style_folders(models, [init_from])
        require_style(init_from, load_style_cards(models))
        model_config = StyleModel.load(models / init_from, torch_device).pitch_net.config
    sizes = {"hidden": hidden, "embedding": embedding, "dropout": dropout}
    model_config = msgspec.structs.replace(
        model_config,
        feature_sizes=(),
        vocabulary_size=0,
        **{name: size for name, size in sizes.items() if size is not None},
    )
    tunes, pretraining_tunes = list(read_tunes(corpus)), list(read_tunes(pretrain_on))
    pretraining_epochs = pretrain_epochs if pretrain_on else 0
    min_tunes = TrainConfig().min_tunes
    if len(tunes) < min_tunes:
        raise BadOption(
            "corpus",
            " ".join(map(str, corpus)),
            f"the corpus has {len(tunes)} tunes; training needs at least {min_tunes}",
        )
    with progress_bar() as show:

        def on_epoch(network: NetworkName, epoch: EpochResult) -> None:
            _show_epoch(show, pretraining_epochs + epochs, network, epoch)
            log_epoch(checkpoint_dir / style, network, epoch)

        result = train_style.train_style(
            style,
            tunes,
            models,
            checkpoint_dir,
            config=TrainConfig(
                epochs=epochs,
                min_steps=steps,
                seed=seed,
                precision=_precision(precision, torch_device.type),
            ),
            model_config=model_config,
            device=torch_device,
            networks=(network,) if network else train_style.NETWORKS,
            init_from=models / init_from if init_from else None,
            pretraining_tunes=pretraining_tunes,
            pretraining_epochs=pretraining_epochs,
            on_epoch=on_epoch,
        )
    if result is None:
        click.echo(
            f"The {network} network of {style} is trained; its weights are in "
            f"{checkpoint_dir / style}."
        )
        return
    split, losses = result
    click.echo(
        f"{style}: trained on {len(split.training)} tunes. Test loss on "
        f"{len(split.test)} others: {losses.pitch:.3f} nats a pitch, "
        f"{losses.duration:.3f} a duration. Written to {models / style}; the losses are "
        f"plotted in {checkpoint_dir / style / PLOT_FILE}."
    )


def _precision(name: str, device: str) -> Precision:
    """Resolve ``auto`` to the fastest number format of the device."""
    if name != "auto":
        return cast("Precision", name)
    from mst_core.training.loop import default_precision

    return default_precision(device)


def _show_epoch(
    show: Callable[[str, float], None], epochs: int, network: NetworkName, epoch: EpochResult
) -> None:
    """Move the bar on a terminal, and print a line for each epoch elsewhere."""
    figures = (
        f"{network:<8} epoch {epoch.number:>3} of {epochs}: "
        f"training {epoch.training_loss:.3f}, validation {epoch.validation_loss:.3f} "
        f"(best {epoch.best_loss:.3f}) nats, {epoch.events_per_second:,.0f} notes a second"
    )
    if sys.stderr.isatty():
        show(figures, epoch.number / epochs)
    else:
        click.echo(figures, err=True)
