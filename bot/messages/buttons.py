"""The buttons and lists below messages. All their state is in the custom id.

So they still work after a restart. A custom id is ``mst:<move>:<id>`` or
``mst:<move>:<id>:<argument>``, where the id of a request is its number and a random token, as in
``7.0123456789abcdef``; version 0.2 wrote the number alone.
`bot.requests.presses.Presses.press` receives every press and lists the moves with the meaning
of id and argument (docs/decisions.md#custom-ids).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Self, cast

import discord
from discord.ui import Button, DynamicItem, Item, Select, View

PERCENTS = (25, 50, 75, 100)
"""The strengths, in percent, that have a button."""
MAX_OPTIONS = 25
"""Options that Discord allows in one list."""
VARIANT_NUMBERS = (1, 2, 3, 4)
"""The variants of a transfer that have a button."""
EMOJIS = {"again": "🎲", "cancel": "✖️", "compare": "🔍", "swap": "🔁"}


class PressItem(
    DynamicItem[Item[Any]],
    template=r"mst:(?P<move>\w+):(?P<id>[0-9]{1,18}(?:\.[0-9a-f]{16})?)(?::(?P<argument>[0-9]{1,9}))?",
):
    """A button or list whose custom id names a move, a request or upload, and an argument."""

    def __init__(
        self, item: Button[Any] | Select[Any], move: str, id: str, argument: int | None = None
    ) -> None:
        item.custom_id = f"mst:{move}:{id}" if argument is None else f"mst:{move}:{id}:{argument}"
        super().__init__(item)
        self._press = move, id, argument

    @classmethod
    async def from_custom_id(
        cls, _: discord.Interaction[Any], item: Item[Any], match: re.Match[str], /
    ) -> Self:
        """Rebuild the item from a message, which may be older than this process.

        Args:
            _: The press.
            item: The button or list of the message.
            match: Its custom id, matched against the template of the class.

        Returns:
            The item with the move, id and argument of the custom id.
        """
        argument = None if match["argument"] is None else int(match["argument"])
        return cls(cast("Button[Any]", item), match["move"], match["id"], argument)

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Pass the press to `bot.app.MusicBot.press`."""
        client: Any = interaction.client
        move, id, argument = self._press
        number, _, token = id.partition(".")
        await client.press(interaction, move, int(number), argument, token)


def result_buttons(button_id: str, labels: Mapping[str, str]) -> View:
    """Lay out one button for each move in ``labels``; the view never times out.

    Args:
        button_id: The `bot.requests.store.RequestRecord.button_id` of the finished request.
        labels: The text of a button by its move, at most 5 moves.

    Returns:
        A view with the buttons in row 0.
    """
    view = View(timeout=None)
    for move, label in labels.items():
        button: Button[Any] = Button(label=label, emoji=EMOJIS.get(move), row=0)
        if move == "again":
            button.style = discord.ButtonStyle.primary
        view.add_item(PressItem(button, move, button_id))
    return view


def add_choice_list(
    view: View,
    move: str,
    id: str,
    choices: Iterable[tuple[int, str]],
    current: int | None,
    placeholder: str,
    row: int,
) -> View:
    """Add a list of numbered choices.

    Args:
        view: The view that receives the list.
        move: The move of the list; the chosen number is the value of the press.
        id: The `button_id` of the request that the move belongs to.
        choices: Number and label; only the first `MAX_OPTIONS` are listed.
        current: The number that is in effect now.
        placeholder: What the list shows while nothing is chosen.
        row: The row of the view, 0 to 4.

    Returns:
        The view that was given.
    """
    options = [
        discord.SelectOption(label=label[:100], value=str(number), default=number == current)
        for number, label in list(choices)[:MAX_OPTIONS]
    ]
    select: Select[Any] = Select(placeholder=placeholder, options=options, row=row)
    view.add_item(PressItem(select, move, id))
    return view


def add_number_row(
    view: View,
    move: str,
    id: str,
    numbers: Iterable[int],
    current: int | None,
    label: Callable[[int], str],
    row: int,
) -> View:
    """Add a row of buttons, one for each argument in ``numbers``; ``current`` is disabled.

    Args:
        view: The view that receives the buttons.
        move: The move of all buttons.
        id: The `button_id` of the request, or id of the upload, that the move belongs to.
        numbers: The arguments, from left to right; Discord allows at most 5 buttons in a row.
        current: The argument that is in effect now; None when no button has it.
        label: Returns the text of the button of an argument.
        row: The row of the view, 0 to 4.

    Returns:
        The view that was given.
    """
    for number in numbers:
        button: Button[Any] = Button(label=label(number), row=row, disabled=number == current)
        view.add_item(PressItem(button, move, id, number))
    return view


def style_list(
    upload_id: int, percent: int, styles: Iterable[tuple[str, str]], placeholder: str
) -> View:
    """Lay out a list of styles, each as (name, title), for an upload and a strength in percent.

    Args:
        upload_id: The upload that is to be changed.
        percent: The strength of the change, 0 to 100 %.
        styles: The styles; only the first `MAX_OPTIONS` are listed.
        placeholder: What the list shows while no style is chosen.

    Returns:
        A view with the list in row 0; it never times out.
    """
    options = [
        discord.SelectOption(label=title[:100], value=name)
        for name, title in list(styles)[:MAX_OPTIONS]
    ]
    select: Select[Any] = Select(placeholder=placeholder, options=options, row=0)
    view = View(timeout=None)
    view.add_item(PressItem(select, "choose", str(upload_id), percent))
    return view
