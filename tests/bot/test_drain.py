"""While the bot ends, running jobs finish and whoever asks for more gets a sentence in private."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot import create_bot
from bot.__main__ import connect_to_discord, run_until_signal
from tests.support.discord_env import DiscordEnv, discord_env, last_message, suffixes
from tests.support.fakes import FakeEngine, make_settings
from tests.support.small_gateway import small_gateway

SENTENCE = "The bot is restarting; please try again in a minute."
TOKEN = "not.a.token"  # noqa: S105 - it opens nothing
RESULT = [".mp3", ".png", ".mid"]


@pytest.fixture
async def draining(tmp_path: Path) -> AsyncIterator[DiscordEnv]:
    """A server where a result was delivered, and whose bot ends while another is made."""
    async with discord_env(tmp_path, MST_DRAIN_S="300") as server:
        await server.alice.slash(server.channel, "compose", style="folk")
        server.engine.hold = True
        await server.alice.slash(server.channel, "compose", style="jazz")
        drain = asyncio.create_task(server.bot.drain())
        await asyncio.sleep(0)
        yield server
        server.engine.release()
        await drain


async def test_a_command_during_the_drain_is_answered_in_private(draining: DiscordEnv) -> None:
    result = await draining.bob.slash(draining.channel, "compose", style="folk")
    assert result.ephemeral
    assert result.response is not None
    assert result.response.content == SENTENCE
    assert await draining.history(draining.bob) == []


async def test_a_press_during_the_drain_is_answered_in_private(draining: DiscordEnv) -> None:
    made, _ = draining.channel.history()
    result = await draining.bob.click(made, label="Another one")
    assert result.ephemeral
    assert result.response is not None
    assert result.response.content == SENTENCE
    assert await draining.history(draining.bob) == []


async def test_options_are_completed_during_the_drain(draining: DiscordEnv) -> None:
    channel = draining.channel
    choices = await draining.bob.autocomplete(channel, "compose", "key", "a d", style="folk")
    assert [choice["value"] for choice in choices] == ["A dorian"]


async def test_the_running_job_is_delivered_and_the_engine_ended(draining: DiscordEnv) -> None:
    await draining.bob.slash(draining.channel, "compose", style="folk")
    draining.engine.release()
    await draining.bot.drain()
    assert suffixes(last_message(draining.channel)) == RESULT
    assert draining.engine.closed


async def test_what_waits_stays_stored_for_the_next_start(tmp_path: Path) -> None:
    async with discord_env(tmp_path) as server:
        server.engine.slots = 1
        server.engine.hold = True
        await server.alice.slash(server.channel, "compose", style="folk")
        await server.bob.slash(server.channel, "compose", style="jazz")
        server.engine.release()
        await server.bot.drain()
        assert len(server.engine.jobs) == 1
        (record,) = await server.history(server.bob)
        assert (record.state, record.tries) == ("waiting", 0)


async def test_after_sigterm_the_connection_stays_until_running_jobs_are_delivered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = FakeEngine()
    engine.hold = True
    settings = make_settings(tmp_path, DISCORD_TOKEN=TOKEN, MST_DRAIN_S="300")
    async with small_gateway(monkeypatch) as discord, asyncio.TaskGroup() as group:
        bot = create_bot(engine, settings)
        work = connect_to_discord(bot, settings.discord_token.reveal())
        group.create_task(run_until_signal(work, bot.drain))
        await discord.identified.wait()
        await discord.send_command(100, "compose", style="folk")
        assert (await discord.answers.get())["type"] == 5, "acknowledged, its tune is being made"
        while not engine.running:  # noqa: ASYNC110 - the engine sends no events
            await asyncio.sleep(0.005)
        os.kill(os.getpid(), signal.SIGTERM)
        while not bot.closing:  # noqa: ASYNC110 - set by the signal
            await asyncio.sleep(0.005)
        await discord.send_command(101, "compose", style="folk")
        refused = await discord.answers.get()
        assert refused["content"] == SENTENCE
        assert refused["flags"] == 64, "only its user sees it"
        engine.release()
        while "mp3 of" not in await discord.edits.get():
            pass
    assert bot.is_closed()
    assert engine.closed
    assert len(engine.jobs) == 1
