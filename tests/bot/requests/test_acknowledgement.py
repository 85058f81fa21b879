"""A request is kept before Discord is told, and found again when Discord's reply was lost."""

from __future__ import annotations

import asyncio
import sqlite3
from typing import Any

import aiohttp
import discord
import pytest

from bot.errors import RepeatedInteraction
from bot.requests import downloads
from bot.requests.acknowledgement import Acknowledgements
from bot.requests.notifier import NotDelivered
from bot.requests.record import RequestRecord
from bot.requests.store import DOWNLOAD, INTAKE, RequestStore
from tests.bot.cogs.test_rerhythm_menu import open_menu
from tests.support.discord_env import DiscordEnv, last_message, suffixes
from tests.support.fakes import make_new_request
from tests.support.queue_env import QueueEnv
from tests.support.uploads import TRUNCATED_MIDI, send_rerhythm, write_reel


async def test_the_row_is_on_disk_when_discord_is_told(
    server: DiscordEnv, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored: list[list[tuple[str, str | None]]] = []
    defer = discord.InteractionResponse.defer

    async def watched(self: Any, **options: Any) -> Any:
        stored.append([(one.state, one.worker) for one in await server.history(server.alice)])
        return await defer(self, **options)

    monkeypatch.setattr(discord.InteractionResponse, "defer", watched)
    await send_rerhythm(server, "reel.mid", write_reel())
    assert stored == [[("running", INTAKE)]]
    message = last_message(server.channel)
    assert suffixes(message) == [".mp3", ".png", ".mid"]
    stored.clear()
    await server.alice.click(message, label="Before and after")
    assert stored == [[("running", INTAKE), ("done", "bot")]]


async def test_a_file_of_the_menu_is_kept_before_discord_is_told(
    server: DiscordEnv, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored: list[str | None] = []
    defer = discord.InteractionResponse.defer

    async def watched(self: Any, **options: Any) -> Any:
        stored.extend(one.worker for one in await server.history(server.alice))
        return await defer(self, **options)

    monkeypatch.setattr(discord.InteractionResponse, "defer", watched)
    await open_menu(server, ("reel.mid", write_reel()))
    assert stored == [DOWNLOAD]
    assert await server.history(server.alice) == []
    result = await open_menu(server, ("reel.mid", TRUNCATED_MIDI))
    assert result.response is not None
    assert "cannot be read" in result.response.content
    (failed,) = await server.history(server.alice)
    assert failed.error_code == "UnreadableScore"
    assert failed.answered_at


def lose_reply(monkeypatch: pytest.MonkeyPatch, *, carried_out: bool, error: BaseException) -> None:
    """Let the next acknowledgement end without a reply, carried out by Discord or not."""
    defer = discord.InteractionResponse.defer

    async def lost(self: Any, **options: Any) -> Any:
        monkeypatch.setattr(discord.InteractionResponse, "defer", defer)
        if carried_out:
            await defer(self, **options)
        raise error

    monkeypatch.setattr(discord.InteractionResponse, "defer", lost)


async def test_a_reply_that_names_no_message_leads_to_one_result(
    server: DiscordEnv, monkeypatch: pytest.MonkeyPatch
) -> None:
    defer = discord.InteractionResponse.defer

    async def unnamed(self: Any, **options: Any) -> None:
        monkeypatch.setattr(discord.InteractionResponse, "defer", defer)
        await defer(self, **options)

    monkeypatch.setattr(discord.InteractionResponse, "defer", unnamed)
    await server.alice.slash(server.channel, "compose", style="folk")
    (message,) = server.channel.history()
    assert suffixes(message) == [".mp3", ".png", ".mid"]


@pytest.mark.parametrize(
    "error", [aiohttp.ServerDisconnectedError(), TimeoutError()], ids=["connection", "timeout"]
)
async def test_a_lost_reply_leads_to_one_result_in_the_message(
    error: Exception, server: DiscordEnv, monkeypatch: pytest.MonkeyPatch
) -> None:
    lose_reply(monkeypatch, carried_out=True, error=error)
    await server.alice.slash(server.channel, "compose", style="folk")
    (message,) = server.channel.history()
    assert suffixes(message) == [".mp3", ".png", ".mid"]
    (record,) = await server.history(server.alice)
    assert record.message_id == message.id


async def test_what_discord_never_acknowledged_is_withdrawn(
    server: DiscordEnv, monkeypatch: pytest.MonkeyPatch
) -> None:
    lose_reply(monkeypatch, carried_out=False, error=aiohttp.ServerDisconnectedError())
    await server.alice.slash(server.channel, "compose", style="folk")
    assert server.channel.history() == []
    assert await server.history(server.alice) == []
    assert server.engine.jobs == []


async def test_a_kill_after_the_acknowledgement_loses_nothing(
    server: DiscordEnv, monkeypatch: pytest.MonkeyPatch
) -> None:
    lose_reply(monkeypatch, carried_out=True, error=asyncio.CancelledError())
    await server.alice.slash(server.channel, "compose", style="folk")
    (record,) = await server.history(server.alice)
    assert (record.state, record.worker, record.message_id) == ("running", INTAKE, 0)
    await server.restart()
    (message,) = server.channel.history()
    assert suffixes(message) == [".mp3", ".png", ".mid"]


async def test_an_acknowledgement_that_cannot_be_noted_leads_to_one_result(
    server: DiscordEnv, monkeypatch: pytest.MonkeyPatch
) -> None:
    acknowledge = RequestStore.acknowledge

    async def locked(self: RequestStore, *_: object) -> None:
        monkeypatch.setattr(RequestStore, "acknowledge", acknowledge)
        raise sqlite3.OperationalError("database is locked")

    monkeypatch.setattr(RequestStore, "acknowledge", locked)
    await server.alice.slash(server.channel, "compose", style="folk")
    await server.env.advance_time(30)
    (message,) = server.channel.history()
    assert suffixes(message) == [".mp3", ".png", ".mid"]


async def test_a_stalled_disk_is_a_plain_refusal_and_nothing_runs_later(
    server: DiscordEnv, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.requests.intake.KEEP_WITHIN_S", 0.02)
    assert server.bot._store is not None
    add = server.bot._store.add

    async def slowly(*arguments: Any) -> RequestRecord:
        await asyncio.sleep(0.1)
        return await add(*arguments)

    monkeypatch.setattr(server.bot._store, "add", slowly)
    result = await server.alice.slash(server.channel, "compose", style="folk")
    assert result.ephemeral
    assert result.response is not None
    assert "could not store this request in time" in result.response.content
    await asyncio.sleep(0.2)
    await server.env.settle()
    assert await server.history(server.alice) == []
    assert server.engine.jobs == []


async def test_a_kill_during_a_slow_download_is_told(
    server: DiscordEnv, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.requests.intake.DEFER_AFTER_S", 0.01)

    async def killed(*_: object) -> None:
        await asyncio.sleep(0.05)
        raise asyncio.CancelledError

    monkeypatch.setattr("bot.requests.intake.fetch_all", killed)
    await server.alice.slash(
        server.channel, "rerhythm", file=("a reel.mid", write_reel()), rhythm="jazz"
    )
    (record,) = await server.history(server.alice)
    assert (record.state, record.worker) == ("running", DOWNLOAD)
    await server.restart()
    await server.env.advance_time(40)
    assert server.channel.history() == []
    (record,) = await server.history(server.alice)
    assert (record.state, record.error_code) == ("failed", "DownloadFailed")
    assert record.error_arguments == ("a reel.mid",)
    assert record.answered_at


async def test_a_lost_reply_during_a_slow_download_leads_to_one_result(
    server: DiscordEnv, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.requests.intake.DEFER_AFTER_S", 0.01)
    fetch_all = downloads.fetch_all

    async def slowly(*arguments: Any) -> list[bytes]:
        await asyncio.sleep(0.1)
        return await fetch_all(*arguments)

    monkeypatch.setattr("bot.requests.intake.fetch_all", slowly)
    lose_reply(monkeypatch, carried_out=True, error=TimeoutError())
    await server.alice.slash(
        server.channel, "rerhythm", file=("a reel.mid", write_reel()), rhythm="jazz"
    )
    await asyncio.sleep(0.3)
    await server.env.settle()
    (message,) = server.channel.history()
    assert suffixes(message) == [".mp3", ".png", ".mid"]
    (record,) = await server.history(server.alice)
    assert (record.state, record.message_id) == ("done", message.id)


async def test_a_request_without_its_message_does_not_run_when_its_files_are_there(
    queue: QueueEnv,
) -> None:
    held = await queue.store.add(make_new_request(message_id=0), DOWNLOAD)
    assert await queue.store.complete(held.id, held.request, {})
    assert await queue.store.lease("bot", 60) is None
    assert await queue.store.acknowledge(held.id, 44)
    leased = await queue.store.lease("bot", 60)
    assert leased is not None
    assert (leased.id, leased.message_id) == (held.id, 44)


async def test_an_interaction_makes_one_request_however_often_it_comes(queue: QueueEnv) -> None:
    await queue.store.add(make_new_request(interaction_id=5), INTAKE)
    with pytest.raises(RepeatedInteraction):
        await queue.store.add(make_new_request(interaction_id=5), INTAKE)
    assert len(await queue.store.history(1)) == 1


async def test_a_held_request_never_runs_and_its_user_is_not_held_up(queue: QueueEnv) -> None:
    held = await queue.store.add(make_new_request(user_id=1), INTAKE)
    await queue.store.release_all("bot", "it ended", count_try=True)
    assert await queue.store.lease("bot", 60) is None
    assert await queue.store.count_open(1) == 0
    assert await queue.store.acknowledge(held.id, 44)
    assert not await queue.store.acknowledge(held.id, 45)
    leased = await queue.store.lease("bot", 60)
    assert leased is not None
    assert (leased.id, leased.message_id, leased.tries) == (held.id, 44, 1)


async def test_discord_is_asked_again_until_it_answers(
    queue: QueueEnv, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.requests.acknowledgement.RETRY_S", 0.01)
    answers: list[int | None] = [None, 77]
    held = [await queue.store.add(make_new_request(user_id=user), INTAKE) for user in (1, 2)]
    asked: list[int] = []

    async def find_message(record: RequestRecord) -> int | None:
        asked.append(record.id)
        if len(asked) < 7:
            raise NotDelivered("Discord is away")
        return answers[record.id - 1]

    pending = Acknowledgements(queue.store, find_message, lambda: None)
    await pending.start()
    while await queue.store.unacknowledged():  # noqa: ASYNC110 - the store sends no events
        await asyncio.sleep(0.01)
    await pending.close()
    assert await queue.store.find(held[0].id) is None
    found = await queue.store.find(held[1].id)
    assert found is not None
    assert (found.state, found.message_id) == ("waiting", 77)


@pytest.mark.parametrize(
    "damage",
    [
        "request = '{}'",
        """request = '{"kind": "of another version"}'""",
        "receipt = '[1]', state = 'done'",
        "names = '[]'",
    ],
)
async def test_a_request_that_cannot_be_read_fails_once_and_holds_up_nobody(
    damage: str, server: DiscordEnv
) -> None:
    server.engine.hold = True
    await server.alice.slash(server.channel, "compose", style="folk")
    await server.bob.slash(server.channel, "compose", style="folk")
    assert server.bot._store is not None
    await server.bot._store.database.run(f"UPDATE requests SET {damage} WHERE id = 1")  # noqa: S608
    await server.restart()
    (message,) = server.channel.history()
    assert suffixes(message) == [".mp3", ".png", ".mid"]
    (record,) = await server.history(server.alice)
    assert (record.state, record.error_code, bool(record.answered_at)) == (
        "failed",
        "EngineFault",
        True,
    )
