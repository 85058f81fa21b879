"""``make torture``: every experiment, and a table of what was tried and what failed."""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.tools.standin.cases import CASES, run_cases
from tests.tools.standin.crowd import torture_crowd
from tests.tools.standin.damage import torture_ledgers, torture_styles, torture_upgrades
from tests.tools.standin.kills import kill_rounds
from tests.tools.standin.load import LoadConfig, print_load, run_load
from tests.tools.standin.machine import torture_machine
from tests.tools.standin.promises import Count, print_table
from tests.tools.standin.real_worker import train_tiny_styles
from tests.tools.standin.strangers import torture_ownership, torture_parsers

LOAD_MINUTES = 3.0
REAL_EVERY = 10
"""One kill in so many meets an engine with real networks."""


async def torture(n_kills: int, seed: int) -> dict[str, Count]:
    """Run all experiments, and return the rows of the table.

    Args:
        n_kills: Kills of the bot, its engine and its parsers; a tenth with real networks.
        seed: Draws the moments.

    Returns:
        By promise what was tried and what failed.
    """
    with tempfile.TemporaryDirectory() as name:
        models = Path(name) / "models"
        await asyncio.to_thread(train_tiny_styles, models, Path(name) / "checkpoints")
        return await _torture(n_kills, seed, models)


async def _torture(n_kills: int, seed: int, models: Path) -> dict[str, Count]:
    n_real = n_kills // REAL_EVERY
    rows = await kill_rounds(n_kills - n_real, seed)
    rows |= await kill_rounds(n_real, seed + 1, models)
    row = rows[f"Discord misbehaving in {len(CASES) + 3} ways (commands)"] = Count()
    for name, number, broken in await run_cases():
        row.add(failed=bool(broken), detail=f"{name}, {number}: {broken}")
    await torture_machine(rows, models)
    row = rows["a damaged ledger: refused in a sentence, no byte changed (ways)"] = Count()
    await torture_ledgers(row)
    row = rows["a ledger of an older version: what waits is answered (versions)"] = Count()
    await torture_upgrades(row)
    row = rows["damaged styles: the others go on (commands)"] = Count()
    await torture_styles(row, models)
    row = rows["500 people, 3 commands each in 25 s: each has a reply (commands)"] = Count()
    await torture_crowd(row)
    row = rows["another person's file stays theirs, deletion is complete (looks)"] = Count()
    await torture_ownership(row)
    row = rows["hostile files: refused or answered (files)"] = Count()
    await torture_parsers(row)
    config = LoadConfig(minutes=LOAD_MINUTES)
    load = await run_load(config, seed)
    print_load(config, load)
    row = rows[f"{config.n_people} people, {LOAD_MINUTES:g} min, shipped styles (commands)"] = (
        Count()
    )
    row.tried, row.failed, row.details = len(load.exchanges), len(load.broken), load.broken
    return rows


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the torture; return 1 when a promise was broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    rows = asyncio.run(torture(options.kills, options.seed))
    print_table(rows)
    return int(any(count.failed for count in rows.values()))


if __name__ == "__main__":
    sys.exit(main())
