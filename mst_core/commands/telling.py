"""Tells what was made, and while it is made how far it is."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Any

import click
import msgspec

from mst_core.jobs import Progress, Receipt

_BAR = 20  # characters


def describe(receipt: Receipt) -> str:
    """Say in one line what was made."""
    if receipt.strength is None:
        styles = receipt.pitch
        if receipt.pitch != receipt.rhythm:
            styles = f"{receipt.pitch} melody in {receipt.rhythm} rhythm"
        form, change = f" ({receipt.form})", ""
    else:
        rhythm = f"{receipt.rhythm} rhythm" if receipt.rhythm else "the other tune's rhythm"
        styles = f"{rhythm}, strength {receipt.strength:.2f}"
        form, change = "", f" ({receipt.changed or 0:.0%} changed)"
    return (
        f"{styles}: {receipt.bars} bars of {receipt.meter} in {receipt.key}{form}, "
        f"{receipt.notes} notes{change}, {receipt.seconds:.0f} s, seed {receipt.seed}"
    )


def print_json(receipt: Receipt, more: Mapping[str, Any]) -> None:
    """Print the receipt and what is known besides as one object, one line."""
    answer = json.dumps(msgspec.to_builtins(receipt) | dict(more), ensure_ascii=False)
    # Bytes: JSON is UTF-8 on any terminal. What a file name has that is no text is escaped.
    click.echo(answer.encode("utf-8", "backslashreplace"))


class Gauge:
    """A bar for the eyes of a person; never written into a file."""

    def __init__(self, total: int = 1) -> None:
        self._total = total
        self._done = 0
        self._shown = ""
        self._seen = sys.stderr.isatty()

    def __call__(self, progress: Progress) -> None:
        """Show how far the present rendition is."""
        line = f"{progress.stage:<10} {progress.share:4.0%} "
        if self._total > 1:
            filled = round(_BAR * min(1.0, (self._done + progress.share) / self._total))
            bar = "█" * filled + "·" * (_BAR - filled)
            line = f"{bar} {self._done + 1} of {self._total}: {line}"
        self._show(line)

    def reach(self, renditions: int) -> None:
        """Note that so many are done, or will never be."""
        self._done = renditions

    def step(self) -> None:
        """Note that one more is done."""
        self._done += 1

    def clear(self) -> None:
        """Take the bar away, so that a line can be printed in its place."""
        self._show("")
        if self._seen:
            click.echo("\r", err=True, nl=False)

    def _show(self, line: str) -> None:
        if self._seen and line != self._shown:
            click.echo(f"\r{line:<{len(self._shown)}}", err=True, nl=False)
            self._shown = line
