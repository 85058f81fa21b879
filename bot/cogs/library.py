"""``/styles``, ``/history``, ``/help`` and ``/mydata``: what there is, and what is kept of whom."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import discord
import msgspec
from discord import Interaction, app_commands
from discord.app_commands import Command, Group

from bot.dispatch import Dispatcher
from bot.ledger import Entry, Ledger
from bot.replies import COLOUR, Replies
from bot.texts import Texts
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
        dispatcher: Dispatcher,
        styles: Mapping[str, StyleCard],
        replies: Replies,
        texts: Texts,
    ) -> None:
        self._ledger, self._dispatcher = ledger, dispatcher
        self._styles, self._replies, self._texts = styles, replies, texts

    def commands(self) -> list[Command[Any, ..., Any] | Group]:
        """Build the commands."""
        mydata = Group(name="mydata", description=self._texts.say("commands.mydata"))
        mydata.add_command(self._command("export", self._export, "mydata_export"))
        mydata.add_command(self._command("delete", self._delete, "mydata_delete"))
        return [
            self._command("styles", self._show_styles),
            self._command("history", self._history),
            self._command("help", self._help),
            mydata,
        ]

    def _command(self, name: str, callback: Any, key: str | None = None) -> Command[Any, ..., None]:
        async def run(interaction: Interaction[Any]) -> None:
            await callback(interaction)

        description = self._texts.say(f"commands.{key or name}")
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
            embed.add_field(name=card.title, value=about[:1024], inline=False)
        if not self._styles:
            embed.description = self._texts.say("styles.none", locale)
        await interaction.response.send_message(embed=embed, ephemeral=True)

    async def _history(self, interaction: Interaction[Any]) -> None:
        locale = interaction.locale.value
        entries = await self._ledger.history(interaction.user.id, SHOWN)
        lines = [self._line(entry, locale) for entry in entries]
        embed = discord.Embed(
            title=self._texts.say("history.title", locale),
            description="\n".join(lines) or self._texts.say("history.none", locale),
            colour=COLOUR,
        )
        await interaction.response.send_message(embed=embed, ephemeral=True)

    def _line(self, entry: Entry, locale: str) -> str:
        return self._texts.say(
            "history.line",
            locale,
            when=f"<t:{entry.asked_at:.0f}:R>",
            tune=self._replies.tune(entry.request, locale),
            bars=entry.request.bars,
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

    async def _export(self, interaction: Interaction[Any]) -> None:
        await interaction.response.defer(ephemeral=True, thinking=True)
        entries = await self._ledger.history(interaction.user.id)
        kept = [
            {
                name: value
                for name, value in msgspec.to_builtins(entry).items()
                if name != "interaction_token"
            }
            for entry in entries
        ]
        content = msgspec.json.format(msgspec.json.encode(kept), indent=2)
        await interaction.followup.send(
            self._texts.say("mydata.export", interaction.locale.value, count=len(entries)),
            file=discord.File(io.BytesIO(content), filename="mydata.json"),
            ephemeral=True,
        )

    async def _delete(self, interaction: Interaction[Any]) -> None:
        await interaction.response.defer(ephemeral=True, thinking=True)
        count = await self._dispatcher.forget(interaction.user.id)
        await interaction.followup.send(
            self._texts.say("mydata.delete", interaction.locale.value, count=count), ephemeral=True
        )
