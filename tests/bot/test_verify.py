"""``mst-bot verify`` passes what keeps its promises, and finds what loses or damages anything."""

from __future__ import annotations

import hashlib
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.errors import StartupError
from bot.requests.data_folder import LEDGER
from bot.requests.database import MIGRATIONS
from bot.verify import (
    find_mount,
    format_table,
    read_ledger,
    store_requests,
    verify,
)
from tests.support.fakes import make_settings
from tests.support.paths import PROJECT

Writer = Callable[[Path, int], None]
MOUNTS = """\
24 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
30 24 0:26 / /var/lib rw - tmpfs tmpfs rw
31 30 0:27 / /var/lib/music\\040bot rw,nosuid - xfs /dev/vdb rw
32 24 0:28 / /srv rw - nfs4 nas:/srv rw
"""


def check(folder: Path, writer: Writer | None = None, seconds: float = 0.5) -> dict[str, bool]:
    """Return which checks pass, those of kills by a writer."""
    found = verify(folder, 0, seconds, writer)
    return {subject: passed for passed, subject, _ in found}


@pytest.mark.slow
def test_the_store_of_the_bot_keeps_what_it_acknowledges(tmp_path: Path) -> None:
    (passed, _, words), ledger, (files_passed, _, file_words), *_ = verify(tmp_path, 0, 2.0)
    assert passed, words
    assert int(words.split(" acknowledged")[0].split()[-1]) > 0
    assert ledger[0], ledger
    assert files_passed, file_words
    assert list(tmp_path.iterdir()) == [], "nothing is left"


def test_locks_and_clock_are_as_the_bot_needs_them(tmp_path: Path) -> None:
    found = check(tmp_path, seconds=0)
    assert found["locks"]
    assert found["clock"]


def forget_to_commit(folder: Path, acknowledgements: int) -> None:
    connection = sqlite3.connect(folder / LEDGER, isolation_level=None)
    connection.execute("CREATE TABLE IF NOT EXISTS requests (id INTEGER, press_token, message_id)")
    connection.execute("BEGIN")
    for number in range(1_000_000):
        connection.execute("INSERT INTO requests VALUES (?, 'a', 0)", (number,))
        os.write(acknowledgements, f"stored {number} a\n".encode())
        time.sleep(0.001)


def forget_the_message(folder: Path, acknowledgements: int) -> None:
    connection = sqlite3.connect(folder / LEDGER, isolation_level=None)
    connection.execute("CREATE TABLE IF NOT EXISTS requests (id INTEGER, press_token, message_id)")
    connection.execute("INSERT INTO requests VALUES (1, 'a', 0)")
    os.write(acknowledgements, b"stored 1 a\nacknowledged 1\n")
    time.sleep(60)


def damage_the_ledger(folder: Path, acknowledgements: int) -> None:
    connection = sqlite3.connect(folder / LEDGER, isolation_level=None)
    connection.execute("CREATE TABLE IF NOT EXISTS requests (id INTEGER, press_token, message_id)")
    connection.execute("INSERT INTO requests VALUES (1, 'a', 0)")
    with (folder / LEDGER).open("r+b") as file:
        file.seek(4096)
        file.write(bytes(range(256)) * 16)
    os.write(acknowledgements, b"stored 1 a\n")
    time.sleep(60)


def write_half_a_file(folder: Path, acknowledgements: int) -> None:
    content = b"a tune"
    target = folder / "results" / "1"
    target.mkdir(parents=True, exist_ok=True)
    (target / "tune.mp3").write_bytes(content[:3])
    digest = hashlib.sha256(content).hexdigest()
    os.write(acknowledgements, f"written 1 {digest}\n".encode())
    time.sleep(60)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("writer", "subject"),
    [
        (forget_to_commit, "kills"),
        (forget_the_message, "kills"),
        (damage_the_ledger, "ledger"),
        (write_half_a_file, "files"),
    ],
)
def test_a_store_that_breaks_its_promise_is_found(
    tmp_path: Path, writer: Writer, subject: str
) -> None:
    assert not check(tmp_path, writer)[subject]


@pytest.mark.slow
def test_a_store_that_acknowledges_nothing_passes_for_nothing(tmp_path: Path) -> None:
    assert not check(tmp_path, lambda folder, acknowledgements: time.sleep(60))["kills"]


def test_a_disk_that_waits_for_nothing_does_not_pass(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)  # as a disk in memory
    assert not check(tmp_path, store_requests, seconds=0)["fsync"]


def test_a_clock_before_the_latest_request_does_not_pass(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / LEDGER) as connection:
        connection.execute("CREATE TABLE requests (asked_at REAL)")
        connection.execute("INSERT INTO requests VALUES (?)", (time.time() + 3600,))
    assert not check(tmp_path, seconds=0)["clock"]


@pytest.mark.parametrize(
    ("place", "mount"),
    [
        ("/home", ("/", "ext4", "/dev/vda")),
        ("/var/lib/other", ("/var/lib", "tmpfs", "tmpfs")),
        ("/var/lib/music bot/data", ("/var/lib/music bot", "xfs", "/dev/vdb")),
        ("/srv2", ("/", "ext4", "/dev/vda")),
        ("/srv/data", ("/srv", "nfs4", "nas:/srv")),
    ],
)
def test_the_file_system_is_that_of_the_nearest_mount(
    place: str, mount: tuple[str, str, str]
) -> None:
    assert find_mount(Path(place), MOUNTS) == mount
    assert find_mount(Path(place), "")[1] == "unknown"


def test_a_place_that_cannot_be_written_is_one_sentence() -> None:
    with pytest.raises(StartupError, match="nothing can be written into /proc"):
        verify(Path("/proc"), 0, 0)


def test_the_table_has_a_line_for_each_check_and_says_what_it_does_not_show() -> None:
    table = format_table([(True, "kills", "none"), (False, "file system", "in memory")])
    assert table.splitlines()[:2] == ["yes  kills        none", "NO   file system  in memory"]
    assert "power failure" in table


@pytest.mark.slow
@pytest.mark.parametrize(("free_mb", "status"), [("0", 0), ("10000000", 1)])
def test_the_command_prints_the_table_and_its_status_says_whether_all_passed(
    tmp_path: Path, free_mb: str, status: int
) -> None:
    settings = make_settings(tmp_path)
    environment = os.environ | {
        "MST_DATA_DIR": str(settings.data_dir), "MST_DISK_FREE_MB": free_mb,
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-m", "bot", "verify", "--seconds", "0.5"],
        capture_output=True, text=True, cwd=PROJECT, env=environment, check=False,
    )  # fmt: skip
    lines = done.stdout.splitlines()
    assert done.stderr == ""
    assert [line.split()[1] for line in lines if line.startswith(("yes", "NO "))] == [
        "kills", "ledger", "files", "fsync", "file", "locks", "room", "clock",
    ]  # fmt: skip
    if all(line.startswith("yes") for line in lines[:6]):  # else the disk of the tests is no disk
        assert done.returncode == status
    assert lines[6].startswith("NO " if status else "yes")


def test_a_ledger_whose_migrations_were_cut_short_is_whole_and_empty(tmp_path: Path) -> None:
    first = sorted(MIGRATIONS.glob("*.sql"))[0]
    with sqlite3.connect(tmp_path / LEDGER) as connection:
        connection.executescript(first.read_text(encoding="utf-8"))
    assert read_ledger(tmp_path / LEDGER) == ({}, "ok")
