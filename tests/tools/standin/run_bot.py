"""``python -m tests.tools.standin.run_bot``: the bot's ``main`` against the stand-in.

``STANDIN_ADDRESS`` is its host and port. Delays before a second attempt are cut from half a minute
to a second, so that an experiment takes no hours; the engine runs `tests.tools.standin.worker`.
"""

from __future__ import annotations

import os
import sys

import discord.gateway
import discord.http
import yarl

import bot.requests.acknowledgement
import bot.requests.outbox
import mst_core.engine.local
from bot.__main__ import main
from tests.support.paths import PROJECT

RETRY_S = 1.0
"""Seconds before a second attempt of a delivery, and of a look for a message."""


def point_at(address: str) -> None:
    """Point discord.py and the engine of this process at the stand-in."""
    discord.http.Route.BASE = f"http://{address}/api/v10"
    gateway = yarl.URL(f"ws://{address}/gateway/")
    discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = gateway
    setattr(bot.requests.outbox, "FIRST_RETRY_S", RETRY_S)  # noqa: B010
    setattr(bot.requests.acknowledgement, "RETRY_S", RETRY_S)  # noqa: B010
    command = ("env", f"PYTHONPATH={PROJECT}", sys.executable, "-m", "tests.tools.standin.worker")
    setattr(mst_core.engine.local, "WORKER_COMMAND", command)  # noqa: B010


if __name__ == "__main__":
    point_at(os.environ["STANDIN_ADDRESS"])
    sys.argv[1:] = []
    main()
