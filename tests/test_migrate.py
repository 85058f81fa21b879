"""Migrations run once, in order, each whole or not at all."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import aiosqlite
import pytest

from bot.ledger import Ledger
from bot.migrate import MIGRATIONS, BrokenLedger, migrate


async def test_migrations_run_once_and_in_order(tmp_path: Path) -> None:
    steps = tmp_path / "steps"
    steps.mkdir()
    (steps / "0001_a.sql").write_text("CREATE TABLE a (x INTEGER);", encoding="utf-8")
    async with aiosqlite.connect(tmp_path / "db", isolation_level=None) as connection:
        await migrate(connection, steps)
        (steps / "0002_b.sql").write_text("ALTER TABLE a RENAME COLUMN x TO y;", encoding="utf-8")
        await migrate(connection, steps)
        await migrate(connection, steps)
        await connection.execute("INSERT INTO a (y) VALUES (1)")


async def test_a_migration_is_done_whole_or_not_at_all(tmp_path: Path) -> None:
    steps = tmp_path / "steps"
    steps.mkdir()
    (steps / "0001_a.sql").write_text(
        "CREATE TABLE a (x INTEGER);\nCREATE TABLE a (x INTEGER);", encoding="utf-8"
    )
    async with aiosqlite.connect(tmp_path / "db", isolation_level=None) as connection:
        with pytest.raises(sqlite3.OperationalError, match="already exists"):
            await migrate(connection, steps)
        tables = await connection.execute_fetchall("SELECT name FROM sqlite_schema")
        ((version,),) = await connection.execute_fetchall("PRAGMA user_version")
    assert (list(tables), version) == ([], 0)


async def test_a_ledger_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    async with aiosqlite.connect(tmp_path / "db") as connection:
        await connection.execute("PRAGMA user_version = 99")
    with pytest.raises(BrokenLedger, match="newer version"):
        await Ledger.open(tmp_path / "db")


async def test_what_is_no_database_is_told_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "db").write_text("This is a letter, and it is long enough to have a header.\n" * 9)
    with pytest.raises(BrokenLedger, match="cannot be opened: file is not a database"):
        await Ledger.open(tmp_path / "db")


def test_each_migration_is_numbered_and_gives_its_reason() -> None:
    for number, step in enumerate(sorted(MIGRATIONS.glob("*.sql")), start=1):
        assert step.name.startswith(f"{number:04}_")
        assert step.read_text(encoding="utf-8").startswith("-- Reason: ")
