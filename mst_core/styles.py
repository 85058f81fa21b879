"""Styles are folders: ``models/<name>/style.toml`` is the card, beside it lie the networks.

Reading a card loads no network, so that the bot can offer choices. A folder that a user trains
appears in the choices after a restart, with no code.
"""

from __future__ import annotations

import logging
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

from mst_core.errors import BadOption, BrokenStyle, UnknownStyle
from mst_core.music import Key, Meter

log = logging.getLogger(__name__)

CARD_FILE = "style.toml"


class StyleMeter(msgspec.Struct, frozen=True):
    """How one meter is played in a style."""

    weight: float
    """Share of the style's tunes in this meter."""
    tempo: float
    """Quarter notes per minute."""
    swing: float = 0.5
    """Share of the beat that its first half takes: 1/2 straight, 2/3 triplet."""
    name: str = ""
    """What players call a tune in it, such as reel or jig."""


class StyleCard(msgspec.Struct, frozen=True):
    """What a style is, for people and for the composer."""

    title: str
    description: str
    instrument: str
    """Name of the instrument, as a person would say it."""
    program: int
    """General MIDI program, 0 to 127."""
    lowest: int
    highest: int
    """The range of composed tunes, MIDI numbers, both inclusive."""
    meters: dict[str, StyleMeter]
    keys: dict[str, float]
    """Weights of the keys that tunes are composed in."""
    forms: dict[str, float]
    """Weights of forms such as AABB: a letter a section, the same letter for the same music."""
    about: dict[str, str | int | float] = {}
    """Corpus, terms, date, size and losses: the model card."""


def default_models_dir() -> Path:
    """Return the folder of the shipped styles.

    Returns:
        `models/` of the checkout, or `mst_core/models/` where the package was installed from a
        wheel, which carries the styles inside the package.
    """
    package = Path(__file__).resolve().parent
    in_checkout = package.parent / "models"
    return in_checkout if (package.parent / "pyproject.toml").is_file() else package / "models"


def load_style_card(folder: Path) -> StyleCard:
    """Read the card of one style folder.

    Raises:
        BrokenStyle: when there is none, or it does not hold what a card must hold.
    """
    try:
        raw = tomllib.loads((folder / CARD_FILE).read_text(encoding="utf-8"))
        card = msgspec.convert(raw, StyleCard)
    except FileNotFoundError as error:
        raise BrokenStyle(folder.name, f"{CARD_FILE} is missing") from error
    except (OSError, tomllib.TOMLDecodeError, msgspec.ValidationError, UnicodeDecodeError) as error:
        raise BrokenStyle(folder.name, f"{CARD_FILE}: {error}") from error
    if not card.meters or not card.keys or not card.forms:
        raise BrokenStyle(folder.name, f"{CARD_FILE} needs at least one meter, key and form")
    if not (0 <= card.program <= 127 and 0 <= card.lowest <= card.highest - 12 <= 115):
        raise BrokenStyle(
            folder.name, f"{CARD_FILE} needs a program of 0 to 127 and an octave's range"
        )
    try:
        for name in card.meters:
            Meter.parse(name)
        for name in card.keys:
            Key.parse(name)
    except BadOption as error:
        raise BrokenStyle(folder.name, f"{CARD_FILE}: {error}") from error
    return card


def load_style_cards(models: Path) -> dict[str, StyleCard]:
    """Read every style below ``models``, sorted by name; a broken one is logged and left out."""
    found: dict[str, StyleCard] = {}
    for folder in sorted(path.parent for path in models.glob(f"*/{CARD_FILE}")):
        try:
            found[folder.name] = load_style_card(folder)
        except BrokenStyle as error:
            log.warning("%s", error)
    return found


def check_style_folders(models: Path, names: Iterable[str]) -> None:
    """Do nothing, unless a style that is asked for has a folder and is broken.

    Raises:
        BrokenStyle: with what is wrong.
    """
    folders = {path.parent.name: path.parent for path in models.glob(f"*/{CARD_FILE}")}
    for name in names:
        if name in folders:
            load_style_card(folders[name])


def resolve_style_name(typed: str, models: Path) -> str:
    """Return the name of a style as its folder has it, whatever the case it was typed in."""
    names = {path.parent.name for path in models.glob(f"*/{CARD_FILE}")}
    meant = [name for name in sorted(names) if name.casefold() == typed.strip().casefold()]
    return typed if typed in names or not meant else meant[0]


def require_style(name: str, styles: Mapping[str, StyleCard]) -> StyleCard:
    """Return the card of a style.

    Raises:
        UnknownStyle: with the names that there are.
    """
    if name not in styles:
        raise UnknownStyle(name, ", ".join(styles) or "none at all")
    return styles[name]
