"""What the end of a dispatcher, an engine or a person's trust leaves behind."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping

import pytest

from bot.requests.notifier import NotDelivered
from bot.requests.scheduler import WORKER
from tests.support.queue_env import QueueEnv, until


async def test_what_a_dead_bot_had_running_runs_again_at_once(house: QueueEnv) -> None:
    entry = await house.add()
    await house.store.lease(WORKER, 3600)
    async with house.scheduling():
        (answered,) = await house.delivered(entry)
    assert (answered.state, answered.tries) == ("done", 2)


async def test_what_killed_the_bot_each_time_is_not_begun_again(house: QueueEnv) -> None:
    entry = await house.add()
    for _ in range(3):
        await house.store.lease(WORKER, 3600)
        await house.store.release_all(WORKER, count_try=True)
    async with house.scheduling():
        (answered,) = await house.delivered(entry)
    assert answered.error_code == "EngineLost"
    assert house.engine.jobs == []


async def test_what_was_done_but_not_told_is_told_after_a_restart(house: QueueEnv) -> None:
    house.notifier.errors = [NotDelivered("Discord is away")]
    async with house.scheduling() as dispatcher:
        entry = await house.add(dispatcher)

        async def tried() -> bool:
            return not house.notifier.errors

        await until(tried)
    assert house.notifier.results == {}
    async with house.scheduling():
        await house.delivered(entry)
    assert len(house.engine.jobs) == 1, "the result was kept; it is not made twice"
    assert len(house.notifier.results[entry.id]) == 1


async def test_closing_gives_running_jobs_time_to_end(house: QueueEnv) -> None:
    house.engine.hold = True
    async with house.scheduling() as dispatcher:
        entry = await house.add(dispatcher)

        async def begun() -> bool:
            return bool(house.engine.running)

        await until(begun)
        closing = asyncio.create_task(dispatcher.close(30))
        await asyncio.sleep(0)
        late = await house.add(dispatcher, user_id=2)
        house.engine.release()
        await closing
        await house.delivered(entry)
        waiting = await house.store.find(late.id)
    assert waiting is not None
    assert waiting.state == "waiting", "nothing is leased while it closes"


async def test_closing_gives_back_what_does_not_end(house: QueueEnv) -> None:
    house.engine.hold = True
    async with house.scheduling() as dispatcher:
        entry = await house.add(dispatcher)

        async def begun() -> bool:
            return bool(house.engine.running)

        await until(begun)
    assert house.engine.closed
    assert house.engine.running == set()
    left = await house.store.find(entry.id)
    assert left is not None
    assert (left.state, left.tries) == ("waiting", 0)


async def test_forgetting_a_person_stops_their_jobs_and_removes_their_files(
    house: QueueEnv,
) -> None:
    async with house.scheduling() as dispatcher:
        house.notifier.permanent_error = NotDelivered("Discord is away")
        done = await house.add(dispatcher)

        async def kept() -> bool:
            found = await house.store.find(done.id)
            return bool(found and found.deliveries)

        await until(kept)
        assert house.results.read(done.id)
        house.engine.hold = True
        await house.add(dispatcher)

        async def begun() -> bool:
            return bool(house.engine.running)

        await until(begun)
        assert await dispatcher.delete_user(1) == (2, 0)
        assert house.engine.running == set()
        assert list(house.results.folder.iterdir()) == []
    assert await house.store.history(1) == []
    assert house.notifier.results == {}


async def test_a_result_that_is_being_written_while_its_person_is_forgotten_goes_too(
    house: QueueEnv, monkeypatch: pytest.MonkeyPatch
) -> None:
    writing, go_on, keep = threading.Event(), threading.Event(), house.results.write

    def keep_slowly(request_id: int, files: Mapping[str, bytes]) -> None:
        writing.set()
        go_on.wait()
        keep(request_id, files)

    monkeypatch.setattr(house.results, "write", keep_slowly)
    async with house.scheduling() as dispatcher:
        await house.add(dispatcher)
        await asyncio.to_thread(writing.wait)
        forgetting = asyncio.create_task(dispatcher.delete_user(1))
        await asyncio.sleep(0.05)
        go_on.set()
        assert await forgetting == (1, 0)
    assert list(house.results.folder.iterdir()) == []
