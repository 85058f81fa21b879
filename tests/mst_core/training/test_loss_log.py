"""The table and the plot of losses that a training writes."""

from __future__ import annotations

import json
from pathlib import Path

from mst_core.training.loop import EpochResult
from mst_core.training.loss_log import LossEntry, log_epoch, plot_losses


def test_a_resumed_training_replaces_later_epochs_in_the_table(tmp_path: Path) -> None:
    for number, loss in ((1, 2.0), (2, 1.5), (3, 1.2), (2, 1.4)):
        log_epoch(tmp_path, "pitch", EpochResult(number, loss, loss + 0.1, loss + 0.1, 1000.0))
    log_epoch(tmp_path, "duration", EpochResult(1, 0.5, 0.6, 0.6, 1000.0))
    assert json.loads((tmp_path / "losses.json").read_text()) == {
        "duration": [{"number": 1, "training": 0.5, "validation": 0.6}],
        "pitch": [
            {"number": 1, "training": 2.0, "validation": 2.1},
            {"number": 2, "training": 1.4, "validation": 1.5},
        ],
    }


def test_a_plot_is_the_same_every_time(tmp_path: Path) -> None:
    entries = {"pitch": [LossEntry(1, 2.0, 2.1), LossEntry(2, 1.5, 1.8)]}
    plot_losses(entries, tmp_path / "one.svg")
    plot_losses(entries, tmp_path / "two.svg")
    assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "two.svg").read_bytes()
    assert "best 1.800" in (tmp_path / "one.svg").read_text()
