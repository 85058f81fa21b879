"""A failed delivery is retried for a day; the files are kept until then."""

from __future__ import annotations

import logging

import pytest

from bot.requests.notifier import NotDelivered
from bot.requests.outbox import Outbox, retry_delay_s
from mst_core.errors import EngineLost
from tests.support.discord_env import DiscordEnv, last_message, suffixes
from tests.support.queue_env import QueueEnv, until

DAY = 24 * 3600.0


def test_each_retry_waits_longer_than_the_one_before() -> None:
    assert [retry_delay_s(count) / 60 for count in range(1, 9)] == [0.5, 1, 2, 4, 8, 15, 15, 15]
    assert retry_delay_s(10_000) == 15 * 60


async def attempt(queue: QueueEnv, answering: Outbox, deliveries: int) -> None:
    """Start a delivery attempt now, and wait for its end."""
    (request_id,) = await queue.store.undelivered()
    answering.enqueue(request_id)

    async def over() -> bool:
        found = await queue.store.find(request_id)
        return bool(found and found.deliveries == deliveries and not answering._tasks)

    await until(over)


async def failed(queue: QueueEnv) -> int:
    record = await queue.add()
    await queue.store.lease("bot", 60)
    await queue.store.mark_failed("bot", record.id, EngineLost.__name__, ["killed"])
    return record.id


@pytest.mark.parametrize(
    "error", [NotDelivered("Discord is away"), RuntimeError("an unknown error")]
)
async def test_delivery_is_given_up_after_a_day(
    queue: QueueEnv, error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    request_id = await failed(queue)
    record = await queue.store.find(request_id)
    assert record is not None
    assert record.finished_at
    now = record.finished_at
    answering = Outbox(queue.store, queue.results, queue.notifier, lambda: now)
    queue.notifier.permanent_error = error
    for count in range(1, 8):
        await attempt(queue, answering, count)
        now += 3 * 3600
    assert await queue.store.undelivered() == [request_id], "a count is no reason to give up"
    now = record.finished_at + DAY
    await attempt(queue, answering, 8)
    await answering.close(1)
    assert await queue.store.undelivered() == []
    assert caplog.text.count("stays undelivered") == 1
    assert caplog.text.count("Traceback") == (0 if isinstance(error, NotDelivered) else 1)


async def test_a_clock_that_is_set_forward_gives_no_delivery_up_at_once(queue: QueueEnv) -> None:
    request_id = await failed(queue)
    record = await queue.store.find(request_id)
    assert record is not None
    assert record.finished_at
    tomorrow = record.finished_at + 2 * DAY
    answering = Outbox(queue.store, queue.results, queue.notifier, lambda: tomorrow)
    queue.notifier.errors = [NotDelivered("Discord is away")]
    await attempt(queue, answering, 1)
    assert await queue.store.undelivered() == [request_id]
    await attempt(queue, answering, 2)
    await answering.close(1)
    assert [*queue.notifier.failures] == [request_id]


async def test_files_are_deleted_after_delivery_and_leftovers_at_the_start(queue: QueueEnv) -> None:
    queue.results.write(4711, {"mp3": b"of an answer of long ago"})
    (queue.results.folder / ".4712.draft").mkdir()
    async with queue.scheduling() as scheduler:
        assert list(queue.results.folder.iterdir()) == []
        (record,) = await queue.delivered(await queue.add(scheduler))

        async def gone() -> bool:
            return not list(queue.results.folder.iterdir())

        await until(gone)
    ((files,),) = queue.notifier.results.values()
    assert set(files) == {"mp3", "png", "mid"}
    assert record.state == "done"


@pytest.mark.parametrize("status", [429, 503])
async def test_a_result_is_delivered_after_minutes_without_discord(
    server: DiscordEnv, status: int
) -> None:
    server.env.inject_error("PATCH", "/webhooks/*", status=status, times=3)
    await server.alice.slash(server.channel, "compose", style="folk")
    assert suffixes(last_message(server.channel)) == []
    await server.env.advance_time(220)
    assert suffixes(last_message(server.channel)) == [".mp3", ".png", ".mid"]
    assert len(server.engine.jobs) == 1


@pytest.mark.parametrize(("status", "code"), [(404, 10003), (403, 50001)])
async def test_an_unreachable_channel_leads_to_a_direct_message(
    server: DiscordEnv, status: int, code: int
) -> None:
    channel = f"/channels/{server.channel.id}/*"
    for method, path in (("PATCH", "/webhooks/*"), ("DELETE", channel), ("POST", channel)):
        server.env.inject_error(method, path, status=status, code=code, times=None)
    await server.alice.slash(server.channel, "compose", style="folk")
    assert suffixes(last_message(server.alice.user.dm_channel)) == [".mp3", ".png", ".mid"]


@pytest.mark.parametrize("fails", [False, True])
async def test_an_unreachable_user_is_given_up_at_once_with_one_log_line(
    server: DiscordEnv, fails: bool, caplog: pytest.LogCaptureFixture
) -> None:
    server.engine.errors = [EngineLost("killed")] * 3 if fails else []
    for method, path in (
        ("PATCH", "/webhooks/*"),
        ("DELETE", "/channels/*"),
        ("POST", "/channels/*"),
    ):
        server.env.inject_error(method, path, status=403, code=50001, times=None)
    with caplog.at_level(logging.WARNING, "bot"):
        await server.alice.slash(server.channel, "compose", style="folk")
        await server.env.advance_time(10)
    (record,) = await server.history(server.alice)
    assert (record.deliveries, bool(record.answered_at)) == (1, True)
    assert caplog.text.count("cannot be reached") == 1
    assert "Traceback" not in caplog.text


async def test_a_finished_request_without_its_files_runs_again(queue: QueueEnv) -> None:
    record = await queue.add()
    async with queue.scheduling() as scheduler:
        queue.notifier.errors = [NotDelivered("Discord is away")]

        async def finished() -> bool:
            found = await queue.store.find(record.id)
            return bool(found and found.deliveries)

        await until(finished)
        queue.results.discard(record.id)
        scheduler._outbox.enqueue(record.id)
        (done,) = await queue.delivered(record)
    assert (done.state, done.tries) == ("done", 2)
    ((files,),) = queue.notifier.results.values()
    assert set(files) == {"mp3", "png", "mid"}


async def test_a_result_whose_files_are_never_there_fails_after_its_tries(
    queue: QueueEnv, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue.results, "read", lambda _: {})
    async with queue.scheduling() as scheduler:
        (record,) = await queue.delivered(await queue.add(scheduler))
    assert (record.state, record.error_code, record.tries) == ("failed", "EngineLost", 4)
    assert [*queue.notifier.results] == []
