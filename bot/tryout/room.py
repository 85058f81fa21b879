"""Where the bot and its one visitor meet: a world with one server, one channel and one person."""

from __future__ import annotations

import asyncio
import mimetypes
import signal
import sys
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import discord

from bot.settings import BadSetting
from bot.tryout.engine import DistantEngine
from bot.tryout.live import LivePage, LiveWorld, PortTaken

BOT_NAME = "Music Style Bot"


async def host(
    bot: discord.Client, engine: DistantEngine, *, port: int, topic: str, welcome: str
) -> None:
    """Run a bot in a world of its own and serve its channel until someone ends it.

    SIGTERM, Ctrl-C and "End preview session" on the page end it.

    Raises:
        BadSetting: when the port is taken.
    """
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    # A MIDI file is one to download: as audio the page would try to play it, and fail.
    mimetypes.add_type("application/x-midi", ".mid")
    world = LiveWorld(bot)
    world.backend.edit_bot_profile(BOT_NAME)
    engine.enter(world)
    async with _logged_in(world, bot):
        guild = world.create_guild("Try-out")
        channel = guild.create_text_channel("music", topic=topic)
        visitor = guild.add_member(world.create_user("you"))
        try:
            async with LivePage.open(world, channel, visitor, port) as page:
                await bot.get_partial_messageable(channel.id).send(welcome)
                sys.stdout.write(f"The try-out is at {page.address} (Ctrl-C ends it)\n")
                sys.stdout.flush()
                await _until_first(stop.wait(), page.follow(), page.wait_closed())
        except PortTaken as error:
            raise BadSetting(f"MST_TRYOUT_PORT: {error}; set another, or 0 for any") from error


@asynccontextmanager
async def _logged_in(world: LiveWorld, bot: discord.Client) -> AsyncIterator[None]:
    await world.start()
    try:
        with world.time_context():
            try:
                yield
            finally:
                await bot.close()
    finally:
        await world.shutdown()


async def _until_first(*endings: Coroutine[Any, Any, Any]) -> None:
    """Return when one of them does, or raise what it raised; the others are cancelled."""
    tasks = [asyncio.ensure_future(one) for one in endings]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()
