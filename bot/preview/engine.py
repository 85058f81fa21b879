"""A proxy that runs the engine outside of SimCord's simulated time."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import aclosing
from typing import Any, TypeVar, cast

from simcord import Env

from mst_core.engine import Capacity, Engine, EngineStatus
from mst_core.jobs import Job, Progress, Rendition

T = TypeVar("T")


class EngineProxy:
    """Forwards an `Engine`, whose tasks it runs outside of a SimCord environment.

    SimCord waits until every task of the bot is at rest. Tasks of the engine run for long, so they
    are started outside, and the bot waits for them through ``Env.external_wait``, which SimCord
    counts as rest. So the page stays usable while a job runs. Create the proxy before the
    environment, then `attach` it.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._env: Env | None = None
        self._outer_context = contextvars.copy_context()

    def attach(self, env: Env) -> None:
        """Set the environment whose bot waits for this engine."""
        self._env = env

    async def start(self) -> None:
        """Start the engine."""
        await self._external_wait(self._run_outside(self._engine.start()))

    async def run(self, job: Job) -> AsyncIterator[Progress | Rendition]:
        """Run one job. Closing the iterator early cancels it."""
        events: asyncio.Queue[Progress | Rendition | None] = asyncio.Queue()
        work = self._run_outside(self._forward_events(job, events))
        try:
            while (event := await self._external_wait(events.get())) is not None:
                yield event
            await work
        finally:
            work.cancel()
            await asyncio.wait([work])

    async def cancel(self, job_id: str) -> None:
        """Cancel a job."""
        await self._run_outside(self._engine.cancel(job_id))

    def capacity(self) -> Capacity:
        """Return the engine's capacity at this moment."""
        return self._engine.capacity()

    def status(self) -> EngineStatus:
        """Return the state of the engine at this moment."""
        return self._engine.status()

    def watch(self, on_change: Callable[[], None]) -> None:
        """Have a function called, inside of the environment, when the engine's state changes."""
        inner_context = contextvars.copy_context()
        self._engine.watch(lambda: inner_context.run(on_change))

    async def close(self) -> None:
        """Close the engine and everything that it started."""
        await self._run_outside(self._engine.close())

    async def _forward_events(
        self, job: Job, events: asyncio.Queue[Progress | Rendition | None]
    ) -> None:
        # One task consumes the whole iterator, because a timeout belongs to the task that set it.
        steps = cast("AsyncGenerator[Progress | Rendition, None]", self._engine.run(job))
        try:
            async with aclosing(steps):
                async for event in steps:
                    events.put_nowait(event)
        finally:
            events.put_nowait(None)

    def _run_outside(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Start a task outside of the SimCord environment."""
        return self._outer_context.copy().run(asyncio.get_running_loop().create_task, work)

    async def _external_wait(self, awaitable: Awaitable[T]) -> T:
        if self._env is None:
            return await awaitable
        result: T = await self._env.external_wait(awaitable, reason="the engine")
        return result
