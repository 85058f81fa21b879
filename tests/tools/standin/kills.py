"""Kills of the bot, its engine and its parsers under load, and what became of the commands.

Each round enters a few commands, kills at a random moment or at a chosen call to Discord, and
starts the bot again. At the end every acknowledged command must have exactly one result, or one
honest failure that its user was told.
"""

from __future__ import annotations

import asyncio
import random
import shutil
import signal
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from tests.tools.standin.machine import until_answered
from tests.tools.standin.process import (
    DISCORD_TOKEN,
    ENGINE,
    PARSER,
    REAL_ENGINE,
    BotProcess,
    until,
)
from tests.tools.standin.promises import Count, judge
from tests.tools.standin.server import StandIn

TARGETS = (
    *("bot", "bot", "bot", "bot by SIGTERM"),
    *("bot at a call", "bot at a call", "engine", "parser"),
)
"""What a round kills, in turn. At a call: between what Discord does and what the bot learns."""
CALLS = tuple(
    (route, carried_out)
    for route in ("callback", "callback", "result", "followup", "delete", "progress", "file")
    for carried_out in (False, True)
)
COMMANDS_PER_ROUND = 4
CROWD_EVERY = 5
"""One round in so many has the commands of a crowd: of few people, all of one server."""
OPEN_PER_USER = 2
WAITING_PER_SERVER = 3
LONGEST_MOMENT_S = 0.6
DRAIN_S = 30.0
SETTLE_S = 240.0
"""Seconds for all that is open at the end of the kills."""


def write_tune(number: int) -> bytes:
    """Return an ABC file that no other number gives, so that each is parsed."""
    tune = "DEFG ABcd|dcBA GFED|" * 4
    return f"X:1\nT:Reel {number}\nM:4/4\nL:1/8\nQ:1/4={60 + number % 90}\nK:D\n{tune}\n".encode()


async def enter_commands(
    discord: StandIn, chance: random.Random, n_commands: int, *, n_people: int = 0
) -> None:
    """Enter commands: new tunes, good files, and a file without a tune.

    Args:
        discord: The stand-in.
        chance: Draws the pauses.
        n_commands: How many.
        n_people: How many people of one server enter them; 0 is somebody new for each.
    """
    for place in range(n_commands):
        number = len(discord.exchanges)
        person = place % n_people + 1 if n_people else 0
        if place % 2 == 0:
            await discord.send("compose", {"style": "folk", "seed": number}, person=person)
        else:
            content = write_tune(number) if place % 4 == 1 else b"X:1\nK:D\n"
            tune = (f"{number}.abc", content)
            await discord.send("rerhythm", {"rhythm": "jazz"}, tune, person=person)
        await asyncio.sleep(chance.uniform(0, 0.03))


@contextmanager
def open_ledger(data: Path, *, copied: bool = False) -> Iterator[sqlite3.Connection | None]:
    """Open the ledger of a data folder; None when there is none yet.

    Args:
        data: The data folder.
        copied: Open a copy, so that the files of a killed bot are not touched.
    """
    with tempfile.TemporaryDirectory() as folder:
        if copied:
            for path in data.glob("ledger.sqlite3*"):
                with suppress(FileNotFoundError):
                    shutil.copy(path, folder)
            data = Path(folder)
        path = data / "ledger.sqlite3"
        if not path.exists():
            yield None
            return
        with closing(sqlite3.connect(path, timeout=30)) as ledger:
            yield ledger


def read_rows(ledger: sqlite3.Connection | None) -> set[int]:
    """Return the numbers of the acknowledged requests of a ledger."""
    if ledger is None:
        return set()
    rows = ledger.execute(
        "SELECT id FROM requests WHERE coalesce(worker, '') NOT IN ('intake', 'download')"
    )
    return {number for (number,) in rows}


def find_excess(ledger: sqlite3.Connection | None) -> list[tuple[str, int]]:
    """Return users and servers with more requests than their limit, and how many they have.

    A request that was leased before and waits again is not counted for a server: the limit is for
    what it adds to the queue.
    """
    if ledger is None:
        return []
    users = ledger.execute(
        "SELECT 'user ' || user_id, count(*) AS n FROM requests"
        " WHERE state IN ('waiting', 'running')"
        " AND coalesce(worker, '') NOT IN ('intake', 'download')"
        " GROUP BY user_id HAVING n > ?",
        (OPEN_PER_USER,),
    ).fetchall()
    servers = ledger.execute(
        "SELECT 'server ' || guild_id, count(*) AS n FROM requests"
        " WHERE state = 'waiting' AND tries = 0 GROUP BY guild_id HAVING n > ?",
        (WAITING_PER_SERVER,),
    ).fetchall()
    return [*users, *servers]


def find_leftovers(data: Path) -> list[str]:
    """Return files of uploads without a row, and of results that are delivered."""
    with open_ledger(data) as ledger:
        if ledger is None:
            return []
        known = {sha for (sha,) in ledger.execute("SELECT sha256 FROM uploads")}
        waiting = {
            str(number)
            for (number,) in ledger.execute("SELECT id FROM requests WHERE answered_at IS NULL")
        }
    uploads = [
        str(path)
        for path in (data / "uploads").glob("*")
        if path.name.partition(".")[0] not in known
    ]
    return uploads + [
        str(path) for path in (data / "results").glob("*") if path.name not in waiting
    ]


def count_open(data: Path) -> int:
    """Return how many requests of a ledger have no outcome that was told."""
    with open_ledger(data) as ledger:
        if ledger is None:
            return 0
        return int(
            ledger.execute("SELECT count(*) FROM requests WHERE answered_at IS NULL").fetchone()[0]
        )


class Torture:
    """The rounds of kills and their counts."""

    def __init__(
        self, discord: StandIn, bot: BotProcess, chance: random.Random, *, waits: bool = False
    ) -> None:
        """Prepare the rounds.

        Args:
            discord: The stand-in.
            bot: What is killed.
            chance: Draws moments and targets.
            waits: Whether each round begins once the engine has answered a command.
        """
        self._discord, self._bot, self._chance, self._waits = discord, bot, chance, waits
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
            await self._round(target, crowd=number % CROWD_EVERY == CROWD_EVERY - 1)
            self._targets += [target] * (len(self._discord.exchanges) - len(self._targets))
        await self._settle()
        await self._stop()
        await self._count_orphans()
        self._count_exchanges()
        with open_ledger(self._bot.data) as ledger:
            lost = self._kept - read_rows(ledger)
        left = find_leftovers(self._bot.data)
        self.count("no file without a row is left").add(failed=bool(left), detail=left)
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
            if await self._bot.wait() not in (0, -signal.SIGKILL):
                self.kills["ended itself"] += 1
            await self._bot.start()

    async def _round(self, target: str, *, crowd: bool) -> None:
        await self._restart()
        if self._waits:
            await until_answered(self._discord)
        moment_s = self._chance.uniform(0, LONGEST_MOMENT_S)
        if target == "bot at a call":
            aim = self._chance.choice(CALLS)
            self._discord.on_call = lambda *call: self._bot.kill() if call == aim else None
        await enter_commands(
            self._discord,
            self._chance,
            COMMANDS_PER_ROUND * (3 if crowd else 1),
            n_people=COMMANDS_PER_ROUND if crowd else 0,
        )
        if target in ("engine", "parser"):
            # Some of these kills meet an engine that is only starting.
            module = self._bot.engine if target == "engine" else PARSER
            with suppress(TimeoutError):
                await until(lambda: self._bot.kill_child(module), f"a kill of the {target}", 5)
                self.kills[target] += 1
            return
        with suppress(TimeoutError):
            await until(lambda: not self._bot.running, "the aimed kill", moment_s)
        self._discord.on_call = lambda route, done: None
        if target == "bot by SIGTERM":
            await self._stop()
        else:
            self._bot.kill()
            await self._bot.wait()
        self.kills[target] += 1
        with open_ledger(self._bot.data, copied=True) as ledger:
            self._kept |= read_rows(ledger)
            excess = find_excess(ledger)
        self.count("no user and no server beyond its limit, at each kill").add(
            failed=bool(excess), detail=excess
        )
        await self._count_orphans()

    async def _stop(self) -> None:
        """End the bot by SIGTERM, which must take no longer than its drain."""
        since = time.monotonic()
        status = await self._bot.stop()
        seconds = time.monotonic() - since
        self.count(f"SIGTERM ends it within {DRAIN_S:.0f} s, status 0").add(
            failed=status != 0 or seconds > DRAIN_S, detail=f"{status} after {seconds:.0f} s"
        )

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


async def kill_rounds(n_kills: int, seed: int, models: Path | None = None) -> dict[str, Count]:
    """Run the kills, and return the rows of the table.

    Args:
        n_kills: Kills of the bot, its engine and its parsers.
        seed: Draws the moments; the same seed does not repeat a run, because time does not.
        models: Styles for an engine with real networks and sound (`real_worker`), which is slow to
            start: each round waits for it. None is the engine that invents its tunes.

    Returns:
        By promise what was tried and what failed.
    """
    settings = {"MST_OPEN_PER_USER": str(OPEN_PER_USER)}
    settings["STANDIN_SERVER_LIMIT"] = str(WAITING_PER_SERVER)
    if models:
        settings |= {"MST_MODELS_DIR": str(models), "MST_SOUNDFONT": "", "MST_DEVICE": "cpu"}
    engine = REAL_ENGINE if models else ENGINE
    with tempfile.TemporaryDirectory() as folder:
        async with StandIn() as discord:
            bot = BotProcess(Path(folder), discord, engine=engine, **settings)
            run = Torture(discord, bot, random.Random(seed), waits=models is not None)
            try:
                await run.run(n_kills)
            finally:
                bot.kill()
        log = bot.log.read_text()
    leaked = DISCORD_TOKEN in log or "token-of-" in log
    run.count("no token in the log").add(failed=leaked, detail="there is one")
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
    suffix = "; real networks" if models else ""
    return {promise + suffix: count for promise, count in run.counts.items()}
