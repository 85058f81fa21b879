"""The Cancel button: for who asked alone, from the first progress to the outcome."""

from __future__ import annotations

import discord
import pytest

from mst_core.errors import NoSuchTune
from tests.support import discord_env
from tests.support.discord_env import DiscordEnv, last_message, suffixes
from tests.support.fakes import FakeEngine
from tests.support.uploads import send_rerhythm, write_reel


def labels(message: discord.Message) -> list[str | None]:
    rows = message.components
    return [
        item.label
        for row in rows
        if isinstance(row, discord.ActionRow)
        for item in row.children
        if isinstance(item, discord.Button)
    ]


async def hold_a_tune(server: DiscordEnv) -> discord.Message:
    server.engine.hold = True
    await server.alice.slash(server.channel, "compose", style="folk")
    message = last_message(server.channel)
    assert labels(message) == ["Cancel"]
    return message


async def test_a_cancelled_request_leaves_one_message_that_says_so(server: DiscordEnv) -> None:
    await server.alice.click(await hold_a_tune(server), label="Cancel")
    (message,) = server.channel.history(viewer=server.alice)
    assert message.content == "**A new folk tune** was cancelled."
    assert labels(message) == ["Remove"]
    assert server.engine.running == set()
    history = await server.alice.slash(server.channel, "history")
    assert history.response is not None
    assert "[cancelled]" in str(history.response.embeds[0].description)
    await server.alice.click(message, label="Remove")
    assert server.channel.history() == []


async def test_nobody_else_cancels_a_request(server: DiscordEnv) -> None:
    message = await hold_a_tune(server)
    result = await server.bob.click(message, label="Cancel")
    assert result.ephemeral
    assert result.response is not None
    assert "Only the person who requested" in result.response.content
    server.engine.release()
    await server.env.settle()
    assert suffixes(last_message(server.channel)) == [".mp3", ".png", ".mid"]
    assert "Cancel" not in labels(last_message(server.channel))


async def test_the_button_works_after_a_restart(
    server: DiscordEnv, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = await hold_a_tune(server)
    monkeypatch.setattr(discord_env, "FakeEngine", lambda: FakeEngine(slots=0))
    await server.restart()
    await server.alice.click(message, label="Cancel")
    (after,) = server.channel.history(viewer=server.alice)
    assert after.content == "**A new folk tune** was cancelled."
    assert server.engine.jobs == []


@pytest.mark.parametrize("minutes", [0, 20])
async def test_the_message_is_edited_also_after_the_life_of_its_token(
    minutes: int, slow_server: DiscordEnv
) -> None:
    message = await hold_a_tune(slow_server)
    await slow_server.env.advance_time(minutes * 60)
    await slow_server.alice.click(message, label="Cancel")
    (after,) = slow_server.channel.history(viewer=slow_server.alice)
    assert after.content == "**A new folk tune** was cancelled."
    assert slow_server.alice.user.dm_channel.history() == []


async def test_a_private_request_can_be_cancelled_too(server: DiscordEnv) -> None:
    await send_rerhythm(server, "reel.mid", write_reel())
    await server.give_file(server.bob, write_reel())
    server.engine._gate.clear()
    server.engine.hold = True
    await server.bob.click(last_message(server.channel), label="Before and after")
    private = server.channel.history(viewer=server.bob)[-1]
    assert labels(private) == ["Cancel"]
    await server.bob.click(private, label="Cancel")
    private = server.channel.history(viewer=server.bob)[-1]
    assert "was cancelled" in private.content
    assert labels(private) == []
    assert server.engine.running == set()


async def test_a_request_that_fails_has_no_button_left(server: DiscordEnv) -> None:
    server.env.inject_error("POST", "/webhooks/*", status=500, times=1)
    server.engine.errors = [NoSuchTune("16 bars of nothing")]
    await server.alice.slash(server.channel, "compose", style="folk")
    await server.env.advance_time(40)
    (message,) = server.channel.history()
    assert "could not be made" in message.content
    assert labels(message) == []
