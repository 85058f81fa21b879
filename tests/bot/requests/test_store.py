"""The ledger loses no request that was accepted, lends each once, and has each answered once."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.requests.store import RequestRecord, RequestStore
from mst_core.jobs import Job
from tests.support.fakes import make_new_request, make_rendition
from tests.support.paths import PROJECT


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def ledger(tmp_path: Path, clock: Clock) -> AsyncIterator[RequestStore]:
    opened = await RequestStore.open(tmp_path / "deep" / "ledger.sqlite3", clock)
    yield opened
    await opened.close()


async def finish(
    ledger: RequestStore, entry: RequestRecord, worker: str = "bot"
) -> RequestRecord | None:
    receipt = make_rendition(Job(str(entry.id), entry.request)).receipt
    return await ledger.mark_done(worker, entry.id, receipt, {"composing": 1.5})


async def lease(ledger: RequestStore, worker: str = "bot") -> RequestRecord:
    entry = await ledger.lease(worker, 60)
    assert entry is not None
    return entry


async def test_what_is_accepted_is_kept_as_it_was_asked(ledger: RequestStore, clock: Clock) -> None:
    accepted = await ledger.add(make_new_request(user_id=5, seed=42))
    found = await ledger.find(accepted.id)
    assert found == accepted
    assert found.request == make_new_request(seed=42).request
    assert (found.state, found.tries, found.asked_at) == ("waiting", 0, clock.now)


async def test_a_request_goes_from_waiting_to_answered(ledger: RequestStore, clock: Clock) -> None:
    accepted = await ledger.add(make_new_request())
    clock.now += 2
    leased = await lease(ledger)
    assert (leased.id, leased.state, leased.tries, leased.started_at) == (
        accepted.id, "running", 1, clock.now,
    )  # fmt: skip
    clock.now += 3
    done = await finish(ledger, leased)
    assert done is not None
    assert done.receipt is not None
    assert (done.state, done.finished_at, done.receipt.seed) == ("done", clock.now, 7)
    assert done.stage_seconds == {"composing": 1.5}
    assert await ledger.undelivered() == [done.id]
    await ledger.mark_delivered(done.id)
    answered = await ledger.find(done.id)
    assert answered is not None
    assert answered.answered_at == clock.now
    assert await ledger.undelivered() == []


async def test_the_token_of_the_interaction_goes_with_the_answer(ledger: RequestStore) -> None:
    entry = await ledger.add(make_new_request(interaction_token="may speak"))  # noqa: S106
    assert "may speak" not in repr(entry)
    await lease(ledger)
    await finish(ledger, entry)
    await ledger.mark_delivered(entry.id)
    answered = await ledger.find(entry.id)
    assert answered is not None
    assert answered.interaction_token == ""


async def test_eight_workers_lease_each_request_once(ledger: RequestStore) -> None:
    ids = {(await ledger.add(make_new_request(user_id=user))).id for user in range(40)}
    leased = await asyncio.gather(*(ledger.lease(f"worker {n % 8}", 60) for n in range(60)))
    assert sorted(entry.id for entry in leased if entry) == sorted(ids)


async def test_people_take_turns_however_much_one_of_them_asks(
    ledger: RequestStore, clock: Clock
) -> None:
    for user in (1, 1, 1, 1, 2, 2, 3):
        await ledger.add(make_new_request(user_id=user))
    turns = []
    for _ in range(7):
        clock.now += 1
        entry = await lease(ledger)
        turns.append(entry.user_id)
        await finish(ledger, entry)
    assert turns == [1, 2, 3, 1, 2, 1, 1]


async def test_one_person_has_one_running_request(ledger: RequestStore) -> None:
    for user in (1, 1, 2):
        await ledger.add(make_new_request(user_id=user))
    assert [(await lease(ledger)).user_id, (await lease(ledger)).user_id] == [1, 2]
    assert await ledger.lease("bot", 60) is None


async def test_the_queue_is_in_the_order_of_the_leases(ledger: RequestStore, clock: Clock) -> None:
    for user in (1, 1, 2, 3, 3, 2):
        await ledger.add(make_new_request(user_id=user))
    foretold = [entry.id for entry in await ledger.queue()]
    leased = []
    for _ in range(6):
        clock.now += 1
        entry = await lease(ledger)
        leased.append(entry.id)
        await finish(ledger, entry)
    assert leased == foretold


async def test_a_lease_that_ran_out_comes_back_and_counts_a_try(
    ledger: RequestStore, clock: Clock
) -> None:
    await ledger.add(make_new_request())
    first = await lease(ledger, "dead")
    clock.now += 59
    assert await ledger.lease("alive", 60) is None
    clock.now += 2
    second = await lease(ledger, "alive")
    assert (second.id, second.tries) == (first.id, 2)


async def test_a_renewed_lease_does_not_run_out(ledger: RequestStore, clock: Clock) -> None:
    for user in (1, 2):
        await ledger.add(make_new_request(user_id=user))
    renewed, dropped = await lease(ledger), await lease(ledger)
    clock.now += 50
    await ledger.renew_leases("bot", 60, [renewed.id])
    clock.now += 50
    assert (await lease(ledger, "other")).id == dropped.id
    assert await ledger.lease("other", 60) is None


async def test_who_lost_the_lease_cannot_finish_or_fail(ledger: RequestStore, clock: Clock) -> None:
    await ledger.add(make_new_request())
    slow = await lease(ledger, "slow")
    clock.now += 61
    quick = await lease(ledger, "quick")
    assert await finish(ledger, slow, "slow") is None
    assert await ledger.mark_failed("slow", slow.id, "NoSound", ["silence"]) is None
    assert await finish(ledger, quick, "quick") is not None
    assert await finish(ledger, quick, "quick") is None, "an outcome is noted once"


async def test_what_is_given_back_waits_again(ledger: RequestStore) -> None:
    await ledger.add(make_new_request())
    entry = await lease(ledger)
    await ledger.release("bot", entry.id, count_try=False)
    assert (await lease(ledger)).tries == 1
    await ledger.release("bot", entry.id, count_try=True)
    assert (await lease(ledger)).tries == 2
    await ledger.release_all("another", count_try=True)
    assert await ledger.queue() == [], "only what one has leased oneself goes back"
    await ledger.release_all("bot", count_try=True)
    assert [waiting.id for waiting in await ledger.queue()] == [entry.id]


async def test_a_failure_keeps_its_code_and_arguments(ledger: RequestStore) -> None:
    await ledger.add(make_new_request())
    entry = await lease(ledger)
    failed = await ledger.mark_failed("bot", entry.id, "BadOption", ["key", "H", "write it as D"])
    assert failed is not None
    assert (failed.state, failed.error_code) == ("failed", "BadOption")
    assert failed.error_arguments == ("key", "H", "write it as D")
    assert await ledger.undelivered() == [entry.id]


async def test_an_answer_is_delivered_until_it_is_answered_and_never_after(
    ledger: RequestStore,
) -> None:
    await ledger.add(make_new_request())
    entry = await lease(ledger)
    assert await ledger.start_delivery(entry.id) is None, "a running request has no answer yet"
    await finish(ledger, entry)
    attempts = [await ledger.start_delivery(entry.id), await ledger.start_delivery(entry.id)]
    assert [attempt and attempt.deliveries for attempt in attempts] == [1, 2]
    await ledger.mark_delivered(entry.id)
    assert await ledger.start_delivery(entry.id) is None


async def test_history_has_the_newest_first_and_only_ones_own(ledger: RequestStore) -> None:
    mine = [(await ledger.add(make_new_request(user_id=1))).id for _ in range(3)]
    await ledger.add(make_new_request(user_id=2))
    assert [entry.id for entry in await ledger.history(1)] == mine[::-1]
    assert [entry.id for entry in await ledger.history(1, 2)] == mine[:0:-1]


async def test_a_person_is_forgotten_whole(ledger: RequestStore) -> None:
    gone = [(await ledger.add(make_new_request(user_id=1))).id for _ in range(2)]
    stays = await ledger.add(make_new_request(user_id=2))
    assert sorted(await ledger.delete_user(1)) == gone
    assert await ledger.history(1) == []
    assert await ledger.find(stays.id) == stays


async def test_a_number_is_never_given_twice(ledger: RequestStore) -> None:
    first = await ledger.add(make_new_request())
    await ledger.delete_user(1)
    assert (await ledger.add(make_new_request())).id > first.id


async def test_a_later_process_finds_everything(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite3"
    ledger = await RequestStore.open(path)
    accepted = await ledger.add(make_new_request())
    await ledger.close()
    again = await RequestStore.open(path)
    assert await again.find(accepted.id) == accepted
    await again.close()


ACCEPTING = """
import asyncio, sys
from pathlib import Path
from bot.requests.store import RequestStore
from tests.support.fakes import make_new_request

async def accept_for_ever():
    store = await RequestStore.open(Path(sys.argv[1]))
    async def one_by_one(user):
        while True:
            entry = await store.add(make_new_request(user_id=user))
            print(entry.id, flush=True)
            if entry.id % 7 == 0:
                await store.lease("killed", 60)
    await asyncio.gather(*(one_by_one(user) for user in range(8)))

asyncio.run(accept_for_ever())
"""


@pytest.mark.parametrize("after", [1, 40, 100])
async def test_kill_9_loses_no_accepted_request(tmp_path: Path, after: int) -> None:
    path = tmp_path / "ledger.sqlite3"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", ACCEPTING, str(path),
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
    )  # fmt: skip
    assert process.stdout is not None
    told = [int(await process.stdout.readline()) for _ in range(after)]
    process.send_signal(signal.SIGKILL)
    told += [int(line) for line in (await process.stdout.read()).split(b"\n")[:-1]]
    await process.wait()
    ledger = await RequestStore.open(path)
    await ledger.release_all("killed", count_try=True)
    kept = {entry.id for entry in await ledger.queue()}
    await ledger.close()
    assert set(told) <= kept
