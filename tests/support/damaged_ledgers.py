"""The ways in which a ledger is damaged, and what the bot must say of each."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from bot.requests.data_folder import IDENTITY, LEDGER
from bot.requests.database import MIGRATIONS


def snapshot(folder: Path) -> dict[str, bytes]:
    """Return the bytes of each file of a folder that SQLite does not make by reading."""
    found = {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    return {  # SQLite makes an index and an empty log when it reads
        name: data
        for name, data in found.items()
        if not name.endswith("-shm") and (data or not name.endswith("-wal"))
    }


def truncate(folder: Path) -> None:
    data = (folder / LEDGER).read_bytes()
    (folder / LEDGER).write_bytes(data[: len(data) // 2])


def zero_all(folder: Path) -> None:
    (folder / LEDGER).write_bytes(bytes((folder / LEDGER).stat().st_size))


def zero_a_page(folder: Path) -> None:
    data = bytearray((folder / LEDGER).read_bytes())
    for page in range(1, len(data) // 4096):
        data[page * 4096 : page * 4096 + 2048] = bytes(2048)
    (folder / LEDGER).write_bytes(data)


def wrong_header(folder: Path) -> None:
    data = (folder / LEDGER).read_bytes()
    (folder / LEDGER).write_bytes(b"SQLite format 9\0" + data[16:])


def letter(folder: Path) -> None:
    (folder / LEDGER).write_text("This is a letter, and long enough to have a header.\n" * 99)


def empty(folder: Path) -> None:
    (folder / LEDGER).write_bytes(b"")


def missing(folder: Path) -> None:
    (folder / LEDGER).unlink()


def another_program(folder: Path) -> None:
    missing(folder)
    with closing(sqlite3.connect(folder / LEDGER)) as connection:
        connection.execute("CREATE TABLE songs (x)")


def no_tables(folder: Path) -> None:
    missing(folder)
    with closing(sqlite3.connect(folder / LEDGER)) as connection:
        connection.executescript("CREATE TABLE songs (x); DROP TABLE songs")


def no_requests(folder: Path) -> None:
    with closing(sqlite3.connect(folder / LEDGER)) as connection:
        connection.executescript("DROP TABLE requests")


def bad_log(folder: Path) -> None:
    (folder / f"{LEDGER}-wal").write_bytes(b"\xff" * 5000)


def a_folder(folder: Path) -> None:
    missing(folder)
    (folder / LEDGER).mkdir()


def bad_identity(folder: Path) -> None:
    (folder / IDENTITY).write_text('{"identity": ')


def no_identity(folder: Path) -> None:
    (folder / IDENTITY).unlink()


def of_version_two(folder: Path) -> None:
    missing(folder)
    with closing(sqlite3.connect(folder / LEDGER)) as connection:
        for step in sorted(MIGRATIONS.glob("*.sql"))[:2]:
            connection.executescript(step.read_text())
        connection.execute("PRAGMA user_version = 2")


DAMAGES: list[tuple[Callable[[Path], None], str]] = [
    (truncate, "is damaged"),
    (zero_all, "is damaged"),
    (zero_a_page, "is damaged"),
    (wrong_header, "is damaged"),
    (letter, "is damaged"),
    (empty, "is empty, but"),
    (missing, "is missing, but"),
    (another_program, "of another program"),
    (no_tables, "is empty, but"),
    (no_requests, "it has no requests"),
    (bad_log, "its write-ahead log is none"),
    (a_folder, "it is a folder"),
    (bad_identity, f"{IDENTITY} is damaged"),
    (no_identity, "brought here without"),
    (of_version_two, "is older than the files"),
]
