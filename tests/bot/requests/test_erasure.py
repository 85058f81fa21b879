"""Deletion leaves nothing, whatever is on its way at that moment or was deleted before."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from bot.errors import RequestNotFound
from bot.requests import uploads as uploads_module
from bot.requests.retention import DAY_S, Retention
from bot.requests.scheduler import WORKER
from mst_core.requests import Side, Transfer
from tests.bot.requests.test_intake import interaction_of, make_intake
from tests.support.queue_env import QueueEnv, until
from tests.support.uploads import write_reel

REEL = write_reel()
NAME = "A private tune of mine.mid"


class SlowFile:
    """An attachment that Discord delivers when it is told to."""

    filename, size = NAME, len(REEL)

    def __init__(self) -> None:
        self.asked, self.delivered = asyncio.Event(), asyncio.Event()

    async def read(self) -> bytes:
        self.asked.set()
        await self.delivered.wait()
        return REEL


def stored(queue: QueueEnv) -> list[str]:
    return [path.name for path in queue.uploads.folder.glob("*")]


async def add_transfer(queue: QueueEnv, scheduler: Any, sha256: str, user_id: int) -> Any:
    request = Transfer(source=sha256, seed=1, rhythm=Side(style="folk"))
    return await queue.add(scheduler, user_id=user_id, request=request, names={sha256: NAME})


@pytest.mark.parametrize("command", ["rerhythm", "upload"])
async def test_a_file_on_its_way_is_not_kept_when_its_user_deletes_their_data(
    command: str, queue: QueueEnv, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.requests.intake.DEFER_AFTER_S", 0.01)
    file: Any = SlowFile()
    async with queue.scheduling() as scheduler:
        intake = make_intake(queue, tmp_path, queue.uploads, scheduler)

        async def send() -> None:
            if command == "rerhythm":
                draft = Transfer(source="source", seed=1, rhythm=Side(style="folk"))
                await intake.submit_with_files(interaction_of(1), draft, {"source": file})
            else:
                async with intake.receive_upload(interaction_of(1), file):
                    pass

        sending = asyncio.create_task(send())
        await file.asked.wait()
        while not await queue.store.unacknowledged():  # noqa: ASYNC110 - kept before it is read
            await asyncio.sleep(0.01)
        await scheduler.delete_user(1)
        file.delivered.set()
        with pytest.raises(RequestNotFound):
            await sending
        assert await queue.uploads.of_user(1) == []
    assert stored(queue) == []


async def test_a_score_that_is_being_written_does_not_come_back(
    queue: QueueEnv, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, writing = uploads_module._write, asyncio.Event()
    loop = asyncio.get_running_loop()

    def write_slowly(path: Path, data: bytes) -> None:
        if path.suffix == ".reading":
            loop.call_soon_threadsafe(writing.set)
            time.sleep(0.3)
        write(path, data)

    monkeypatch.setattr(uploads_module, "_write", write_slowly)
    async with queue.scheduling() as scheduler:
        upload = await queue.uploads.keep(1, NAME, REEL)
        await add_transfer(queue, scheduler, upload.sha256, 1)
        await writing.wait()
        await scheduler.delete_user(1)
        await asyncio.sleep(0.5)
    assert stored(queue) == []


@pytest.mark.parametrize("pruned_by", ["age", "room", "quota"])
async def test_names_in_requests_of_others_go_although_the_file_went_before(
    pruned_by: str, queue: QueueEnv
) -> None:
    async with queue.scheduling() as scheduler:
        upload = await queue.uploads.keep(1, NAME, REEL)
        own = await add_transfer(queue, scheduler, upload.sha256, 1)
        of_other = await add_transfer(queue, scheduler, upload.sha256, 2)
        await queue.delivered(own, of_other)
        if pruned_by == "age":
            await queue.uploads.delete_unused(time.time() + DAY_S)
        elif pruned_by == "room":
            await queue.uploads.make_room(1_000_000)
        else:
            queue.uploads._quota_bytes = 1
            await queue.uploads.keep(1, "another.mid", write_reel(2))
        assert await queue.uploads.pruned_of_user(1) != []
        assert await scheduler.delete_user(1) == (1, 0)
        assert await queue.uploads.pruned_of_user(1) == []
        (record,) = await queue.store.history(2)
    assert record.names == {}
    assert record.receipt is not None
    assert record.receipt.source == ""


async def test_a_job_that_fails_during_the_deletion_does_not_keep_the_name(
    queue: QueueEnv, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with queue.scheduling() as scheduler:
        upload = await queue.uploads.keep(1, NAME, REEL)
        queue.engine.hold = True
        of_other = await add_transfer(queue, scheduler, upload.sha256, 2)
        await until(lambda: is_running(queue))
        end_jobs = scheduler._end_jobs

        async def fail_then_end(ids: Sequence[int]) -> None:
            if of_other.id in ids:  # its name is forgotten already
                await queue.store.mark_failed(WORKER, of_other.id, "LostFile", [NAME])
            await end_jobs(ids)

        monkeypatch.setattr(scheduler, "_end_jobs", fail_then_end)
        await scheduler.delete_user(1)
        queue.engine.release()
        (record,) = await queue.store.history(2)
    assert (record.error_code, record.error_arguments, record.names) == ("LostFile", ("…",), {})


async def is_running(queue: QueueEnv) -> bool:
    return bool(queue.engine.jobs)


async def test_who_sent_a_file_is_forgotten_when_no_request_can_have_its_name(
    queue: QueueEnv, tmp_path: Path
) -> None:
    now = time.time()
    await queue.uploads.keep(1, NAME, REEL)
    await queue.uploads.delete_unused(now + DAY_S)
    for days, left in ((11, 1), (13, 0)):
        retention = Retention(
            tmp_path,
            queue.store,
            queue.uploads,
            quota_bytes=10**9,
            free_bytes=0,
            upload_days=90,
            history_days=10,
            clock=partial(float, now + days * DAY_S),
        )
        await retention.enforce()
        assert len(await queue.uploads.pruned_of_user(1)) == left


async def test_the_log_is_emptied_later_when_another_process_reads_the_ledger(
    queue: QueueEnv, tmp_path: Path
) -> None:
    def found() -> list[str]:
        paths = [path for path in tmp_path.rglob("*") if path.is_file()]
        return [path.name for path in paths if NAME.encode() in path.read_bytes()]

    async with queue.scheduling() as scheduler:
        await queue.uploads.keep(1, NAME, REEL)
        ledger = await queue.store.database.run("PRAGMA database_list")
        with closing(sqlite3.connect(ledger[0]["file"], isolation_level=None)) as backup:
            backup.execute("BEGIN")
            backup.execute("SELECT * FROM uploads").fetchall()
            since = time.monotonic()
            await scheduler.delete_user(1)
            assert time.monotonic() - since < 3, "nobody else waits for the backup"
            assert found() != []
        await queue.store.database.purge_rest()
        assert found() == []
