"""A backup of a running bot is whole: all that its ledger refers to is in it, and it restores."""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from bot import backup
from bot.backup import back_up, restore
from bot.errors import StartupError
from bot.requests.data_folder import LEDGER, check_ledger, sign_folder
from bot.requests.database import lock_data_dir
from bot.requests.erasure import delete_requests
from bot.requests.result_files import ResultFiles
from bot.requests.store import RequestStore
from bot.requests.uploads import Uploads
from mst_core.jobs import Job
from tests.support.fakes import make_new_request, make_rendition


class Bot:
    """The parts of a running bot that write into its data folder."""

    def __init__(self, folder: Path, store: RequestStore) -> None:
        self.store, self.folder = store, folder
        self.results = ResultFiles(folder / "results")
        self.uploads = Uploads(folder / "uploads", store.database)

    @classmethod
    async def start(cls, folder: Path) -> Bot:
        check_ledger(folder)
        store = await RequestStore.open(folder / LEDGER)
        await sign_folder(folder, store.database)
        return cls(folder, store)

    async def request(self, user_id: int, *, delivered: bool) -> None:
        """A request of a user, with a file, that is done, and delivered or not."""
        await self.uploads.keep(user_id, "reel.abc", b"X:1\nK:D\n" + os.urandom(9))
        record = await self.store.add(make_new_request(user_id=user_id))
        await self.store.lease("bot", 60)
        rendition = make_rendition(Job(str(record.id), record.request))
        await asyncio.to_thread(self.results.write, record.id, rendition.files)
        await self.store.mark_done("bot", record.id, rendition.receipt, {})
        if delivered:
            await self.store.mark_delivered(record.id)
            await asyncio.to_thread(self.results.discard, record.id)

    async def rows(self) -> dict[int, str]:
        found = await self.store.database.run("SELECT id, request FROM requests")
        return {row["id"]: row["request"] for row in found}

    async def check_files(self) -> int:
        """Check that each file that the ledger refers to is there; return their number."""
        uploads = await self.store.database.run("SELECT sha256 FROM uploads")
        for row in uploads:
            data = (self.folder / "uploads" / f"{row['sha256']}.bin").read_bytes()
            assert hashlib.sha256(data).hexdigest() == row["sha256"]
        undelivered = await self.store.undelivered()
        assert [one for one in undelivered if not self.results.read(one)] == []
        return len(uploads) + len(undelivered)


async def test_a_backup_under_load_is_whole_and_restores(tmp_path: Path) -> None:
    bot = await Bot.start(tmp_path / "data")
    for user in range(5):
        await bot.request(user, delivered=False)
    before = await bot.rows()
    stop = asyncio.Event()

    async def load(first: int) -> None:
        user = first
        while not stop.is_set():
            await bot.request(user, delivered=user % 2 == 0)
            if user % 3 == 0:
                await delete_requests(bot.store.database, user)
                await bot.uploads.delete_user(user)
            user += 10

    loads = [asyncio.create_task(load(first)) for first in (10, 11, 12)]
    for number in range(3):
        await asyncio.sleep(0.2)
        await asyncio.to_thread(back_up, tmp_path / "data", tmp_path / f"backup {number}")
    stop.set()
    await asyncio.gather(*loads)
    after = await bot.rows()
    await bot.store.close()
    for number in range(3):
        restore(tmp_path / f"backup {number}", tmp_path / f"new {number}")
        again = await Bot.start(tmp_path / f"new {number}")
        assert before.items() <= (rows := await again.rows()).items()
        assert len(rows) > len(before)
        assert {key: rows[key] for key in rows if key in after}.items() <= after.items()
        assert await again.check_files() > 10
        await again.store.close()


async def test_a_result_that_is_delivered_during_the_backup_is_delivered_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bot = await Bot.start(tmp_path / "data")
    await bot.request(1, delivered=False)
    await bot.request(2, delivered=False)
    keep = backup._keep_undelivered

    def deliver_meanwhile(connection: sqlite3.Connection, source: Path, target: Path) -> None:
        with closing(sqlite3.connect(source / LEDGER)) as live:
            live.execute("UPDATE requests SET answered_at = 5 WHERE id = 1")
            live.execute("DELETE FROM requests WHERE id = 2")
            live.commit()
        shutil.rmtree(target / "results")  # as when it is copied after the delivery
        keep(connection, source, target)

    monkeypatch.setattr(backup, "_keep_undelivered", deliver_meanwhile)
    back_up(tmp_path / "data", tmp_path / "backup")
    await bot.store.close()
    with closing(sqlite3.connect(tmp_path / "backup" / LEDGER)) as copy:
        rows = copy.execute("SELECT id, answered_at, interaction_token FROM requests").fetchall()
    assert rows == [(1, 5.0, "")]


async def test_a_backup_holds_nothing_that_the_ledger_does_not_refer_to(tmp_path: Path) -> None:
    bot = await Bot.start(tmp_path / "data")
    await bot.request(1, delivered=False)
    (tmp_path / "data" / "uploads" / "stray.bin").write_bytes(b"of somebody who deleted it")
    back_up(tmp_path / "data", tmp_path / "backup")
    await bot.store.close()
    names = set(os.listdir(tmp_path / "backup"))
    assert names == {"identity", LEDGER, "uploads", "results"}
    assert not (tmp_path / "backup" / "uploads" / "stray.bin").exists()
    assert (tmp_path / "backup").stat().st_mode & 0o77 == 0
    assert (tmp_path / "backup" / LEDGER).stat().st_mode & 0o77 == 0


async def test_a_restore_never_replaces_anything(tmp_path: Path) -> None:
    bot = await Bot.start(tmp_path / "data")
    await bot.request(1, delivered=True)
    back_up(tmp_path / "data", tmp_path / "backup")
    await bot.store.close()
    with pytest.raises(StartupError, match="is not empty; move what is in it away first"):
        restore(tmp_path / "backup", tmp_path / "data")
    with pytest.raises(StartupError, match="exists already; a backup needs a new folder"):
        back_up(tmp_path / "data", tmp_path / "backup")
    with (
        lock_data_dir(tmp_path / "other"),
        pytest.raises(StartupError, match="another bot is using"),
    ):
        restore(tmp_path / "backup", tmp_path / "other")
    with pytest.raises(StartupError, match="there is no backup in"):
        restore(tmp_path, tmp_path / "third")
    with pytest.raises(StartupError, match="there is no ledger"):
        back_up(tmp_path / "nothing", tmp_path / "backup 2")


async def test_a_damaged_backup_is_not_restored(tmp_path: Path) -> None:
    bot = await Bot.start(tmp_path / "data")
    await bot.request(1, delivered=True)
    back_up(tmp_path / "data", tmp_path / "backup")
    await bot.store.close()
    (file,) = (tmp_path / "backup" / "uploads").iterdir()
    file.write_bytes(b"X:1\nK:C\n")
    with pytest.raises(StartupError, match="is not what was sent"):
        restore(tmp_path / "backup", tmp_path / "new")
    file.unlink()
    (tmp_path / "backup" / LEDGER).write_bytes(b"")
    with pytest.raises(StartupError, match="is empty"):
        restore(tmp_path / "backup", tmp_path / "new")
    assert not (tmp_path / "new").exists()


async def test_half_a_restored_backup_stops_the_start(tmp_path: Path) -> None:
    bot = await Bot.start(tmp_path / "data")
    await bot.request(1, delivered=True)
    back_up(tmp_path / "data", tmp_path / "backup")
    await bot.store.close()
    restore(tmp_path / "backup", tmp_path / "new")
    (tmp_path / "new" / LEDGER).unlink()  # it is copied last
    with pytest.raises(StartupError, match="is missing, but its files are there"):
        check_ledger(tmp_path / "new")


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "bot", *arguments],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )


async def test_the_commands_copy_a_data_folder_and_say_so(tmp_path: Path) -> None:
    bot = await Bot.start(tmp_path / "data")
    await bot.request(1, delivered=True)
    await bot.store.close()
    made = run(tmp_path, "backup", "copy")
    assert (made.returncode, made.stdout) == (0, "3 files of data are copied to copy\n")
    refused = run(tmp_path, "restore", "copy")
    assert refused.returncode == 1
    assert refused.stderr == (
        "error: the data folder data is not empty; move what is in it away first\n"
    )
    (tmp_path / "data").rename(tmp_path / "away")
    restored = run(tmp_path, "restore", "copy")
    assert (restored.returncode, restored.stdout) == (0, "3 files of copy are copied to data\n")
