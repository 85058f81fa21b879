"""The scheduler has every stored request delivered once, whatever crashes in between."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator

import pytest

from bot.requests.record import RequestRecord
from mst_core.errors import EngineBusy, EngineLost, NoSoundFont, NoSuchTune
from mst_core.jobs import Job, Progress, Rendition
from mst_core.requests import Side, Transfer
from tests.support.fakes import FakeEngine, make_rendition
from tests.support.queue_env import QueueEnv, until
from tests.support.uploads import write_reel


async def test_a_request_is_run_stored_and_delivered_once(queue: QueueEnv) -> None:
    async with queue.scheduling() as scheduler:
        record = await queue.add(scheduler)
        (answered,) = await queue.delivered(record)
        scheduler.wake()
    files = {suffix: f"{suffix} of {record.id}".encode() for suffix in ("mp3", "png", "mid")}
    assert queue.notifier.results == {record.id: [files]}
    assert answered.state == "done"
    assert set(answered.stage_seconds) == {"starting", "composing"}
    assert queue.notifier.failures == {}


async def test_no_more_jobs_run_than_the_engine_has_slots(queue: QueueEnv) -> None:
    queue.engine.slots = 3
    async with queue.scheduling() as scheduler:
        records = [await queue.add(scheduler, user_id=user) for user in range(12)]
        await queue.delivered(*records)
    assert 1 <= queue.engine.max_running <= 3
    assert len(queue.engine.jobs) == 12


async def test_a_waiting_user_is_shown_the_position(queue: QueueEnv) -> None:
    queue.engine.slots = 1
    queue.engine.hold = True
    async with queue.scheduling() as scheduler:
        records = [await queue.add(scheduler, user_id=user) for user in range(3)]

        async def shown() -> bool:
            return {(record, place) for record, place, _ in queue.notifier.positions} >= {
                (records[1].id, 1),
                (records[2].id, 2),
            }

        await until(shown)
        queue.engine.release()
        await queue.delivered(*records)


async def running(queue: QueueEnv, *records: RequestRecord) -> None:
    """Wait until the engine runs these and no others."""

    async def are_running() -> bool:
        return queue.engine.running == {str(record.id) for record in records}

    await until(are_running)


async def test_a_long_request_never_takes_the_last_place(queue: QueueEnv) -> None:
    queue.engine.slots = 2
    queue.engine.hold = True
    async with queue.scheduling() as scheduler:
        first = await queue.add(scheduler, user_id=1)
        await running(queue, first)
        long = await queue.add(scheduler, user_id=2, expected_s=50)
        short = await queue.add(scheduler, user_id=3)
        await running(queue, first, short)
        queue.engine.release()
        await queue.delivered(first, short, long)
    assert [job.id for job in queue.engine.jobs] == [str(r.id) for r in (first, short, long)]


async def test_a_request_whose_file_turns_out_to_be_long_waits_for_the_other_long_one(
    queue: QueueEnv,
) -> None:
    queue.engine.hold = True
    upload = await queue.uploads.keep(2, "long.mid", write_reel(bars=140))
    melody = Transfer(source=upload.sha256, seed=1, rhythm=Side(style="folk"))
    async with queue.scheduling() as scheduler:
        long = await queue.add(scheduler, user_id=1, expected_s=50)
        await running(queue, long)
        surprise = await queue.add(
            scheduler, user_id=2, request=melody, names={upload.sha256: "long.mid"}
        )

        async def is_put_back() -> bool:
            known = await queue.store.find(surprise.id)
            return known is not None and known.state == "waiting" and known.expected_s > 10

        await until(is_put_back)
        short = [await queue.add(scheduler, user_id=user) for user in (3, 4)]
        await running(queue, long, *short)
        queue.engine.release()
        ended = await queue.delivered(long, surprise, *short)
    assert {record.state for record in ended} == {"done"}
    assert [job.is_long for job in queue.engine.jobs if job.id == str(surprise.id)] == [True]
    assert ended[1].tries == 1, "to be put back costs no try"


async def test_the_pauses_after_lost_engines_double_to_a_limit_with_a_part_by_chance(
    queue: QueueEnv,
) -> None:
    async with queue.scheduling(retry_s=2.0) as scheduler:
        pauses = [[scheduler._pause_s(losses) for _ in range(40)] for losses in range(1, 20)]
    for losses, drawn in enumerate(pauses, start=1):
        longest = min(30.0, 2.0**losses)
        assert longest / 2 <= min(drawn) < max(drawn) <= longest


async def test_a_request_whose_outcome_finds_a_full_disk_runs_again_within_seconds(
    queue: QueueEnv, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.requests.scheduler.STORE_RETRY_S", 0.02)
    run = queue.store.database.run
    refused: list[str] = []

    async def run_on_a_full_disk(statement: str, **values: object) -> list[sqlite3.Row]:
        if len(refused) < 5 and statement.lstrip().startswith("UPDATE") and values.get("id"):
            refused.append(statement)
            raise sqlite3.OperationalError("database or disk is full")
        return await run(statement, **values)

    async with queue.scheduling() as scheduler:
        monkeypatch.setattr(queue.store.database, "run", run_on_a_full_disk)
        (answered,) = await queue.delivered(await queue.add(scheduler))
    assert len(refused) == 5
    assert answered.state == "done"
    assert len(queue.notifier.results[answered.id]) == 1


async def test_one_request_passes_the_thousand_of_somebody_else(queue: QueueEnv) -> None:
    for _ in range(1000):
        await queue.add(user_id=1)
    queue.engine.slots = 1
    async with queue.scheduling() as scheduler:
        other = await queue.add(scheduler, user_id=2)
        await queue.delivered(other)
        order = [job.id for job in queue.engine.jobs]
    assert str(other.id) in order[:2]


async def test_requests_wait_while_the_engine_starts(queue: QueueEnv) -> None:
    awake = asyncio.Event()

    class Sleepy(FakeEngine):
        async def start(self) -> None:
            await awake.wait()

    engine = Sleepy()
    async with queue.scheduling(engine) as scheduler:
        record = await queue.add(scheduler)

        async def shown() -> bool:
            return (record.id, 1, "starting") in queue.notifier.positions

        await until(shown)
        assert engine.jobs == []
        awake.set()
        await queue.delivered(record)


async def test_an_engine_that_cannot_start_is_reported_to_the_owner(queue: QueueEnv) -> None:
    queue.engine.start_error = NoSoundFont("/nowhere")
    async with queue.scheduling():

        async def shown() -> bool:
            return bool(queue.engine_failures)

        await until(shown)
    assert [error.code for error in queue.engine_failures] == ["NoSoundFont"]


async def test_a_job_that_lost_its_engine_runs_again(queue: QueueEnv) -> None:
    queue.engine.errors = [EngineLost("killed"), EngineLost("killed again")]
    async with queue.scheduling() as scheduler:
        (answered,) = await queue.delivered(await queue.add(scheduler))
    assert (answered.state, answered.tries) == ("done", 3)
    assert len(queue.notifier.results[answered.id]) == 1


async def test_a_job_that_kills_every_engine_fails_with_a_clear_error(queue: QueueEnv) -> None:
    queue.engine.errors = [EngineLost("killed")] * 3
    async with queue.scheduling() as scheduler:
        (answered,) = await queue.delivered(await queue.add(scheduler))
    assert (answered.state, answered.error_code) == ("failed", "EngineLost")
    assert len(queue.engine.jobs) == 3
    assert [error.code for error in queue.notifier.failures[answered.id]] == ["EngineLost"]


async def test_a_request_that_only_waited_while_the_engine_died_loses_no_try(
    queue: QueueEnv,
) -> None:
    class Mortal(FakeEngine):
        """Dies six times before it begins with a job."""

        deaths = 6

        async def run(self, job: Job) -> AsyncIterator[Progress | Rendition]:
            if self.deaths:
                self.deaths -= 1
                raise EngineLost("it was ended by SIGKILL")
            async for event in super().run(job):
                yield event

    async with queue.scheduling(Mortal()) as scheduler:
        (answered,) = await queue.delivered(await queue.add(scheduler))
    assert (answered.state, answered.tries) == ("done", 1)
    assert len(answered.attempts) == 6
    assert "SIGKILL" in answered.attempts[0][1]


async def test_a_request_that_ends_the_engine_before_it_begins_is_given_up_too(
    queue: QueueEnv,
) -> None:
    class Poisoned(FakeEngine):
        async def run(self, job: Job) -> AsyncIterator[Progress | Rendition]:
            if job.id:
                raise EngineLost("it was ended by SIGSEGV")
            yield Progress("composing", 0.0)

    async with queue.scheduling(Poisoned(), retry_s=0.001) as scheduler:
        (answered,) = await queue.delivered(await queue.add(scheduler))
    assert (answered.state, answered.error_code) == ("failed", "EngineLost")
    assert "SIGSEGV" in answered.error_arguments[0]


async def test_those_who_wait_are_informed_that_the_engine_is_restarted(
    queue: QueueEnv, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.requests.notifier.EDIT_INTERVAL_S", 0.0)
    queue.engine.slots = 1
    queue.engine.hold = True
    async with queue.scheduling() as scheduler:
        at_work, waiting = [await queue.add(scheduler, user_id=user) for user in (1, 2)]

        async def shown(*expected: tuple[int, int, str]) -> bool:
            return {*expected} <= {*queue.notifier.positions}

        await until(lambda: shown((waiting.id, 1, "ready")))
        queue.engine.become(ready=False)
        await until(lambda: shown((at_work.id, 1, "restarting"), (waiting.id, 2, "restarting")))
        queue.engine.become(ready=True)
        queue.engine.release()
        await queue.delivered(at_work, waiting)


async def test_nothing_is_leased_while_the_engine_is_down(queue: QueueEnv) -> None:
    async with queue.scheduling() as scheduler:
        await queue.delivered(await queue.add(scheduler))
        queue.engine.become(ready=False)
        record = await queue.add(scheduler)
        await asyncio.sleep(0.1)
        found = await queue.store.find(record.id)
        assert found is not None
        assert (found.state, found.tries, found.attempts) == ("waiting", 0, ())
        queue.engine.become(ready=True)
        await queue.delivered(record)


async def test_an_engine_that_dies_in_its_first_start_is_started_again(queue: QueueEnv) -> None:
    class Weak(FakeEngine):
        """Dies in its first two starts."""

        starts = 0

        async def start(self) -> None:
            self.starts += 1
            if self.starts < 3:
                raise EngineLost("it was ended by SIGKILL before it was ready")

    async with queue.scheduling(Weak()) as scheduler:
        await queue.delivered(await queue.add(scheduler))
    assert queue.engine_failures == []


async def test_an_edit_that_hangs_holds_no_finished_tune_and_no_place(
    queue: QueueEnv, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a rate limit of 100 s does."""
    monkeypatch.setattr("bot.requests.notifier.DRAIN_LIMIT_S", 0.05)

    async def hang(record: RequestRecord, progress: Progress) -> None:
        await asyncio.sleep(100)

    monkeypatch.setattr(queue.notifier, "show_progress", hang)
    queue.engine.slots = 1
    async with queue.scheduling() as scheduler:
        records = [await queue.add(scheduler, user_id=user) for user in range(5)]
        async with asyncio.timeout(5):
            await queue.delivered(*records)


async def test_a_busy_engine_counts_no_try(queue: QueueEnv) -> None:
    queue.engine.errors = [EngineBusy(8)] * 25
    async with queue.scheduling() as scheduler:
        (answered,) = await queue.delivered(await queue.add(scheduler))
    assert (answered.state, answered.tries, answered.attempts) == ("done", 1, ())


async def test_an_error_in_the_options_is_not_retried(queue: QueueEnv) -> None:
    queue.engine.errors = [NoSuchTune("5 bars of AABB")]
    async with queue.scheduling() as scheduler:
        (answered,) = await queue.delivered(await queue.add(scheduler))
    assert len(queue.engine.jobs) == 1
    (error,) = queue.notifier.failures[answered.id]
    assert (error.code, error.arguments) == ("NoSuchTune", ("5 bars of AABB",))


async def test_a_bug_is_reported_by_a_reference_and_logged_with_its_traceback(
    queue: QueueEnv, caplog: pytest.LogCaptureFixture
) -> None:
    queue.engine.errors = [ZeroDivisionError("a bug")]
    async with queue.scheduling() as scheduler:
        (answered,) = await queue.delivered(await queue.add(scheduler))
    (error,) = queue.notifier.failures[answered.id]
    assert error.code == "EngineFault"
    assert f"reference {error.arguments[0]}" in caplog.text
    assert "ZeroDivisionError: a bug" in caplog.text


async def test_an_engine_without_progress_times_out(queue: QueueEnv) -> None:
    queue.engine.hold = True
    async with queue.scheduling(job_timeout_s=0.05) as scheduler:
        (answered,) = await queue.delivered(await queue.add(scheduler))
    assert answered.error_code == "JobTimeout"


async def test_a_file_larger_than_discord_accepts_is_an_error(queue: QueueEnv) -> None:
    async with queue.scheduling() as scheduler:
        (answered,) = await queue.delivered(await queue.add(scheduler, file_limit_bytes=5))
    assert answered.error_code == "TooLarge"


async def test_a_result_that_cannot_be_rendered_becomes_an_error(queue: QueueEnv) -> None:
    queue.notifier.errors = [KeyError("a text that is missing")]
    async with queue.scheduling() as scheduler:
        (answered,) = await queue.delivered(await queue.add(scheduler))
    assert [error.code for error in queue.notifier.failures[answered.id]] == ["EngineFault"]


async def test_scores_before_and_after_take_their_turn_in_the_queue(queue: QueueEnv) -> None:
    """Whoever presses without a pause takes one place of the engine, and others come between."""
    queue.engine.slots = 1
    queue.engine.hold = True
    async with queue.scheduling() as scheduler:
        for _ in range(100):
            await queue.add(user_id=1, private=True)
        scheduler.wake()
        await until(lambda: _async(bool(queue.engine.jobs)))
        tune = await queue.add(scheduler, user_id=2)
        queue.engine.release()
        await queue.delivered(tune)
    started = [job.id for job in queue.engine.jobs]
    assert started.index(str(tune.id)) <= 1
    first, second = queue.engine.jobs[:2]
    assert (first.formats, first.play_original, first.max_pages) == (("mp3", "png"), True, 1)
    assert (second.formats, second.play_original) == (("mp3", "png", "mid"), False)


async def test_a_score_before_and_after_survives_a_restart(queue: QueueEnv) -> None:
    queue.engine.hold = True
    async with queue.scheduling() as scheduler:
        look = await queue.add(scheduler, private=True)
        await until(lambda: _async(bool(queue.engine.jobs)))
    assert queue.notifier.results == {}
    async with queue.scheduling(FakeEngine()):
        (delivered,) = await queue.delivered(look)
    assert delivered.private
    assert [sorted(files) for files in queue.notifier.results[look.id]] == [["mp3", "png"]]


async def test_a_sound_before_and_after_that_is_too_large_is_left_out(
    queue: QueueEnv, monkeypatch: pytest.MonkeyPatch
) -> None:
    def large(job: Job, **_: object) -> Rendition:
        rendition = make_rendition(job)
        return Rendition(rendition.receipt, {"mp3": bytes(1001), "png": bytes(1000)})

    monkeypatch.setattr("tests.support.fakes.make_rendition", large)
    async with queue.scheduling() as scheduler:
        look = await queue.add(scheduler, private=True, file_limit_bytes=1000)
        await queue.delivered(look)
    assert [list(files) for files in queue.notifier.results[look.id]] == [["png"]]


async def _async(value: bool) -> bool:
    return value
