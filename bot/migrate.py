"""Migrations: numbered steps in ``migrations/NNNN_name.sql``, forward only."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import aiosqlite

MIGRATIONS = Path(__file__).parent / "migrations"


class BrokenLedger(Exception):
    """A ledger that cannot be opened, said in one sentence."""


async def migrate(connection: aiosqlite.Connection, folder: Path) -> None:
    """Apply the numbered steps of a folder that the database has not had, each whole or not at all.

    Raises:
        BrokenLedger: when the database has had more steps than there are.
    """
    steps = sorted(folder.glob("[0-9]*.sql"))  # noqa: ASYNC240 - once, before anything runs
    ((version,),) = await connection.execute_fetchall("PRAGMA user_version")
    if version > len(steps):
        raise BrokenLedger(
            f"the ledger is of a newer version ({version}) than this program ({len(steps)})"
        )
    for number, step in enumerate(steps[version:], start=version + 1):
        change = step.read_text(encoding="utf-8")
        try:
            await connection.executescript(
                f"BEGIN IMMEDIATE;\n{change}\nPRAGMA user_version = {number};\nCOMMIT;"
            )
        except sqlite3.Error:
            await connection.rollback()
            raise
