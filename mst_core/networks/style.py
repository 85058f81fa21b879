"""A style ready to use: its card, statistics and networks, loaded from its folder."""

from __future__ import annotations

import logging
from collections.abc import Callable
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
    """The contents of one style folder."""

    name: str
    card: StyleCard
    statistics: StyleStatistics
    model: StyleModel
    fingerprints: Fingerprints | None = None
    """Of its training tunes, to find copies; None when the folder has none."""
    reference_profiles: ReferenceProfiles | None = None
    """Of its training tunes; None when the folder has none."""

    @classmethod
    def load(cls, folder: Path, device: torch.device) -> Style:
        """Read a style folder.

        Args:
            folder: its name is the style's name.
            device: where the networks go.

        Raises:
            BrokenStyle: when a file is missing or damaged, or the card has a meter that the
                statistics lack.
        """
        card, statistics = load_style_card(folder), StyleStatistics.load(folder)
        missing = card.meters.keys() - statistics.meters.keys()
        if missing:
            known = ", ".join(statistics.meters)
            raise BrokenStyle(
                folder.name,
                f"its card has {', '.join(sorted(missing))}, its statistics only {known}",
            )
        return cls(
            folder.name,
            card,
            statistics,
            StyleModel.load(folder, device),
            Fingerprints.load(folder),
            ReferenceProfiles.load(folder),
        )


def load_styles(
    models: Path, device: torch.device, on_stage: Callable[[str], None] = lambda stage: None
) -> dict[str, Style]:
    """Load every style of a folder, by name; a broken one is logged and left out.

    Args:
        models: folder with one folder for each style.
        device: where the networks go.
        on_stage: receives a few words when it begins with a style.
    """
    styles: dict[str, Style] = {}
    for name in load_style_cards(models):
        on_stage(f"the style {name}")
        try:
            styles[name] = Style.load(models / name, device)
        except BrokenStyle as error:
            log.warning("%s", error)
    return styles


def use_one_thread() -> None:
    """Let torch use one processor thread: fastest for small LSTMs, and always the same result."""
    torch.set_num_threads(1)


def pick_device(name: str) -> torch.device:
    """Return the torch device of a name.

    Args:
        name: ``auto`` (a GPU when there is one), ``cpu`` or ``cuda``.

    Raises:
        BadOption: when CUDA is requested and torch finds no GPU.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if name == "cuda" and not torch.cuda.is_available():
        raise BadOption("device", name, "torch finds no GPU here; choose auto or cpu")
    return torch.device(name)
