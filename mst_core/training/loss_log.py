"""The losses of each epoch, written beside the checkpoints as a table and a picture.

``losses.json`` holds the losses by network, ``losses.svg`` plots them, one panel a network. A
training that goes on from a checkpoint goes on in the same files.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from mst_core.training.loop import EpochResult

LOSSES_FILE = "losses.json"
PLOT_FILE = "losses.svg"


class LossEntry(msgspec.Struct, frozen=True):
    """Losses of one epoch of one network, in nats an event."""

    number: int
    """Of the epoch, from 1."""
    training: float
    validation: float


def log_epoch(folder: Path, network: str, epoch: EpochResult) -> None:
    """Add an epoch to the table in a checkpoint folder, and plot the table again.

    Later epochs of the network in the table are dropped: they belong to an older training.

    Args:
        folder: where both files are.
        network: ``pitch`` or ``duration``.
        epoch: its losses.
    """
    table = folder / LOSSES_FILE
    # Read anew each time, because another process may train the other network.
    content = table.read_bytes() if table.exists() else b"{}"
    entries = msgspec.json.decode(content, type=dict[str, list[LossEntry]])
    earlier = [entry for entry in entries.get(network, ()) if entry.number < epoch.number]
    losses = round(epoch.training_loss, 5), round(epoch.validation_loss, 5)
    entries[network] = [*earlier, LossEntry(epoch.number, *losses)]
    partial = table.with_suffix(".part")
    partial.write_bytes(msgspec.json.encode(entries, order="sorted"))
    partial.replace(table)
    plot_losses(entries, folder / PLOT_FILE)


def plot_losses(entries: Mapping[str, Sequence[LossEntry]], path: Path) -> None:
    """Plot one panel for each network into an SVG file: training, validation, its lowest marked.

    Args:
        entries: the epochs of each network by its name, at least one each.
        path: the SVG file to write.
    """
    # A picture is drawn once an epoch; the library takes a second to import.
    import matplotlib as mpl
    from matplotlib.figure import Figure

    panels = sorted(entries.items(), reverse=True)
    figure = Figure(figsize=(4.6 * len(panels), 3.2), layout="constrained")
    for axes, (network, some) in zip(
        figure.subplots(1, len(panels), squeeze=False)[0], panels, strict=True
    ):
        numbers = [entry.number for entry in some]
        best = min(some, key=lambda entry: entry.validation)
        axes.plot(numbers, [entry.training for entry in some], "grey", label="training")
        axes.plot(numbers, [entry.validation for entry in some], "C0", label="validation")
        axes.plot(best.number, best.validation, "C1o", label=f"best {best.validation:.3f}")
        axes.set(title=network, xlabel="epoch", ylabel="nats an event")
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.legend()
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "losses"}):
        figure.savefig(path, metadata={"Date": None})
