"""The dispatcher sees every accepted request answered once, whatever dies on the way."""

from __future__ import annotations

import asyncio

import pytest

from mst_core.errors import EngineBusy, EngineLost, NoSoundFont, NoSuchTune
from tests.support.fakes import FakeEngine
from tests.support.queue_env import QueueEnv, until


async def test_a_request_is_made_kept_and_answered_once(house: QueueEnv) -> None:
    async with house.scheduling() as dispatcher:
        entry = await house.add(dispatcher)
        (answered,) = await house.delivered(entry)
        dispatcher.wake()
    files = {suffix: f"{suffix} of {entry.id}".encode() for suffix in ("mp3", "png", "mid")}
    assert house.notifier.results == {entry.id: [files]}
    assert answered.state == "done"
    assert set(answered.stage_seconds) == {"starting", "composing"}
    assert house.notifier.failures == {}


async def test_no_more_jobs_run_than_the_engine_has_places(house: QueueEnv) -> None:
    house.engine.places = 3
    async with house.scheduling() as dispatcher:
        entries = [await house.add(dispatcher, user_id=user) for user in range(12)]
        await house.delivered(*entries)
    assert 1 <= house.engine.max_running <= 3
    assert len(house.engine.jobs) == 12


async def test_who_waits_is_told_the_place(house: QueueEnv) -> None:
    house.engine.places = 1
    house.engine.hold = True
    async with house.scheduling() as dispatcher:
        entries = [await house.add(dispatcher, user_id=user) for user in range(3)]

        async def told() -> bool:
            return {(entry, place) for entry, place, _ in house.notifier.positions} >= {
                (entries[1].id, 1),
                (entries[2].id, 2),
            }

        await until(told)
        house.engine.release()
        await house.delivered(*entries)


async def test_requests_wait_while_the_engine_wakes(house: QueueEnv) -> None:
    awake = asyncio.Event()

    class Sleepy(FakeEngine):
        async def start(self) -> None:
            await awake.wait()

    engine = Sleepy()
    async with house.scheduling(engine) as dispatcher:
        entry = await house.add(dispatcher)

        async def told() -> bool:
            return (entry.id, 1, False) in house.notifier.positions

        await until(told)
        assert engine.jobs == []
        awake.set()
        await house.delivered(entry)


async def test_an_engine_that_cannot_start_is_told_to_the_owner(house: QueueEnv) -> None:
    house.engine.start_error = NoSoundFont("/nowhere")
    async with house.scheduling():

        async def told() -> bool:
            return bool(house.engine_failures)

        await until(told)
    assert [error.code for error in house.engine_failures] == ["NoSoundFont"]


async def test_a_job_that_lost_its_engine_runs_again(house: QueueEnv) -> None:
    house.engine.errors = [EngineLost("killed"), EngineLost("killed again")]
    async with house.scheduling() as dispatcher:
        (answered,) = await house.delivered(await house.add(dispatcher))
    assert (answered.state, answered.tries) == ("done", 3)
    assert len(house.notifier.results[answered.id]) == 1


async def test_a_job_that_kills_every_engine_fails_plainly(house: QueueEnv) -> None:
    house.engine.errors = [EngineLost("killed")] * 3
    async with house.scheduling() as dispatcher:
        (answered,) = await house.delivered(await house.add(dispatcher))
    assert (answered.state, answered.error_code) == ("failed", "EngineLost")
    assert len(house.engine.jobs) == 3
    assert [error.code for error in house.notifier.failures[answered.id]] == ["EngineLost"]


async def test_a_busy_engine_costs_no_try(house: QueueEnv) -> None:
    house.engine.errors = [EngineBusy(8)] * 5
    async with house.scheduling() as dispatcher:
        (answered,) = await house.delivered(await house.add(dispatcher))
    assert (answered.state, answered.tries) == ("done", 1)


async def test_what_the_asker_must_mend_is_not_tried_again(house: QueueEnv) -> None:
    house.engine.errors = [NoSuchTune("5 bars of AABB")]
    async with house.scheduling() as dispatcher:
        (answered,) = await house.delivered(await house.add(dispatcher))
    assert len(house.engine.jobs) == 1
    (refusal,) = house.notifier.failures[answered.id]
    assert (refusal.code, refusal.arguments) == ("NoSuchTune", ("5 bars of AABB",))


async def test_a_bug_is_told_by_a_reference_and_logged_whole(
    house: QueueEnv, caplog: pytest.LogCaptureFixture
) -> None:
    house.engine.errors = [ZeroDivisionError("a bug")]
    async with house.scheduling() as dispatcher:
        (answered,) = await house.delivered(await house.add(dispatcher))
    (refusal,) = house.notifier.failures[answered.id]
    assert refusal.code == "EngineFault"
    assert f"reference {refusal.arguments[0]}" in caplog.text
    assert "ZeroDivisionError: a bug" in caplog.text


async def test_an_engine_that_falls_silent_is_given_up(house: QueueEnv) -> None:
    house.engine.hold = True
    async with house.scheduling(job_timeout_s=0.05) as dispatcher:
        (answered,) = await house.delivered(await house.add(dispatcher))
    assert answered.error_code == "JobTimeout"


async def test_a_sound_that_discord_would_refuse_is_refused_before(house: QueueEnv) -> None:
    async with house.scheduling() as dispatcher:
        (answered,) = await house.delivered(await house.add(dispatcher, file_limit_bytes=5))
    assert answered.error_code == "TooLarge"


async def test_an_answer_that_cannot_be_shaped_becomes_a_refusal(house: QueueEnv) -> None:
    house.notifier.errors = [KeyError("a text that is missing")]
    async with house.scheduling() as dispatcher:
        (answered,) = await house.delivered(await house.add(dispatcher))
    assert [error.code for error in house.notifier.failures[answered.id]] == ["EngineFault"]
