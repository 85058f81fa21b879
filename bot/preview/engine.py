"""The bot's engine, moved out of the simulation into real time."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Coroutine
from contextlib import aclosing
from typing import Any, TypeVar, cast

from simcord import Env

from mst_core.engine import Capacity, Engine
from mst_core.jobs import Job, JobEvent

T = TypeVar("T")


class EngineProxy:
    """An `Engine` around the bot's own. Make it outside of the world, then `enter` one.

    SimCord follows every task that the bot starts and waits for it to come to rest. The engine is
    a far end, like Discord itself: its tasks run outside, and the bot waits for it through
    ``Env.external_wait``, which SimCord counts as rest. So a command's action ends, and the page
    is free, while its job runs.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._env: Env | None = None
        self._outer_context = contextvars.copy_context()

    def attach(self, env: Env) -> None:
        """Take part in the world whose bot will wait for this engine."""
        self._env = env

    async def start(self) -> None:
        """Make it ready to take jobs."""
        await self._external_wait(self._run_outside(self._engine.start()))

    async def run(self, job: Job) -> AsyncIterator[JobEvent]:
        """Work on one job. Closing the iterator early cancels it."""
        events: asyncio.Queue[JobEvent | None] = asyncio.Queue()
        work = self._run_outside(self._forward_events(job, events))
        try:
            while (event := await self._external_wait(events.get())) is not None:
                yield event
            await work
        finally:
            work.cancel()
            await asyncio.wait([work])

    async def cancel(self, job_id: str) -> None:
        """Stop working on a job."""
        await self._run_outside(self._engine.cancel(job_id))

    def capacity(self) -> Capacity:
        """Say how much more it could take at this moment."""
        return self._engine.capacity()

    async def close(self) -> None:
        """End it and everything it started."""
        await self._run_outside(self._engine.close())

    async def _forward_events(self, job: Job, events: asyncio.Queue[JobEvent | None]) -> None:
        # One task walks the whole iterator: its timeouts belong to the task that set them.
        steps = cast("AsyncGenerator[JobEvent, None]", self._engine.run(job))
        try:
            async with aclosing(steps):
                async for event in steps:
                    events.put_nowait(event)
        finally:
            events.put_nowait(None)

    def _run_outside(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Start a task outside of the simulation."""
        return self._outer_context.copy().run(asyncio.get_running_loop().create_task, work)

    async def _external_wait(self, awaitable: Awaitable[T]) -> T:
        if self._env is None:
            return await awaitable
        result: T = await self._env.external_wait(awaitable, reason="the engine")
        return result
