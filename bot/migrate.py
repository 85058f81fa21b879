"""Migrations: numbered steps in ``migrations/NNNN_name.sql``, forward only."""

from __future__ import annotations

from pathlib import Path

MIGRATIONS = Path(__file__).parent / "migrations"


class BrokenLedger(Exception):
    """A ledger that cannot be opened, said in one sentence."""


def missing_steps(version: int, folder: Path) -> list[str]:
    """Return the SQL of the steps that a database of a version has not had, in order.

    Each is one transaction that ends by noting its number, so it happens whole or not at all.

    Raises:
        BrokenLedger: when the database has had more steps than there are.
    """
    steps = sorted(folder.glob("[0-9]*.sql"))
    if version > len(steps):
        raise BrokenLedger(
            f"the ledger is of a newer version ({version}) than this program ({len(steps)})"
        )
    return [
        f"BEGIN IMMEDIATE;\n{step.read_text(encoding='utf-8')}\n"
        f"PRAGMA user_version = {number};\nCOMMIT;"
        for number, step in enumerate(steps[version:], start=version + 1)
    ]
