"""The buttons below an answer. Each carries the number of its request, so it outlives a restart.

They do nothing themselves: they are brought to the client's ``pressed``, which knows the desk.
"""

from __future__ import annotations

import re
from typing import Any, Protocol, Self, cast

import discord

ROW = r"mst:(?P<move>again|remove):(?P<id>[0-9]{1,18})"


class Counter(Protocol):
    """Where a pressed button is brought."""

    async def pressed(
        self, interaction: discord.Interaction[Any], move: str, request_id: int
    ) -> None:
        """Do what the button says about the request."""


class AnswerButton(discord.ui.DynamicItem[discord.ui.Button[Any]], template=ROW):
    """One button about one request: ``again`` for a new seed, ``remove`` to take it away."""

    def __init__(self, move: str, request_id: int, button: discord.ui.Button[Any]) -> None:
        button.custom_id = f"mst:{move}:{request_id}"
        super().__init__(button)
        self.move = move
        self.request_id = request_id

    @classmethod
    async def from_custom_id(
        cls, _: discord.Interaction[Any], item: discord.ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        """Make it again from a message that may be older than this process."""
        return cls(match["move"], int(match["id"]), cast("discord.ui.Button[Any]", item))

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Bring it to the counter."""
        await cast(Counter, interaction.client).pressed(interaction, self.move, self.request_id)


def answer_buttons(request_id: int, again: str, remove: str) -> discord.ui.View:
    """Lay out the buttons of an answer with their labels; the view never times out."""
    view = discord.ui.View(timeout=None)
    view.add_item(
        AnswerButton(
            "again",
            request_id,
            discord.ui.Button(label=again, emoji="🎲", style=discord.ButtonStyle.primary),
        )
    )
    view.add_item(
        AnswerButton(
            "remove",
            request_id,
            discord.ui.Button(label=remove, style=discord.ButtonStyle.secondary),
        )
    )
    return view
