"""Files at the start: damaged ledgers stop the bot; older ledgers and damaged styles do not."""

from __future__ import annotations

import asyncio
import pickle
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file

from bot.requests.data_folder import LEDGER
from bot.requests.database import MIGRATIONS
from mst_core.request_json import encode_request
from mst_core.requests import Compose
from tests.support.damaged_ledgers import DAMAGES, snapshot
from tests.tools.standin.exchange import Exchange
from tests.tools.standin.machine import running, try_to_start
from tests.tools.standin.process import REAL_ENGINE, BotProcess, until
from tests.tools.standin.promises import Count, has_ended, judge
from tests.tools.standin.server import StandIn

AT_ONCE = 2
"""Bots that start beside each other."""
OUTCOME_WITHIN_S = 60.0


async def torture_ledgers(row: Count) -> None:
    """Start a bot with a ledger damaged in each way: it must end with one sentence, unchanged.

    Args:
        row: Counts them.
    """
    with tempfile.TemporaryDirectory() as name:
        whole = Path(name) / "whole"
        async with running(whole) as (discord, _):
            tune = ("reel.abc", b"X:1\nT:Reel\nK:D\nDEFG ABcd|dcBA GFED|\n")
            await discord.send("rerhythm", {"rhythm": "jazz"}, tune)
            await discord.send("compose", {"style": "folk"})
            with suppress(TimeoutError):
                await until(lambda: all(map(has_ended, discord.exchanges)), "the outcomes", 30)
        places = asyncio.Semaphore(AT_ONCE)

        async def start(damage: Callable[[Path], None], words: str) -> None:
            folder = Path(name) / damage.__name__
            shutil.copytree(whole, folder)
            damage(folder / "data")
            before = snapshot(folder / "data")
            async with places:
                refused, said = await try_to_start(folder)
            unchanged = snapshot(folder / "data") == before
            broken = not (refused and unchanged and words in said)
            row.add(failed=broken, detail=f"{damage.__name__}: unchanged {unchanged}: {said}")

        await asyncio.gather(*(start(damage, words) for damage, words in DAMAGES))


async def torture_upgrades(row: Count) -> None:
    """Start a bot with the ledger of each older version, with a request that waits: it is answered.

    Args:
        row: Counts the versions.
    """
    steps = sorted(MIGRATIONS.glob("*.sql"))
    for version in range(1, len(steps)):
        with tempfile.TemporaryDirectory() as name:
            async with StandIn() as discord:
                waiting = discord.open_exchange("compose")
                waiting.acknowledged = True
                data = Path(name) / "data"
                data.mkdir()
                _write_ledger(data / LEDGER, steps[:version], waiting)
                bot = BotProcess(Path(name), discord)
                try:
                    await bot.start()
                    with suppress(TimeoutError):
                        await until(lambda one=waiting: has_ended(one), "the answer", 60)  # type: ignore[misc]
                    await bot.stop()
                finally:
                    bot.kill()
            broken = judge(waiting) or ("" if waiting.results else "refused")
            row.add(failed=bool(broken), detail=f"version {version}: {broken}: {waiting}")


def _write_ledger(path: Path, steps: Sequence[Path], waiting: Exchange) -> None:
    """Write the ledger of an older version with one waiting request."""
    with closing(sqlite3.connect(path)) as ledger:
        for step in steps:
            ledger.executescript(step.read_text())
        ledger.execute(f"PRAGMA user_version = {len(steps)}")
        request = Compose(pitch="folk", rhythm="folk", seed=7)
        ledger.execute(
            """INSERT INTO requests (user_id, guild_id, channel_id, message_id, interaction_token,
                   file_limit_bytes, locale, request, seed, asked_at)
               VALUES (?, ?, ?, ?, ?, 10000000, 'en-US', ?, 7, ?)""",
            (
                *(waiting.user_id, waiting.guild_id, waiting.channel_id, waiting.message_id),
                *(waiting.token, encode_request(request), time.time()),
            ),
        )
        ledger.commit()


def _rewrite(path: Path, change: Callable[[torch.Tensor], torch.Tensor]) -> None:
    with safe_open(path, "pt") as file:
        about = file.metadata()
        weights = {name: change(file.get_tensor(name)) for name in file.keys()}  # noqa: SIM118
    save_file(weights, path, about)


def _half(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[20:60] = bytes(40)
    path.write_bytes(data)


STYLE_DAMAGES: dict[str, tuple[str, Callable[[Path], object]]] = {
    "no-pitch": ("pitch.safetensors", Path.unlink),
    "half-pitch": ("pitch.safetensors", _half),
    "empty-pitch": ("pitch.safetensors", lambda path: path.write_bytes(b"")),
    "pickle-pitch": ("pitch.safetensors", lambda path: path.write_bytes(pickle.dumps({"a": 1}))),
    "header-pitch": ("pitch.safetensors", _flip),
    "shapes-pitch": ("pitch.safetensors", lambda path: _rewrite(path, lambda w: w[:1].clone())),
    "nan-pitch": ("pitch.safetensors", lambda path: _rewrite(path, lambda w: w * float("nan"))),
    "huge-pitch": ("pitch.safetensors", lambda path: _rewrite(path, lambda w: w * 1e30)),
    "no-duration": ("duration.safetensors", Path.unlink),
    "nan-duration": ("duration.safetensors", lambda path: _rewrite(path, lambda w: w / 0)),
    "no-statistics": ("statistics.json", Path.unlink),
    "half-statistics": ("statistics.json", _half),
    "half-fingerprints": ("fingerprints.safetensors", _half),
    "half-profiles": ("reference_profiles.json", _half),
    "half-card": ("style.toml", _half),
    "empty-card": ("style.toml", lambda path: path.write_text("")),
}
"""By name of the style the damaged file, and how it is damaged."""


async def torture_styles(whole: Path, row: Count) -> None:
    """Run a real engine with styles damaged in each way: each fails honestly, the others go on.

    Args:
        whole: The whole styles.
        row: Counts a command for each damaged style, and one for a whole style after it.
    """
    with tempfile.TemporaryDirectory() as name:
        models = Path(name) / "models"
        shutil.copytree(whole, models)
        for style, (file, damage) in STYLE_DAMAGES.items():
            shutil.copytree(models / "folk", models / style)
            damage(models / style / file)
        async with running(Path(name), engine=REAL_ENGINE, MST_SOUNDFONT="") as (discord, _):
            for style in STYLE_DAMAGES:
                await _ask(discord, style)
                after = await _ask(discord, "folk")
                if not after:
                    row.add(failed=True, detail=f"no tune of a whole style after {style}")
        row.add_exchanges(discord.exchanges)


async def _ask(discord: StandIn, style: str) -> int:
    """Enter a command, and return the results once it has an outcome."""
    one = await discord.send("compose", {"style": style, "bars": 4, "seed": 1})
    with suppress(TimeoutError):
        await until(lambda: bool(one.private) or has_ended(one), "an outcome", OUTCOME_WITHIN_S)
    return one.results
