"""Starts the local preview: one Discord server with one channel and two users."""

from __future__ import annotations

import asyncio
import mimetypes
import signal
import sys
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from bot import create_bot
from bot.app import MusicBot, build_engine
from bot.preview.engine import EngineProxy
from bot.preview.live import LiveEnv, LivePage
from bot.settings import Settings
from mst_core.engine import Engine

BOT_NAME = "Music Style Bot"
PREVIEW_USERS = ("you", "friend")
"""Users of the channel. "Viewing as" on the page switches between them."""


async def serve(settings: Settings, engine: Engine | None = None) -> None:
    """Serve the bot in the browser until SIGTERM, Ctrl-C or "End preview session" on the page.

    The preview stores its data in the subfolder ``tryout``, since its users and messages are not
    those of Discord.

    Args:
        settings: The settings.
        engine: The engine; by default the one that the settings name.

    Raises:
        BadSetting: when the port is in use.
        bot.errors.StartupError: when the database cannot be opened.
        mst_core.errors.MstError: when the engine cannot start.
    """
    stop = _stop_on_signal()
    # As audio the page would try to play a MIDI file, and fail: it is to be downloaded.
    mimetypes.add_type("application/x-midi", ".mid")
    settings = replace(settings, data_dir=settings.data_dir / "tryout")
    restarted = (settings.data_dir / "ledger.sqlite3").exists()
    proxy = EngineProxy(engine or build_engine(settings))
    bot = create_bot(proxy, settings)
    env = LiveEnv(bot)
    proxy.attach(env)
    # Created at instant 0 they get the same ids at every start, so the history is theirs.
    guild = env.create_guild("Preview")
    channel = guild.create_text_channel("music", topic=bot.texts.render("preview.topic"))
    users = [guild.add_member(env.create_user(name)) for name in PREVIEW_USERS]
    env.backend.edit_bot_profile(BOT_NAME)
    async with (
        _running(env, bot),
        LivePage.open(env, channel, users, settings.preview_port) as page,
    ):
        welcome = bot.texts.render("preview.welcome")
        if restarted:
            welcome += "\n" + bot.texts.render("preview.again")
        await bot.get_partial_messageable(channel.id).send(welcome)
        sys.stdout.write(f"The preview is at {page.address} (Ctrl-C ends it)\n")
        sys.stdout.flush()
        await _run_until_first(stop.wait(), page.follow_clock(), page.wait_closed())
    if bot.failure:
        raise bot.failure


def _stop_on_signal() -> asyncio.Event:
    """Return an event that the first signal sets; the second one ends the process at once."""
    loop, stop = asyncio.get_running_loop(), asyncio.Event()

    def catch(number: signal.Signals) -> None:
        stop.set()
        loop.remove_signal_handler(number)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, catch, number)
    return stop


@asynccontextmanager
async def _running(env: LiveEnv, bot: MusicBot) -> AsyncIterator[None]:
    await env.start()
    try:
        with env.time_context():
            try:
                yield
            finally:
                await bot.close()
    finally:
        await env.shutdown()


async def _run_until_first(*endings: Coroutine[Any, Any, Any]) -> None:
    """Return when the first one ends, or raise its error; the others are cancelled."""
    tasks = [asyncio.ensure_future(one) for one in endings]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()
