"""The ways of the machine misbehaving: disk, locks, clock, SoundFont; nothing is killed in them.

Each command must have a reply, one outcome if it was acknowledged, and a result once all is well.
"""

from __future__ import annotations

import asyncio
import re
import sqlite3
import subprocess
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, closing, contextmanager, suppress
from functools import partial
from pathlib import Path

from mst_core.sound.soundfont import find_soundfont
from tests.tools.standin.exchange import Exchange
from tests.tools.standin.process import ENGINE, REAL_ENGINE, BotProcess, until
from tests.tools.standin.promises import Count, has_ended
from tests.tools.standin.server import StandIn

DISK_MB = 900
"""Room that the bot promises to a hundred requests, and some more."""
FULL_S = 5.0
LOCKS_S = (1.0, 8.0, 45.0)
"""Seconds for which another process holds the ledger, one time after the other."""
STEPS_S = (-3600.0, 3600.0, 200.0, -200.0)
"""Seconds that the clock is set ahead (or back), one step after the other."""
COOLDOWN_S = 2
N_PEOPLE = 5
OUTCOMES_WITHIN_S = 180.0
"""Longer than a lease: what could not be stored runs again when its lease has ended."""
DONE = re.compile(r"request (\d+): done after")


def machine_experiments(models: Path) -> dict[str, Callable[[Count], Awaitable[None]]]:
    """Return the experiment of each way, by its promise.

    Args:
        models: Styles with networks, for the way in which the engine needs a SoundFont.
    """
    return {
        "disk full (commands meanwhile and after)": _fill_disk,
        "start with a data folder that is read-only: refused in a sentence": _start_read_only,
        f"ledger locked for up to {LOCKS_S[-1]:.0f} s (commands)": _lock_ledger,
        "clock set by up to an hour (commands)": _step_clock,
        "SoundFont gone while it runs (commands)": partial(_remove_soundfont, models),
    }


@asynccontextmanager
async def running(
    folder: Path, *, engine: str = ENGINE, **environment: str
) -> AsyncIterator[tuple[StandIn, BotProcess]]:
    """Run a bot in a folder, and end it by a signal, which it must survive until then."""
    async with StandIn() as discord:
        bot = BotProcess(folder, discord, engine=engine, **environment)
        try:
            await bot.start()
            yield discord, bot
            if (status := await bot.stop()) != 0:
                raise RuntimeError(f"the bot ended with {status}: {bot.log.read_text()[-2000:]}")
        finally:
            bot.kill()
            await bot.wait()


async def finish(discord: StandIn) -> None:
    """Wait until every command has ended, and a moment more for a second answer."""
    with suppress(TimeoutError):
        await until(
            lambda: all(map(has_ended, discord.exchanges)), "the outcomes", OUTCOMES_WITHIN_S
        )
    await asyncio.sleep(1.5)


async def _enter(discord: StandIn, for_s: float, pause_s: float = 0.25) -> None:
    """Enter commands for a time, every third one with a new file."""
    loop = asyncio.get_running_loop()
    end = loop.time() + for_s
    while loop.time() < end:
        number = len(discord.exchanges)
        if number % 3:
            await discord.send("compose", {"style": "folk", "seed": number})
        else:
            tune = f"X:1\nT:Reel {number}\nK:D\nDEFG ABcd|dcBA GFED|\n".encode()
            await discord.send("rerhythm", {"rhythm": "jazz"}, (f"{number}.abc", tune))
        await asyncio.sleep(pause_s)


@contextmanager
def _small_disk(folder: Path, options: str = "") -> Iterator[None]:
    """Mount a small disk on a folder; raises PermissionError where nothing may be mounted."""
    folder.mkdir(parents=True, exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_MB}m{options}", "none", str(folder)]
    try:
        subprocess.run(mount, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise PermissionError("nothing may be mounted here") from error
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


async def _fill_disk(row: Count) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with _small_disk(folder / "data"):
            small = {"MST_DISK_FREE_MB": "0", "MST_UPLOAD_BYTES": "1000"}
            async with running(folder, MST_LOG_LEVEL="debug", **small) as (discord, _):
                for _ in range(2):
                    entering = asyncio.create_task(_enter(discord, FULL_S + 4))
                    await asyncio.sleep(2)
                    filler = folder / "data" / "filler"
                    await asyncio.to_thread(_fill, filler)
                    await asyncio.sleep(FULL_S)
                    filler.unlink()
                    await entering
                    # The bot looks again at the disk when it is asked.
                    await until_answered(discord)
                healthy = len(discord.exchanges)
                await _enter(discord, 2)
                await finish(discord)
            _add(row, discord.exchanges, healthy)


def _fill(path: Path) -> None:
    """Write a file until no byte is free."""
    with suppress(OSError), path.open("wb", buffering=0) as file:
        for size in (2**24, 2**20, 4096, 1):
            with suppress(OSError):
                while True:
                    file.write(bytes(size))


def _add(row: Count, exchanges: list[Exchange], healthy: int) -> None:
    """Count commands; those from number ``healthy`` on must be answered, for all is well again."""
    row.add_exchanges(exchanges)
    for one in exchanges[healthy:]:
        if not one.results:
            row.add(failed=True, detail=f"not answered, though all is well again: {one}")


async def _start_read_only(row: Count) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with _small_disk(folder / "data", ",ro"):
            refused, words = await try_to_start(folder)
            row.add(failed=not refused, detail=words)


async def try_to_start(folder: Path) -> tuple[bool, str]:
    """Start a bot that must refuse to; return whether it did in one sentence, and its words.

    Args:
        folder: Its folder, with the data folder ``data``.
    """
    async with StandIn() as discord:
        bot = BotProcess(folder, discord)
        bot.log.unlink(missing_ok=True)
        try:
            await bot.start(wait=False)
            await until(lambda: not bot.running or discord.connected, "the bot ends or connects")
            refused = not bot.running and await bot.wait() in (1, 2)
        finally:
            bot.kill()
            await bot.wait()
    words = bot.log.read_text()
    errors = [line for line in words.splitlines() if line.startswith("error: ")]
    return refused and len(errors) == 1 and "Traceback" not in words, words[-1500:]


async def _lock_ledger(row: Count) -> None:
    with tempfile.TemporaryDirectory() as name:
        async with running(Path(name)) as (discord, bot):
            for lock_s in LOCKS_S:
                entering = asyncio.create_task(_enter(discord, lock_s + 2, pause_s=0.5))
                await asyncio.sleep(1)
                with closing(
                    sqlite3.connect(bot.data / "ledger.sqlite3", isolation_level=None, timeout=30)
                ) as ledger:
                    ledger.execute("BEGIN IMMEDIATE")
                    await asyncio.sleep(lock_s)
                    ledger.execute("ROLLBACK")
                await entering
            healthy = len(discord.exchanges)
            await _enter(discord, 2)
            await finish(discord)
        _add(row, discord.exchanges, healthy)


async def _step_clock(row: Count) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        clock = folder / "clock"
        clock.write_text("0")
        ahead_s = 0.0
        async with running(folder, STANDIN_CLOCK=str(clock), MST_COOLDOWN_S=str(COOLDOWN_S)) as (
            discord,
            bot,
        ):
            for step_s in STEPS_S:
                await _ask_each(discord)
                await asyncio.sleep(0.2)  # some wait, some run
                ahead_s += step_s
                clock.write_text(str(ahead_s))
                # A pause that nobody needs to sit out again, though the clock says otherwise.
                await asyncio.sleep(COOLDOWN_S + 0.5)
                await _ask_each(discord)
                await asyncio.sleep(COOLDOWN_S + 0.5)
            await finish(discord)
            log = bot.log.read_text()
        _add(row, discord.exchanges, 0)
        twice = [number for number, n in Counter(DONE.findall(log)).items() if n > 1]
        row.add(failed=bool(twice), detail=f"requests that ran twice: {twice}")


async def _ask_each(discord: StandIn) -> None:
    for person in range(1, N_PEOPLE + 1):
        options = {"style": "folk", "seed": len(discord.exchanges)}
        await discord.send("compose", options, person=person)


async def _remove_soundfont(models: Path, row: Count) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        font = folder / "font.sf2"
        font.symlink_to(find_soundfont(None))
        async with running(
            folder,
            engine=REAL_ENGINE,
            MST_MODELS_DIR=str(models),
            MST_SOUNDFONT=str(font),
            MST_DEVICE="cpu",
        ) as (discord, bot):
            await until_answered(discord)
            font.unlink()
            await _enter(discord, 2)
            await until(lambda: bot.kill_child(REAL_ENGINE), "a kill of the engine")
            await _enter(discord, 6)
            font.symlink_to(find_soundfont(None))
            await until_answered(discord)
            healthy = len(discord.exchanges)
            await _enter(discord, 1)
            await finish(discord)
        _add(row, discord.exchanges, healthy)


async def until_answered(discord: StandIn) -> None:
    """Enter a command every two seconds until one is answered: the engine is ready then."""
    loop, answered = asyncio.get_running_loop(), False
    end = loop.time() + OUTCOMES_WITHIN_S
    while not answered and loop.time() < end:
        one = await discord.send("compose", {"style": "folk", "bars": 4})
        with suppress(TimeoutError):
            await until(lambda one=one: has_ended(one), "an answer", 2)  # type: ignore[misc]
        answered = one.results > 0
