"""``make torture``: kills of the bot, its engine and its parsers under load; a table of promises.

Each round enters a few commands, kills at a random moment or at a chosen call to Discord, and
starts the bot again. At the end every acknowledged command must have exactly one result, or one
honest failure that its user was told.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import shutil
import signal
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.tools.standin.cases import CASES, PUBLIC_FAILURE, Case, run_cases
from tests.tools.standin.process import ENGINE, PARSER, BotProcess, until
from tests.tools.standin.server import Exchange, StandIn

TARGETS = ("bot", "bot", "bot", "bot at a call", "bot at a call", "engine", "parser")
"""What a round kills, in turn. At a call: between what Discord does and what the bot learns."""
CALLS = tuple(
    (route, carried_out)
    for route in ("callback", "callback", "result", "followup", "delete", "progress", "file")
    for carried_out in (False, True)
)
COMMANDS_PER_ROUND = 4
LONGEST_MOMENT_S = 0.6
SETTLE_S = 240.0
"""Seconds for all that is open at the end of the kills."""


@dataclass
class Count:
    """A row of the table."""

    tried: int = 0
    failed: int = 0
    details: list[str] = field(default_factory=list)

    def add(self, *, failed: bool = False, detail: object = "") -> None:
        """Count one attempt.

        Args:
            failed: Whether the promise was broken.
            detail: What happened, when it was.
        """
        self.tried += 1
        if failed:
            self.failed += 1
            self.details.append(str(detail))


def judge(exchange: Exchange) -> str:
    """Return the broken promise of an exchange that has ended; empty when none is."""
    closed = PUBLIC_FAILURE in exchange.message
    if exchange.results + exchange.refusals == 0 and not closed:
        return "never told" if exchange.acknowledged else ""
    if exchange.results > 1 or (exchange.results and exchange.refusals):
        return "answered twice"
    if exchange.refusals > 1:
        return "refused twice"
    if exchange.refusals and exchange.acknowledged and not (exchange.deleted or closed):
        return "still loading, though refused"
    return ""


def write_tune(number: int) -> bytes:
    """Return an ABC file that no other number gives, so that each is parsed."""
    tune = "DEFG ABcd|dcBA GFED|" * 4
    return f"X:1\nT:Reel {number}\nM:4/4\nL:1/8\nQ:1/4={60 + number % 90}\nK:D\n{tune}\n".encode()


async def enter_commands(discord: StandIn, chance: random.Random, n_commands: int) -> None:
    """Enter commands of new users: new tunes, good files, and a file without a tune.

    Args:
        discord: The stand-in.
        chance: Draws the pauses.
        n_commands: How many.
    """
    for place in range(n_commands):
        number = len(discord.exchanges)
        if place % 2 == 0:
            await discord.send("compose", {"style": "folk", "seed": number})
        else:
            content = write_tune(number) if place % 4 == 1 else b"X:1\nK:D\n"
            await discord.send("rerhythm", {"rhythm": "jazz"}, (f"{number}.abc", content))
        await asyncio.sleep(chance.uniform(0, 0.03))


def read_rows(data: Path, *, copied: bool = False) -> dict[int, tuple[str, bool]]:
    """Return the requests of the ledger that are acknowledged: state, and whether told.

    Args:
        data: The data folder.
        copied: Read a copy, so that the files of a killed bot are not touched.
    """
    with tempfile.TemporaryDirectory() as folder:
        if copied:
            for path in data.glob("ledger.sqlite3*"):
                with suppress(FileNotFoundError):
                    shutil.copy(path, folder)
            data = Path(folder)
        path = data / "ledger.sqlite3"
        if not path.exists():
            return {}
        with closing(sqlite3.connect(path, timeout=30)) as ledger:
            rows = ledger.execute(
                "SELECT id, state, answered_at IS NOT NULL FROM requests"
                " WHERE coalesce(worker, '') NOT IN ('intake', 'download')"
            ).fetchall()
    return {number: (state, bool(told)) for number, state, told in rows}


def count_open(data: Path) -> int:
    """Return how many requests of a ledger have no outcome that was told."""
    with closing(sqlite3.connect(data / "ledger.sqlite3", timeout=30)) as ledger:
        return int(
            ledger.execute("SELECT count(*) FROM requests WHERE answered_at IS NULL").fetchone()[0]
        )


class Torture:
    """The rounds of kills and their counts."""

    def __init__(self, discord: StandIn, bot: BotProcess, chance: random.Random) -> None:
        self._discord, self._bot, self._chance = discord, bot, chance
        self._kept: set[int] = set()
        self._targets: list[str] = []
        """What was killed while each exchange was open, in the order of the exchanges."""
        self.kills: Counter[str] = Counter()
        self.counts: dict[str, Count] = {}

    def count(self, promise: str) -> Count:
        """Return the row of a promise."""
        return self.counts.setdefault(promise, Count())

    async def run(self, n_kills: int) -> None:
        """Kill and restart, then wait until nothing is open, and count.

        Args:
            n_kills: Rounds.
        """
        await self._bot.start()
        for number in range(n_kills):
            target = TARGETS[number % len(TARGETS)]
            await self._round(target)
            self._targets += [target] * (len(self._discord.exchanges) - len(self._targets))
        await self._settle()
        status = await self._bot.stop()
        self.count("SIGTERM ends it with status 0").add(failed=status != 0, detail=status)
        await self._count_orphans()
        self._count_exchanges()
        lost = self._kept - set(read_rows(self._bot.data))
        row = self.count("what is in the ledger survives kill -9 of the bot (rows)")
        row.tried, row.failed, row.details = len(self._kept), len(lost), [str(sorted(lost))]

    async def _settle(self) -> None:
        """Wait until nothing is open; start the bot again if it ends, as its service does."""
        deadline = time.monotonic() + SETTLE_S
        while count_open(self._bot.data) and time.monotonic() < deadline:
            await self._restart()
            await asyncio.sleep(0.1)
        await self._restart()

    async def _restart(self) -> None:
        """Start the bot, if it has ended by itself: it does when its engine dies in its start."""
        if not self._bot.running:
            if await self._bot.wait() != -signal.SIGKILL:
                self.kills["ended itself"] += 1
            await self._bot.start()

    async def _round(self, target: str) -> None:
        await self._restart()
        moment_s = self._chance.uniform(0, LONGEST_MOMENT_S)
        if target == "bot at a call":
            aim = self._chance.choice(CALLS)
            self._discord.on_call = lambda *call: self._bot.kill() if call == aim else None
        await enter_commands(self._discord, self._chance, COMMANDS_PER_ROUND)
        if target in ("engine", "parser"):
            # Some of these kills meet an engine that is only starting.
            module = ENGINE if target == "engine" else PARSER
            with suppress(TimeoutError):
                await until(lambda: self._bot.kill_child(module), f"a kill of the {target}", 5)
                self.kills[target] += 1
            return
        with suppress(TimeoutError):
            await until(lambda: not self._bot.running, "the aimed kill", moment_s)
        self._discord.on_call = lambda route, done: None
        self._bot.kill()
        await self._bot.wait()
        self.kills[target] += 1
        self._kept |= set(read_rows(self._bot.data, copied=True))
        await self._count_orphans()

    async def _count_orphans(self) -> None:
        with suppress(TimeoutError):
            await until(lambda: not self._bot.orphans(), "its children end", 15)
        left = self._bot.orphans()
        self.count("no process outlives the bot").add(failed=bool(left), detail=left)
        self._bot.children.clear()

    def _count_exchanges(self) -> None:
        for exchange, target in zip(self._discord.exchanges, self._targets, strict=True):
            broken = judge(exchange)
            if exchange.acknowledged:
                row = self.count(f"told or answered, {target} killed")
                row.add(failed=broken == "never told", detail=exchange)
            row = self.count("no double answer")
            row.add(failed=broken == "answered twice", detail=exchange)
            if exchange.refusals:
                row = self.count("no refusal told twice, none still loading")
                row.add(failed=broken in ("refused twice", "still loading, though refused"))
                if broken.startswith(("refused", "still")):
                    row.details[-1] = f"{broken}: {exchange}"


async def torture(n_kills: int, seed: int, cases: Sequence[Case] = CASES) -> dict[str, Count]:
    """Run the kills and the cases, and return the rows of the table.

    Args:
        n_kills: Kills of the bot, its engine and its parsers.
        seed: Draws the moments; the same seed does not repeat a run, because time does not.
        cases: How Discord misbehaves, in another run without kills; none leaves that out.

    Returns:
        By promise what was tried and what failed.
    """
    chance = random.Random(seed)
    rows: dict[str, Count] = {}
    with tempfile.TemporaryDirectory() as folder:
        async with StandIn() as discord:
            bot = BotProcess(Path(folder), discord)
            run = Torture(discord, bot, chance)
            try:
                await run.run(n_kills)
            finally:
                bot.kill()
        rows |= run.counts
        answered = sum(one.results for one in discord.exchanges)
        refused = sum(one.refusals > 0 for one in discord.exchanges)
        sys.stdout.write(
            f"{n_kills} rounds, kills {dict(run.kills)}; {len(discord.exchanges)} commands,"
            f" {sum(one.acknowledged for one in discord.exchanges)} acknowledged,"
            f" {answered} answered, {refused} refused\n"
        )
        reasons = Counter(one.private[0] for one in discord.exchanges if one.private)
        for reason, number in reasons.most_common(6):
            sys.stdout.write(f"  {number:4} {reason[:80]}\n")
    if cases:
        faults = await run_cases(judge, cases)
        row = rows["Discord misbehaving (commands in the cases)"] = Count()
        for name, number, broken in faults:
            row.add(failed=bool(broken), detail=f"{name}, {number}: {broken}")
        sys.stdout.write(f"{len(cases)} cases of Discord misbehaving\n")
    return rows


def print_table(rows: dict[str, Count]) -> None:
    """Print the table, and every broken promise after it."""
    width = max(map(len, rows))
    sys.stdout.write(f"\n{'promise':{width}}  tried  failed\n")
    for promise, count in rows.items():
        sys.stdout.write(f"{promise:{width}}  {count.tried:5}  {count.failed:6}\n")
    for promise, count in rows.items():
        if count.failed:
            sys.stdout.write("\n".join(["", f"{promise}:", *count.details, ""]))


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
