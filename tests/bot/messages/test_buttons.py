"""Buttons keep their state in the custom id, so those of messages already posted still work."""

from __future__ import annotations

from typing import Any

import discord
import pytest
from discord.ui import Button, Select

from bot.messages.buttons import PressItem, add_number_row, result_buttons, style_list

POSTED = [
    ("mst:again:7", ("again", 7, None)),
    ("mst:compare:7", ("compare", 7, None)),
    ("mst:swap:7", ("swap", 7, None)),
    ("mst:remove:123456789012345678", ("remove", 123456789012345678, None)),
    ("mst:strength:7:25", ("strength", 7, 25)),
    ("mst:set:3:100", ("set", 3, 100)),
    ("mst:variant:7:4", ("variant", 7, 4)),
    ("mst:choose:3:50", ("choose", 3, 50)),
]
"""Every custom id that version 0.1 posted, and its move, id and argument."""
TOKEN = "0123456789abcdef"  # noqa: S105 - of a request that is not there


class RecordingClient:
    """A client that records the presses."""

    def __init__(self) -> None:
        self.presses: list[tuple[str, int, int | None]] = []
        self.tokens: list[str] = []

    async def press(self, _: Any, move: str, id: int, argument: int | None, token: str) -> None:
        self.presses.append((move, id, argument))
        self.tokens.append(token)


@pytest.mark.parametrize(("custom_id", "press"), POSTED)
async def test_a_button_of_version_0_1_still_makes_its_press(
    custom_id: str, press: tuple[str, int, int | None]
) -> None:
    match = PressItem.__discord_ui_compiled_template__.fullmatch(custom_id)
    assert match
    client: Any = RecordingClient()
    interaction: Any = type("Interaction", (), {"client": client})()
    item = Select[Any]() if press[0] == "choose" else Button[Any]()
    rebuilt = await PressItem.from_custom_id(interaction, item, match)
    await rebuilt.callback(interaction)
    assert (client.presses, client.tokens) == ([press], [""])
    assert rebuilt.custom_id == custom_id


async def test_a_button_has_the_token_of_its_request() -> None:
    custom_id = f"mst:strength:7.{TOKEN}:25"
    match = PressItem.__discord_ui_compiled_template__.fullmatch(custom_id)
    assert match
    client: Any = RecordingClient()
    interaction: Any = type("Interaction", (), {"client": client})()
    rebuilt = await PressItem.from_custom_id(interaction, Button[Any](), match)
    await rebuilt.callback(interaction)
    assert (client.presses, client.tokens) == ([("strength", 7, 25)], [TOKEN])
    assert rebuilt.custom_id == custom_id


@pytest.mark.parametrize(
    "custom_id",
    ["mst:again", "mst:again:", "mst:again:7:", "other:again:7", "mst:again:7.", "mst:again:7.12"],
)
def test_any_other_custom_id_is_ignored(custom_id: str) -> None:
    assert not PressItem.__discord_ui_compiled_template__.fullmatch(custom_id)


def custom_ids(view: discord.ui.View) -> list[str]:
    return [str(getattr(item, "custom_id", "")) for item in view.children]


def test_each_button_of_a_message_has_the_id_that_it_was_given() -> None:
    view = result_buttons(f"7.{TOKEN}", {"again": "Again", "remove": "Remove"})
    add_number_row(view, "strength", f"7.{TOKEN}", (25, 50), 50, str, row=1)
    assert custom_ids(view) == [
        f"mst:again:7.{TOKEN}",
        f"mst:remove:7.{TOKEN}",
        f"mst:strength:7.{TOKEN}:25",
        f"mst:strength:7.{TOKEN}:50",
    ]
    assert custom_ids(style_list(3, 50, [("folk", "Folk")], "Choose")) == ["mst:choose:3:50"]


def test_the_current_number_cannot_be_pressed_again() -> None:
    view = add_number_row(discord.ui.View(timeout=None), "variant", "7", (1, 2), 2, str, row=2)
    rows = view.to_components()
    assert [button["disabled"] for button in rows[0]["components"]] == [False, True]
