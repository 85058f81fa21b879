"""``/styles``, ``/history`` and ``/help``: what is available, and the user's requests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import discord
from discord import Interaction
from discord.app_commands import Command

from bot.cogs.options import build_command
from bot.errors import Cancelled
from bot.messages.captions import Captions, join_lines, truncate
from bot.messages.replies import EMBED_COLOR, MAX_EMBED, MAX_FIELD, MAX_TITLE
from bot.requests.record import RequestRecord
from bot.requests.store import RequestStore
from bot.texts import Texts
from mst_core.styles import StyleCard

HISTORY_LENGTH = 10
"""Requests that ``/history`` shows."""
MAX_STYLES = 25
"""Styles that ``/styles`` shows: the fields that Discord allows in one embed."""


def library_commands(
    store: RequestStore, cards: Mapping[str, StyleCard], captions: Captions, texts: Texts
) -> list[Command[Any, ..., Any]]:
    """Build the three commands. All their replies are ephemeral.

    Args:
        store: The requests, for the history.
        cards: The style cards by name of the style.
        captions: Describes the requests of the history.
        texts: The sentences of the replies and the descriptions of the commands.

    Returns:
        ``/styles``, ``/history`` and ``/help``.
    """

    async def show_styles(interaction: Interaction[Any]) -> None:
        locale = interaction.locale.value
        embed = discord.Embed(title=texts.render("styles.title", locale), colour=EMBED_COLOR)
        for card in list(cards.values())[:MAX_STYLES]:
            meters = ", ".join(
                f"{meter} ({details.name})" if details.name else meter
                for meter, details in card.meters.items()
            )
            about = texts.render(
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
        if not cards:
            embed.description = texts.render("styles.none", locale)
        await interaction.response.send_message(embed=embed, ephemeral=True)

    async def show_history(interaction: Interaction[Any]) -> None:
        locale = interaction.locale.value
        unreadable: list[dict[str, object]] = []
        records = await store.history(
            interaction.user.id, HISTORY_LENGTH, public_only=True, unreadable=unreadable
        )
        lines = [_history_line(record, captions, texts, locale) for record in records]
        if unreadable:
            lines.insert(0, texts.render("history.unreadable", locale, count=len(unreadable)))
        embed = discord.Embed(
            title=texts.render("history.title", locale),
            description=join_lines(lines) or texts.render("history.none", locale),
            colour=EMBED_COLOR,
        )
        await interaction.response.send_message(embed=embed, ephemeral=True)

    async def show_help(interaction: Interaction[Any]) -> None:
        locale = interaction.locale.value
        embed = discord.Embed(
            title=texts.render("help.title", locale),
            description=texts.render("help.text", locale),
            colour=EMBED_COLOR,
        )
        await interaction.response.send_message(embed=embed, ephemeral=True)

    return [
        build_command("styles", show_styles, texts),
        build_command("history", show_history, texts),
        build_command("help", show_help, texts),
    ]


def _history_line(record: RequestRecord, captions: Captions, texts: Texts, locale: str) -> str:
    amount = captions.describe_amount(record, locale)
    state = "cancelled" if record.error_code == Cancelled.__name__ else record.state
    return texts.render(
        "history.line" if amount else "history.mashup",
        locale,
        when=f"<t:{record.asked_at:.0f}:R>",
        tune=captions.describe(record, locale),
        how=amount,
        seed=record.request.seed,
        state=texts.render(f"states.{state}", locale),
        link=f"https://discord.com/channels/{record.guild_id or '@me'}/{record.channel_id}"
        f"/{record.message_id}",
    )
