"""``/styles``, ``/history`` and ``/help``: what is available, and the user's requests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import discord
from discord import Interaction, app_commands
from discord.app_commands import Command

from bot.messages.captions import Captions, join_lines, truncate
from bot.messages.replies import EMBED_COLOR, MAX_EMBED, MAX_FIELD, MAX_TITLE
from bot.requests.store import RequestRecord, RequestStore
from bot.texts import Texts
from mst_core.styles import StyleCard

HISTORY_LENGTH = 10
"""Requests that ``/history`` shows."""
MAX_STYLES = 25
"""Styles that ``/styles`` shows: the fields that Discord allows in one embed."""


class LibraryCog:
    """Registers the three commands. All their replies are ephemeral."""

    def __init__(
        self,
        store: RequestStore,
        styles: Mapping[str, StyleCard],
        captions: Captions,
        texts: Texts,
    ) -> None:
        self._store = store
        self._styles, self._captions, self._texts = styles, captions, texts

    def commands(self) -> list[Command[Any, ..., Any]]:
        """Build the commands."""
        return [
            self._command("styles", self._show_styles),
            self._command("history", self._show_history),
            self._command("help", self._show_help),
        ]

    def _command(self, name: str, callback: Any) -> Command[Any, ..., None]:
        async def run(interaction: Interaction[Any]) -> None:
            await callback(interaction)

        description = self._texts.render(f"commands.{name}")
        return app_commands.Command(name=name, description=description, callback=run)

    async def _show_styles(self, interaction: Interaction[Any]) -> None:
        locale = interaction.locale.value
        embed = discord.Embed(title=self._texts.render("styles.title", locale), colour=EMBED_COLOR)
        for card in list(self._styles.values())[:MAX_STYLES]:
            meters = ", ".join(
                f"{meter} ({details.name})" if details.name else meter
                for meter, details in card.meters.items()
            )
            about = self._texts.render(
                "styles.about",
                locale,
                description=card.description,
                instrument=card.instrument,
                meters=meters,
                keys=", ".join(card.keys),
            )
            name, value = truncate(card.title, MAX_TITLE), truncate(about, MAX_FIELD)
            if len(embed) + len(name) + len(value) > MAX_EMBED:
                break
            embed.add_field(name=name, value=value, inline=False)
        if not self._styles:
            embed.description = self._texts.render("styles.none", locale)
        await interaction.response.send_message(embed=embed, ephemeral=True)

    async def _show_history(self, interaction: Interaction[Any]) -> None:
        locale = interaction.locale.value
        records = await self._store.history(interaction.user.id, HISTORY_LENGTH)
        lines = [self._history_line(record, locale) for record in records]
        embed = discord.Embed(
            title=self._texts.render("history.title", locale),
            description=join_lines(lines) or self._texts.render("history.none", locale),
            colour=EMBED_COLOR,
        )
        await interaction.response.send_message(embed=embed, ephemeral=True)

    def _history_line(self, record: RequestRecord, locale: str) -> str:
        amount = self._captions.describe_amount(record, locale)
        return self._texts.render(
            "history.line" if amount else "history.mashup",
            locale,
            when=f"<t:{record.asked_at:.0f}:R>",
            tune=self._captions.describe(record, locale),
            how=amount,
            seed=record.request.seed,
            state=self._texts.render(f"states.{record.state}", locale),
            link=f"https://discord.com/channels/{record.guild_id or '@me'}/{record.channel_id}"
            f"/{record.message_id}",
        )

    async def _show_help(self, interaction: Interaction[Any]) -> None:
        locale = interaction.locale.value
        embed = discord.Embed(
            title=self._texts.render("help.title", locale),
            description=self._texts.render("help.text", locale),
            colour=EMBED_COLOR,
        )
        await interaction.response.send_message(embed=embed, ephemeral=True)
