"""Many people at once: each command must have a reply in time. It stands alone as an experiment."""

from __future__ import annotations

import asyncio
import tempfile
from contextlib import suppress
from pathlib import Path

from tests.tools.standin.machine import running
from tests.tools.standin.process import until
from tests.tools.standin.promises import Count, has_ended

N_PEOPLE = 500
COMMANDS_EACH = 3
WITHIN_S = 25.0
SETTLE_S = 240.0


async def torture_crowd(row: Count) -> None:
    """Let people of many servers enter commands, spread evenly over some seconds.

    Args:
        row: Counts the commands.
    """
    with tempfile.TemporaryDirectory() as name:
        async with running(Path(name)) as (discord, _):
            loop = asyncio.get_running_loop()
            begin, n_commands = loop.time(), N_PEOPLE * COMMANDS_EACH
            for number in range(n_commands):
                await asyncio.sleep(begin + number * WITHIN_S / n_commands - loop.time())
                options = {"style": "folk", "seed": number}
                await discord.send("compose", options, person=number % N_PEOPLE + 1)
            with suppress(TimeoutError):
                await until(lambda: all(map(has_ended, discord.exchanges)), "the end", SETTLE_S)
        row.add_exchanges(discord.exchanges)
