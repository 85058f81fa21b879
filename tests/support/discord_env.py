"""The bot on a simulated Discord, with a real ledger and an engine of paper."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import discord
from simcord import ChannelHandle, Env, MemberActor

from bot import create_bot
from bot.app import MusicBot
from bot.requests.store import RequestRecord, RequestStore
from bot.settings import Settings
from tests.support.fakes import FakeEngine, make_settings


class DiscordEnv:
    """A server with a channel and two people, and the bot in it."""

    def __init__(self, env: Env, bot: MusicBot, engine: FakeEngine, settings: Settings) -> None:
        self.env, self.bot, self.engine, self.settings = env, bot, engine, settings
        guild = env.create_guild("A server")
        self.channel: ChannelHandle = guild.create_text_channel("music")
        self.alice: MemberActor = guild.add_member(env.create_user("alice"))
        self.bob: MemberActor = guild.add_member(env.create_user("bob"))
        self.guild = guild

    async def history(self, person: MemberActor) -> list[RequestRecord]:
        """Read the ledger as another process would."""
        ledger = await RequestStore.open(self.settings.data_dir / "ledger.sqlite3")
        try:
            return await ledger.history(person.id)
        finally:
            await ledger.close()

    async def restart(self) -> None:
        """Let the bot die without a word, and start another one with another engine."""
        dead = self.bot
        self.engine = FakeEngine()
        self.bot = create_bot(self.engine, self.settings)
        use_external_wait(self.engine, self.env)
        dispatcher, ledger = dead._scheduler, dead._store
        dead._scheduler = dead._store = None  # its connection is closed below, its drain never ran
        assert dead._data_lock is not None
        dead._data_lock.close()  # as the end of its process would
        await self.env.restart_bot(self.bot)
        assert dispatcher is not None
        assert ledger is not None
        await ledger.close()


def use_external_wait(engine: FakeEngine, env: Env) -> None:
    async def wait(awaitable: Awaitable[Any]) -> Any:
        return await env.external_wait(awaitable, reason="the engine works")

    engine.wait = wait


@asynccontextmanager
async def discord_env(folder: Path, **environment: str) -> AsyncIterator[DiscordEnv]:
    engine, settings = FakeEngine(), make_settings(folder, **environment)
    bot = create_bot(engine, settings)
    env = Env(bot)
    # The parser is a process of its own, and starts in earnest; the dispatcher's beat, each 30 s,
    # is to stay out of sight.
    env.settle_timeout = 20.0
    use_external_wait(engine, env)
    await env.start()
    stage = DiscordEnv(env, bot, engine, settings)
    try:
        yield stage
    finally:
        await stage.bot.close()
        await env.shutdown()


def suffixes(message: discord.Message) -> list[str]:
    return [Path(attachment.filename).suffix for attachment in message.attachments]


def fields(message: discord.Message) -> dict[str | None, str | None]:
    return {field.name: field.value for field in message.embeds[0].fields}


def last(channel: ChannelHandle) -> discord.Message:
    message = channel.last_message
    assert message is not None
    return message
