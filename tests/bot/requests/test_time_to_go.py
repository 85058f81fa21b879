"""Those who wait are shown how long about: the work before them, at the pace of the last jobs."""

from __future__ import annotations

import pytest

from bot.requests.time_to_go import TimeToGo
from tests.support.queue_env import QueueEnv, until


class Clock:
    """A clock that a test sets."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def run(times: TimeToGo, clock: Clock, request_id: int, work: float, seconds: float) -> None:
    times.begin(request_id, work)
    clock.now += seconds
    times.end(request_id, done=True)


def test_each_waits_for_the_work_before_it_and_its_own() -> None:
    clock = Clock()
    times = TimeToGo(clock)
    times.begin(1, 10.0)
    assert times.estimate([10.0, 20.0, 30.0]) == [20, 40, 90]
    times.note_share(1, 0.5)
    assert times.estimate([10.0, 20.0, 30.0]) == [15, 35, 90]
    clock.now += 5
    times.end(1, done=False)
    assert times.estimate([10.0]) == [10]


@pytest.mark.parametrize("pace", [0.25, 1.0, 3.0])
def test_the_pace_is_that_of_the_last_jobs(pace: float) -> None:
    clock = Clock()
    times = TimeToGo(clock)
    for number in range(40):
        run(times, clock, number, work=4.0, seconds=4.0 * 7)
    for number in range(60):
        run(times, clock, number, work=4.0, seconds=4.0 * pace)
        clock.now += 1000  # an idle engine says nothing of its pace
    assert times.pace == pytest.approx(pace, rel=0.15)


def test_an_engine_that_runs_two_at_once_is_twice_as_fast() -> None:
    clock = Clock()
    times = TimeToGo(clock)
    times.begin(0, 4.0)
    for number in range(1, 40):
        times.begin(number, 4.0)
        clock.now += 2.0
        times.end(number - 1, done=True)
    assert times.pace == pytest.approx(0.5, rel=0.1)


def test_a_job_that_takes_long_lengthens_the_time_of_all_while_it_runs() -> None:
    clock = Clock()
    times = TimeToGo(clock)
    for number in range(40):
        run(times, clock, number, work=4.0, seconds=4.0)
    times.begin(99, 4.0)
    times.note_share(99, 0.1)
    shown = []
    for _ in range(5):
        shown += times.estimate([20.0])
        clock.now += 40.0
    assert shown == sorted(shown)
    assert shown[-1] >= 3 * shown[0]


def test_a_failed_job_makes_no_estimate_shorter() -> None:
    clock = Clock()
    times = TimeToGo(clock)
    for number in range(40):
        run(times, clock, number, work=4.0, seconds=4.0)
    before = times.pace
    for number in range(10):
        times.begin(number, 4.0)
        clock.now += 0.1
        times.end(number, done=False)  # refused before it began
    assert times.pace >= before


def test_the_pace_is_known_after_a_restart() -> None:
    """Two ran at once, then one; the hour between them says nothing."""
    times = TimeToGo(Clock())
    times.learn([(4000.0, 4030.0, 10.0), (100.0, 160.0, 10.0), (110.0, 170.0, 10.0)])
    assert times.pace == pytest.approx((5 + 100) / (5 + 30))


async def test_the_scheduler_learns_the_pace_from_the_ledger(queue: QueueEnv) -> None:
    async with queue.scheduling() as scheduler:
        made = await queue.add(scheduler, expected_s=10.0)
        await queue.delivered(made)
    await queue.store.database.run("UPDATE requests SET finished_at = started_at + 1000")
    async with queue.scheduling() as scheduler:
        assert scheduler._time_to_go.pace > 10


def test_nonsense_is_not_believed() -> None:
    clock = Clock()
    times = TimeToGo(clock)
    for number in range(100):
        run(times, clock, number, work=0.0, seconds=1e6)
    assert times.estimate([0.0]) == [10]
    assert times.estimate([]) == []


async def test_who_waits_longer_is_shown_a_longer_time(queue: QueueEnv) -> None:
    queue.engine.slots = 1
    queue.engine.hold = True
    async with queue.scheduling() as scheduler:
        first = await queue.add(scheduler, user_id=1, expected_s=20.0)
        others = [await queue.add(scheduler, user_id=user, expected_s=8.0) for user in (2, 3, 4)]

        async def all_shown() -> bool:
            return len(queue.notifier.waits) >= 3

        await until(all_shown)
        shown = [queue.notifier.waits[record.id] for record in others]
        assert shown == sorted(shown)
        assert 15 <= shown[0] < shown[-1] <= 45
        queue.engine.release()
        await queue.delivered(first, *others)
