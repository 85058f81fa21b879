"""The bot from a user's view: a command, its progress, its result, its buttons."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import discord
import pytest
from simcord import Env

from bot import create_bot
from bot.errors import StartupError
from mst_core.errors import NoSuchTune
from mst_core.jobs import Progress
from tests.support.discord_env import DiscordEnv, fields, last_message, suffixes
from tests.support.fakes import FakeEngine, compose_request, make_settings


async def test_compose_delivers_audio_score_midi_and_the_options_used(server: DiscordEnv) -> None:
    await server.alice.slash(server.channel, "compose", style="folk", seed=42)
    (message,) = server.channel.history()
    assert suffixes(message) == [".mp3", ".png", ".mid"]
    assert message.attachments[0].filename == "folk-42.mp3"
    assert await message.attachments[0].read() == b"mp3 of 1"
    assert message.embeds[0].image.url == "attachment://folk-42.png" or message.embeds[0].image.url
    assert fields(message) == {
        "Melody": "Folk",
        "Rhythm": "Folk",
        "Key": "D major",
        "Meter": "4/4",
        "Tempo": "♩ = 110",
        "Bars": "16",
        "Form": "AABB",
        "Seed": "`42`",
    }
    assert "A new folk tune" in message.content


async def test_transfer_takes_melody_and_rhythm_from_two_styles(server: DiscordEnv) -> None:
    await server.alice.slash(
        server.channel,
        "transfer",
        pitch="jazz",
        rhythm="folk",
        bars=8,
        meter="6/8",
        key="Em",
        tempo=90.0,
        seed=1,
    )
    (job,) = server.engine.jobs
    request = compose_request(job)
    assert (request.pitch, request.rhythm, request.bars) == ("jazz", "folk", 8)
    assert (request.meter, request.key, request.tempo, request.seed) == ("6/8", "Em", 90.0, 1)
    assert "jazz melody and folk rhythm" in last_message(server.channel).content
    assert fields(last_message(server.channel))["Tempo"] == "dotted ♩ = 60", (
        "a musician's beat of 6/8"
    )


async def test_a_seed_is_drawn_and_shown_when_none_is_given(server: DiscordEnv) -> None:
    await server.alice.slash(server.channel, "compose", style="folk")
    await server.alice.slash(server.channel, "compose", style="folk")
    first, second = (job.request.seed for job in server.engine.jobs)
    assert first != second
    assert fields(last_message(server.channel))["Seed"] == f"`{second}`"


async def test_the_message_shows_the_progress_and_then_the_result(server: DiscordEnv) -> None:
    server.engine.hold = True
    result = await server.alice.slash(server.channel, "compose", style="folk")
    assert result.acknowledged
    assert not result.ephemeral
    (message,) = server.channel.history()
    assert "starting" in message.content
    server.engine.progress = [Progress("composing", 0.4)]
    server.engine.release()
    await server.env.settle()
    (after,) = server.channel.history()
    assert after.id == message.id
    assert suffixes(after) == [".mp3", ".png", ".mid"]
    assert "starting" not in after.content


async def test_progress_shows_percent_once_a_second(server: DiscordEnv) -> None:
    server.engine.hold = True
    server.engine.progress = []
    steps: asyncio.Queue[Progress] = asyncio.Queue()
    run = server.engine.run

    async def stepping(job: Any) -> AsyncIterator[Any]:
        while (step := await server.engine.wait(steps.get())).share < 1:
            yield step
        server.engine.hold = False
        async for event in run(job):
            yield event

    server.engine.run = stepping  # type: ignore[method-assign]
    await server.alice.slash(server.channel, "compose", style="folk")
    await server.env.advance_time(1)
    steps.put_nowait(Progress("composing", 0.41))
    steps.put_nowait(Progress("composing", 0.42))
    await server.env.settle()
    assert "composing ▰▰▰▰▱▱▱▱▱▱ 41 %" in last_message(server.channel).content
    await server.env.advance_time(1)
    steps.put_nowait(Progress("playing", 0.8))
    await server.env.settle()
    assert "playing ▰▰▰▰▰▰▰▰▱▱ 80 %" in last_message(server.channel).content
    steps.put_nowait(Progress("", 1.0))
    await server.env.settle()
    assert suffixes(last_message(server.channel)) == [".mp3", ".png", ".mid"]


async def test_a_waiting_user_sees_the_position_in_the_queue(server: DiscordEnv) -> None:
    server.engine.slots = 1
    server.engine.hold = True
    await server.alice.slash(server.channel, "compose", style="folk")
    await server.bob.slash(server.channel, "compose", style="jazz")
    assert "place 1 in the queue" in last_message(server.channel).content
    server.engine.release()
    await server.env.settle()
    assert [suffixes(message) for message in server.channel.history()] == [
        [".mp3", ".png", ".mid"]
    ] * 2


async def test_another_one_makes_a_new_message_with_a_new_seed(server: DiscordEnv) -> None:
    await server.alice.slash(
        server.channel, "transfer", pitch="folk", rhythm="jazz", seed=5, bars=8
    )
    old = last_message(server.channel)
    await server.bob.click(old, label="Another one")
    messages = server.channel.history()
    assert len(messages) == 2
    new = last_message(server.channel)
    assert suffixes(old) == suffixes(new) == [".mp3", ".png", ".mid"]
    first, second = (compose_request(job) for job in server.engine.jobs)
    assert (second.pitch, second.rhythm, second.bars) == ("folk", "jazz", 8)
    assert first.seed != second.seed
    assert [record.user_id for record in await server.history(server.bob)] == [server.bob.id]


async def test_another_one_works_after_a_restart(server: DiscordEnv) -> None:
    await server.alice.slash(server.channel, "compose", style="folk", seed=5)
    await server.restart()
    await server.bob.click(last_message(server.channel), label="Another one")
    assert [compose_request(job).pitch for job in server.engine.jobs] == ["folk"]
    assert suffixes(last_message(server.channel)) == [".mp3", ".png", ".mid"]


async def test_an_engine_that_cannot_start_closes_the_bot_with_a_reason(tmp_path: Path) -> None:
    engine = FakeEngine()
    engine.start_error = NoSuchTune("for once")
    bot = create_bot(engine, make_settings(tmp_path))
    env = Env(bot)
    await env.start()
    await env.shutdown()
    assert bot.is_closed()
    assert bot.failure is engine.start_error


async def test_commands_work_in_direct_messages(server: DiscordEnv) -> None:
    await server.alice.user.slash("compose", style="folk")
    assert suffixes(last_message(server.alice.user.dm_channel)) == [".mp3", ".png", ".mid"]


def test_the_bot_uses_no_privileged_intents_and_no_mentions(tmp_path: Path) -> None:
    bot = create_bot(FakeEngine(), make_settings(tmp_path))
    privileged = discord.Intents(members=True, presences=True, message_content=True)
    assert not bot.intents.value & privileged.value
    assert bot.allowed_mentions is not None
    assert bot.allowed_mentions.to_dict() == discord.AllowedMentions.none().to_dict()


async def test_a_second_bot_on_the_same_data_does_not_start(server: DiscordEnv) -> None:
    second = create_bot(FakeEngine(), server.settings)
    with pytest.raises(StartupError, match="another bot is using the data folder"):
        await second.setup_hook()
    await second.close()
    await server.restart()
