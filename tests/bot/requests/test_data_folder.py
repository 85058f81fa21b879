"""A ledger is used only in its own folder and state; else the bot says what to do, and stops."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from bot.errors import StartupError
from bot.requests.data_folder import IDENTITY, LEDGER, check_ledger, sign_folder, sign_regularly
from bot.requests.database import MIGRATIONS
from bot.requests.store import RequestStore
from bot.requests.uploads import Uploads
from mst_core.request_json import encode_request
from mst_core.requests import Compose
from tests.support.damaged_ledgers import DAMAGES, snapshot
from tests.support.fakes import make_new_request


async def use(folder: Path, *, kill: bool = False) -> RequestStore:
    """Use a data folder as the bot does: check it, sign it, add a request and an upload, sign."""
    await asyncio.to_thread(check_ledger, folder)
    store = await RequestStore.open(folder / LEDGER)
    await sign_folder(folder, store.database)
    await store.add(make_new_request())
    await Uploads(folder / "uploads", store.database).keep(1, "reel.abc", b"X:1\nK:D\nDEF|\n")
    if not kill:
        await sign_folder(folder, store.database)
        await store.close()
    return store


@pytest.mark.parametrize(("damage", "words"), DAMAGES, ids=[one.__name__ for one, _ in DAMAGES])
async def test_each_damage_is_one_sentence_and_nothing_is_changed(
    damage: Callable[[Path], None], words: str, tmp_path: Path
) -> None:
    await use(tmp_path)
    damage(tmp_path)
    before = snapshot(tmp_path)
    with pytest.raises(StartupError, match=words) as caught:
        check_ledger(tmp_path)
    assert "\n" not in str(caught.value)
    assert str(tmp_path) in str(caught.value)
    assert "chown" in str(caught.value) or "mst-bot restore" in str(caught.value)
    assert snapshot(tmp_path) == before


async def test_a_new_folder_and_a_used_one_are_accepted(tmp_path: Path) -> None:
    for _ in range(3):
        await use(tmp_path / "data")


async def test_a_folder_of_a_killed_bot_is_accepted(tmp_path: Path) -> None:
    await use(tmp_path)
    killed = await use(tmp_path, kill=True)
    shutil.copytree(tmp_path, tmp_path / "after")
    await killed.close()
    await use(tmp_path / "after")


async def test_a_folder_killed_at_its_first_start_before_it_was_signed_is_accepted(
    tmp_path: Path,
) -> None:
    await (await RequestStore.open(tmp_path / LEDGER)).close()
    await use(tmp_path)


async def test_an_older_ledger_is_refused(tmp_path: Path) -> None:
    await use(tmp_path)
    old = (tmp_path / LEDGER).read_bytes()
    await use(tmp_path)
    (tmp_path / LEDGER).write_bytes(old)
    with pytest.raises(StartupError, match="is older than the files beside it"):
        check_ledger(tmp_path)


async def test_a_ledger_older_than_a_result_is_refused(tmp_path: Path) -> None:
    await use(tmp_path)
    (tmp_path / "results" / "2").mkdir(parents=True)
    with pytest.raises(StartupError, match="is older than the files beside it"):
        check_ledger(tmp_path)


async def test_a_ledger_of_another_folder_is_refused(tmp_path: Path) -> None:
    await use(tmp_path / "one")
    await use(tmp_path / "two")
    shutil.copy(tmp_path / "one" / LEDGER, tmp_path / "two" / LEDGER)
    with pytest.raises(StartupError, match="is of another data folder"):
        check_ledger(tmp_path / "two")


@contextmanager
def locked(ledger: Path) -> Iterator[None]:
    with closing(sqlite3.connect(ledger, isolation_level=None)) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        yield


async def test_a_locked_ledger_is_reported_in_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await use(tmp_path)
    monkeypatch.setattr("bot.requests.data_folder.LOCK_TIMEOUT_S", 0.1)
    with locked(tmp_path / LEDGER), pytest.raises(StartupError, match="is locked"):
        check_ledger(tmp_path)


@pytest.mark.parametrize("version", [1, 2, 3])
async def test_a_folder_of_an_earlier_version_gets_an_identity_and_keeps_its_requests(
    version: int, tmp_path: Path
) -> None:
    with closing(sqlite3.connect(tmp_path / LEDGER)) as connection:
        for step in sorted(MIGRATIONS.glob("*.sql"))[:version]:
            connection.executescript(step.read_text())
        connection.execute(f"PRAGMA user_version = {version}")
        connection.execute(
            """INSERT INTO requests (user_id, channel_id, message_id, interaction_token,
                   file_limit_bytes, locale, request, seed, asked_at)
               VALUES (1, 20, 30, 'a token', 9, 'en-US', :request, 7, 0.0)""",
            {"request": encode_request(Compose(pitch="folk", rhythm="folk", seed=7))},
        )
        connection.commit()
    (tmp_path / "results").mkdir()
    await (await use(tmp_path, kill=True)).close()
    assert (tmp_path / IDENTITY).exists()
    check_ledger(tmp_path)
    store = await RequestStore.open(tmp_path / LEDGER)
    old = await store.lease("bot", 60)
    assert old is not None
    assert (old.id, old.button_id, old.interaction_id, old.request.seed) == (1, "1", None, 7)
    await store.close()


async def test_a_copy_of_the_ledger_from_earlier_in_the_same_run_is_recognized(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.requests.data_folder.SIGN_EVERY_S", 0.01)
    store = await use(tmp_path, kill=True)
    signing = asyncio.create_task(sign_regularly(tmp_path, store.database))

    async def signatures() -> int:
        ((number,),) = await store.database.run("SELECT signatures FROM data_folder")
        return int(number)

    async def wait_for(number: int) -> None:
        while await signatures() < number:  # noqa: ASYNC110 - the ledger sends no events
            await asyncio.sleep(0.005)

    await wait_for(2)
    await asyncio.sleep(0.1)
    assert await signatures() == 2, "nothing was stored since"
    await store.database.purge()
    copy, signed = (tmp_path / LEDGER).read_bytes(), (tmp_path / "identity").read_bytes()
    await store.database.run("UPDATE requests SET state = 'done'")
    await wait_for(3)
    while (tmp_path / "identity").read_bytes() == signed:  # noqa: ASYNC110 - written after it
        await asyncio.sleep(0.005)
    check_ledger(tmp_path)  # as a backup of the running bot does
    signing.cancel()
    await asyncio.wait([signing])
    await store.close()
    (tmp_path / LEDGER).write_bytes(copy)
    with pytest.raises(StartupError, match="older than the files"):
        check_ledger(tmp_path)
