"""A score before and after is a request like any other, whose answer only its user sees."""

from __future__ import annotations

from pathlib import Path

import aiohttp
import pytest

from tests.bot.requests.test_acknowledgement import lose_reply
from tests.support.discord_env import DiscordEnv, discord_env, last_message, suffixes
from tests.support.uploads import send_rerhythm, write_reel


async def hold_a_look(server: DiscordEnv) -> None:
    """Let bob press "Before and after" below alice's result, and the engine take its time.

    He has the same file, else he might not see it.
    """
    await send_rerhythm(server, "secret.mid", write_reel())
    await server.give_file(server.bob, write_reel())
    server.engine._gate.clear()
    server.engine.hold = True
    await server.bob.click(last_message(server.channel), label="Before and after")


async def test_it_survives_a_crash_and_arrives_in_its_private_message(server: DiscordEnv) -> None:
    await hold_a_look(server)
    await server.restart()
    private = server.channel.history(viewer=server.bob)[-1]
    assert private.flags.ephemeral
    assert suffixes(private) == [".mp3", ".png"]
    assert len(server.channel.history(viewer=server.alice)) == 1
    (look,) = await server.history(server.bob)
    assert look.answered_at


async def test_when_the_private_message_is_too_old_it_is_a_direct_message(
    slow_server: DiscordEnv,
) -> None:
    await hold_a_look(slow_server)
    await slow_server.env.advance_time(20 * 60)
    slow_server.engine.release()
    await slow_server.env.settle()
    assert suffixes(last_message(slow_server.bob.user.dm_channel)) == [".mp3", ".png"]
    assert len(slow_server.channel.history(viewer=slow_server.alice)) == 1


async def test_who_cannot_be_reached_in_private_gets_nothing_in_public(
    slow_server: DiscordEnv,
) -> None:
    await hold_a_look(slow_server)
    await slow_server.env.advance_time(20 * 60)
    direct = f"/channels/{slow_server.bob.user.dm_channel.id}/messages"
    slow_server.env.inject_error("POST", direct, status=403, code=50007, times=None)
    slow_server.engine.release()
    await slow_server.env.settle()
    assert len(slow_server.channel.history(viewer=slow_server.alice)) == 1
    (look,) = await slow_server.history(slow_server.bob)
    assert look.answered_at


async def test_a_lost_reply_to_its_acknowledgement_leads_to_one_answer(
    server: DiscordEnv, monkeypatch: pytest.MonkeyPatch
) -> None:
    await send_rerhythm(server, "reel.mid", write_reel())
    await server.give_file(server.bob, write_reel())
    lose_reply(monkeypatch, carried_out=True, error=aiohttp.ServerDisconnectedError())
    await server.bob.click(last_message(server.channel), label="Before and after")
    (look,) = await server.history(server.bob)
    assert look.answered_at
    private = server.channel.history(viewer=server.bob)[-1]
    assert suffixes(private) == [".mp3", ".png"]


async def test_each_press_costs_a_place_and_the_pause(tmp_path: Path) -> None:
    async with discord_env(tmp_path, MST_COOLDOWN_S="60", MST_OPEN_PER_USER="2") as server:
        await send_rerhythm(server, "reel.mid", write_reel())
        await server.give_file(server.bob, write_reel())
        message = last_message(server.channel)
        for label in ("Before and after", "Another one", "Variant 2", "50 %"):
            await server.env.advance_time(70)
            made = len(server.engine.jobs)
            await server.bob.click(message, label=label)
            assert len(server.engine.jobs) == made + 1
            for second in ("Before and after", "Another one", "Variant 3", "75 %"):
                result = await server.bob.click(message, label=second)
                assert result.ephemeral
                assert result.response is not None
                assert "before your next request" in result.response.content
            assert len(server.engine.jobs) == made + 1
        server.engine._gate.clear()
        server.engine.hold = True
        for _ in range(3):
            await server.env.advance_time(70)
            result = await server.bob.click(message, label="Before and after")
        assert result.response is not None
        assert "already have 2 open requests" in result.response.content


async def test_a_deleted_file_ends_the_look_at_it_and_leaves_no_trace(server: DiscordEnv) -> None:
    await send_rerhythm(server, "secret.mid", write_reel())
    server.engine._gate.clear()
    server.engine.hold = True
    await server.alice.click(last_message(server.channel), label="Before and after")
    assert any(b"secret" in path.read_bytes() for path in data_files(server))
    await server.alice.slash(server.channel, "mydata delete")
    server.engine.release()
    await server.env.settle()
    assert suffixes(server.channel.history(viewer=server.alice)[-1]) == []
    assert [path.name for path in data_files(server) if b"secret" in path.read_bytes()] == []
    assert [path for path in data_files(server) if path.parent.name in ("uploads", "results")] == []


async def test_nobody_else_sees_the_file_of_a_user(server: DiscordEnv) -> None:
    """The answer to "Before and after" shows and plays the file itself, not what was made of it."""
    await send_rerhythm(server, "secret.mid", write_reel())
    await server.bob.click(last_message(server.channel), label="Another one")
    of_bob = last_message(server.channel)
    for message in server.channel.history():
        made = len(server.engine.jobs)
        result = await server.bob.click(message, label="Before and after")
        assert result.ephemeral
        assert result.response is not None
        assert "whoever sent the file" in result.response.content
        assert len(server.engine.jobs) == made
    await server.alice.click(of_bob, label="Before and after")
    assert suffixes(server.channel.history(viewer=server.alice)[-1]) == [".mp3", ".png"]


def data_files(server: DiscordEnv) -> list[Path]:
    return [path for path in server.settings.data_dir.rglob("*") if path.is_file()]


@pytest.mark.parametrize("tries", [1, 99], ids=["it runs again", "it fails now"])
async def test_a_private_message_that_has_its_picture_keeps_it_when_a_backup_is_restored(
    tries: int, server: DiscordEnv
) -> None:
    await hold_a_look(server)
    assert server.bot._store is not None
    run = server.bot._store.database.run
    ((token,),) = await run("SELECT interaction_token FROM requests WHERE private")
    server.engine.release()
    await server.env.settle()
    await run(
        """UPDATE requests SET state = 'running', worker = 'bot', answered_at = NULL,
               receipt = NULL, interaction_token = :token, tries = :tries WHERE private""",
        token=token,
        tries=tries,
    )
    await server.restart()
    private = server.channel.history(viewer=server.bob)[-1]
    assert suffixes(private) == [".mp3", ".png"]
    (look,) = await server.history(server.bob)
    assert look.answered_at
