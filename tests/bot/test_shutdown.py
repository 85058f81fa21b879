"""What remains after the end of a scheduler, of an engine or of a user's data."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping

import pytest

from bot.requests.notifier import NotDelivered
from bot.requests.scheduler import WORKER
from tests.support.queue_env import QueueEnv, until


async def test_running_requests_of_a_dead_bot_run_again_at_once(house: QueueEnv) -> None:
    record = await house.add()
    await house.store.lease(WORKER, 3600)
    async with house.scheduling():
        (answered,) = await house.delivered(record)
    assert (answered.state, answered.tries) == ("done", 2)


async def test_a_request_that_killed_the_bot_each_time_is_not_run_again(house: QueueEnv) -> None:
    record = await house.add()
    for _ in range(3):
        await house.store.lease(WORKER, 3600)
        await house.store.release_all(WORKER, count_try=True)
    async with house.scheduling():
        (answered,) = await house.delivered(record)
    assert answered.error_code == "EngineLost"
    assert house.engine.jobs == []


async def test_an_undelivered_result_is_delivered_after_a_restart(house: QueueEnv) -> None:
    house.notifier.errors = [NotDelivered("Discord is away")]
    async with house.scheduling() as scheduler:
        record = await house.add(scheduler)

        async def tried() -> bool:
            return not house.notifier.errors

        await until(tried)
    assert house.notifier.results == {}
    async with house.scheduling():
        await house.delivered(record)
    assert len(house.engine.jobs) == 1, "the result was kept; it is not made twice"
    assert len(house.notifier.results[record.id]) == 1


async def test_closing_waits_for_running_jobs(house: QueueEnv) -> None:
    house.engine.hold = True
    async with house.scheduling() as scheduler:
        record = await house.add(scheduler)

        async def begun() -> bool:
            return bool(house.engine.running)

        await until(begun)
        closing = asyncio.create_task(scheduler.close(30))
        await asyncio.sleep(0)
        late = await house.add(scheduler, user_id=2)
        house.engine.release()
        await closing
        await house.delivered(record)
        waiting = await house.store.find(late.id)
    assert waiting is not None
    assert waiting.state == "waiting", "nothing is leased while it closes"


async def test_closing_returns_unfinished_requests_to_the_queue(house: QueueEnv) -> None:
    house.engine.hold = True
    async with house.scheduling() as scheduler:
        record = await house.add(scheduler)

        async def begun() -> bool:
            return bool(house.engine.running)

        await until(begun)
    assert house.engine.closed
    assert house.engine.running == set()
    left = await house.store.find(record.id)
    assert left is not None
    assert (left.state, left.tries) == ("waiting", 0)


async def test_deleting_a_user_cancels_their_jobs_and_deletes_their_files(
    house: QueueEnv,
) -> None:
    async with house.scheduling() as scheduler:
        house.notifier.permanent_error = NotDelivered("Discord is away")
        done = await house.add(scheduler)

        async def kept() -> bool:
            found = await house.store.find(done.id)
            return bool(found and found.deliveries)

        await until(kept)
        assert house.results.read(done.id)
        house.engine.hold = True
        await house.add(scheduler)

        async def begun() -> bool:
            return bool(house.engine.running)

        await until(begun)
        assert await scheduler.delete_user(1) == (2, 0)
        assert house.engine.running == set()
        assert list(house.results.folder.iterdir()) == []
    assert await house.store.history(1) == []
    assert house.notifier.results == {}


async def test_a_result_written_while_its_user_is_deleted_is_deleted_too(
    house: QueueEnv, monkeypatch: pytest.MonkeyPatch
) -> None:
    writing, go_on, keep = threading.Event(), threading.Event(), house.results.write

    def keep_slowly(request_id: int, files: Mapping[str, bytes]) -> None:
        writing.set()
        go_on.wait()
        keep(request_id, files)

    monkeypatch.setattr(house.results, "write", keep_slowly)
    async with house.scheduling() as scheduler:
        await house.add(scheduler)
        await asyncio.to_thread(writing.wait)
        forgetting = asyncio.create_task(scheduler.delete_user(1))
        await asyncio.sleep(0.05)
        go_on.set()
        assert await forgetting == (1, 0)
    assert list(house.results.folder.iterdir()) == []
