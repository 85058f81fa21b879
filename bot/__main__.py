"""``python -m bot``: settings, logging, then Discord, or the local try-out when there is no token.

Ends on SIGTERM and Ctrl-C after running jobs had a few seconds; a second signal ends it at once.
Exit status 2 for a setting that makes no sense, 1 when it cannot start; one sentence says why.
"""

from __future__ import annotations

import asyncio
import logging
import os
import re
import signal
import sys
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any

import aiohttp
import discord

from bot import create_bot
from bot.requests.database import BrokenDatabase
from bot.settings import BadSetting, Settings
from mst_core.errors import MstError, NoSoundFont
from mst_core.sound.soundfont import find_soundfont
from mst_core.styles import load_style_cards

log = logging.getLogger(__name__)

LOG_FORMAT = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"
NOISY_LOGGERS = ("discord", "aiosqlite", "asyncio", "aiohttp")
"""Their debug lines hold tokens of interactions, so they never speak below info."""
TOKEN_URL = re.compile(r"((?:webhooks|interactions)/\d+/)[^/\s'\"?]+")
"""An address that holds the token of an interaction, as errors of the network tell it."""


class StartupError(Exception):
    """Why the bot cannot start, in one sentence."""


def main() -> None:
    """Run the bot until it is told to end; the installed command ``mst-bot``."""
    try:
        settings = Settings.from_environment()
        start_logging(settings)
        check_paths(settings)
        asyncio.run(run_discord(settings) if settings.discord_token else run_preview(settings))
    except BadSetting as error:
        exit_with_error(2, error)
    except (StartupError, BrokenDatabase, MstError) as error:
        exit_with_error(1, error)


def exit_with_error(status: int, error: Exception) -> None:
    """Say why in one line, and exit."""
    sys.stderr.write(f"error: {error}\n")
    sys.exit(status)


def check_paths(settings: Settings) -> None:
    """Look at the folders and the file that the settings name, before an address is told.

    Raises:
        BadSetting: when one cannot be used.
        NoSoundFont: when none is set and none is installed.
    """
    if not settings.models_dir.is_dir():
        raise BadSetting(f"MST_MODELS_DIR: there is no folder {settings.models_dir}")
    if not load_style_cards(settings.models_dir):
        log.warning("there is no style in %s, so the bot can make no tune", settings.models_dir)
    try:
        find_soundfont(settings.soundfont)
    except NoSoundFont as error:
        if settings.soundfont is None:
            raise
        raise BadSetting(f"MST_SOUNDFONT: {error}") from error
    data = settings.data_dir.absolute()
    ground = next(path for path in (data, *data.parents) if path.exists())
    if not ground.is_dir() or not os.access(ground, os.W_OK | os.X_OK):
        raise BadSetting(f"MST_DATA_DIR: nothing can be written into {ground}")


def start_logging(settings: Settings) -> None:
    """Log to standard error, without secrets."""
    handler = logging.StreamHandler()
    handler.setFormatter(RedactingFormatter(LOG_FORMAT, settings))
    logging.basicConfig(level=settings.log_level.upper(), handlers=[handler], force=True)
    for name in NOISY_LOGGERS:
        logging.getLogger(name).setLevel(max(logging.INFO, logging.getLogger().level))


class RedactingFormatter(logging.Formatter):
    """A formatter that prints every token as asterisks, tracebacks included."""

    def __init__(self, line: str, settings: Settings) -> None:
        super().__init__(line)
        self._token = settings.discord_token

    def format(self, record: logging.LogRecord) -> str:
        """Format a record."""
        text = TOKEN_URL.sub(r"\1**********", super().format(record))
        return text.replace(self._token.reveal(), str(self._token)) if self._token else text


async def run_preview(settings: Settings) -> None:
    """Serve the local channel; it sees to signals itself."""
    try:
        with mute_discord_warnings():
            from bot.preview.server import serve
    except ModuleNotFoundError as error:
        if error.name != "simcord":
            raise
        raise StartupError(
            "there is no DISCORD_TOKEN, and the try-out is not installed;"
            " set one, or install it with: pip install 'music-style-bot[tryout]'"
        ) from error
    await serve(settings)


@contextmanager
def mute_discord_warnings() -> Iterator[None]:
    """Keep quiet about what a client that SimCord makes when it is loaded does without."""

    def concerns(record: logging.LogRecord) -> bool:
        return not record.getMessage().startswith(("Guilds intent", "PyNaCl", "davey"))

    loggers = [logging.getLogger(name) for name in ("discord.state", "discord.client")]
    for logger in loggers:
        logger.addFilter(concerns)
    try:
        yield
    finally:
        for logger in loggers:
            logger.removeFilter(concerns)


async def run_discord(settings: Settings) -> None:
    """Be on Discord until a signal comes.

    Raises:
        CannotStart: when Discord refuses the token or cannot be reached.
        MstError: when the engine cannot start.
    """
    bot = create_bot(settings=settings)
    try:
        await run_until_signal(connect_to_discord(bot, settings.discord_token.reveal()))
    except StartupError as error:
        # A bot that closed itself loses its connection too; the cause is worth telling.
        raise (bot.failure or error) from error
    if bot.failure:
        raise bot.failure


async def connect_to_discord(bot: discord.Client, token: str) -> None:
    """Log in and stay until the bot is closed.

    Raises:
        CannotStart: when Discord refuses the token, cannot be reached, or ends the connection.
    """
    async with bot:
        try:
            await bot.start(token)
        except discord.LoginFailure as error:
            raise StartupError("Discord does not accept DISCORD_TOKEN; is it complete?") from error
        except aiohttp.ClientError as error:
            raise StartupError(f"Discord cannot be reached: {type(error).__name__}") from error
        except discord.DiscordException as error:
            raise StartupError(f"Discord ended the connection: {error}") from error


async def run_until_signal(work: Coroutine[Any, Any, None]) -> None:
    """Do the work; SIGTERM or SIGINT cancels it, and its own clean-up ends it."""
    task = asyncio.create_task(work)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, task.cancel)
    try:
        await task
    except asyncio.CancelledError:
        if not task.cancelled():
            raise


if __name__ == "__main__":
    main()
