"""``/mashup``: the pitches of one attached tune with the rhythm of another.

A module of its own, as every command.
"""

from __future__ import annotations

from typing import Any

from discord import Attachment, Interaction, app_commands
from discord.app_commands import Command

from bot.cogs.options import Track
from bot.requests.intake import RequestIntake
from bot.texts import Texts
from mst_core.jobs import Mashup


class MashupCog:
    """Registers ``/mashup``."""

    def __init__(self, intake: RequestIntake, texts: Texts) -> None:
        self._intake, self._texts = intake, texts

    def commands(self) -> list[Command[Any, ..., Any]]:
        """Build the command."""

        async def mashup(
            interaction: Interaction[Any], a: Attachment, b: Attachment, track: Track | None = None
        ) -> None:
            draft = Mashup(source="source", like="like", track=track)
            await self._intake.submit_with_files(interaction, draft, {"source": a, "like": b})

        described = app_commands.describe(
            a=self._texts.render("options.mashup_a"),
            b=self._texts.render("options.mashup_b"),
            track=self._texts.render("options.track"),
        )(mashup)
        name = "mashup"
        return [
            Command(
                name=name, description=self._texts.render(f"commands.{name}"), callback=described
            )
        ]
