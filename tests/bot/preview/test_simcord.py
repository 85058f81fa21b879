"""The behaviour of SimCord that the bot's tests and its preview rely on."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

import discord
import pytest
import simcord
from discord import app_commands


class Small(discord.Client):
    """A bot with one command, which stores the token of its interaction."""

    def __init__(self) -> None:
        super().__init__(intents=discord.Intents(guilds=True))
        self.tree = app_commands.CommandTree(self)
        self.seen: list[Any] = []

    async def setup_hook(self) -> None:
        @self.tree.command(description="Defer in public.")
        async def later(interaction: discord.Interaction[Any]) -> None:
            callback = await interaction.response.defer(thinking=True)
            self.seen.append((interaction.token, callback))

        await self.tree.sync()


def webhook_of(bot: Small) -> discord.Webhook:
    ((token, _),) = bot.seen
    webhook = discord.Webhook.partial(bot.application_id or 0, token, client=bot)
    webhook.type = discord.WebhookType.application
    return webhook


def test_simcord_has_the_examined_version() -> None:
    assert version("simcord") == "3.2.1"


async def test_a_token_edits_the_public_message_for_fifteen_minutes() -> None:
    bot = Small()
    async with simcord.run(bot) as env:
        guild = env.create_guild()
        channel = guild.create_text_channel("music")
        alice = guild.add_member(env.create_user("alice"))
        await alice.slash(channel, "later")
        ((_, callback),) = bot.seen
        (message,) = channel.history()
        assert callback.message_id == message.id
        await webhook_of(bot).edit_message(message.id, content="early")
        assert [one.content for one in channel.history()] == ["early"]
        await env.advance_time(15 * 60)
        with pytest.raises(discord.HTTPException) as caught:
            await webhook_of(bot).edit_message(message.id, content="late")
        assert caught.value.code == 10015


async def test_simcord_sets_discords_clock() -> None:
    async with simcord.run(Small()) as env:
        before = discord.utils.utcnow()
        await env.advance_time(1234)
        assert (discord.utils.utcnow() - before).total_seconds() == 1234


async def test_a_first_follow_up_replaces_a_loading_message() -> None:
    bot = Small()
    async with simcord.run(bot) as env:
        guild = env.create_guild()
        channel = guild.create_text_channel("music")
        alice = guild.add_member(env.create_user("alice"))
        await alice.slash(channel, "later")
        await webhook_of(bot).send("meant for one", ephemeral=True)
        (message,) = channel.history(viewer=alice)
        assert not message.flags.ephemeral, (
            "that is why bot.messages.delivery settles a message first"
        )
