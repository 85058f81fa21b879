"""Where the bot and its visitors meet: a world with one server, one channel and two people."""

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
from bot.preview.live import LiveEnv, LivePage, PortInUse
from bot.settings import BadSetting, Settings
from mst_core.engine import Engine

BOT_NAME = "Music Style Bot"
PREVIEW_USERS = ("you", "friend")
"""The page's "Viewing as" changes between them: what is private, whose turn it is."""


async def serve(settings: Settings, engine: Engine | None = None) -> None:
    """Serve the bot in the browser until SIGTERM, Ctrl-C or "End preview session" on the page.

    ``engine`` is for harnesses: another one than the settings name. The data of the try-out has a
    folder of its own, since its people and messages are not those of Discord.

    Raises:
        BadSetting: when the port is taken.
        bot.requests.store.BrokenLedger: when the ledger cannot be opened.
        mst_core.errors.MstError: when the engine cannot start.
    """
    stop = _stop_on_signal()
    # A MIDI file is one to download: as audio the page would try to play it, and fail.
    mimetypes.add_type("application/x-midi", ".mid")
    settings = replace(settings, data_dir=settings.data_dir / "tryout")
    been_here = (settings.data_dir / "ledger.sqlite3").exists()
    distant = EngineProxy(engine or build_engine(settings))
    bot = create_bot(distant, settings)
    world = LiveEnv(bot)
    distant.attach(world)
    # Made at instant 0, these have the same ids at every start: the history of before is theirs.
    guild = world.create_guild("Try-out")
    channel = guild.create_text_channel("music", topic=bot.texts.render("tryout.topic"))
    visitors = [guild.add_member(world.create_user(name)) for name in PREVIEW_USERS]
    world.backend.edit_bot_profile(BOT_NAME)
    async with _running(world, bot):
        try:
            async with LivePage.open(world, channel, visitors, settings.preview_port) as page:
                welcome = bot.texts.render("tryout.welcome")
                if been_here:
                    welcome += "\n" + bot.texts.render("tryout.again")
                await bot.get_partial_messageable(channel.id).send(welcome)
                sys.stdout.write(f"The try-out is at {page.address} (Ctrl-C ends it)\n")
                sys.stdout.flush()
                await _run_until_first(stop.wait(), page.follow_clock(), page.wait_closed())
        except PortInUse as error:
            raise BadSetting(f"MST_TRYOUT_PORT: {error}; set another, or 0 for any") from error
    if bot.failure:
        raise bot.failure


def _stop_on_signal() -> asyncio.Event:
    """Make an event that the first signal sets; the second ends the process at once."""
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
