"""A style ready to use: its card, its habits and its pair of networks."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

import torch

from mst_core.errors import BadOption, BrokenStyle
from mst_core.networks.model import StyleModel
from mst_core.statistics.fingerprints import Fingerprints
from mst_core.statistics.reference_profiles import ReferenceProfiles
from mst_core.statistics.style_statistics import StyleStatistics
from mst_core.styles import StyleCard, load_style_card, load_style_cards

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Style:
    """One folder below ``models``, loaded."""

    name: str
    card: StyleCard
    statistics: StyleStatistics
    model: StyleModel
    fingerprints: Fingerprints | None = None
    """What tells copies of its tunes; None in a folder of an older training."""
    reference_profiles: ReferenceProfiles | None = None

    @classmethod
    def load(cls, folder: Path, device: torch.device) -> Style:
        """Read a style folder. Raises BrokenStyle when something in it is missing or damaged."""
        card, habits = load_style_card(folder), StyleStatistics.load(folder)
        missing = card.meters.keys() - habits.meters.keys()
        if missing:
            known = ", ".join(habits.meters)
            raise BrokenStyle(
                folder.name, f"its card has {', '.join(sorted(missing))}, its habits only {known}"
            )
        return cls(
            folder.name,
            card,
            habits,
            StyleModel.load(folder, device),
            Fingerprints.load(folder),
            ReferenceProfiles.load(folder),
        )


def load_styles(models: Path, device: torch.device) -> dict[str, Style]:
    """Load every style below ``models``, by name; a broken one is logged and left out."""
    styles: dict[str, Style] = {}
    for name in load_style_cards(models):
        try:
            styles[name] = Style.load(models / name, device)
        except BrokenStyle as error:
            log.warning("%s", error)
    return styles


def use_one_thread() -> None:
    """Let networks step in one processor thread, as small LSTMs are fastest and always the same."""
    torch.set_num_threads(1)


def pick_device(name: str) -> torch.device:
    """Turn ``auto``, ``cpu`` or ``cuda`` into a device; ``auto`` takes a GPU when there is one."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if name == "cuda" and not torch.cuda.is_available():
        raise BadOption("device", name, "torch finds no GPU here; choose auto or cpu")
    return torch.device(name)
