"""Migrations run once, in order, each atomically."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from bot.errors import StartupError
from bot.requests.database import MIGRATIONS
from bot.requests.store import RequestStore


async def open_and_close(folder: Path, **steps: str) -> None:
    (folder / "steps").mkdir(exist_ok=True)
    for number, sql in enumerate(steps.values(), start=1):
        (folder / "steps" / f"{number:04}_step.sql").write_text(sql, encoding="utf-8")
    await (await RequestStore.open(folder / "db", migrations=folder / "steps")).close()


def ask(folder: Path, statement: str) -> list[Any]:
    with closing(sqlite3.connect(folder / "db")) as connection:
        return connection.execute(statement).fetchall()


async def test_migrations_run_once_and_in_order(tmp_path: Path) -> None:
    first = "CREATE TABLE a (x INTEGER);"
    second = "ALTER TABLE a RENAME COLUMN x TO y;"
    await open_and_close(tmp_path, first=first)
    await open_and_close(tmp_path, first=first, second=second)
    await open_and_close(tmp_path, first=first, second=second)
    assert ask(tmp_path, "SELECT y FROM a") == []
    assert ask(tmp_path, "PRAGMA user_version") == [(2,)]


async def test_a_migration_is_atomic(tmp_path: Path) -> None:
    twice = "CREATE TABLE a (x INTEGER);\nCREATE TABLE a (x INTEGER);"
    with pytest.raises(StartupError, match="already exists"):
        await open_and_close(tmp_path, twice=twice)
    assert ask(tmp_path, "SELECT name FROM sqlite_schema") == []
    assert ask(tmp_path, "PRAGMA user_version") == [(0,)]


async def test_a_database_of_a_newer_version_is_not_changed(tmp_path: Path) -> None:
    ask(tmp_path, "PRAGMA user_version = 99")
    with pytest.raises(StartupError, match="newer version"):
        await RequestStore.open(tmp_path / "db")
    assert ask(tmp_path, "SELECT name FROM sqlite_schema") == []


async def test_a_file_that_is_no_database_is_reported_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "db").write_text("This is a letter, and long enough to have a header.\n" * 9)
    with pytest.raises(StartupError, match="cannot be opened: file is not a database"):
        await RequestStore.open(tmp_path / "db")


async def test_a_folder_that_cannot_be_created_is_reported_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StartupError, match=r"cannot be opened: .*Not a directory"):
        await RequestStore.open(tmp_path / "file" / "data" / "ledger.sqlite3")


def test_each_migration_is_numbered_and_gives_its_reason() -> None:
    steps = sorted(MIGRATIONS.glob("*.sql"))
    assert steps
    for number, step in enumerate(steps, start=1):
        assert step.name.startswith(f"{number:04}_")
        assert step.read_text(encoding="utf-8").startswith("-- Reason: ")
