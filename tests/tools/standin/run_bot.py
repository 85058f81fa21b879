"""``python -m tests.tools.standin.run_bot``: the bot's ``main`` against the stand-in.

``STANDIN_ADDRESS`` is its host and port, ``STANDIN_ENGINE`` the module of the engine process.
Delays before a second attempt are cut from half a minute to a second, so that an experiment takes
no hours. ``STANDIN_LAG`` names a file for the lag of the event loop: a line each second, with the
seconds by which each timer ran late. ``STANDIN_CLOCK`` names a file with the seconds by which the
clock is ahead, ``STANDIN_SERVER_LIMIT`` is how many requests of a server may wait.
"""

from __future__ import annotations

import asyncio
import datetime
import os
import sys
import time
from pathlib import Path

import discord.gateway
import discord.http
import discord.utils
import yarl

import bot.__main__
import bot.requests.acknowledgement
import bot.requests.admission
import bot.requests.outbox
import mst_core.engine.local
from bot.monitoring.health import watch_lag
from bot.settings import Settings
from tests.support.paths import PROJECT

RETRY_S = 1.0
"""Seconds before a second attempt of a delivery, and of a look for a message."""
LAG_STEP_S = 0.01
"""Seconds between two timers that measure the lag."""


def point_at(address: str, engine: str) -> None:
    """Point discord.py and the engine of this process at the stand-in.

    Args:
        address: Host and port of the stand-in.
        engine: The module that the engine process runs.
    """
    discord.http.Route.BASE = f"http://{address}/api/v10"
    gateway = yarl.URL(f"ws://{address}/gateway/")
    discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = gateway
    setattr(bot.requests.outbox, "FIRST_RETRY_S", RETRY_S)  # noqa: B010
    setattr(bot.requests.acknowledgement, "RETRY_S", RETRY_S)  # noqa: B010
    command = ("env", f"PYTHONPATH={PROJECT}", sys.executable, "-m", engine)
    setattr(mst_core.engine.local, "WORKER_COMMAND", command)  # noqa: B010


def measure_lag(file: Path) -> None:
    """Have the bot of this process write the lag of its event loop into a file."""
    run_discord = bot.__main__.run_discord

    async def measure() -> None:
        lags: list[str] = []
        with file.open("a") as lines:

            def note(seconds: float) -> None:
                lags.append(f"{seconds:.6f}")
                if len(lags) * LAG_STEP_S >= 1:
                    lines.write(" ".join(lags) + "\n")
                    lines.flush()
                    lags.clear()

            await watch_lag(note, LAG_STEP_S)

    async def run_measured(settings: Settings) -> None:
        measuring = asyncio.create_task(measure())
        try:
            await run_discord(settings)
        finally:
            measuring.cancel()

    setattr(bot.__main__, "run_discord", run_measured)  # noqa: B010


def step_clock(file: Path) -> None:
    """Have the clock of this process follow a file, as if somebody set the system's.

    Args:
        file: Holds the seconds by which the clock is ahead; it is read at each use.
    """
    now_s = time.time

    def shifted_s() -> float:
        return now_s() + float(file.read_text() or 0)

    def shifted() -> datetime.datetime:
        return datetime.datetime.fromtimestamp(shifted_s(), datetime.UTC)

    setattr(time, "time", shifted_s)  # noqa: B010
    setattr(discord.utils, "utcnow", shifted)  # noqa: B010


if __name__ == "__main__":
    point_at(os.environ["STANDIN_ADDRESS"], os.environ["STANDIN_ENGINE"])
    if lag := os.environ.get("STANDIN_LAG"):
        measure_lag(Path(lag))
    if clock := os.environ.get("STANDIN_CLOCK"):
        step_clock(Path(clock))
    if limit := os.environ.get("STANDIN_SERVER_LIMIT"):
        setattr(bot.requests.admission, "MAX_WAITING_PER_SERVER", int(limit))  # noqa: B010
    sys.argv[1:] = []
    bot.__main__.main()
