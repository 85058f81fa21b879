"""What each epoch of a training brought, kept beside its checkpoints: a table and a picture.

``losses.json`` holds the losses, ``losses.svg`` draws them, one panel a network. A training that
goes on after a kill goes on in the same book.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from mst_core.training.loop import EpochResult

LOSSES_FILE = "losses.json"
PLOT_FILE = "losses.svg"

_WIDTH, _HEIGHT = 460, 300  # of one panel, pixels
_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 20, 44, 40
_LINES = {"training": "#8a8f98", "validation": "#2b6cb0"}


class LossEntry(msgspec.Struct, frozen=True):
    """One epoch of one network; losses in nats an event."""

    number: int
    training: float
    validation: float


class LossLog:
    """The losses of a style's networks, by part, as far as they were trained."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._entries: dict[str, list[LossEntry]] = {}

    def append(self, part: str, epoch: EpochResult) -> None:
        """Put down an epoch, and write the table and the picture anew.

        What stands in the table from this epoch on belongs to an older training and goes.
        """
        table = self._folder / LOSSES_FILE
        if table.exists():  # another process may train the other network
            self._entries = msgspec.json.decode(table.read_bytes(), type=dict[str, list[LossEntry]])
        earlier = [entry for entry in self._entries.get(part, ()) if entry.number < epoch.number]
        found = LossEntry(
            epoch.number, round(epoch.training_loss, 5), round(epoch.validation_loss, 5)
        )
        self._entries[part] = [*earlier, found]
        partial = table.with_suffix(".part")
        partial.write_bytes(msgspec.json.encode(self._entries, order="sorted"))
        partial.replace(table)
        (self._folder / PLOT_FILE).write_text(plot_losses(self._entries), encoding="utf-8")


def plot_losses(entries: dict[str, list[LossEntry]]) -> str:
    """Draw one panel for each network, as SVG: training grey, validation blue, its best ringed."""
    panels = [(part, some) for part, some in sorted(entries.items(), reverse=True) if some]
    width = _WIDTH * max(1, len(panels))
    drawn = "".join(
        f'<g transform="translate({_WIDTH * place} 0)">{_panel(part, some)}</g>\n'
        for place, (part, some) in enumerate(panels)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {_HEIGHT}" '
        f'width="{width}" height="{_HEIGHT}" font-family="sans-serif" font-size="12">\n'
        f'<rect width="{width}" height="{_HEIGHT}" fill="#ffffff"/>\n{drawn}</svg>\n'
    )


def _panel(part: str, entries: Sequence[LossEntry]) -> str:
    losses = [loss for entry in entries for loss in (entry.training, entry.validation)]
    low, high = min(losses), max(losses)
    room = max(high - low, 0.01) * 0.08
    low, high = low - room, high + room
    first, last = entries[0].number, max(entries[-1].number, entries[0].number + 1)

    def x(number: float) -> float:
        return _LEFT + (number - first) / (last - first) * (_WIDTH - _LEFT - _RIGHT)

    def y(loss: float) -> float:
        return _TOP + (high - loss) / (high - low) * (_HEIGHT - _TOP - _BOTTOM)

    best = min(entries, key=lambda entry: entry.validation)
    signs = [f'<text x="{_LEFT}" y="18" font-size="14">{part}: nats an event by epoch</text>']
    for place, (name, colour) in enumerate(_LINES.items()):
        signs.append(f'<text x="{_LEFT + 90 * place}" y="36" fill="{colour}">{name}</text>')
    for step in range(5):
        loss = low + (high - low) * step / 4
        signs.append(
            f'<line x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y(loss):.1f}" y2="{y(loss):.1f}" '
            f'stroke="#e2e5ea"/><text x="{_LEFT - 6}" y="{y(loss) + 4:.1f}" '
            f'text-anchor="end">{loss:.2f}</text>'
        )
    for number in range(first, last + 1, max(1, (last - first + 4) // 8)):
        signs.append(
            f'<text x="{x(number):.1f}" y="{_HEIGHT - _BOTTOM + 18}" '
            f'text-anchor="middle">{number}</text>'
        )
    for name, colour in _LINES.items():
        points = " ".join(f"{x(e.number):.1f},{y(getattr(e, name)):.1f}" for e in entries)
        signs.append(
            f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>'
        )
    signs.append(
        f'<circle cx="{x(best.number):.1f}" cy="{y(best.validation):.1f}" r="5" fill="none" '
        f'stroke="#c05621" stroke-width="2"/>'
        f'<text x="{min(x(best.number), _WIDTH - 70):.1f}" y="{y(best.validation) - 10:.1f}" '
        f'text-anchor="middle" fill="#c05621">best {best.validation:.3f}</text>'
    )
    return "".join(signs)
