"""``make load``: many people ask at once of a bot with the shipped styles.

Each of the people asks again and again, after a pause drawn from an exponential distribution, and
does not wait for the answer; the bot's own limits are in force. The engine, the styles, the sound
and the files are the real ones. Measured are the lag of the bot's event loop, its memory, and how
long people wait.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from tests.support.paths import MODELS
from tests.tools.standin.exchange import Exchange
from tests.tools.standin.kills import count_open, write_tune
from tests.tools.standin.process import BotProcess, until
from tests.tools.standin.promises import Count, has_ended, judge
from tests.tools.standin.server import StandIn
from tests.tools.standin.soak import MEGABYTE, read_resident_bytes

ENGINE = "mst_core.engine.worker"
LOAD_MINUTES = 3.0
"""Minutes of the load in `count_load`."""
SAMPLE_S = 5.0
LAG_GOAL_S = 0.02
"""The 99th percentile of the loop's lag must be below it."""
FILE_SHARE = 0.2
"""Share of the commands with a file of the user's own."""


@dataclass(frozen=True)
class LoadConfig:
    """How many people ask how often."""

    n_people: int = 64
    minutes: float = 10.0
    pause_s: float = 15.0
    """Mean pause between two commands of one of them."""
    settle_s: float = 240.0
    """For what is open at the end; what is open still must be in the ledger."""


@dataclass
class LoadResult:
    """What was measured; memory in MB by process, one value each `SAMPLE_S`."""

    exchanges: list[Exchange]
    lag_s: list[float]
    memory_mb: dict[str, list[float]] = field(default_factory=dict)
    cpu_s: dict[str, float] = field(default_factory=dict)
    n_open: int = 0
    """Requests that the ledger still holds at the end."""

    @property
    def broken(self) -> list[str]:
        """Commands left without a reply or an outcome, or with two; open ones are in the ledger."""
        found = []
        waiting = [one for one in self.exchanges if one.acknowledged and not has_ended(one)]
        if len(waiting) > self.n_open:
            found.append(f"{len(waiting)} wait, and {self.n_open} are in the ledger")
        for one in self.exchanges:
            problem = "" if one in waiting else judge(one)
            if not problem and not one.acknowledged and not one.private:
                problem = "left without a reply"
            if problem:
                found.append(f"{problem}: {one}")
        return found

    def percentile_lag_s(self, percent: float) -> float:
        """Return a percentile of the loop's lag, in seconds."""
        return float(np.percentile(self.lag_s, percent)) if self.lag_s else float("inf")


async def _ask(discord: StandIn, person: int, config: LoadConfig, chance: random.Random) -> None:
    """Enter the commands of one of the people, until cancelled."""
    await asyncio.sleep(chance.uniform(0, config.pause_s))
    while True:
        number = len(discord.exchanges)
        if chance.random() < FILE_SHARE:
            tune = (f"{number}.abc", write_tune(number))
            await discord.send("rerhythm", {"rhythm": "jazz"}, tune, person=person)
        else:
            style = chance.choice(("folk", "jazz", "chorale", "strathspey"))
            await discord.send("compose", {"style": style, "seed": number}, person=person)
        await asyncio.sleep(chance.expovariate(1 / config.pause_s))


async def run_load(config: LoadConfig, seed: int) -> LoadResult:
    """Run the load, then wait until nothing is open.

    Args:
        config: The people.
        seed: Draws their commands and pauses.
    """
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory() as name:
        lag_file = Path(name) / "lag"
        async with StandIn() as discord:
            bot = BotProcess(
                Path(name),
                discord,
                engine=ENGINE,
                MST_MODELS_DIR=str(MODELS),
                MST_SOUNDFONT="",
                MST_COOLDOWN_S="2",
                STANDIN_LAG=str(lag_file),
            )
            result = LoadResult(discord.exchanges, [])
            try:
                await bot.start()
                first = await discord.send("compose", {"style": "folk"})
                await until(lambda: has_ended(first), "the engine starts")
                lag_file.write_text("")
                asking = [
                    asyncio.create_task(_ask(discord, person, config, chance))
                    for person in range(1, config.n_people + 1)
                ]
                end = time.monotonic() + config.minutes * 60
                while time.monotonic() < end:
                    await asyncio.sleep(SAMPLE_S)
                    _sample(bot, result)
                for task in asking:
                    task.cancel()
                await asyncio.gather(*asking, return_exceptions=True)
                result.lag_s = [float(one) for one in lag_file.read_text().split()]
                with suppress(TimeoutError):
                    await until(
                        lambda: all(map(has_ended, discord.exchanges)), "the end", config.settle_s
                    )
                await bot.stop()
                result.n_open = count_open(bot.data)
            finally:
                bot.kill()
        return result


async def count_load(row: Count) -> None:
    """Run a short load.

    Args:
        row: Counts its commands.
    """
    config = LoadConfig(minutes=LOAD_MINUTES)
    result = await run_load(config, seed=1)
    print_load(config, result)
    row.tried, row.failed, row.details = len(result.exchanges), len(result.broken), result.broken


def _sample(bot: BotProcess, result: LoadResult) -> None:
    engines = bot.find_children(ENGINE)
    for name, pid in (("bot", bot.pid), ("engine", engines[0] if engines else 0)):
        try:
            size = read_resident_bytes(pid)
            used = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
        except OSError:  # it has ended meanwhile
            continue
        result.memory_mb.setdefault(name, []).append(size / MEGABYTE)
        result.cpu_s[name] = sum(map(int, used)) / os.sysconf("SC_CLK_TCK")


def print_load(config: LoadConfig, result: LoadResult) -> None:
    """Print what was measured.

    Args:
        config: The people.
        result: What came of it.
    """
    exchanges = [one for one in result.exchanges if one.person]
    answered = [one for one in exchanges if one.results]
    per_person = Counter(one.person for one in answered)
    counts = [per_person[person] for person in range(1, config.n_people + 1)]
    waits = [one.ended_at - one.sent_at for one in answered] or [0.0]
    replies = [one.ended_at - one.sent_at for one in exchanges if one.private] or [0.0]
    lags = "  ".join(
        f"{name} {1000 * result.percentile_lag_s(percent):.1f}"
        for name, percent in (("p50", 50), ("p99", 99), ("p99.9", 99.9), ("max", 100))
    )
    lines = [
        f"{config.n_people} people, {config.minutes:g} min, {os.cpu_count()} cores:"
        f" {len(exchanges)} commands, {len(answered)} answered,"
        f" {sum(bool(one.private) for one in exchanges)} refused,"
        f" {result.n_open} open at the end, {len(result.broken)} broken",
        f"lag of the loop in ms ({len(result.lag_s)} timers): {lags}",
        "seconds until the answer: p50 {:.1f}  p95 {:.1f}  max {:.1f}".format(
            *np.percentile(waits, [50, 95, 100])
        ),
        "seconds until a refusal: p50 {:.2f}  p95 {:.2f}".format(*np.percentile(replies, [50, 95])),
        f"answers to each of the people: min {min(counts)}  median {np.median(counts):g}"
        f"  max {max(counts)}",
    ]
    for name, sizes in result.memory_mb.items():
        half = len(sizes) // 2
        lines.append(
            f"memory of the {name} in MB: start {sizes[0]:.0f}, at half {sizes[half]:.0f},"
            f" end {sizes[-1]:.0f}, max {max(sizes):.0f}; CPU {result.cpu_s[name]:.0f} s"
        )
    reasons = Counter(one.private[0] for one in exchanges if one.private)
    lines += [f"  {number:5} {reason[:90]}" for reason, number in reasons.most_common(8)]
    sys.stdout.write("\n".join([*lines, *result.broken[:20]]) + "\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the load; return 1 when a promise was broken or the loop was late."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--users", type=int, default=LoadConfig.n_people)
    parser.add_argument("--minutes", type=float, default=LoadConfig.minutes)
    parser.add_argument("--pause-s", type=float, default=LoadConfig.pause_s)
    parser.add_argument("--settle-s", type=float, default=LoadConfig.settle_s)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    config = LoadConfig(options.users, options.minutes, options.pause_s, options.settle_s)
    result = asyncio.run(run_load(config, options.seed))
    print_load(config, result)
    return int(bool(result.broken) or result.percentile_lag_s(99) >= LAG_GOAL_S)


if __name__ == "__main__":
    sys.exit(main())
