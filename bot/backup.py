"""``mst-bot backup`` and ``mst-bot restore``: the ledger and its files as one folder.

A backup is a data folder of its own: `restore` checks and copies it. It is made while the bot runs:
the ledger by SQLite's online backup, then the files that this copy refers to.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from bot.errors import StartupError
from bot.requests.data_folder import (
    IDENTITY,
    IDENTITY_SINCE,
    LEDGER,
    check_ledger,
    read_ledger_signature,
    write_signature,
)
from bot.requests.database import lock_data_dir

LOCK = "lock"
"""Name of the file in a data folder that a running bot has locked."""
UNDELIVERED = "answered_at IS NULL AND state = 'done'"


def back_up(folder: Path, target: Path) -> int:
    """Copy the ledger and the files of a data folder, also of a running bot, into a new folder.

    Args:
        folder: The data folder.
        target: The folder that is made; it appears when the backup is complete.

    Returns:
        The number of files in the backup.

    Raises:
        StartupError: when there is no whole ledger, the target exists, or it cannot be written.
    """
    if not (folder / LEDGER).exists():
        raise StartupError(f"there is no ledger {folder / LEDGER}")
    if target.exists():
        raise StartupError(f"{target} exists already; a backup needs a new folder")
    check_ledger(folder)
    draft = target.with_name(f".{target.name}.draft")
    try:
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(parents=True)
        draft.chmod(0o700)  # it holds what users sent
        _copy_results(folder, draft)  # before the ledger: a result is deleted once delivered
        _copy_ledger(folder, draft)
        with closing(sqlite3.connect(draft / LEDGER)) as connection:
            _copy_results(folder, draft)
            _keep_undelivered(connection, folder, draft)
            _copy_uploads(connection, folder, draft)
            connection.commit()
            ((version,),) = connection.execute("PRAGMA user_version")
            if version >= IDENTITY_SINCE:
                write_signature(draft, read_ledger_signature(connection))
            connection.execute("PRAGMA journal_mode = DELETE")  # one file, no log beside it
        _sync(draft)
        draft.rename(target)
    except (OSError, sqlite3.Error) as error:
        shutil.rmtree(draft, ignore_errors=True)
        raise StartupError(f"the backup {target} cannot be written: {error}") from error
    return sum(path.is_file() for path in target.rglob("*"))


def restore(source: Path, folder: Path) -> int:
    """Copy a backup into an empty data folder; the bot must not run.

    Args:
        source: The backup.
        folder: The data folder, which holds nothing or does not exist.

    Returns:
        The number of copied files.

    Raises:
        StartupError: when the backup is not whole, the folder holds something, or a bot uses it.
    """
    if not (source / LEDGER).is_file():
        raise StartupError(f"there is no backup in {source}")
    check_ledger(source)
    for path in (source / "uploads").glob("*.bin"):
        if hashlib.sha256(path.read_bytes()).hexdigest() != path.stem:
            raise StartupError(f"the backup is damaged: {path} is not what was sent")
    with lock_data_dir(folder):
        if any(path.name != LOCK for path in folder.iterdir()):
            raise StartupError(
                f"the data folder {folder} is not empty; move what is in it away first"
            )
        try:
            folder.chmod(0o700)
            for name in ("uploads", "results"):
                if (source / name).is_dir():
                    shutil.copytree(source / name, folder / name)
            if (source / IDENTITY).exists():
                shutil.copyfile(source / IDENTITY, folder / IDENTITY)
            # The ledger last: files without one stop the start, so half a copy is never used.
            _copy_ledger(source, folder)
            _sync(folder)
        except (OSError, sqlite3.Error) as error:
            raise StartupError(f"the backup cannot be restored: {error}") from error
    return sum(path.is_file() and path.name != LOCK for path in folder.rglob("*"))


def _copy_ledger(source: Path, target: Path) -> None:
    """Copy a ledger by SQLite's online backup, under its name once it is complete."""
    draft = target / f".{LEDGER}.draft"
    with closing(_open_read_only(source)) as old, closing(sqlite3.connect(draft)) as new:
        old.backup(new)
    draft.chmod(0o600)
    draft.rename(target / LEDGER)


def _copy_results(source: Path, target: Path) -> None:
    for folder in (source / "results").glob("[!.]*"):
        copy = target / "results" / folder.name
        if copy.exists():
            continue
        try:
            shutil.copytree(folder, copy)
        except (FileNotFoundError, shutil.Error):  # delivered and deleted meanwhile
            shutil.rmtree(copy, ignore_errors=True)


def _keep_undelivered(connection: sqlite3.Connection, source: Path, target: Path) -> None:
    """Delete the copied results that are delivered; take over what was delivered meanwhile."""
    rows = connection.execute(f"SELECT id FROM requests WHERE {UNDELIVERED}")  # noqa: S608
    kept = {str(request_id) for (request_id,) in rows.fetchall()}
    for folder in (target / "results").glob("*"):
        if folder.name not in kept:
            shutil.rmtree(folder)
    gone = [one for one in kept if not (target / "results" / one).exists()]
    with closing(_open_read_only(source)) as live:
        for request_id in gone:
            now = live.execute("SELECT answered_at FROM requests WHERE id = ?", (request_id,))
            if (row := now.fetchone()) is None:
                connection.execute("DELETE FROM requests WHERE id = ?", (request_id,))
            elif row[0] is not None:
                connection.execute(
                    "UPDATE requests SET answered_at = ?, interaction_token = '' WHERE id = ?",
                    (row[0], request_id),
                )


def _open_read_only(folder: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{(folder / LEDGER).absolute().as_uri()}?mode=ro", uri=True)


def _copy_uploads(connection: sqlite3.Connection, source: Path, target: Path) -> None:
    """Copy the files that the ledger refers to; forget those deleted since it was copied."""
    tables = connection.execute("SELECT name FROM sqlite_schema WHERE name = 'uploads'").fetchall()
    if not tables:
        return
    (target / "uploads").mkdir()
    for (sha256,) in connection.execute("SELECT DISTINCT sha256 FROM uploads").fetchall():
        try:
            data = (source / "uploads" / f"{sha256}.bin").read_bytes()
        except FileNotFoundError:
            connection.execute("DELETE FROM uploads WHERE sha256 = ?", (sha256,))
            continue
        (target / "uploads" / f"{sha256}.bin").write_bytes(data)


def _sync(folder: Path) -> None:
    """Wait until all files below a folder, and their names, are on disk."""
    for path in (folder, *folder.rglob("*")):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
