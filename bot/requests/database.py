"""The database: one SQLite file, its steps of migration, and statements that are on disk at once.

Each statement is a transaction of its own, so it happens whole or not at all, and it is on disk
when `Database.run` returns (write-ahead log, synchronous=FULL). What the rows mean is for those
who ask: the ledger and the uploads.
"""

from __future__ import annotations

import fcntl
import sqlite3
from pathlib import Path
from typing import IO, Any, Self

import aiosqlite

# Migrations: numbered steps in ``migrations/NNNN_name.sql``, forward only.

MIGRATIONS = Path(__file__).parents[1] / "migrations"


class BrokenDatabase(Exception):
    """A ledger that cannot be opened, said in one sentence."""


def pending_migrations(version: int, folder: Path) -> list[str]:
    """Return the SQL of the steps that a database of a version has not had, in order.

    Each is one transaction that ends by noting its number, so it happens whole or not at all.

    Raises:
        BrokenLedger: when the database has had more steps than there are.
    """
    steps = sorted(folder.glob("[0-9]*.sql"))
    if version > len(steps):
        raise BrokenDatabase(
            f"the ledger is of a newer version ({version}) than this program ({len(steps)})"
        )
    return [
        f"BEGIN IMMEDIATE;\n{step.read_text(encoding='utf-8')}\n"
        f"PRAGMA user_version = {number};\nCOMMIT;"
        for number, step in enumerate(steps[version:], start=version + 1)
    ]


class Database:
    """Owns the connection. Open it with `Database.open`, close it with `close`."""

    def __init__(self, connection: aiosqlite.Connection) -> None:
        self._connection = connection

    @classmethod
    async def open(cls, path: Path, migrations: Path = MIGRATIONS) -> Self:
        """Open the file, make it when there is none, and bring its tables up to date.

        Raises:
            BrokenLedger: when it cannot be opened, or was written by a newer version.
        """
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            connection = await aiosqlite.connect(path, isolation_level=None)
        except (OSError, sqlite3.Error) as error:
            raise BrokenDatabase(f"the ledger {path} cannot be opened: {error}") from error
        try:
            connection.row_factory = sqlite3.Row
            await connection.execute_fetchall("PRAGMA busy_timeout = 5000")
            await connection.execute_fetchall("PRAGMA journal_mode = WAL")
            await connection.execute_fetchall("PRAGMA synchronous = FULL")
            ((version,),) = await connection.execute_fetchall("PRAGMA user_version")
            for step in pending_migrations(version, migrations):
                await connection.executescript(step)
        except BaseException as error:
            await connection.close()
            if isinstance(error, sqlite3.Error):
                raise BrokenDatabase(f"the ledger {path} cannot be opened: {error}") from error
            raise
        return cls(connection)

    async def run(self, statement: str, **values: Any) -> list[sqlite3.Row]:
        """Run one statement with its named values, and return its rows."""
        return list(await self._connection.execute_fetchall(statement, values))

    async def close(self) -> None:
        """Close the file; the rows stay."""
        await self._connection.close()


def lock_data_dir(folder: Path) -> IO[bytes]:
    """Take a data folder for this process alone, until the file is closed or the process ends.

    Raises:
        BrokenLedger: when another bot has it: two would take each other's requests.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = (folder / "lock").open("wb")
    except OSError as error:
        raise BrokenDatabase(f"the data folder {folder} cannot be written: {error}") from error
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        file.close()
        raise BrokenDatabase(f"another bot is at work in the data folder {folder}") from error
    return file
