"""While the bot ends, running jobs finish and whoever asks for more gets a sentence in private."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.discord_env import DiscordEnv, discord_env, last_message, suffixes

SENTENCE = "The bot is restarting; please try again in a minute."
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
