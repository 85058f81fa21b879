"""The bot on a simulated Discord, with a real request store and a fake engine."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import discord
from simcord import ChannelHandle, Env, MemberActor

from bot import create_bot
from bot.app import MusicBot
from bot.requests.record import RequestRecord
from bot.requests.store import RequestStore
from bot.settings import Settings
from tests.support.fakes import FakeEngine, make_settings


class DiscordEnv:
    """A Discord server with one channel, two users and the bot."""

    def __init__(self, env: Env, bot: MusicBot, engine: FakeEngine, settings: Settings) -> None:
        self.env, self.bot, self.engine, self.settings = env, bot, engine, settings
        guild = env.create_guild("A server")
        self.channel: ChannelHandle = guild.create_text_channel("music")
        self.alice: MemberActor = guild.add_member(env.create_user("alice"))
        self.bob: MemberActor = guild.add_member(env.create_user("bob"))
        self.guild = guild

    async def history(self, member: MemberActor) -> list[RequestRecord]:
        """Return the stored requests of a user, read through a second connection."""
        store = await RequestStore.open(self.settings.data_dir / "ledger.sqlite3")
        try:
            return await store.history(member.id)
        finally:
            await store.close()

    async def give_file(self, member: MemberActor, data: bytes) -> None:
        """Let a user have sent a file too, so that the score before is theirs to see."""
        assert self.bot._presses is not None
        await self.bot._presses._uploads.keep(member.id, "the same.mid", data)

    async def restart(self) -> None:
        """Replace the bot without closing it, as after a crash, by one with a new engine."""
        dead = self.bot
        self.engine = FakeEngine()
        self.bot = create_bot(self.engine, self.settings)
        use_external_wait(self.engine, self.env)
        scheduler, store = dead._scheduler, dead._store
        dead._scheduler = dead._store = (
            None  # not closed by the dead bot; the store is closed below
        )
        assert dead._data_lock is not None
        dead._data_lock.close()  # as at the end of its process
        await self.env.restart_bot(self.bot)
        assert scheduler is not None
        assert store is not None
        await store.close()


def use_external_wait(engine: FakeEngine, env: Env) -> None:
    async def wait(awaitable: Awaitable[Any]) -> Any:
        return await env.external_wait(awaitable, reason="the engine is busy")

    engine.wait = wait


@asynccontextmanager
async def discord_env(folder: Path, **environment: str) -> AsyncIterator[DiscordEnv]:
    engine, settings = FakeEngine(), make_settings(folder, **environment)
    bot = create_bot(engine, settings)
    env = Env(bot)
    # Long enough for the real parser process, too short for the scheduler's next heartbeat
    # after 30 s.
    env.settle_timeout = 20.0
    use_external_wait(engine, env)
    await env.start()
    server = DiscordEnv(env, bot, engine, settings)
    try:
        yield server
    finally:
        await server.bot.close()
        await env.shutdown()


def suffixes(message: discord.Message) -> list[str]:
    return [Path(attachment.filename).suffix for attachment in message.attachments]


def fields(message: discord.Message) -> dict[str | None, str | None]:
    return {field.name: field.value for field in message.embeds[0].fields}


def last_message(channel: ChannelHandle) -> discord.Message:
    message = channel.last_message
    assert message is not None
    return message
