"""The request store loses no request, leases each to one worker, and delivers each outcome once."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sqlite3
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.errors import LostFile
from bot.requests.erasure import delete_requests
from bot.requests.fair_queue import ORDER, QUEUE
from bot.requests.record import RequestRecord
from bot.requests.store import DOWNLOAD, INTAKE, MAX_ATTEMPTS_KEPT, RequestStore
from mst_core.jobs import Job
from tests.support.fakes import make_new_request, make_rendition
from tests.support.paths import PROJECT
from tests.support.queue_env import QueueEnv


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def store(tmp_path: Path, clock: Clock) -> AsyncIterator[RequestStore]:
    opened = await RequestStore.open(tmp_path / "deep" / "ledger.sqlite3", clock, steady=clock)
    yield opened
    await opened.close()


async def finish(
    store: RequestStore, record: RequestRecord, worker: str = "bot"
) -> RequestRecord | None:
    receipt = make_rendition(Job(str(record.id), record.request)).receipt
    return await store.mark_done(worker, record.id, receipt, {"composing": 1.5})


async def lease(store: RequestStore, worker: str = "bot") -> RequestRecord:
    record = await store.lease(worker, 60)
    assert record is not None
    return record


async def test_a_request_is_stored_unchanged(store: RequestStore, clock: Clock) -> None:
    accepted = await store.add(make_new_request(user_id=5, seed=42))
    found = await store.find(accepted.id)
    assert found == accepted
    assert found.request == make_new_request(seed=42).request
    assert (found.state, found.tries, found.asked_at) == ("waiting", 0, clock.now)


async def test_a_request_goes_from_waiting_to_delivered(store: RequestStore, clock: Clock) -> None:
    accepted = await store.add(make_new_request())
    clock.now += 2
    leased = await lease(store)
    assert (leased.id, leased.state, leased.tries, leased.started_at) == (
        accepted.id,
        "running",
        1,
        clock.now,
    )
    clock.now += 3
    done = await finish(store, leased)
    assert done is not None
    assert done.receipt is not None
    assert (done.state, done.finished_at, done.receipt.seed) == ("done", clock.now, 7)
    assert done.stage_seconds == {"composing": 1.5}
    assert await store.undelivered() == [done.id]
    await store.mark_delivered(done.id)
    answered = await store.find(done.id)
    assert answered is not None
    assert answered.answered_at == clock.now
    assert await store.undelivered() == []


async def test_the_interaction_token_is_deleted_after_delivery(store: RequestStore) -> None:
    record = await store.add(make_new_request(interaction_token="may speak"))  # noqa: S106
    assert "may speak" not in repr(record)
    await lease(store)
    await finish(store, record)
    await store.mark_delivered(record.id)
    answered = await store.find(record.id)
    assert answered is not None
    assert answered.interaction_token == ""


async def test_eight_workers_lease_each_request_once(store: RequestStore) -> None:
    ids = {(await store.add(make_new_request(user_id=user))).id for user in range(40)}
    leased = await asyncio.gather(*(store.lease(f"worker {n % 8}", 60) for n in range(60)))
    assert sorted(record.id for record in leased if record) == sorted(ids)


async def test_users_take_turns_however_many_requests_one_has(
    store: RequestStore, clock: Clock
) -> None:
    for user in (1, 1, 1, 1, 2, 2, 3):
        await store.add(make_new_request(user_id=user))
    turns = []
    for _ in range(7):
        clock.now += 1
        record = await lease(store)
        turns.append(record.user_id)
        await finish(store, record)
    assert turns == [1, 2, 3, 1, 2, 1, 1]


async def test_a_user_has_at_most_one_running_request(store: RequestStore) -> None:
    for user in (1, 1, 2):
        await store.add(make_new_request(user_id=user))
    assert [(await lease(store)).user_id, (await lease(store)).user_id] == [1, 2]
    assert await store.lease("bot", 60) is None


async def test_the_queue_lists_requests_in_the_order_of_their_leases(
    store: RequestStore, clock: Clock
) -> None:
    for user in (1, 1, 2, 3, 3, 2):
        await store.add(make_new_request(user_id=user))
    queued = [record.id for record in await store.queue()]
    leased = []
    for _ in range(6):
        clock.now += 1
        record = await lease(store)
        leased.append(record.id)
        await finish(store, record)
    assert leased == queued


async def test_a_request_with_an_expired_lease_is_leased_again_and_counts_its_try_if_begun(
    store: RequestStore, clock: Clock
) -> None:
    await store.add(make_new_request())
    first = await lease(store, "dead")
    clock.now += 59
    assert await store.lease("alive", 60) is None
    clock.now += 2
    second = await lease(store, "alive")
    assert (second.id, second.tries) == (first.id, 1), "nothing was done in the first one"
    await store.mark_begun("alive", first.id)
    clock.now += 61
    assert (await lease(store, "third")).tries == 2


async def test_a_renewed_lease_does_not_expire(store: RequestStore, clock: Clock) -> None:
    for user in (1, 2):
        await store.add(make_new_request(user_id=user))
    renewed, dropped = await lease(store), await lease(store)
    clock.now += 50
    await store.renew_leases("bot", 60, [renewed.id])
    clock.now += 50
    assert (await lease(store, "other")).id == dropped.id
    assert await store.lease("other", 60) is None


async def test_a_worker_without_the_lease_stores_no_outcome(
    store: RequestStore, clock: Clock
) -> None:
    await store.add(make_new_request())
    slow = await lease(store, "slow")
    clock.now += 61
    quick = await lease(store, "quick")
    assert await finish(store, slow, "slow") is None
    assert await store.mark_failed("slow", slow.id, "NoSound", ["silence"]) is None
    assert await finish(store, quick, "quick") is not None
    assert await finish(store, quick, "quick") is None, "an outcome is noted once"


async def test_a_released_request_waits_again(store: RequestStore) -> None:
    await store.add(make_new_request())
    record = await lease(store)
    await store.release("bot", record.id, "busy", count_try=False)
    assert (await lease(store)).tries == 1
    await store.mark_begun("bot", record.id)
    await store.release("bot", record.id, "it was killed", count_try=True)
    assert (await lease(store)).tries == 2
    await store.release_all("another", "it ended", count_try=True)
    assert await store.queue() == [], "only what one has leased oneself goes back"
    await store.release_all("bot", "it ended", count_try=True)
    assert [waiting.id for waiting in await store.queue()] == [record.id]


async def test_only_a_begun_request_has_used_a_try(store: RequestStore) -> None:
    for user in (1, 2):
        await store.add(make_new_request(user_id=user))
    worked, waited = await lease(store), await lease(store)
    await store.mark_begun("bot", worked.id)
    await store.mark_begun("another", waited.id)
    await store.release_all("bot", "the bot ended meanwhile", count_try=True)
    tries = {record.id: record.tries for record in await store.queue()}
    assert tries == {worked.id: 1, waited.id: 0}


async def test_a_request_keeps_when_and_why_its_attempts_ended(
    store: RequestStore, clock: Clock
) -> None:
    record = await store.add(make_new_request())
    for number in range(MAX_ATTEMPTS_KEPT + 5):
        await lease(store)
        await store.release("bot", record.id, f"death {number}", count_try=True)
    found = await store.find(record.id)
    assert found is not None
    assert found.attempts[:2] == ((clock.now, "death 0"), (clock.now, "death 1"))
    assert len(found.attempts) == MAX_ATTEMPTS_KEPT, "the history of a request is bounded"


async def test_a_lease_keeps_its_time_when_the_clock_of_the_system_jumps(tmp_path: Path) -> None:
    clock, steady = Clock(), Clock()
    store = await RequestStore.open(tmp_path / "ledger.sqlite3", clock, steady=steady)
    await store.add(make_new_request())
    await lease(store)
    for jump in (7200, -14_400):
        clock.now += jump
        assert await store.lease("bot", 60) is None, "it would run twice"
    steady.now += 61
    assert await store.lease("bot", 60) is not None
    await store.close()


async def test_long_work_waits_for_short_work_but_not_for_ever(
    store: RequestStore, clock: Clock
) -> None:
    long = await store.add(make_new_request(user_id=1, expected_s=65))
    served = []
    for user in range(2, 60):
        await store.add(make_new_request(user_id=user, expected_s=2))
        clock.now += 10
        record = await lease(store)
        served.append(record.id)
        await finish(store, record)
    assert served[0] != long.id
    assert 0 < served.index(long.id) <= 21, "after 200 s it is as near as a short one"


async def test_setting_the_clock_of_the_system_changes_no_place_in_the_queue(
    tmp_path: Path,
) -> None:
    clock, steady = Clock(), Clock()
    store = await RequestStore.open(tmp_path / "ledger.sqlite3", clock, steady=steady)
    served = await store.add(make_new_request(user_id=1))
    await finish(store, await lease(store))
    long = await store.add(make_new_request(user_id=2, expected_s=65))
    clock.now -= 3600
    again = await store.add(make_new_request(user_id=1))
    steady.now += 200
    new = await store.add(make_new_request(user_id=3))
    assert [record.id for record in await store.queue()] == [long.id, new.id, again.id]
    assert served.id not in (long.id, new.id, again.id)
    await store.close()


async def test_no_long_request_is_leased_where_none_may_be(store: RequestStore) -> None:
    long = await store.add(make_new_request(user_id=1, expected_s=45))
    assert await store.lease("bot", 60, long=False) is None
    short = await store.add(make_new_request(user_id=2, expected_s=3))
    await store.set_expected(short.id, 9.9)
    found = await store.lease("bot", 60, long=False)
    assert found is not None
    assert (found.id, found.expected_s) == (short.id, 9.9)
    assert (await lease(store)).id == long.id


async def test_one_long_request_runs_at_a_time_and_short_ones_beside_it(
    store: RequestStore, clock: Clock
) -> None:
    """The engine composes one tune after the other: three long ones would hold all others."""
    long = [await store.add(make_new_request(user_id=user, expected_s=45)) for user in (1, 2, 3)]
    clock.now += 300
    assert (await lease(store)).id == long[0].id
    assert await store.lease("bot", 60) is None
    short = await store.add(make_new_request(user_id=4, expected_s=3))
    assert (await lease(store)).id == short.id, "it passes the long ones that wait"
    assert await store.lease("bot", 60) is None
    await finish(store, long[0])
    assert (await lease(store)).id == long[1].id


async def test_one_person_with_a_thousand_requests_delays_another_by_one(
    store: RequestStore, clock: Clock
) -> None:
    for _ in range(1000):
        await store.add(make_new_request(user_id=1, expected_s=1))
    await finish(store, await lease(store))
    other = await store.add(make_new_request(user_id=2, expected_s=9))
    order = []
    for _ in range(3):
        record = await lease(store)
        order.append(record.id)
        await finish(store, record)
    assert other.id in order[:2]


async def test_the_lease_and_the_queue_read_no_finished_request(store: RequestStore) -> None:
    """The plan that SQLite makes has indexes alone, no scan of the table."""
    query = f"SELECT id FROM {QUEUE} WHERE NOT busy {ORDER}"  # noqa: S608
    rows = await store.database.run("EXPLAIN QUERY PLAN " + query, now=1.0, steady=1.0)
    plan = [row["detail"] for row in rows]
    scans = [line for line in plan if line.startswith("SCAN")]
    assert all("requests_unfinished" in line or "queue" in line or "(" in line for line in scans)
    assert any("requests_unfinished" in line for line in scans)
    assert any("requests_by_start" in line for line in plan)


async def test_a_failure_keeps_its_code_and_arguments(store: RequestStore) -> None:
    await store.add(make_new_request())
    record = await lease(store)
    failed = await store.mark_failed("bot", record.id, "BadOption", ["key", "H", "write it as D"])
    assert failed is not None
    assert (failed.state, failed.error_code) == ("failed", "BadOption")
    assert failed.error_arguments == ("key", "H", "write it as D")
    assert await store.undelivered() == [record.id]


async def test_an_outcome_is_delivered_until_success_and_never_after(
    store: RequestStore,
) -> None:
    await store.add(make_new_request())
    record = await lease(store)
    assert await store.start_delivery(record.id) is None, "a running request has no answer yet"
    await finish(store, record)
    attempts = [await store.start_delivery(record.id), await store.start_delivery(record.id)]
    assert [attempt and attempt.deliveries for attempt in attempts] == [1, 2]
    await store.mark_delivered(record.id)
    assert await store.start_delivery(record.id) is None


async def test_history_lists_only_the_users_requests_newest_first(store: RequestStore) -> None:
    mine = [(await store.add(make_new_request(user_id=1))).id for _ in range(3)]
    await store.add(make_new_request(user_id=2))
    assert [record.id for record in await store.history(1)] == mine[::-1]
    assert [record.id for record in await store.history(1, 2)] == mine[:0:-1]


async def test_every_request_of_a_user_is_deleted(store: RequestStore) -> None:
    gone = [(await store.add(make_new_request(user_id=1))).id for _ in range(2)]
    stays = await store.add(make_new_request(user_id=2))
    assert sorted(await delete_requests(store.database, 1)) == gone
    assert await store.history(1) == []
    assert await store.find(stays.id) == stays


async def test_a_request_id_is_never_reused(store: RequestStore) -> None:
    first = await store.add(make_new_request())
    await delete_requests(store.database, 1)
    assert (await store.add(make_new_request())).id > first.id


async def test_a_later_process_finds_every_request(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite3"
    store = await RequestStore.open(path)
    accepted = await store.add(make_new_request())
    await store.close()
    again = await RequestStore.open(path)
    assert await again.find(accepted.id) == accepted
    await again.close()


ADDING = """
import asyncio, sys
from pathlib import Path
from bot.requests.store import RequestStore
from tests.support.fakes import make_new_request

async def add_forever():
    store = await RequestStore.open(Path(sys.argv[1]))
    async def one_by_one(user):
        while True:
            record = await store.add(make_new_request(user_id=user))
            print(record.id, flush=True)
            if record.id % 7 == 0:
                await store.lease("killed", 60)
    await asyncio.gather(*(one_by_one(user) for user in range(8)))

asyncio.run(add_forever())
"""


@pytest.mark.parametrize("after", [1, 40, 100])
async def test_kill_9_loses_no_accepted_request(tmp_path: Path, after: int) -> None:
    path = tmp_path / "ledger.sqlite3"
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        ADDING,
        str(path),
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
    )
    assert process.stdout is not None
    printed = [int(await process.stdout.readline()) for _ in range(after)]
    process.send_signal(signal.SIGKILL)
    printed += [int(line) for line in (await process.stdout.read()).split(b"\n")[:-1]]
    await process.wait()
    store = await RequestStore.open(path)
    await store.release_all("killed", "it was killed", count_try=True)
    stored = {record.id for record in await store.queue()}
    await store.close()
    assert set(printed) <= stored


async def test_the_backlog_is_counted_with_the_wait_of_the_oldest(tmp_path: Path) -> None:
    wall, steady = Clock(), Clock()
    store = await RequestStore.open(tmp_path / "ledger.sqlite3", wall, steady=steady)
    try:
        assert await store.count_backlog() == (0, 0, 0.0)
        for user_id in (1, 2, 3):
            await store.add(make_new_request(user_id=user_id))
            steady.now += 10
        await store.lease("bot", 90)
        for jump in (7200, -14_400):
            wall.now += jump
            assert await store.count_backlog() == (2, 1, 20.0), "nobody waits longer for it"
    finally:
        await store.close()


async def test_a_request_that_is_not_acknowledged_yet_is_no_backlog(queue: QueueEnv) -> None:
    await queue.store.add(make_new_request(), INTAKE)
    assert await queue.store.count_backlog() == (0, 0, 0.0)


async def test_a_slow_download_holds_up_no_other_request_of_its_user(queue: QueueEnv) -> None:
    await queue.store.add(make_new_request(), DOWNLOAD)
    other = await queue.store.add(make_new_request())
    assert (await lease(queue.store)).id == other.id


async def test_the_backlog_is_counted_without_a_look_at_finished_requests(
    queue: QueueEnv, monkeypatch: pytest.MonkeyPatch
) -> None:
    statements: list[str] = []
    run = queue.store.database.run

    async def note(statement: str, **values: object) -> list[sqlite3.Row]:
        statements.append(statement)
        return await run(statement, **values)

    monkeypatch.setattr(queue.store.database, "run", note)
    await queue.store.count_backlog()
    plan = await run(f"EXPLAIN QUERY PLAN {statements[0]}", steady=0.0)
    steps = [row["detail"] for row in plan]
    assert len(steps) == 1
    assert re.match(r"SEARCH requests USING INDEX requests_\w+ \(state", steps[0])


async def test_a_press_at_the_moment_of_a_deletion_keeps_no_name(queue: QueueEnv) -> None:
    """The names of a result are copied by the statement that stores the press, never before."""
    store, uploads = queue.store, queue.uploads
    upload = await uploads.keep(1, "secret.mid", b"MThd")
    names = {upload.sha256: upload.name}
    own = await store.add(make_new_request(user_id=1, names=names))
    pressed = await store.add(make_new_request(user_id=2, names=names), parent_id=own.id)
    assert pressed.names == names
    # The press has read the request of the result; now its user deletes their data.
    async with queue.scheduling() as scheduler:
        await scheduler.delete_user(1)
    for parent in (own, pressed):
        with pytest.raises(LostFile):
            await store.add(make_new_request(user_id=3, names=names), parent_id=parent.id)
    kept = await store.database.run("SELECT * FROM requests WHERE names LIKE '%secret%'")
    assert kept == []
