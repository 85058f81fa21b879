"""A cancelled request frees its place and has one outcome: its result, or that it was cancelled."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator

from bot.requests.scheduler import WORKER
from mst_core.jobs import Job, Progress, Rendition
from tests.support.fakes import FakeEngine, make_new_request
from tests.support.queue_env import QueueEnv, until
from tests.support.receipts import PLAIN_RECEIPT


async def test_a_waiting_request_is_cancelled_at_once_and_never_runs(queue: QueueEnv) -> None:
    queue.engine.slots = 1
    queue.engine.hold = True
    async with queue.scheduling() as scheduler:
        running, waiting, last = [await queue.add(scheduler, user_id=user) for user in (1, 2, 3)]
        assert await scheduler.cancel(waiting.id)
        (cancelled,) = await queue.delivered(waiting)
        assert [record.id for record in await queue.store.queue()] == [last.id]
        queue.engine.release()
        await queue.delivered(running, last)
    assert (cancelled.state, cancelled.error_code, cancelled.tries) == ("failed", "Cancelled", 0)
    assert [error.code for error in queue.notifier.failures[waiting.id]] == ["Cancelled"]
    assert str(waiting.id) not in {job.id for job in queue.engine.jobs}


async def test_a_running_request_is_ended_and_its_place_is_free(queue: QueueEnv) -> None:
    queue.engine.slots = 1
    queue.engine.hold = True
    async with queue.scheduling() as scheduler:
        running, following = [await queue.add(scheduler, user_id=user) for user in (1, 2)]

        async def begun() -> bool:
            return queue.engine.running == {str(running.id)}

        async def follows() -> bool:
            return queue.engine.running == {str(following.id)}

        await until(begun)
        assert await scheduler.cancel(running.id)
        await until(follows)
        await queue.delivered(running)
        queue.engine.release()
        await queue.delivered(following)
    assert [*queue.notifier.results] == [following.id]
    assert [error.code for error in queue.notifier.failures[running.id]] == ["Cancelled"]
    assert not (queue.results.folder / str(running.id)).exists()


async def test_only_what_has_no_outcome_is_cancelled_and_only_once(queue: QueueEnv) -> None:
    async with queue.scheduling() as scheduler:
        made = await queue.add(scheduler)
        await queue.delivered(made)
        assert not await scheduler.cancel(made.id)
        queue.engine.become(ready=False)
        waiting = await queue.add(scheduler)
        assert await scheduler.cancel(waiting.id)
        assert not await scheduler.cancel(waiting.id)
        assert not await scheduler.cancel(99)
        await queue.delivered(waiting)
    assert len(queue.notifier.failures[waiting.id]) == 1
    assert queue.notifier.failures.keys() == {waiting.id}


async def test_a_cancellation_at_any_moment_leaves_exactly_one_outcome(queue: QueueEnv) -> None:
    rng = random.Random(4)

    class Slow(FakeEngine):
        """Takes up to 60 ms for a job."""

        async def run(self, job: Job) -> AsyncIterator[Progress | Rendition]:
            async for event in super().run(job):
                await asyncio.sleep(rng.uniform(0, 0.03))
                yield event

    async with queue.scheduling(Slow()) as scheduler:
        records = [await queue.add(user_id=user) for user in range(60)]
        scheduler.wake()

        async def cancel_soon(request_id: int) -> bool:
            await asyncio.sleep(rng.uniform(0, 0.8))
            return await scheduler.cancel(request_id)

        cancelled = await asyncio.gather(*(cancel_soon(record.id) for record in records))
        await queue.delivered(*records)
    outcomes = [
        (len(queue.notifier.results.get(one.id, [])), len(queue.notifier.failures.get(one.id, [])))
        for one in records
    ]
    assert outcomes == [(0, 1) if each else (1, 0) for each in cancelled]
    assert {*cancelled} == {True, False}
    assert not any(queue.results.folder.glob("*"))


async def test_a_result_that_comes_after_the_cancellation_is_dropped(queue: QueueEnv) -> None:
    record = await queue.store.add(make_new_request())
    assert await queue.store.lease(WORKER, 60)
    assert await queue.store.cancel(record.id)
    assert await queue.store.mark_done(WORKER, record.id, PLAIN_RECEIPT, {}) is None
    other = await queue.store.add(make_new_request())
    assert await queue.store.lease(WORKER, 60)
    assert await queue.store.mark_done(WORKER, other.id, PLAIN_RECEIPT, {})
    assert await queue.store.cancel(other.id) is None


async def test_a_cancellation_survives_a_kill_of_the_bot(queue: QueueEnv) -> None:
    record = await queue.store.add(make_new_request())
    assert await queue.store.lease(WORKER, 60)
    assert await queue.store.cancel(record.id)  # killed before anybody was told
    engine = FakeEngine()
    async with queue.scheduling(engine):
        await queue.delivered(record)
    assert engine.jobs == []
    assert [error.code for error in queue.notifier.failures[record.id]] == ["Cancelled"]
