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


async def attempt(house: QueueEnv, answering: Outbox, deliveries: int) -> None:
    """Start a delivery attempt now, and wait for its end."""
    (request_id,) = await house.store.undelivered()
    answering.enqueue(request_id)

    async def over() -> bool:
        found = await house.store.find(request_id)
        return bool(found and found.deliveries == deliveries and not answering._tasks)

    await until(over)


async def failed(house: QueueEnv) -> int:
    record = await house.add()
    await house.store.lease("bot", 60)
    await house.store.mark_failed("bot", record.id, EngineLost.__name__, ["killed"])
    return record.id


@pytest.mark.parametrize(
    "trouble", [NotDelivered("Discord is away"), RuntimeError("an unknown refusal")]
)
async def test_delivery_is_given_up_after_a_day(
    house: QueueEnv, trouble: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    request_id = await failed(house)
    record = await house.store.find(request_id)
    assert record is not None
    assert record.finished_at
    now = record.finished_at
    answering = Outbox(house.store, house.results, house.notifier, lambda: now)
    house.notifier.permanent_error = trouble
    for count in range(1, 8):
        await attempt(house, answering, count)
        now += 3 * 3600
    assert await house.store.undelivered() == [request_id], "a count is no reason to give up"
    now = record.finished_at + DAY
    await attempt(house, answering, 8)
    await answering.close(1)
    assert await house.store.undelivered() == []
    assert caplog.text.count("stays undelivered") == 1
    assert caplog.text.count("Traceback") == (0 if isinstance(trouble, NotDelivered) else 1)


async def test_files_are_deleted_after_delivery_and_leftovers_at_the_start(house: QueueEnv) -> None:
    house.results.write(4711, {"mp3": b"of an answer of long ago"})
    (house.results.folder / ".4712.draft").mkdir()
    async with house.scheduling() as scheduler:
        assert list(house.results.folder.iterdir()) == []
        (record,) = await house.delivered(await house.add(scheduler))

        async def gone() -> bool:
            return not list(house.results.folder.iterdir())

        await until(gone)
    ((files,),) = house.notifier.results.values()
    assert set(files) == {"mp3", "png", "mid"}
    assert record.state == "done"


@pytest.mark.parametrize("status", [429, 503])
async def test_a_result_is_delivered_after_minutes_without_discord(
    stage: DiscordEnv, status: int
) -> None:
    stage.env.inject_error("PATCH", "/webhooks/*", status=status, times=3)
    await stage.alice.slash(stage.channel, "compose", style="folk")
    assert suffixes(last_message(stage.channel)) == []
    await stage.env.advance_time(220)
    assert suffixes(last_message(stage.channel)) == [".mp3", ".png", ".mid"]
    assert len(stage.engine.jobs) == 1


@pytest.mark.parametrize(("status", "code"), [(404, 10003), (403, 50001)])
async def test_an_unreachable_channel_leads_to_a_direct_message(
    stage: DiscordEnv, status: int, code: int
) -> None:
    channel = f"/channels/{stage.channel.id}/*"
    for method, path in (("PATCH", "/webhooks/*"), ("DELETE", channel), ("POST", channel)):
        stage.env.inject_error(method, path, status=status, code=code, times=None)
    await stage.alice.slash(stage.channel, "compose", style="folk")
    assert suffixes(last_message(stage.alice.user.dm_channel)) == [".mp3", ".png", ".mid"]


@pytest.mark.parametrize("fails", [False, True])
async def test_an_unreachable_user_is_given_up_at_once_with_one_log_line(
    stage: DiscordEnv, fails: bool, caplog: pytest.LogCaptureFixture
) -> None:
    stage.engine.errors = [EngineLost("killed")] * 3 if fails else []
    for method, path in (
        ("PATCH", "/webhooks/*"),
        ("DELETE", "/channels/*"),
        ("POST", "/channels/*"),
    ):
        stage.env.inject_error(method, path, status=403, code=50001, times=None)
    with caplog.at_level(logging.WARNING, "bot"):
        await stage.alice.slash(stage.channel, "compose", style="folk")
        await stage.env.advance_time(10)
    (record,) = await stage.history(stage.alice)
    assert (record.deliveries, bool(record.answered_at)) == (1, True)
    assert caplog.text.count("cannot be reached") == 1
    assert "Traceback" not in caplog.text
