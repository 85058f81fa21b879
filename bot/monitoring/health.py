"""The health of the bot over HTTP, on this machine only.

| path | status | meaning |
|---|---|---|
| `/healthz` | 200 | the process lives: its event loop answers |
| `/readyz` | 200, 503 | it takes and answers requests; else the problems, as JSON |
| `/metrics` | 200 | `bot.monitoring.metrics` |

It listens on 127.0.0.1, so what it says reaches nobody outside; it says nothing about users.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

from aiohttp import web

from bot.errors import StartupError

if TYPE_CHECKING:
    from bot.monitoring.metrics import Metrics

HOST = "127.0.0.1"
OLDEST_WAITING_S = 600.0
"""Seconds that the oldest request may wait while the bot counts as ready."""
STATE_TIMEOUT_S = 2.0
"""Seconds that reading the state may take, before the database counts as stuck."""
LAG_INTERVAL_S = 0.25
"""Seconds between two measurements of the lag of the event loop."""


@dataclass(frozen=True, slots=True)
class HealthState:
    """The state of the bot's parts at one moment."""

    gateway: bool = False
    """Whether it is connected to Discord."""
    engine: bool = False
    """Whether the engine takes jobs."""
    closing: bool = False
    """Whether it is about to end."""
    database: bool = False
    """Whether the database answered; the next three are 0 without it."""
    waiting: int = 0
    running: int = 0
    oldest_s: float = 0.0
    """Seconds that the oldest request in the queue waits."""
    no_room: str = ""
    """Why new requests find no room on the disk; empty when they do."""
    data_bytes: int = 0
    """Bytes of ledger, uploads and results."""
    free_bytes: int = 0
    """Bytes that are free on the disk."""
    engine_problem: str = ""
    """Why the engine takes no jobs, such as ``it showed no sign of life for 8 seconds``."""

    @property
    def problems(self) -> list[str]:
        """Why the bot is not ready, one sentence each; empty when it is."""
        why = self.engine_problem and f": {self.engine_problem}"
        found = {
            "it is about to end": self.closing,
            "it is not connected to Discord": not self.gateway,
            f"the engine is not ready{why}": not self.engine,
            "the database does not answer": not self.database,
            f"a request waits for more than {OLDEST_WAITING_S:g} s": (
                self.oldest_s > OLDEST_WAITING_S
            ),
            f"new requests are refused: {self.no_room}": bool(self.no_room),
        }
        return [problem for problem, holds in found.items() if holds]


async def start_health_server(
    port: int, metrics: Metrics, read_state: Callable[[], Awaitable[HealthState]]
) -> web.AppRunner:
    """Serve health and metrics on 127.0.0.1 until the returned runner is cleaned up.

    Args:
        port: The port; 0 takes any free one, which `web.AppRunner.addresses` names.
        metrics: What ``/metrics`` shows.
        read_state: Returns the state of this moment.

    Raises:
        StartupError: when the port cannot be used.
    """

    async def show_life(_: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def show_readiness(_: web.Request) -> web.Response:
        state = await read_state()
        answer = {"ready": not state.problems, "problems": state.problems, **asdict(state)}
        return web.json_response(answer, status=503 if state.problems else 200)

    async def show_metrics(_: web.Request) -> web.Response:
        text = metrics.render(await read_state())
        return web.Response(body=text, headers={"Content-Type": metrics.content_type})

    async def measure_lag(_: web.Application) -> AsyncIterator[None]:
        task = asyncio.create_task(watch_lag(metrics.observe_lag, LAG_INTERVAL_S))
        yield
        task.cancel()
        await asyncio.wait([task])

    app = web.Application()
    app.add_routes(
        [
            web.get("/healthz", show_life),
            web.get("/readyz", show_readiness),
            web.get("/metrics", show_metrics),
        ]
    )
    app.cleanup_ctx.append(measure_lag)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        await web.TCPSite(runner, HOST, port).start()
    except OSError as error:
        await runner.cleanup()
        raise StartupError(
            f"MST_HEALTH_PORT: port {port} of {HOST} cannot be used: {error.strerror}"
        ) from error
    return runner


async def watch_lag(observe: Callable[[float], None], interval_s: float) -> None:
    """Measure again and again how late the event loop runs a timer; this never returns.

    Args:
        observe: Called with each lag, in seconds.
        interval_s: Seconds between two measurements.
    """
    while True:
        due = time.perf_counter() + interval_s
        await asyncio.sleep(interval_s)
        observe(max(0.0, time.perf_counter() - due))


async def read_backlog(
    count: Callable[[], Awaitable[tuple[int, int, float]]] | None,
    *,
    gateway: bool,
    engine: bool,
    closing: bool,
) -> HealthState:
    """Return the state with the backlog of the database, if it answers in time.

    Args:
        count: Returns the waiting and running requests, and the seconds that the oldest one waits;
            None while the database is not open.
        gateway: Whether the bot is connected to Discord.
        engine: Whether the engine takes jobs.
        closing: Whether the bot is about to end.
    """
    state = HealthState(gateway=gateway, engine=engine, closing=closing)
    if count is None:
        return state
    try:
        async with asyncio.timeout(STATE_TIMEOUT_S):
            waiting, running, oldest_s = await count()
    except Exception:  # whatever it is, health says so instead of failing
        return state
    return replace(state, database=True, waiting=waiting, running=running, oldest_s=oldest_s)
