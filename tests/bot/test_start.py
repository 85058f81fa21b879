"""Start and end: failures are one sentence, a signal ends the bot, the token is never logged."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import subprocess
import sys
from pathlib import Path

import aiohttp
import discord
import pytest

from bot import create_bot
from bot.__main__ import (
    LOG_FORMAT,
    RedactingFormatter,
    check_paths,
    connect_to_discord,
    run_until_signal,
)
from bot.errors import StartupError
from tests.support.fakes import FakeEngine, make_settings, write_styles
from tests.support.paths import PROJECT

SECRET = "MTIz.not-a-token.at-all"  # noqa: S105 - it opens nothing


def start(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    if not (folder / "models").exists():
        write_styles(folder / "models")
    return subprocess.run(
        [sys.executable, "-m", "bot"],
        cwd=folder,
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(PROJECT),
            "MST_MODELS_DIR": str(folder / "models"),
            **environment,
        },
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_bad_setting_ends_with_status_2_and_one_sentence(tmp_path: Path) -> None:
    ended = start(tmp_path, MST_BARS_MAX="many", DISCORD_TOKEN=SECRET)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr == (
        "error: MST_BARS_MAX cannot be 'many': it must be a whole number from 4 to 64\n"
    )


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("MST_MODELS_DIR", "there is no folder "),
        ("MST_SOUNDFONT", "no SoundFont was found at "),
        ("MST_DATA_DIR", "nothing can be written into "),
    ],
)
def test_an_unusable_path_is_named_before_an_address_is_printed(
    setting: str, words: str, tmp_path: Path
) -> None:
    (tmp_path / "a file").write_text("no folder, no SoundFont")
    ended = start(tmp_path, **{setting: str(tmp_path / "a file")})
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith(f"error: {setting}: {words}{tmp_path / 'a file'}")
    assert ended.stderr.count("\n") == 1


def test_a_folder_without_styles_is_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "empty").mkdir()
    check_paths(make_settings(tmp_path, MST_MODELS_DIR=str(tmp_path / "empty")))
    assert f"there is no style in {tmp_path / 'empty'}" in caplog.text


async def test_a_broken_style_is_logged_and_the_others_are_available(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings = make_settings(tmp_path)
    (settings.models_dir / "folk" / "style.toml").write_text("title = ", encoding="utf-8")
    bot = create_bot(engine=FakeEngine(), settings=settings)
    assert "the style 'folk' cannot be loaded: style.toml: " in caplog.text
    assert "jazz" in bot.styles
    assert "folk" not in bot.styles


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (discord.LoginFailure("Improper token"), "does not accept DISCORD_TOKEN"),
        (aiohttp.ClientConnectionError("no route"), "cannot be reached: ClientConnectionError"),
        (discord.ClientException("no gateway"), "ended the connection"),
    ],
)
async def test_a_rejected_login_is_reported_in_one_sentence(
    error: Exception, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(*_: object) -> None:
        raise error

    bot = discord.Client(intents=discord.Intents.none())
    monkeypatch.setattr(bot, "start", refuse)
    with pytest.raises(StartupError, match=words) as caught:
        await connect_to_discord(bot, SECRET)
    assert SECRET not in str(caught.value)
    assert bot.is_closed()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_cancels_the_work_and_waits_for_its_clean_up(number: signal.Signals) -> None:
    ended: list[str] = []

    async def work() -> None:
        try:
            os.kill(os.getpid(), number)
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            ended.append("cleaned up")

    async def drain() -> None:
        ended.append("drained")

    await run_until_signal(work(), drain)
    assert ended == ["drained", "cleaned up"], "it drains while the work still runs"


async def test_a_second_signal_ends_the_drain(caplog: pytest.LogCaptureFixture) -> None:
    drains: list[str] = []

    async def drain() -> None:
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            await asyncio.Event().wait()
        finally:
            drains.append("ended")

    async def work() -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.Event().wait()

    await run_until_signal(work(), drain)
    assert drains == ["ended"]
    assert caplog.records == []


async def test_a_drain_that_fails_ends_the_bot_all_the_same(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def drain() -> None:
        raise OSError("no space is left")

    async def work() -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.Event().wait()

    await run_until_signal(work(), drain)
    assert [record.message for record in caplog.records] == ["running jobs could not be ended"]


async def test_an_error_of_the_work_is_raised() -> None:
    async def work() -> None:
        raise ZeroDivisionError

    async def drain() -> None:
        raise AssertionError("there was no signal")

    with pytest.raises(ZeroDivisionError):
        await run_until_signal(work(), drain)


@pytest.mark.parametrize(
    "path", ["/api/v10/webhooks/1/aW50ZXI-x_y/messages/2?wait=1", "interactions/1/aW50ZXI-x_y"]
)
def test_the_log_has_no_token_in_messages_or_tracebacks(path: str, tmp_path: Path) -> None:
    formatter = RedactingFormatter(LOG_FORMAT, make_settings(tmp_path, DISCORD_TOKEN=SECRET))
    try:
        raise aiohttp.ClientConnectionError(f"Cannot connect: https://discord.com/{path} {SECRET}")
    except aiohttp.ClientConnectionError as error:
        told = (type(error), error, error.__traceback__)
        record = logging.LogRecord("bot", logging.ERROR, "", 1, "it was %s", (error,), told)
    text = formatter.format(record)
    assert "aW50ZXI-x_y" not in text
    assert SECRET not in text
    assert text.count("s/1/**********") == 2


def test_the_preview_logs_only_warnings_that_matter() -> None:
    told = subprocess.run(
        [
            sys.executable,
            "-c",
            "import logging; logging.basicConfig(format='%(message)s');"
            "from bot.__main__ import mute_discord_warnings\n"
            "with mute_discord_warnings():\n"
            "    import simcord\n"
            "    logging.getLogger('discord.client').warning('something else')\n",
        ],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stderr == "something else\n"
