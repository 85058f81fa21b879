"""Style cards: each style is a folder, and ``models/<name>/style.toml`` is its card.

The networks are in the same folder. Loading a card loads no network, so the bot can list styles
cheaply. The folder of a newly trained style is listed after a restart, without a change of code.
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
    """One meter of a style."""

    weight: float
    """Relative frequency of the meter among the style's tunes."""
    tempo: float
    """Quarter notes per minute; the usual one."""
    tempo_range: tuple[float, float] | None = None
    """Lowest and highest tempo of a new tune, in quarter notes per minute; None for `tempo`."""
    swing: float = 0.5
    """Share of the beat that its first half lasts: 0.5 is straight, 2/3 a triplet."""
    name: str = ""
    """The usual name of a tune in this meter, such as reel or jig."""


class StyleCard(msgspec.Struct, frozen=True):
    """Description of a style: its texts, instrument, pitch range, meters, keys and forms."""

    title: str
    description: str
    instrument: str
    """Name of the instrument for people, such as tenor saxophone."""
    program: int
    """General MIDI program, 0 to 127."""
    lowest: int
    """Lowest pitch of a new tune, MIDI number."""
    highest: int
    """Highest pitch of a new tune, MIDI number, inclusive."""
    meters: dict[str, StyleMeter]
    """By meter, such as ``6/8``."""
    keys: dict[str, float]
    """Relative frequency of each key of a new tune, by name."""
    forms: dict[str, float]
    """Relative frequency of each form, such as AABB: one letter a section, the same letter for the
    same music."""
    cadence_bars: int = 0
    """Bars of a phrase, where each ends with a long note as in a hymn; 0 where only parts do."""
    about: dict[str, str | int | float] = {}
    """Model card: corpus, license, date, size and losses."""


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
    """Load the card of one style.

    Args:
        folder: the style's folder.

    Returns:
        The card, checked.

    Raises:
        BrokenStyle: when the file is missing, malformed, or has a value out of range.
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
    if any(
        meter.tempo_range and not 0 < meter.tempo_range[0] <= meter.tempo_range[1]
        for meter in card.meters.values()
    ):
        raise BrokenStyle(folder.name, f"{CARD_FILE} needs tempo ranges from low to high")
    try:
        for name in card.meters:
            Meter.parse(name)
        for name in card.keys:
            Key.parse(name)
    except BadOption as error:
        raise BrokenStyle(folder.name, f"{CARD_FILE}: {error}") from error
    return card


def load_style_cards(models: Path) -> dict[str, StyleCard]:
    """Load the cards of all styles; a broken one is logged and left out.

    Args:
        models: the folder whose subfolders are styles.

    Returns:
        The cards by name of the style, sorted by name.
    """
    cards: dict[str, StyleCard] = {}
    for folder in sorted(path.parent for path in models.glob(f"*/{CARD_FILE}")):
        try:
            cards[folder.name] = load_style_card(folder)
        except BrokenStyle as error:
            log.warning("%s", error)
    return cards


def check_style_folders(models: Path, names: Iterable[str]) -> None:
    """Check the cards of the named styles; names without a folder are skipped.

    Args:
        models: the folder whose subfolders are styles.
        names: names of styles.

    Raises:
        BrokenStyle: when a named style has a folder whose card cannot be loaded.
    """
    folders = {path.parent.name: path.parent for path in models.glob(f"*/{CARD_FILE}")}
    for name in names:
        if name in folders:
            load_style_card(folders[name])


def resolve_style_name(typed: str, models: Path) -> str:
    """Return the exact name of a style whose name was typed in any case.

    Args:
        typed: the name as typed.
        models: the folder whose subfolders are styles.

    Returns:
        The name of the style's folder, or ``typed`` when no folder matches.
    """
    names = {path.parent.name for path in models.glob(f"*/{CARD_FILE}")}
    matches = [name for name in sorted(names) if name.casefold() == typed.strip().casefold()]
    return typed if typed in names or not matches else matches[0]


def require_style(name: str, styles: Mapping[str, StyleCard]) -> StyleCard:
    """Return the card of a style.

    Args:
        name: exact name of the style.
        styles: all cards by name.

    Returns:
        The card.

    Raises:
        UnknownStyle: when no style has that name; it lists the names that exist.
    """
    if name not in styles:
        raise UnknownStyle(name, ", ".join(styles) or "none")
    return styles[name]


def require_meter(meter: str, name: str, card: StyleCard) -> str:
    """Return the name of a meter on the card of a style.

    Args:
        meter: as a user writes it, such as ``6/8``.
        name: of the style.
        card: of the style.

    Raises:
        BadOption: when it is no meter, or the style has none such; it lists those that it has.
    """
    found = str(Meter.parse(meter))
    if found not in card.meters:
        raise BadOption("meter", meter, f"the meters of {name} are {', '.join(card.meters)}")
    return found
