"""What is old or too much is deleted, what an open request needs never; else it refuses."""

from __future__ import annotations

import asyncio
import os
import random
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from simcord import InteractionResult

from bot.errors import NoRoom
from bot.requests.data_folder import LEDGER
from bot.requests.record import RequestRecord
from bot.requests.result_files import ResultFiles
from bot.requests.retention import DAY_S, IN_FLIGHT_S, RESULT_BYTES, Retention
from bot.requests.store import RequestStore
from bot.requests.uploads import Uploads
from tests.support.discord_env import DiscordEnv, discord_env, last_message
from tests.support.fakes import make_new_request
from tests.support.uploads import send_rerhythm, write_reel

MB = 1_000_000
NOW = 1_800_000_000.0


class Keeping:
    """A real store and real files, whose time and disk a test sets."""

    def __init__(self, folder: Path, store: RequestStore, time: Callable[[], float]) -> None:
        self.folder, self.store, self.time = folder, store, time
        self.now, self.free = NOW, 10**12
        self.uploads = Uploads(folder / "uploads", store.database, clock=time)
        self.results = ResultFiles(folder / "results")

    def retention(self, **changes: Any) -> Retention:
        values: dict[str, Any] = {
            "quota_bytes": 100 * MB, "free_bytes": 500 * MB, "upload_days": 90, "history_days": 365,
            "clock": self.time, "steady": self.time, "free_on_disk": lambda _: self.free,
        }  # fmt: skip
        return Retention(self.folder, self.store, self.uploads, **(values | changes))

    async def keep(self, n_bytes: int = 2_000, user_id: int = 1, *, days_ago: float = 0) -> str:
        """Store an upload of this size that was used last so many days ago; return its SHA-256."""
        self.now, now = self.now - days_ago * DAY_S, self.now
        data = random.Random(f"{n_bytes} {days_ago}").randbytes(n_bytes)
        upload = await self.uploads.keep(user_id, "reel.mid", data)
        self.now = now
        return upload.sha256

    async def ask(self, *files: str, delivered_days_ago: float | None = None) -> RequestRecord:
        """Store a request that uses files; it waits, unless it was delivered so many days ago."""
        record = await self.store.add(make_new_request(names=dict.fromkeys(files, "reel.mid")))
        if delivered_days_ago is not None:
            self.now, now = self.now - delivered_days_ago * DAY_S, self.now
            await self.store.mark_delivered(record.id)
            self.now = now
        return record

    def has(self, sha256: str) -> bool:
        return (self.folder / "uploads" / f"{sha256}.bin").exists()


@pytest.fixture
async def keeping(tmp_path: Path) -> AsyncIterator[Keeping]:
    found: list[Keeping] = []

    def time() -> float:
        return found[0].now if found else NOW

    store = await RequestStore.open(tmp_path / LEDGER, time)
    found.append(Keeping(tmp_path, store, time))
    yield found[0]
    await store.close()


async def test_a_file_goes_some_days_after_its_last_use(keeping: Keeping) -> None:
    old, recent = await keeping.keep(days_ago=91), await keeping.keep(days_ago=89)
    await keeping.retention().enforce()
    assert (keeping.has(old), keeping.has(recent)) == (False, True)


async def test_a_request_goes_some_days_after_its_delivery(keeping: Keeping) -> None:
    old = await keeping.ask(delivered_days_ago=366)
    recent = await keeping.ask(delivered_days_ago=364)
    await keeping.retention().enforce()
    assert await keeping.store.find(old.id) is None
    assert await keeping.store.find(recent.id)


async def test_a_clock_that_is_set_forward_makes_nothing_old(keeping: Keeping) -> None:
    sha256, record = await keeping.keep(), await keeping.ask(delivered_days_ago=0)
    retention = keeping.retention(steady=lambda: 5.0)
    keeping.now += 10_000 * DAY_S
    await retention.enforce()
    assert keeping.has(sha256)
    assert await keeping.store.find(record.id)


async def test_zero_days_mean_for_ever(keeping: Keeping) -> None:
    sha256 = await keeping.keep(days_ago=9_000)
    record = await keeping.ask(delivered_days_ago=9_000)
    await keeping.retention(upload_days=0, history_days=0).enforce()
    assert keeping.has(sha256)
    assert await keeping.store.find(record.id)


async def test_an_open_request_keeps_its_files_however_old(keeping: Keeping) -> None:
    needed, other = await keeping.keep(days_ago=900), await keeping.keep(days_ago=901)
    record = await keeping.ask(needed)
    await keeping.retention(quota_bytes=0).enforce()  # as if there was no room at all
    assert (keeping.has(needed), keeping.has(other)) == (True, False)
    assert await keeping.store.find(record.id)


async def test_only_the_use_by_its_owner_keeps_a_file_longer(keeping: Keeping) -> None:
    own, others = await keeping.keep(1_000, days_ago=91), await keeping.keep(1_001, days_ago=91)
    await keeping.uploads.note_use([own], user_id=1)
    await keeping.uploads.note_use([others], user_id=2)
    await keeping.retention().enforce()
    assert (keeping.has(own), keeping.has(others)) == (True, False)


async def test_beyond_the_quota_the_files_that_were_not_used_longest_go_first(
    keeping: Keeping,
) -> None:
    shas = [await keeping.keep(2 * MB, days_ago=days) for days in (40, 10, 30, 20)]
    retention = keeping.retention()
    room = retention._request_bytes
    await keeping.retention(quota_bytes=6 * MB + room).enforce()
    assert [keeping.has(sha256) for sha256 in shas] == [False, True, False, True]


async def test_cached_scores_go_before_what_users_sent(keeping: Keeping) -> None:
    sha256 = await keeping.keep(2 * MB)
    cached = keeping.folder / "uploads" / f"{sha256}.reading"
    cached.write_bytes(bytes(MB))
    retention = keeping.retention()
    room = retention._request_bytes
    await keeping.retention(quota_bytes=int(2.9 * MB) + room).enforce()
    assert (keeping.has(sha256), cached.exists()) == (True, False)


def fill(folder: Path, n_rows: int, *, delivered_at: float) -> None:
    """Add delivered requests of two kilobytes each."""
    with closing(sqlite3.connect(folder / LEDGER)) as connection:
        connection.executemany(
            """INSERT INTO requests (state, user_id, channel_id, message_id, interaction_token,
                   file_limit_bytes, locale, request, seed, asked_at, answered_at, press_token)
               VALUES ('done', 1, 2, 3, '', 4, 'en', '{}', 5, 6, ?, ?)""",
            [(delivered_at + number, "x" * 2_000) for number in range(n_rows)],
        )
        connection.commit()


async def test_requests_go_last_and_the_oldest_first_and_their_room_is_given_back(
    keeping: Keeping,
) -> None:
    fill(keeping.folder, 6_000, delivered_at=NOW - 300 * DAY_S)
    waiting = await keeping.ask()
    sha256 = await keeping.keep(2 * MB)
    retention = keeping.retention()
    quota = 9 * MB + RESULT_BYTES + retention._request_bytes
    retention = keeping.retention(quota_bytes=quota)
    await retention.enforce()
    size = sum(path.stat().st_size for path in keeping.folder.glob(f"{LEDGER}*"))
    assert size <= 9 * MB
    assert retention.problem == ""
    assert not keeping.has(sha256)
    rows = await keeping.store.database.run("SELECT id FROM requests ORDER BY id")
    left = [row["id"] for row in rows]
    assert left == list(range(left[0], waiting.id + 1))
    assert 1_000 < len(left) < 2_500  # a page of 4 KB each: no more than needed are gone


async def test_the_ledger_of_an_earlier_version_gives_its_room_back_too(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / LEDGER)) as connection:
        connection.execute("CREATE TABLE before (x)")  # without incremental vacuum, for good
        assert connection.execute("PRAGMA auto_vacuum").fetchone() == (0,)
    store = await RequestStore.open(tmp_path / LEDGER, lambda: NOW)
    fill(tmp_path, 3_000, delivered_at=NOW - 400 * DAY_S)
    assert stored_bytes(tmp_path) > 6 * MB
    keeping = Keeping(tmp_path, store, lambda: NOW)
    await keeping.retention().enforce()
    await store.close()
    assert (tmp_path / LEDGER).stat().st_size < MB


async def test_what_was_deleted_is_on_no_page_of_the_ledger(keeping: Keeping) -> None:
    name = "a name that nobody should find.mid"
    sha256 = await keeping.keep()
    record = await keeping.store.add(make_new_request(names={sha256: name}))
    keeping.now -= 400 * DAY_S
    await keeping.store.mark_delivered(record.id)
    keeping.now += 400 * DAY_S
    ledger = list(keeping.folder.glob(f"{LEDGER}*"))
    assert any(name.encode() in path.read_bytes() for path in ledger)
    await keeping.retention().enforce()
    assert not any(name.encode() in path.read_bytes() for path in ledger)


@pytest.mark.parametrize("seed", range(3))
async def test_the_quota_is_kept_and_no_open_request_loses_anything(
    keeping: Keeping, seed: int
) -> None:
    draw = random.Random(seed)
    keeping.uploads.limits = type(keeping.uploads.limits)(file_bytes=MB)
    quota = draw.randint(20, 40) * MB
    retention = keeping.retention(quota_bytes=quota)
    needed: dict[int, str] = {}
    refused = 0
    for _ in range(40):
        keeping.now += draw.uniform(0, 2 * IN_FLIGHT_S)
        try:
            await retention.admit()
        except NoRoom:
            refused += 1
        else:
            sha256 = await keeping.keep(draw.randint(1, MB), user_id=draw.randint(1, 5))
            needed[(await keeping.ask(sha256)).id] = sha256
        if needed and draw.random() < 0.6:  # one of them is made and delivered
            done = draw.choice(list(needed))
            files = {"mp3": bytes(draw.randint(1, RESULT_BYTES))}
            await asyncio.to_thread(keeping.results.write, done, files)
            assert stored_bytes(keeping.folder) <= quota
            await keeping.store.database.run(
                "UPDATE requests SET state = 'done' WHERE id = :id", id=done
            )
            await keeping.store.mark_delivered(done)
            await asyncio.to_thread(keeping.results.discard, done)
            del needed[done]
        assert stored_bytes(keeping.folder) <= quota
        assert all(keeping.has(sha256) for sha256 in needed.values())
        assert [bool(await keeping.store.find(one)) for one in needed] == [True] * len(needed)
    assert refused < 40


def stored_bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


async def test_many_requests_at_once_are_not_promised_the_same_room(keeping: Keeping) -> None:
    retention = keeping.retention(quota_bytes=60 * MB)
    answers = await asyncio.gather(*(retention.admit() for _ in range(50)), return_exceptions=True)
    admitted = [one for one in answers if one is None]
    assert {type(one) for one in answers} == {type(None), NoRoom}
    assert 1 <= len(admitted) * retention._request_bytes <= 60 * MB


async def test_a_nearly_full_disk_refuses_and_deletes_nothing(
    keeping: Keeping, caplog: pytest.LogCaptureFixture
) -> None:
    sha256 = await keeping.keep()
    keeping.free = 400 * MB
    retention = keeping.retention()
    with pytest.raises(NoRoom):
        await retention.admit()
    assert retention.problem == "the disk has 400 MB left; MST_DISK_FREE_MB keeps 500 MB free"
    assert caplog.messages == [f"new requests are refused: {retention.problem}"]
    assert keeping.has(sha256)
    keeping.free = 10**12
    await retention.admit()
    assert retention.problem == ""


async def test_a_full_disk_is_one_refusal_and_the_bot_says_that_it_is_not_ready(
    tmp_path: Path,
) -> None:
    async with discord_env(tmp_path, MST_DISK_FREE_MB="10000000") as server:
        result = await server.alice.slash(server.channel, "compose", style="folk")
        assert "The bot's disk is full" in private_answer(result)
        problems = (await server.bot.read_health()).problems
        assert "new requests are refused: the disk has" in " ".join(problems)
        assert await history(server) == []


def private_answer(result: InteractionResult) -> str:
    assert result.ephemeral
    assert result.response is not None
    return result.response.content


async def history(server: DiscordEnv) -> list[RequestRecord]:
    return await server.history(server.alice)


async def test_a_button_whose_request_is_gone_says_so(tmp_path: Path) -> None:
    async with discord_env(tmp_path) as server:
        await server.alice.slash(server.channel, "compose", style="folk")
        retention = server.bot._retention
        assert retention is not None
        retention._history_days = 1
        retention._clock = retention._steady = lambda: 1e11
        await retention.enforce()
        result = await server.alice.click(last_message(server.channel), label="Another one")
        assert "Request 1 is no longer stored" in private_answer(result)
        assert await history(server) == []


async def test_a_button_whose_file_is_gone_says_so(tmp_path: Path) -> None:
    async with discord_env(tmp_path) as server:
        await send_rerhythm(server, "reel.mid", write_reel())
        retention = server.bot._retention
        assert retention is not None
        retention._upload_days, retention._history_days = 1, 0
        retention._clock = retention._steady = lambda: 1e11
        await retention.enforce()
        result = await server.alice.click(last_message(server.channel), label="Another one")
        assert "reel.mid is no longer stored. Please send it again" in private_answer(result)
        assert len(await history(server)) == 1


async def test_a_result_that_is_delivered_while_it_is_measured_stops_nothing(
    keeping: Keeping, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in (7, 8):
        keeping.results.write(number, {"mid": bytes(5_000)})
    scan = os.scandir

    def scan_late(path: Any) -> Any:
        if not isinstance(path, int) and Path(path).name == "7":
            monkeypatch.setattr(os, "scandir", scan)
            keeping.results.discard(7)
        return scan(path)

    monkeypatch.setattr(os, "scandir", scan_late)
    retention = keeping.retention()
    await retention.enforce()
    assert 5_000 <= retention.sizes["results"] < 10_000
