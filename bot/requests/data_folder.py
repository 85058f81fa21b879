"""The identity of a data folder: a ledger is used only in the folder, and in the state, it is of.

The file ``identity`` and the ledger hold the same random identity. Each start and end of the bot,
and every half minute in which something is stored, signs both with a number, so that an earlier
copy of the ledger is recognized. A ledger that is missing, empty, damaged, older or of another
folder stops the start: the bot never makes a new one beside files of an old one, because what has
no row in the ledger is deleted.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import msgspec

from bot.errors import StartupError
from bot.requests.database import Database

log = logging.getLogger(__name__)

LEDGER = "ledger.sqlite3"
"""Name of the database in the data folder."""
IDENTITY = "identity"
"""Name of the file that signs the data folder."""
IDENTITY_SINCE = 4
"""The first version of the database that holds an identity."""
WAL_MAGIC = (b"\x37\x7f\x06\x82", b"\x37\x7f\x06\x83")
"""First bytes of a write-ahead log of SQLite."""
WAL_HEADER_BYTES = 32
LOCK_TIMEOUT_S = 5.0
"""Seconds to wait for another program that has locked the ledger."""
SIGN_EVERY_S = 30.0
"""Seconds between two signatures while the bot runs and its ledger changes."""
REMEDY = "restore a backup with 'mst-bot restore', or move the data folder away to start anew"


@dataclass(frozen=True, slots=True)
class Signature:
    """Whose ledger a data folder has, and how far the ledger had got."""

    identity: str
    signatures: int
    requests: int
    """Number of the latest request."""


def check_ledger(folder: Path) -> None:
    """Check that the ledger of a data folder is whole, writable and its own. It blocks.

    Nothing is changed. A folder without ledger passes when it holds no files of one either.

    Raises:
        StartupError: in one sentence that says what is wrong and what to do.
    """
    ledger = folder / LEDGER
    try:
        signed = _read_signature(folder)
        wal = _wal_header(ledger)
        if ledger.is_dir():
            raise _damage(ledger, "it is a folder")
        if not ledger.exists() or ledger.stat().st_size == 0:
            if signed or wal or _holds_files(folder):
                state = "empty" if ledger.exists() else "missing"
                raise StartupError(
                    f"the ledger {ledger} is {state}, but its files are there; {REMEDY}"
                )
            return
    except OSError as error:
        raise StartupError(f"the data folder {folder} cannot be read: {error}") from error
    if len(wal) == WAL_HEADER_BYTES and not wal.startswith(WAL_MAGIC):
        raise _damage(ledger, "its write-ahead log is none")
    try:
        with closing(_connect(ledger, "ro")) as connection:
            _check_content(connection, ledger)
            _check_signature(connection, ledger, signed)
        with closing(_connect(ledger, "rw")) as connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("ROLLBACK")
    except sqlite3.Error as error:
        raise _explain(ledger, error) from error


async def sign_folder(folder: Path, database: Database) -> None:
    """Sign the ledger and the data folder with the next number.

    Args:
        folder: The data folder.
        database: The ledger in it.

    Raises:
        StartupError: when one of them cannot be written.
    """
    try:
        (row,) = await database.run(
            """UPDATE data_folder SET signatures = signatures + 1
               RETURNING identity, signatures, (
                   SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'requests'
               ) AS requests"""
        )
        await asyncio.to_thread(write_signature, folder, Signature(**row))
        if row["signatures"] == 1:  # made by version 0.2, whose free pages hold what users deleted
            await database.compact()
    except (OSError, sqlite3.Error) as error:
        raise StartupError(f"the data folder {folder} cannot be written: {error}") from error


async def sign_regularly(folder: Path, database: Database) -> None:
    """Sign every `SIGN_EVERY_S` while the ledger changes, until cancelled.

    So a copy of the ledger that is put back is recognized as older, also within one run of the bot.

    Args:
        folder: The data folder.
        database: The ledger in it.
    """
    signed = -1
    while True:
        await asyncio.sleep(SIGN_EVERY_S)
        try:
            ((changes,),) = await database.run("SELECT total_changes()")
            if changes != signed:
                await sign_folder(folder, database)
                signed = changes + 1  # the signature is a change too
        except (StartupError, sqlite3.Error) as error:  # such as a full disk
            log.warning("the ledger could not be signed: %s", error)


def write_signature(folder: Path, signature: Signature) -> None:
    """Replace the file ``identity`` of a data folder. It blocks.

    Args:
        folder: The data folder.
        signature: What the ledger in it says.
    """
    draft = folder / f".{IDENTITY}.draft"
    with draft.open("wb") as file:
        file.write(msgspec.json.encode(signature) + b"\n")
        file.flush()
        os.fsync(file.fileno())
    draft.replace(folder / IDENTITY)


def _read_signature(folder: Path) -> Signature | None:
    try:
        return msgspec.json.decode((folder / IDENTITY).read_bytes(), type=Signature)
    except FileNotFoundError:
        return None
    except msgspec.DecodeError as error:
        raise StartupError(f"the file {folder / IDENTITY} is damaged; {REMEDY}") from error


def read_ledger_signature(connection: sqlite3.Connection) -> Signature:
    """Read what a ledger says of itself. It blocks."""
    ((identity, signatures),) = connection.execute("SELECT identity, signatures FROM data_folder")
    ((requests,),) = connection.execute(
        "SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'requests'"
    )
    return Signature(identity, signatures, requests)


def _check_content(connection: sqlite3.Connection, ledger: Path) -> None:
    ((version,),) = connection.execute("PRAGMA user_version")
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_schema")}
    if version == 0 and tables:
        raise StartupError(f"{ledger} is a database of another program; {REMEDY}")
    if version == 0 and (_holds_files(ledger.parent) or _read_signature(ledger.parent)):
        raise StartupError(f"the ledger {ledger} is empty, but its files are there; {REMEDY}")
    if version > 0 and "requests" not in tables:
        raise _damage(ledger, "it has no requests")
    ((found,), *_) = connection.execute("PRAGMA quick_check(1)")
    if found != "ok":
        raise _damage(ledger, str(found).splitlines()[-1])


def _check_signature(
    connection: sqlite3.Connection, ledger: Path, signed: Signature | None
) -> None:
    ((version,),) = connection.execute("PRAGMA user_version")
    if version < IDENTITY_SINCE:
        if signed:
            raise _older(ledger)
        return
    # Read first: a running bot writes more results meanwhile.
    newest_result = max(_result_numbers(ledger.parent), default=0)
    own = read_ledger_signature(connection)
    if signed is None:
        if own.signatures:
            raise StartupError(
                f"the ledger {ledger} was brought here without the file {IDENTITY} of its folder;"
                f" put that beside it, or {REMEDY}"
            )
    elif own.identity != signed.identity:
        raise StartupError(f"the ledger {ledger} is of another data folder; {REMEDY}")
    elif own.signatures < signed.signatures or own.requests < signed.requests:
        raise _older(ledger)
    if own.requests < newest_result:
        raise _older(ledger)


def _result_numbers(folder: Path) -> list[int]:
    names = [path.name for path in (folder / "results").glob("*")]
    return [int(name) for name in names if name.isascii() and name.isdigit()]


def _holds_files(folder: Path) -> bool:
    return any(any((folder / name).glob("[!.]*")) for name in ("uploads", "results"))


def _wal_header(ledger: Path) -> bytes:
    try:
        with ledger.with_name(f"{ledger.name}-wal").open("rb") as file:
            return file.read(WAL_HEADER_BYTES)
    except FileNotFoundError:
        return b""


def _connect(ledger: Path, mode: str) -> sqlite3.Connection:
    return sqlite3.connect(
        f"{ledger.absolute().as_uri()}?mode={mode}", uri=True, timeout=LOCK_TIMEOUT_S
    )


def _older(ledger: Path) -> StartupError:
    return StartupError(f"the ledger {ledger} is older than the files beside it; {REMEDY}")


def _damage(ledger: Path, problem: str) -> StartupError:
    return StartupError(f"the ledger {ledger} is damaged ({problem}); {REMEDY}")


def _explain(ledger: Path, error: sqlite3.Error) -> StartupError:
    name = getattr(error, "sqlite_errorname", "")
    if name.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM")):
        problem = "cannot be opened for writing"
        remedy = "give the data folder and all in it to the bot's user with chown"
    elif name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        problem, remedy = "is locked", "end the other program that uses it"
    elif name.startswith(("SQLITE_FULL", "SQLITE_IOERR")):
        problem, remedy = "cannot be read or written", "check the disk and its free space"
    else:
        return _damage(ledger, str(error))
    return StartupError(f"the ledger {ledger} {problem} ({error}); {remedy}")
