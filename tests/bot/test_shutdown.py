"""What remains after the end of a scheduler, of an engine or of a user's data."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping

import pytest

from bot.requests.notifier import NotDelivered
from bot.requests.scheduler import WORKER
from tests.support.queue_env import QueueEnv, until


async def test_running_requests_of_a_dead_bot_run_again_at_once(queue: QueueEnv) -> None:
    record = await queue.add()
    await queue.store.lease(WORKER, 3600)
    async with queue.scheduling():
        (answered,) = await queue.delivered(record)
    assert (answered.state, answered.tries) == ("done", 1), "it had only waited at the engine"
    assert [reason for _, reason in answered.attempts] == ["the bot ended meanwhile"]


async def test_a_request_that_was_worked_on_when_the_bot_died_has_used_a_try(
    queue: QueueEnv,
) -> None:
    record = await queue.add()
    await queue.store.lease(WORKER, 3600)
    await queue.store.mark_begun(WORKER, record.id)
    async with queue.scheduling():
        (answered,) = await queue.delivered(record)
    assert (answered.state, answered.tries) == ("done", 2)


async def test_a_request_that_killed_the_bot_each_time_is_not_run_again(queue: QueueEnv) -> None:
    record = await queue.add()
    for _ in range(3):
        await queue.store.lease(WORKER, 3600)
        await queue.store.mark_begun(WORKER, record.id)
        await queue.store.release_all(WORKER, "the bot ended meanwhile", count_try=True)
    async with queue.scheduling():
        (answered,) = await queue.delivered(record)
    assert answered.error_code == "EngineLost"
    assert queue.engine.jobs == []


async def test_an_undelivered_result_is_delivered_after_a_restart(queue: QueueEnv) -> None:
    queue.notifier.errors = [NotDelivered("Discord is away")]
    async with queue.scheduling() as scheduler:
        record = await queue.add(scheduler)

        async def tried() -> bool:
            return not queue.notifier.errors

        await until(tried)
    assert queue.notifier.results == {}
    async with queue.scheduling():
        await queue.delivered(record)
    assert len(queue.engine.jobs) == 1, "the result was kept; it is not made twice"
    assert len(queue.notifier.results[record.id]) == 1


async def test_closing_waits_for_running_jobs(queue: QueueEnv) -> None:
    queue.engine.hold = True
    async with queue.scheduling() as scheduler:
        record = await queue.add(scheduler)

        async def begun() -> bool:
            return bool(queue.engine.running)

        await until(begun)
        closing = asyncio.create_task(scheduler.close(30))
        await asyncio.sleep(0)
        late = await queue.add(scheduler, user_id=2)
        queue.engine.release()
        await closing
        await queue.delivered(record)
        waiting = await queue.store.find(late.id)
    assert waiting is not None
    assert waiting.state == "waiting", "nothing is leased while it closes"


async def test_closing_returns_unfinished_requests_to_the_queue(queue: QueueEnv) -> None:
    queue.engine.hold = True
    async with queue.scheduling() as scheduler:
        record = await queue.add(scheduler)

        async def begun() -> bool:
            return bool(queue.engine.running)

        await until(begun)
    assert queue.engine.closed
    assert queue.engine.running == set()
    left = await queue.store.find(record.id)
    assert left is not None
    assert (left.state, left.tries) == ("waiting", 0)


async def test_deleting_a_user_cancels_their_jobs_and_deletes_their_files(
    queue: QueueEnv,
) -> None:
    async with queue.scheduling() as scheduler:
        queue.notifier.permanent_error = NotDelivered("Discord is away")
        done = await queue.add(scheduler)

        async def kept() -> bool:
            found = await queue.store.find(done.id)
            return bool(found and found.deliveries)

        await until(kept)
        assert queue.results.read(done.id)
        queue.engine.hold = True
        await queue.add(scheduler)

        async def begun() -> bool:
            return bool(queue.engine.running)

        await until(begun)
        assert await scheduler.delete_user(1) == (2, 0)
        assert queue.engine.running == set()
        assert list(queue.results.folder.iterdir()) == []
    assert await queue.store.history(1) == []
    assert queue.notifier.results == {}


async def test_a_result_written_while_its_user_is_deleted_is_deleted_too(
    queue: QueueEnv, monkeypatch: pytest.MonkeyPatch
) -> None:
    writing, go_on, keep = threading.Event(), threading.Event(), queue.results.write

    def keep_slowly(request_id: int, files: Mapping[str, bytes]) -> None:
        writing.set()
        go_on.wait()
        keep(request_id, files)

    monkeypatch.setattr(queue.results, "write", keep_slowly)
    async with queue.scheduling() as scheduler:
        await queue.add(scheduler)
        await asyncio.to_thread(writing.wait)
        forgetting = asyncio.create_task(scheduler.delete_user(1))
        await asyncio.sleep(0.05)
        go_on.set()
        assert await forgetting == (1, 0)
    assert list(queue.results.folder.iterdir()) == []
