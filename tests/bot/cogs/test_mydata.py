"""A file belongs to who sent it: others may use it by a button, and deletion leaves no trace."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sqlite3
import threading
import time
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import discord
import pytest
from simcord import MemberActor

from bot.cogs import mydata
from bot.errors import TooSoon
from bot.requests.data_folder import LEDGER, check_ledger, sign_folder
from bot.requests.database import MIGRATIONS
from bot.requests.store import RequestStore
from bot.texts import Texts
from mst_core.errors import NoMelody
from tests.support.discord_env import DiscordEnv, last_message
from tests.support.queue_env import QueueEnv
from tests.support.uploads import send_rerhythm, write_reel

REEL = write_reel(tonic=61)
NAME = "A private tune of mine.mid"
TRACES = (b"A private tune of mine", b"The Test Reel", REEL[100:140])
"""The name of the file, its title, and some of its notes."""


def traces(server: DiscordEnv) -> set[tuple[str, bytes]]:
    """Which of the traces are in which files of the data folder."""
    found = set()
    for path in server.settings.data_dir.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            found |= {(path.name, trace) for trace in TRACES if trace in data}
    return found


async def exported(server: DiscordEnv, member: MemberActor) -> tuple[dict[str, object], int]:
    """The exported data of a member, and the number of files that came with it."""
    result = await member.slash(server.channel, "mydata export")
    assert result.response is not None
    data, *archives = result.response.attachments
    return json.loads(await data.read()), len(archives)


async def test_who_presses_a_button_uses_the_file_but_never_owns_it(server: DiscordEnv) -> None:
    await send_rerhythm(server, NAME, REEL)
    await server.bob.click(last_message(server.channel), label="Another one")
    assert len(server.engine.jobs) == 2, "the press was answered"
    data, archives = await exported(server, server.bob)
    assert (data["uploads"], archives) == ([], 0)
    _, archives = await exported(server, server.alice)
    assert archives == 1


async def test_a_deleted_file_leaves_no_trace_although_others_used_it(server: DiscordEnv) -> None:
    await send_rerhythm(server, NAME, REEL)
    message = last_message(server.channel)
    await server.bob.click(message, label="Another one")
    assert {trace for _, trace in traces(server)} == {*TRACES}
    await server.alice.slash(server.channel, "mydata delete")
    assert traces(server) == set()
    (record,) = await server.history(server.bob)
    assert (record.state, record.names) == ("done", {})


async def test_a_button_of_a_deleted_file_says_so(server: DiscordEnv) -> None:
    await send_rerhythm(server, NAME, REEL)
    await server.bob.click(last_message(server.channel), label="Another one")
    await server.alice.slash(server.channel, "mydata delete")
    result = await server.bob.click(last_message(server.channel), label="Another one")
    assert result.ephemeral
    assert result.response is not None
    assert "no longer stored" in result.response.content
    result = await server.bob.slash(server.channel, "history")
    assert result.response is not None
    assert "A private tune" not in str(result.response.embeds[0].description)


async def test_who_sent_the_same_file_keeps_it_and_its_name(server: DiscordEnv) -> None:
    await send_rerhythm(server, NAME, REEL)
    await server.bob.slash(server.channel, "rerhythm", file=("bobs.mid", REEL), rhythm="jazz")
    await server.alice.slash(server.channel, "mydata delete")
    (record,) = await server.history(server.bob)
    assert [*record.names.values()] == ["bobs.mid"]
    _, archives = await exported(server, server.bob)
    assert archives == 1
    await server.bob.click(last_message(server.channel), label="Another one")
    assert len(server.engine.jobs) == 3


async def test_a_running_job_of_another_user_does_not_bring_the_file_back(
    server: DiscordEnv,
) -> None:
    await send_rerhythm(server, NAME, REEL)
    server.engine.hold = True
    await server.bob.click(last_message(server.channel), label="Another one")
    await server.alice.slash(server.channel, "mydata delete")
    server.engine.hold = False
    server.engine.release()
    await server.env.settle()
    assert traces(server) == set()
    (record,) = await server.history(server.bob)
    assert (record.state, record.error_code, bool(record.answered_at)) == ("failed", "LostFile", 1)
    assert NAME not in str(record)


async def test_an_undelivered_result_of_another_user_is_deleted_with_the_file(
    server: DiscordEnv,
) -> None:
    await send_rerhythm(server, NAME, REEL)
    message = last_message(server.channel)
    server.env.inject_error("PATCH", "/webhooks/*", status=503, times=None)
    await server.bob.click(message, label="Another one")
    results = server.settings.data_dir / "results"
    assert len(list(results.iterdir())) == 1
    await server.alice.slash(server.channel, "mydata delete")
    assert traces(server) == set()
    assert list(results.iterdir()) == []
    (record,) = await server.history(server.bob)
    assert (record.receipt, record.names) == (None, {})


async def test_an_error_of_another_user_does_not_keep_the_name_of_the_file(
    server: DiscordEnv,
) -> None:
    await send_rerhythm(server, NAME, REEL)
    server.engine.errors = [NoMelody(NAME)]
    await server.bob.click(last_message(server.channel), label="Another one")
    (record,) = await server.history(server.bob)
    assert record.error_arguments == (NAME,)
    await server.alice.slash(server.channel, "mydata delete")
    assert traces(server) == set()
    (record,) = await server.history(server.bob)
    assert (record.error_code, record.error_arguments) == ("NoMelody", ("…",))


async def test_requests_that_do_not_use_the_file_are_left_as_they_are(server: DiscordEnv) -> None:
    await send_rerhythm(server, NAME, REEL)
    await server.bob.slash(server.channel, "compose", style="folk")
    await server.bob.slash(
        server.channel, "rerhythm", file=("bobs.mid", write_reel(3)), rhythm="jazz"
    )
    before = await server.history(server.bob)
    await server.alice.slash(server.channel, "mydata delete")
    assert await server.history(server.bob) == before


async def test_the_log_names_no_file_and_no_user(
    server: DiscordEnv, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "bot")
    server.engine.errors = [NoMelody(NAME)]
    await send_rerhythm(server, NAME, REEL)
    server.env.inject_error("POST", "/interactions/*", status=404, code=10062, times=1)
    await send_rerhythm(server, NAME + ".wav", REEL)
    await server.alice.slash(server.channel, "mydata delete")
    assert "could not be shown" in caplog.text
    for words in ("A private tune", "alice", str(server.alice.id), "The Test Reel"):
        assert words not in caplog.text


async def test_what_an_earlier_version_deleted_is_gone_after_the_upgrade(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / LEDGER)) as connection:
        for step in sorted(MIGRATIONS.glob("*.sql"))[:3]:
            connection.executescript(step.read_text())
        connection.execute("PRAGMA user_version = 3")
        connection.execute("PRAGMA secure_delete = OFF")
        connection.executemany(
            """INSERT INTO uploads (sha256, user_id, name, size_bytes, first_seen_at, used_at)
               VALUES (?, 1, 'A private tune of mine.mid', 9, 0, 0)""",
            [(f"{number:064}",) for number in range(500)],
        )
        connection.execute("DELETE FROM uploads")
        connection.commit()
    assert TRACES[0] in (tmp_path / LEDGER).read_bytes()
    check_ledger(tmp_path)
    store = await RequestStore.open(tmp_path / LEDGER)
    await sign_folder(tmp_path, store.database)
    found = [name for name in os.listdir(tmp_path) if TRACES[0] in (tmp_path / name).read_bytes()]
    await store.close()
    assert found == []


async def test_a_user_has_one_export_at_a_time_and_others_come_in_turn(
    queue: QueueEnv, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An archive of 10 MB is work too: nobody holds up the others by asking again and again."""
    for user in (1, 2):
        await queue.uploads.keep(user, NAME, REEL)
    running = most = 0
    pack = mydata._pack
    lock = threading.Lock()

    def slow_pack(*arguments: Any) -> Any:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.1)
        with lock:
            running -= 1
        return pack(*arguments)

    async def do_nothing(*_: object, **__: object) -> None: ...

    def interaction_of(user_id: int) -> Any:
        return SimpleNamespace(
            user=SimpleNamespace(id=user_id),
            filesize_limit=10 * 2**20,
            locale=discord.Locale.american_english,
            response=SimpleNamespace(defer=do_nothing),
            followup=SimpleNamespace(send=do_nothing),
        )

    monkeypatch.setattr(mydata, "_pack", slow_pack)
    async with queue.scheduling() as scheduler:
        group = mydata.mydata_commands(queue.store, queue.uploads, scheduler, Texts.open())
        export: Any = group.get_command("export")
        asked = [export.callback(interaction_of(user)) for user in (1, 1, 1, 1, 1, 2)]
        outcomes = await asyncio.gather(*asked, return_exceptions=True)
        assert [type(one) for one in outcomes if one] == [TooSoon] * 4
        await export.callback(interaction_of(1))
    assert most == 1
