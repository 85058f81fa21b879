"""``/styles``, ``/history`` and ``/help``: what there is, and what was asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import discord
from discord import Interaction, app_commands
from discord.app_commands import Command

from bot.messages.captions import Captions, cut, whole_lines
from bot.messages.replies import COLOUR, LONGEST_EMBED, LONGEST_FIELD, LONGEST_TITLE
from bot.requests.store import Entry, Ledger
from bot.texts import Texts
from mst_core.jobs import Mashup
from mst_core.styles import StyleCard

SHOWN = 10
"""Entries of the history that one message shows."""
SHOWN_STYLES = 25
"""Fields that one embed may have."""


class LibraryCog:
    """The commands that look things up. All their answers are private."""

    def __init__(
        self,
        ledger: Ledger,
        styles: Mapping[str, StyleCard],
        captions: Captions,
        texts: Texts,
    ) -> None:
        self._ledger = ledger
        self._styles, self._captions, self._texts = styles, captions, texts

    def commands(self) -> list[Command[Any, ..., Any]]:
        """Build the commands."""
        return [
            self._command("styles", self._show_styles),
            self._command("history", self._history),
            self._command("help", self._help),
        ]

    def _command(self, name: str, callback: Any) -> Command[Any, ..., None]:
        async def run(interaction: Interaction[Any]) -> None:
            await callback(interaction)

        description = self._texts.say(f"commands.{name}")
        return app_commands.Command(name=name, description=description, callback=run)

    async def _show_styles(self, interaction: Interaction[Any]) -> None:
        locale = interaction.locale.value
        embed = discord.Embed(title=self._texts.say("styles.title", locale), colour=COLOUR)
        for card in list(self._styles.values())[:SHOWN_STYLES]:
            meters = ", ".join(
                f"{meter} ({played.name})" if played.name else meter
                for meter, played in card.meters.items()
            )
            about = self._texts.say(
                "styles.about",
                locale,
                description=card.description,
                instrument=card.instrument,
                meters=meters,
                keys=", ".join(card.keys),
            )
            name, value = cut(card.title, LONGEST_TITLE), cut(about, LONGEST_FIELD)
            if len(embed) + len(name) + len(value) > LONGEST_EMBED:
                break
            embed.add_field(name=name, value=value, inline=False)
        if not self._styles:
            embed.description = self._texts.say("styles.none", locale)
        await interaction.response.send_message(embed=embed, ephemeral=True)

    async def _history(self, interaction: Interaction[Any]) -> None:
        locale = interaction.locale.value
        entries = await self._ledger.history(interaction.user.id, SHOWN)
        lines = [self._line(entry, locale) for entry in entries]
        embed = discord.Embed(
            title=self._texts.say("history.title", locale),
            description=whole_lines(lines) or self._texts.say("history.none", locale),
            colour=COLOUR,
        )
        await interaction.response.send_message(embed=embed, ephemeral=True)

    def _line(self, entry: Entry, locale: str) -> str:
        mashup = isinstance(entry.request, Mashup)
        return self._texts.say(
            "history.mashup" if mashup else "history.line",
            locale,
            when=f"<t:{entry.asked_at:.0f}:R>",
            tune=self._captions.tune(entry, locale),
            how=self._captions.how(entry, locale),
            seed=entry.request.seed,
            state=self._texts.say(f"states.{entry.state}", locale),
            link=f"https://discord.com/channels/{entry.guild_id or '@me'}/{entry.channel_id}"
            f"/{entry.message_id}",
        )

    async def _help(self, interaction: Interaction[Any]) -> None:
        locale = interaction.locale.value
        embed = discord.Embed(
            title=self._texts.say("help.title", locale),
            description=self._texts.say("help.text", locale),
            colour=COLOUR,
        )
        await interaction.response.send_message(embed=embed, ephemeral=True)
