"""The SQLite database of requests and uploads: its connection, its migrations and its lock.

Each statement is a transaction of its own and is on disk when `Database.run` returns (write-ahead
log, synchronous=FULL). The meaning of the rows is in `bot.requests.store` and
`bot.requests.uploads`.
"""

from __future__ import annotations

import fcntl
import sqlite3
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, Self

import aiosqlite

from bot.errors import StartupError

MIGRATIONS = Path(__file__).parents[1] / "migrations"
"""Folder of the migrations: numbered steps ``NNNN_name.sql``, forward only."""

BUSY_WAIT_MS, PURGE_WAIT_MS = 5_000, 500
"""Milliseconds that a statement waits for another process, and that a purge holds up all others."""
TRIMMED_PAGES = 1000
"""Free pages that one statement gives back to the disk; each has 4 KB."""


def steady_clock() -> Callable[[], float]:
    """Return a clock of seconds since 1970 that later changes of the system's clock do not move."""
    offset = time.time() - time.monotonic()
    return lambda: offset + time.monotonic()


def pending_migrations(version: int, folder: Path) -> list[str]:
    """Return the SQL of the migrations that a database of version ``version`` lacks, in order.

    Each is one transaction that ends by storing its number as the new version.

    Args:
        version: The number of the last migration that the database has; 0 for a new one.
        folder: The migrations as ``.sql`` files, numbered from 1 in the order of their names.

    Raises:
        StartupError: when the database is newer than the migrations in ``folder``.
    """
    steps = sorted(folder.glob("[0-9]*.sql"))
    if version > len(steps):
        raise StartupError(
            f"the database is of a newer version ({version}) than this program ({len(steps)})"
        )
    return [
        f"BEGIN IMMEDIATE;\n{step.read_text(encoding='utf-8')}\n"
        f"PRAGMA user_version = {number};\nCOMMIT;"
        for number, step in enumerate(steps[version:], start=version + 1)
    ]


class Database:
    """The connection to the database. Open it with `Database.open`, close it with `close`."""

    def __init__(self, connection: aiosqlite.Connection) -> None:
        self._connection = connection
        self._unpurged = True  # an earlier process may have been killed before it purged

    @classmethod
    async def open(cls, path: Path, migrations: Path = MIGRATIONS) -> Self:
        """Open or create the file, and apply the pending migrations.

        Args:
            path: The database file; its folder is created too.
            migrations: The folder of the migrations.

        Raises:
            StartupError: when it cannot be opened, or was written by a newer version.
        """
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            connection = await aiosqlite.connect(path, isolation_level=None)
        except (OSError, sqlite3.Error) as error:
            raise StartupError(f"the database {path} cannot be opened: {error}") from error
        try:
            connection.row_factory = sqlite3.Row
            await connection.execute_fetchall(f"PRAGMA busy_timeout = {BUSY_WAIT_MS}")
            # Before anything is written: later only `compact` could set it.
            await connection.execute_fetchall("PRAGMA auto_vacuum = INCREMENTAL")
            await connection.execute_fetchall("PRAGMA journal_mode = WAL")
            await connection.execute_fetchall("PRAGMA synchronous = FULL")
            # Deleted rows are overwritten with zeros, so that a copy of the file shows none.
            await connection.execute_fetchall("PRAGMA secure_delete = ON")
            ((version,),) = await connection.execute_fetchall("PRAGMA user_version")
            for step in pending_migrations(version, migrations):
                await connection.executescript(step)
        except BaseException as error:
            await connection.close()
            if isinstance(error, sqlite3.Error):
                raise StartupError(f"the database {path} cannot be opened: {error}") from error
            raise
        return cls(connection)

    async def run(self, statement: str, **values: Any) -> list[sqlite3.Row]:
        """Execute one statement with its named values, and return its rows."""
        return list(await self._connection.execute_fetchall(statement, values))

    async def purge(self) -> None:
        """Overwrite what was deleted on disk too: the write-ahead log still holds old pages.

        Where somebody reads the file for long, such as a backup, `purge_rest` does it later.
        """
        self._unpurged = True
        await self._connection.execute_fetchall(f"PRAGMA busy_timeout = {PURGE_WAIT_MS}")
        try:
            rows = await self._connection.execute_fetchall("PRAGMA wal_checkpoint(TRUNCATE)")
        finally:
            await self._connection.execute_fetchall(f"PRAGMA busy_timeout = {BUSY_WAIT_MS}")
        self._unpurged = any(row[0] for row in rows)

    async def purge_rest(self) -> None:
        """Purge what the last `purge` could not."""
        if self._unpurged:
            await self.purge()

    async def compact(self) -> None:
        """Write the file anew without its free pages, unless the disk is too full for that."""
        with suppress(sqlite3.OperationalError):
            await self._connection.execute_fetchall("VACUUM")
            await self.purge()

    async def trim(self) -> None:
        """Give free pages back to the disk, in steps that hold up no other statement for long.

        A file of version 0.3.0 or older is compacted once, as soon as half of it is free.
        """
        n_pages, n_free, incremental = [
            (await self.run(f"PRAGMA {name}"))[0][0]
            for name in ("page_count", "freelist_count", "auto_vacuum")
        ]
        if not incremental and 2 * n_free > n_pages:
            await self.compact()
        while incremental and n_free > 0:
            # As a script: each page is a step, of which `execute` would take one.
            await self._connection.executescript(f"PRAGMA incremental_vacuum({TRIMMED_PAGES});")
            n_free -= TRIMMED_PAGES
        await self.purge()

    async def close(self) -> None:
        """Close the file."""
        await self._connection.close()


def lock_data_dir(folder: Path) -> IO[bytes]:
    """Lock a data folder for this process, until the returned file is closed or the process ends.

    Raises:
        StartupError: when the folder cannot be written, or another bot holds the lock. Two bots
            on one database would run each other's requests.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = (folder / "lock").open("wb")
    except OSError as error:
        raise StartupError(f"the data folder {folder} cannot be written: {error}") from error
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        file.close()
        raise StartupError(f"another bot is using the data folder {folder}") from error
    return file
