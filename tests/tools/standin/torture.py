"""``make torture``: every experiment, and a table of what was tried and what failed."""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path

from tests.tools.standin.cases import CASES, count_cases
from tests.tools.standin.crowd import torture_crowd
from tests.tools.standin.damage import torture_ledgers, torture_styles, torture_upgrades
from tests.tools.standin.kills import kill_rounds
from tests.tools.standin.load import LOAD_MINUTES, count_load
from tests.tools.standin.machine import machine_experiments
from tests.tools.standin.promises import Count, print_table, report
from tests.tools.standin.real_worker import train_tiny_styles
from tests.tools.standin.strangers import torture_ownership, torture_parsers

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
    rows: dict[str, Count] = {}
    for kills in ((n_kills - n_real, seed), (n_real, seed + 1, models)):
        report(f"{kills[0]} kills")
        rows |= await kill_rounds(*kills)
    experiments: dict[str, Callable[[Count], Awaitable[None]]] = {
        f"Discord misbehaving in {len(CASES) + 3} ways (commands)": count_cases,
        **machine_experiments(models),
        "a damaged ledger: refused in a sentence, no byte changed (ways)": torture_ledgers,
        "a ledger of an older version: what waits is answered (versions)": torture_upgrades,
        "damaged styles: the others go on (commands)": partial(torture_styles, models),
        "another person's file stays theirs, deletion is complete (looks)": torture_ownership,
        "hostile files: refused or answered (files)": torture_parsers,
        "500 people, 3 commands each in 25 s: each has a reply (commands)": torture_crowd,
        f"64 people, {LOAD_MINUTES:g} min, shipped styles (commands)": count_load,
    }
    for promise, experiment in experiments.items():
        report(promise)
        row = rows[promise] = Count()
        try:
            await experiment(row)
        except PermissionError as error:
            row.skipped = f"not tried: {error}"
        except Exception as error:  # the others are tried all the same
            row.add(failed=True, detail=f"the experiment ended early: {error!r}")
    return rows


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the torture; return 1 when a promise was broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    # A bot that is killed within a call leaves a traceback of the stand-in, which means nothing.
    logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)
    rows = asyncio.run(torture(options.kills, options.seed))
    print_table(rows)
    return int(any(count.failed for count in rows.values()))


if __name__ == "__main__":
    sys.exit(main())
