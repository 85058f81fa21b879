"""``make soak HOURS=...``: commands at a steady rate, a kill every few minutes, figures that stay.

The bot, its store and its engine are the real ones; networks, tunes and most results are small
(`real_worker`). A line of JSON with memory, descriptors, times and sizes is written every ten
seconds. At the end each acknowledged command must have one outcome, and no figure may rise.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tests.tools.standin.exchange import Exchange
from tests.tools.standin.kills import count_open, write_tune
from tests.tools.standin.process import PARSER, REAL_ENGINE, BotProcess, until
from tests.tools.standin.promises import judge, report
from tests.tools.standin.real_worker import train_tiny_styles
from tests.tools.standin.server import StandIn
from tests.tools.standin.trend import FLAT_SHARE, HOUR_S, Trend, fit_trend

SAMPLE_S = 10.0
MINUTE_S = 60.0
WARM_UP_S = 600.0
"""Seconds in which a process takes memory that it keeps; they say nothing of a trend."""
TARGETS = ("bot", "engine", "parser")
SETTLE_S = 300.0
MEGABYTE = 2**20


@dataclass(frozen=True)
class SoakConfig:
    """The load of a soak."""

    hours: float = 1.0
    commands_per_s: float = 5.8
    """Somewhat more than 20,000 an hour."""
    kill_every_s: float = 240.0
    file_every: int = 40
    """One command in so many brings a file, half of them a new one; one is a press of a button."""
    bars: int = 4
    """Bars of a new tune."""


class Soak:
    """The load, the kills and the samples."""

    def __init__(
        self, discord: StandIn, bot: BotProcess, config: SoakConfig, chance: random.Random
    ) -> None:
        self._discord, self._bot, self._config, self._chance = discord, bot, config, chance
        self._since = time.monotonic()
        self._started_bots = 0
        self._counted = 0
        """Exchanges whose time until the outcome is noted."""
        self.kills: Counter[str] = Counter()
        self.samples: list[dict[str, float]] = []

    async def run(self, log: Path) -> None:
        """Run for the hours of the configuration, then until nothing is open.

        Args:
            log: Gets a line of JSON for each sample.
        """
        self._since = time.monotonic()
        await self._bot.start()
        with log.open("w") as lines:
            works = (self._enter_commands, self._kill, lambda: self._sample(lines.write))
            tasks = [asyncio.create_task(_repeat(work)) for work in works]
            try:
                done, _ = await asyncio.wait(
                    tasks,
                    timeout=self._config.hours * HOUR_S,
                    return_when=asyncio.FIRST_COMPLETED,
                )
                for task in done:
                    task.result()  # none ends by itself, so this raises
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
            await self._settle()

    async def _enter_commands(self) -> None:
        """Enter the commands of one second, if a bot is connected."""
        due = asyncio.get_running_loop().time() + 1.0
        whole, part = divmod(self._config.commands_per_s, 1.0)
        for _ in range(int(whole) + (self._chance.random() < part)):
            if self._discord.connected:
                await self._enter_command()
        await asyncio.sleep(max(0.0, due - asyncio.get_running_loop().time()))

    async def _enter_command(self) -> None:
        number = len(self._discord.exchanges)
        if number % self._config.file_every == 1:
            pressed = self._discord.exchanges[number // 2]
            if any(":again:" in one for one in pressed.custom_ids):
                await self._discord.press(pressed, "again")
                return
        if number % self._config.file_every:
            options = {"style": self._chance.choice(("folk", "jazz")), "bars": self._config.bars}
            await self._discord.send("compose", {**options, "seed": number})
            return
        known = number // self._config.file_every % 2
        content = write_tune(0 if known else number)
        await self._discord.send("rerhythm", {"rhythm": "jazz"}, ("reel.abc", content))

    async def _kill(self) -> None:
        await asyncio.sleep(self._config.kill_every_s * self._chance.uniform(0.5, 1.5))
        target = self._chance.choice(TARGETS)
        if target == "bot":
            self._bot.kill()
            await self._bot.wait()
            await self._bot.start()
        else:
            module = REAL_ENGINE if target == "engine" else PARSER
            with suppress(TimeoutError):
                await until(lambda: self._bot.kill_child(module), f"a kill of the {target}", 60)
        self.kills[target] += 1
        report(f"the {target} was killed")

    async def _sample(self, write: Callable[[str], object]) -> None:
        await asyncio.sleep(SAMPLE_S)
        if not self._bot.running:
            return
        sample = {"s": round(time.monotonic() - self._since, 1)}
        engines = self._bot.find_children(REAL_ENGINE)
        for name, pid in (("bot", self._bot.pid), ("engine", engines[0] if engines else 0)):
            with suppress(OSError):  # it has ended meanwhile
                sample |= {
                    f"{name}_mb": read_resident_bytes(pid) / MEGABYTE,
                    f"{name}_files": len(os.listdir(f"/proc/{pid}/fd")),
                    f"{name}_pid": pid,
                }
        sample["data_mb"] = (
            sum(path.stat().st_size for path in self._bot.data.rglob("*") if path.is_file())
            / MEGABYTE
        )
        sample |= self._answers()
        self.samples.append(sample)
        write(json.dumps({name: round(value, 3) for name, value in sample.items()}) + "\n")
        if len(self.samples) % round(MINUTE_S / SAMPLE_S) == 0:
            report(json.dumps({name: round(value, 2) for name, value in sample.items()}))

    def _answers(self) -> dict[str, float]:
        """Return the commands so far, and the seconds until the outcomes of the last minute."""
        now, seconds = time.monotonic(), []
        recent = self._discord.exchanges[-round(5 * MINUTE_S * self._config.commands_per_s) :]
        for one in recent:
            if one.results and now - one.ended_at < MINUTE_S:
                seconds.append(one.ended_at - one.sent_at)
        figures = {"commands": float(len(self._discord.exchanges)), "answers": float(len(seconds))}
        if seconds:
            p50, p95 = np.percentile(seconds, [50, 95])
            figures |= {"p50_s": float(p50), "p95_s": float(p95)}
        return figures

    async def _settle(self) -> None:
        deadline = time.monotonic() + SETTLE_S
        while count_open(self._bot.data) and time.monotonic() < deadline:
            if not self._bot.running:
                await self._bot.start()
            await asyncio.sleep(0.5)


async def _repeat(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    while True:
        await work()


def read_resident_bytes(pid: int) -> int:
    """Return the resident memory of a process. Raises OSError when there is none."""
    pages = Path(f"/proc/{pid}/statm").read_text().split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def count_outcomes(exchanges: Sequence[Exchange]) -> tuple[Counter[str], list[str]]:
    """Count the outcomes of acknowledged commands, and list broken promises."""
    outcomes: Counter[str] = Counter()
    broken = []
    for one in exchanges:
        if problem := judge(one):
            broken.append(f"{problem}: {one}")
        elif one.acknowledged:
            outcomes["answered" if one.results else "refused"] += 1
        else:
            outcomes["refused before" if one.private else "not reached"] += 1
    return outcomes, broken


def find_trends(samples: Sequence[Mapping[str, float]]) -> dict[str, Trend]:
    """Return the trend of each figure; memory and descriptors within the lives of processes."""
    found = {}
    for name, unit in (("bot", "mb"), ("engine", "mb"), ("bot", "files"), ("engine", "files")):
        lives: dict[float, list[tuple[float, float]]] = {}
        for one in samples:
            if f"{name}_pid" in one:
                lives.setdefault(one[f"{name}_pid"], []).append((one["s"], one[f"{name}_{unit}"]))
        warm = [
            [each for each in life if each[0] >= life[0][0] + WARM_UP_S] for life in lives.values()
        ]
        found[f"{name}, {'memory in MB' if unit == 'mb' else 'descriptors'}"] = fit_trend(warm)
    for key, title in (("p50_s", "median seconds"), ("p95_s", "95th percentile of seconds")):
        # Each minute once: the figures of a sample are those of the last minute.
        step = round(MINUTE_S / SAMPLE_S)
        series = [(one["s"], one[key]) for one in samples[step::step] if key in one]
        found[f"until the answer, {title}"] = fit_trend([series])
    return found


def find_peaks(samples: Sequence[Mapping[str, float]]) -> dict[str, tuple[float, float]]:
    """Return the highest figures in the first and in the second half of the time.

    A process takes memory for some minutes after its start; what is lost for good makes the later
    peak the higher one, also where kills leave no process old enough for a trend.
    """
    half = len(samples) // 2
    return {
        name: (
            max((one[name] for one in samples[:half] if name in one), default=0.0),
            max((one[name] for one in samples[half:] if name in one), default=0.0),
        )
        for name in ("bot_mb", "engine_mb", "bot_files", "engine_files", "p95_s")
    }


def print_trends(trends: dict[str, Trend]) -> None:
    """Print a table of trends."""
    width = max(map(len, trends))
    sys.stdout.write(f"\n{'figure':{width}} {'mean':>9} {'change an hour (95 %)':>26}  verdict\n")
    for name, one in trends.items():
        change = (
            f"{one.slope:+.2f} ({one.slope - one.margin:+.2f} to {one.slope + one.margin:+.2f})"
        )
        sys.stdout.write(f"{name:{width}} {one.mean:9.2f} {change:>26}  {one.verdict}\n")


async def soak(config: SoakConfig, folder: Path, seed: int) -> int:
    """Run a soak in a folder, print its tables, and return how many promises were broken.

    Args:
        config: The load.
        folder: Keeps styles, data, logs and ``samples.jsonl``.
        seed: Draws commands and kills.
    """
    await asyncio.to_thread(train_tiny_styles, folder / "models", folder / "checkpoints")
    async with StandIn() as discord:
        bot = BotProcess(folder, discord, engine=REAL_ENGINE, MST_SOUNDFONT="", MST_DEVICE="cpu")
        run = Soak(discord, bot, config, random.Random(seed))
        try:
            await run.run(folder / "samples.jsonl")
            n_open = count_open(bot.data)
            status = await bot.stop()
        finally:
            bot.kill()
        outcomes, broken = count_outcomes(discord.exchanges)
        reasons = Counter(one.private[0] for one in discord.exchanges if one.private)
    data = [one["data_mb"] for one in run.samples] or [0.0]
    sys.stdout.write(
        f"\n{config.hours:g} h, {len(discord.exchanges)} commands: {dict(outcomes)};"
        f" kills {dict(run.kills)}; {n_open} open at the end; status {status} after SIGTERM\n"
        f"data folder {data[0]:.1f} to {data[-1]:.1f} MB\n"
    )
    for reason, number in reasons.most_common(9):
        sys.stdout.write(f"  {number:5} {reason[:90]}\n")
    trends = find_trends(run.samples)
    print_trends(trends)
    peaks = find_peaks(run.samples)
    for name, (first, second) in peaks.items():
        sys.stdout.write(f"highest {name}: {first:.2f} in the first half, {second:.2f} after it\n")
    sys.stdout.write(f"\nbroken promises: {len(broken)}\n" + "\n".join(broken[:50]) + "\n")
    risen = [name for name, one in trends.items() if one.verdict == "rises"]
    first, second = peaks["bot_mb"]
    risen += ["peaks of the bot's memory"] if second > (1 + FLAT_SHARE) * first else []
    return len(broken) + n_open + abs(status) + len(risen)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the soak; return 1 when a promise was broken or a figure rose."""
    default = SoakConfig()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="an empty folder for data, logs and samples")
    parser.add_argument("--hours", type=float, default=default.hours)
    parser.add_argument("--commands-per-s", type=float, default=default.commands_per_s)
    parser.add_argument("--kill-every-s", type=float, default=default.kill_every_s)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    if (options.folder / "data").exists():
        parser.error(f"{options.folder} holds an earlier soak; name a new folder")
    options.folder.mkdir(parents=True, exist_ok=True)
    config = SoakConfig(options.hours, options.commands_per_s, options.kill_every_s)
    return int(asyncio.run(soak(config, options.folder.resolve(), options.seed)) > 0)


if __name__ == "__main__":
    sys.exit(main())
