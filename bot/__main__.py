"""``mst-bot``: runs the bot on Discord, or the local preview when there is no token.

``mst-bot backup FOLDER`` and ``mst-bot restore FOLDER`` copy its data, the first while it runs;
``mst-bot doctor`` prints how this machine protects them, and ``mst-bot verify`` whether its disk
keeps what is stored when the bot is killed (status 1: it does not).

SIGTERM and Ctrl-C end it after running jobs had ``MST_DRAIN_S`` seconds; a second signal ends it at
once. Its exit status is 2 for an invalid setting and 1 when it cannot start, with one line on
standard error.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import re
import signal
import sys
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import aiohttp
import discord

from bot import create_bot
from bot.backup import back_up, restore
from bot.errors import StartupError
from bot.hardening import examine, log_missing_protections, protect_files, protect_process
from bot.monitoring.logs import json_line
from bot.requests.downloads import capped_download
from bot.settings import BadSetting, Settings, forget_secrets
from bot.verify import format_table, verify
from mst_core.errors import MstError, NoSoundFont
from mst_core.sound.soundfont import find_soundfont
from mst_core.styles import load_style_cards

log = logging.getLogger(__name__)

VERIFY_S = 30.0
"""Seconds of kills of ``mst-bot verify``, unless it is given others."""
LOG_FORMAT = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"
NOISY_LOGGERS = ("discord", "aiosqlite", "asyncio", "aiohttp")
"""Loggers limited to info and above: their debug lines contain interaction tokens."""
TOKEN_URL = re.compile(r"((?:webhooks|interactions)/\d+/)[^/\s'\"?]+")
"""A URL with an interaction token, as network errors quote it."""


def main() -> None:
    """Run the bot until a signal ends it, or one command; installed as ``mst-bot``."""
    options = parse_options(sys.argv[1:])
    try:
        settings = Settings.from_environment()
        forget_secrets()
        protect_process()
        start_logging(settings)
        if options.command:
            run_command(options, settings)
            return
        check_paths(settings)
        protect_files(settings.data_dir)
        log_missing_protections()
        asyncio.run(run_discord(settings) if settings.discord_token else run_preview(settings))
    except BadSetting as error:
        exit_with_error(2, error)
    except (StartupError, MstError) as error:
        exit_with_error(1, error)


def parse_options(arguments: Sequence[str]) -> argparse.Namespace:
    """Parse the arguments; ``command`` is None when the bot is to run."""
    parser = argparse.ArgumentParser("mst-bot", description="Run the bot, or one command.")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    for name, words in (
        ("backup", "copy the ledger and its files into a new folder; the bot may run"),
        ("restore", "copy a backup into the empty data folder; the bot must not run"),
    ):
        commands.add_parser(name, help=words).add_argument("folder", type=Path)
    commands.add_parser("doctor", help="print how this machine protects the bot and its data")
    verifying = commands.add_parser(
        "verify", help="kill a process that stores requests again and again, and look what is left"
    )
    verifying.add_argument(
        "--seconds", type=float, default=VERIFY_S, help=f"how long (default {VERIFY_S:g})"
    )
    return parser.parse_args(arguments)


def run_command(options: argparse.Namespace, settings: Settings) -> None:
    """Carry out one command, and print what was done.

    Args:
        options: The parsed arguments.
        settings: Say which data folder.

    Raises:
        StartupError: when it cannot be done.
    """
    if options.command == "doctor":
        sys.stdout.write("\n".join(examine(settings.data_dir)) + "\n")
        return
    if options.command == "verify":
        free_bytes = settings.disk_free_mb * 1_000_000
        found = verify(settings.data_dir, free_bytes, options.seconds)
        sys.stdout.write(format_table(found) + "\n")
        if not all(passed for passed, _, _ in found):
            sys.exit(1)
        return
    folder = options.folder
    if options.command == "backup":
        n_files = back_up(settings.data_dir, folder)
        sys.stdout.write(f"{n_files} files of {settings.data_dir} are copied to {folder}\n")
    else:
        n_files = restore(folder, settings.data_dir)
        sys.stdout.write(f"{n_files} files of {folder} are copied to {settings.data_dir}\n")


def exit_with_error(status: int, error: Exception) -> None:
    """Write the error as one line, and exit.

    Args:
        status: The exit status: 1 when the bot cannot start, 2 for an invalid setting.
        error: What went wrong; its message is one sentence.

    Raises:
        SystemExit: always.
    """
    sys.stderr.write(f"error: {error}\n")
    sys.exit(status)


def check_paths(settings: Settings) -> None:
    """Check the folders and the SoundFont of the settings.

    Raises:
        BadSetting: when one of them cannot be used.
        NoSoundFont: when no SoundFont is set and none is installed.
    """
    if not settings.models_dir.is_dir():
        raise BadSetting(f"MST_MODELS_DIR: there is no folder {settings.models_dir}")
    if not load_style_cards(settings.models_dir):
        log.warning("there is no style in %s, so the bot cannot make a tune", settings.models_dir)
    try:
        find_soundfont(settings.soundfont)
    except NoSoundFont as error:
        if settings.soundfont is None:
            raise
        raise BadSetting(f"MST_SOUNDFONT: {error}") from error
    data = settings.data_dir.absolute()
    existing = next(path for path in (data, *data.parents) if path.exists())
    if not existing.is_dir() or not os.access(existing, os.W_OK | os.X_OK):
        raise BadSetting(f"MST_DATA_DIR: nothing can be written into {existing}")


def start_logging(settings: Settings) -> None:
    """Configure logging to standard error, without secrets."""
    handler = logging.StreamHandler()
    handler.setFormatter(RedactingFormatter(LOG_FORMAT, settings))
    logging.basicConfig(level=settings.log_level.upper(), handlers=[handler], force=True)
    for name in NOISY_LOGGERS:
        logging.getLogger(name).setLevel(max(logging.INFO, logging.getLogger().level))


class RedactingFormatter(logging.Formatter):
    """Replaces every token by asterisks, in tracebacks too."""

    def __init__(self, line: str, settings: Settings) -> None:
        super().__init__(line)
        self._token = settings.discord_token
        self._as_json = settings.log_format == "json"

    def format(self, record: logging.LogRecord) -> str:
        """Format a record without tokens."""
        if self._as_json:
            return json_line(record, self._redact)
        return self._redact(super().format(record))

    def _redact(self, text: str) -> str:
        text = TOKEN_URL.sub(r"\1**********", text)
        return text.replace(self._token.reveal(), str(self._token)) if self._token else text


async def run_preview(settings: Settings) -> None:
    """Run the local preview, which handles signals itself."""
    try:
        with mute_discord_warnings():
            from bot.preview.server import serve
    except ModuleNotFoundError as error:
        if error.name != "simcord":
            raise
        raise StartupError(
            "there is no DISCORD_TOKEN, and the preview is not installed;"
            " set one, or install it with: pip install 'music-style-bot[tryout]'"
        ) from error
    await serve(settings)


@contextmanager
def mute_discord_warnings() -> Iterator[None]:
    """Drop warnings about a client that SimCord creates on import: it needs no intents or voice."""

    def keep(record: logging.LogRecord) -> bool:
        return not record.getMessage().startswith(("Guilds intent", "PyNaCl", "davey"))

    loggers = [logging.getLogger(name) for name in ("discord.state", "discord.client")]
    for logger in loggers:
        logger.addFilter(keep)
    try:
        yield
    finally:
        for logger in loggers:
            logger.removeFilter(keep)


async def run_discord(settings: Settings) -> None:
    """Run the bot on Discord until a signal.

    Raises:
        StartupError: when Discord rejects the token or cannot be reached.
        MstError: when the engine cannot start.
    """
    bot = create_bot(settings=settings)
    setattr(bot.http, "get_from_cdn", capped_download(settings.upload_bytes))  # noqa: B010
    try:
        work = connect_to_discord(bot, settings.discord_token.reveal())
        await run_until_signal(work, bot.drain)
    except StartupError as error:
        # A bot that closed itself loses its connection too: report the cause.
        raise (bot.failure or error) from error
    if bot.failure:
        raise bot.failure


async def connect_to_discord(bot: discord.Client, token: str) -> None:
    """Log in and run until the bot is closed.

    Args:
        bot: The bot, not yet logged in.
        token: The bot token of Discord, in plain text.

    Raises:
        StartupError: when Discord rejects the token, cannot be reached, or ends the connection.
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


async def run_until_signal(
    work: Coroutine[Any, Any, None], drain: Callable[[], Coroutine[Any, Any, None]]
) -> None:
    """Run ``work`` until SIGTERM or SIGINT; a second signal ends the drain at once.

    Args:
        work: What runs; it is cancelled after the drain, and its own clean-up ends it.
        drain: Runs at the first signal, beside ``work``.
    """
    task = asyncio.create_task(work)
    loop = asyncio.get_running_loop()
    ending: asyncio.Task[None] | None = None

    async def end() -> None:
        try:
            await drain()
        except Exception:
            log.exception("running jobs could not be ended")

    def on_signal() -> None:
        nonlocal ending
        if ending is None:
            ending = loop.create_task(end())
            ending.add_done_callback(lambda _: task.cancel())
        elif not ending.cancel():
            task.cancel()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, on_signal)
    try:
        await task
    except asyncio.CancelledError:
        if not task.cancelled():
            raise
    finally:
        if ending:
            ending.cancel()
            await asyncio.wait([ending])


if __name__ == "__main__":
    main()
