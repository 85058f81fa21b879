"""A style ready to use: its card, its habits and its pair of networks."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch

from mst_core.networks.habits import Habits
from mst_core.networks.pair import StylePair
from mst_core.styles import StyleCard, find_styles, read_card


@dataclass(frozen=True, slots=True)
class Style:
    """One folder below ``models``, loaded."""

    name: str
    card: StyleCard
    habits: Habits
    pair: StylePair

    @classmethod
    def load(cls, folder: Path, device: torch.device) -> Style:
        """Read a style folder. Raises BrokenStyle when something in it is missing or damaged."""
        return cls(
            folder.name,
            read_card(folder),
            Habits.load(folder),
            StylePair.load(folder, device),
        )


def load_styles(models: Path, device: torch.device) -> dict[str, Style]:
    """Load every style below ``models``, by name."""
    return {name: Style.load(models / name, device) for name in find_styles(models)}


def choose_device(name: str) -> torch.device:
    """Turn ``auto``, ``cpu`` or ``cuda`` into a device; ``auto`` takes a GPU when there is one."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return torch.device(name)
