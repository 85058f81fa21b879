"""The buttons and lists below messages. Each carries what it is about, so it outlives a restart.

They do nothing themselves: a press is brought to the client's ``pressed``, which knows the desk.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, Self, cast

import discord
from discord.ui import Button, DynamicItem, Item, Select, View

PERCENTS = (25, 50, 75, 100)
"""The strengths that there are buttons for."""
MAX_OPTIONS = 25
"""As many as a list on Discord may have."""
VARIANT_COUNT = 4
"""As many answers to one request have a button each."""
NUMBER = r"[0-9]{1,18}"


@dataclass(frozen=True, slots=True)
class Again:
    """The same request once more, with a new seed."""

    request_id: int


@dataclass(frozen=True, slots=True)
class Turned:
    """The same request and seed, with another strength in percent."""

    request_id: int
    percent: int


@dataclass(frozen=True, slots=True)
class Variant:
    """The same request with another of its seeds; the first is number 1."""

    request_id: int
    number: int


@dataclass(frozen=True, slots=True)
class Swapped:
    """A mashup the other way round."""

    request_id: int


@dataclass(frozen=True, slots=True)
class Compared:
    """The score before and after, for who asks alone."""

    request_id: int


@dataclass(frozen=True, slots=True)
class Removed:
    """Away with the answer."""

    request_id: int


@dataclass(frozen=True, slots=True)
class Set:
    """The strength at which the next style is chosen for an upload."""

    upload_id: int
    percent: int


@dataclass(frozen=True, slots=True)
class Chosen:
    """A style for an upload, with a strength in percent."""

    upload_id: int
    percent: int
    style: str


Press = Again | Turned | Variant | Swapped | Compared | Removed | Set | Chosen
MOVES: dict[str, Callable[[int], Press]] = {
    "again": Again,
    "swap": Swapped,
    "compare": Compared,
    "remove": Removed,
}
"""The buttons about one request and nothing else."""
EMOJIS = {"again": "🎲", "compare": "🔍", "swap": "🔁"}


class Counter(Protocol):
    """Where a press is brought."""

    async def pressed(self, interaction: discord.Interaction[Any], press: Press) -> None:
        """Do what the button or the list says."""


async def _bring(interaction: discord.Interaction[Any], press: Press) -> None:
    await cast(Counter, interaction.client).pressed(interaction, press)


class AnswerButton(
    DynamicItem[Button[Any]], template=rf"mst:(?P<move>{'|'.join(MOVES)}):(?P<id>{NUMBER})"
):
    """A button about one request: a move of `MOVES`."""

    def __init__(self, move: str, request_id: int, button: Button[Any]) -> None:
        button.custom_id = f"mst:{move}:{request_id}"
        super().__init__(button)
        self._press = MOVES[move](request_id)

    @classmethod
    async def from_custom_id(
        cls, _: discord.Interaction[Any], item: Item[Any], match: re.Match[str], /
    ) -> Self:
        """Make it again from a message that may be older than this process."""
        return cls(match["move"], int(match["id"]), cast("Button[Any]", item))

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Bring it to the counter."""
        await _bring(interaction, self._press)


class PercentButton(
    DynamicItem[Button[Any]],
    template=rf"mst:(?P<about>strength|set):(?P<id>{NUMBER}):(?P<percent>25|50|75|100)",
):
    """A strength: of the same request (``strength``), or of what is chosen next (``set``)."""

    def __init__(self, about: str, number: int, percent: int, button: Button[Any]) -> None:
        button.custom_id = f"mst:{about}:{number}:{percent}"
        super().__init__(button)
        self._press = Set(number, percent) if about == "set" else Turned(number, percent)

    @classmethod
    async def from_custom_id(
        cls, _: discord.Interaction[Any], item: Item[Any], match: re.Match[str], /
    ) -> Self:
        """Make it again from a message that may be older than this process."""
        about, number, percent = match["about"], int(match["id"]), int(match["percent"])
        return cls(about, number, percent, cast("Button[Any]", item))

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Bring it to the counter."""
        await _bring(interaction, self._press)


class VariantButton(
    DynamicItem[Button[Any]],
    template=rf"mst:variant:(?P<id>{NUMBER}):(?P<number>[1-{VARIANT_COUNT}])",
):
    """One of the answers that a request has, by its number."""

    def __init__(self, request_id: int, number: int, button: Button[Any]) -> None:
        button.custom_id = f"mst:variant:{request_id}:{number}"
        super().__init__(button)
        self._press = Variant(request_id, number)

    @classmethod
    async def from_custom_id(
        cls, _: discord.Interaction[Any], item: Item[Any], match: re.Match[str], /
    ) -> Self:
        """Make it again from a message that may be older than this process."""
        return cls(int(match["id"]), int(match["number"]), cast("Button[Any]", item))

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Bring it to the counter."""
        await _bring(interaction, self._press)


class StyleList(
    DynamicItem[Select[Any]],
    template=rf"mst:choose:(?P<id>{NUMBER}):(?P<percent>25|50|75|100)",
):
    """The styles that an upload may get the rhythm of."""

    def __init__(self, upload_id: int, percent: int, select: Select[Any]) -> None:
        select.custom_id = f"mst:choose:{upload_id}:{percent}"
        super().__init__(select)
        self._upload_id, self._percent = upload_id, percent

    @classmethod
    async def from_custom_id(
        cls, _: discord.Interaction[Any], item: Item[Any], match: re.Match[str], /
    ) -> Self:
        """Make it again from a message that may be older than this process."""
        return cls(int(match["id"]), int(match["percent"]), cast("Select[Any]", item))

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Bring what was chosen to the counter."""
        (style,) = self.item.values
        await _bring(interaction, Chosen(self._upload_id, self._percent, style))


DYNAMIC = (AnswerButton, PercentButton, VariantButton, StyleList)
"""What a client must be told of, to know it again after a restart."""


def result_buttons(request_id: int, labels: Mapping[str, str]) -> View:
    """Lay out the moves of an answer with their labels; the view never times out."""
    view = View(timeout=None)
    for move, label in labels.items():
        button: Button[Any] = Button(label=label, emoji=EMOJIS.get(move), row=0)
        if move == "again":
            button.style = discord.ButtonStyle.primary
        view.add_item(AnswerButton(move, request_id, button))
    return view


def add_strengths(
    view: View, about: str, number: int, now: int | None, label: Callable[[int], str]
) -> View:
    """Add a row of strengths, the present one pressed."""
    for percent in PERCENTS:
        button: Button[Any] = Button(label=label(percent), row=1, disabled=percent == now)
        view.add_item(PercentButton(about, number, percent, button))
    return view


def add_variants(view: View, request_id: int, now: int | None, label: Callable[[int], str]) -> View:
    """Add a row of variants, the present one pressed."""
    for number in range(1, VARIANT_COUNT + 1):
        button: Button[Any] = Button(label=label(number), row=2, disabled=number == now)
        view.add_item(VariantButton(request_id, number, button))
    return view


def style_choice(
    upload_id: int,
    percent: int,
    styles: Iterable[tuple[str, str]],
    choose: str,
    label: Callable[[int], str],
) -> View:
    """Lay out a list of styles, (name, title) each, above a row of strengths."""
    options = [
        discord.SelectOption(label=title[:100], value=name)
        for name, title in list(styles)[:MAX_OPTIONS]
    ]
    view = View(timeout=None)
    view.add_item(StyleList(upload_id, percent, Select(placeholder=choose, options=options, row=0)))
    return add_strengths(view, "set", upload_id, percent, label)
