"""The engine on one machine: one warm process, started again when it dies.

It owns the places: each job takes one when `run` begins and gives it back when the worker has
nothing more to do for it. When the worker dies, the jobs it had begun raise EngineLost; those that
only waited are handed to the next worker, so that a job that kills workers does little harm to its
neighbours. It imports no network, no synthesizer and no score.
"""

from __future__ import annotations

import asyncio
import logging
from asyncio import Future, Queue, Task, TimerHandle
from collections.abc import AsyncGenerator, Sequence
from itertools import count
from pathlib import Path

from mst_core.engine import Capacity, protocol
from mst_core.engine.process import CLOSING_GRACE_S, WORKER_COMMAND, Child
from mst_core.errors import EngineBusy, EngineLost, JobTimeout, MstError, rebuild_error
from mst_core.jobs import Event, Job, Rendition

LONGEST_PAUSE_S = 30.0  # between two attempts to start a worker
MOST_WORKERS_A_JOB = 3  # a job that was handed to so many, and never begun, is itself suspect

logger = logging.getLogger(__name__)


class _Place:
    """A job in the engine, and the line in which its events wait to be fetched."""

    def __init__(self, ticket: int, job: Job) -> None:
        self.ticket = ticket
        self.job = job
        self.events: Queue[Event | MstError] = Queue()
        self.left = False  # nobody fetches any more
        self.clock: TimerHandle | None = None  # runs from the moment the job was begun
        self.workers = 0  # how many it was handed to

    def stop_clock(self) -> None:
        if self.clock is not None:
            self.clock.cancel()


class LocalEngine:
    """Five methods over one child process; see `mst_core.engine.Engine`."""

    def __init__(
        self,
        models: Path,
        soundfont: Path | None = None,
        device: str = "auto",
        *,
        places: int = 8,
        job_timeout_s: float = 120.0,
        ready_within_s: float = 180.0,  # torch from a cold disk takes its time
        first_pause_s: float = 0.5,
        worker_command: Sequence[str] | None = None,
    ) -> None:
        self._setup = protocol.Setup(str(models), str(soundfont) if soundfont else None, device)
        self._command = tuple(worker_command or WORKER_COMMAND)
        self._total = places
        self._job_timeout_s = job_timeout_s
        self._ready_within_s = ready_within_s
        self._first_pause_s = first_pause_s
        self._tickets = count(1)
        self._places: dict[int, _Place] = {}
        self._child: Child | None = None
        self._deaths = 0  # since a job was last finished
        self._supervisor: Task[None] | None = None

    async def start(self) -> None:
        """Start the worker and return when it is ready.

        Raises:
            MstError: what the worker said when it could not open its studio, such as NoSoundFont.
            EngineLost: when it ended without a word.
        """
        if self._supervisor is not None:
            raise RuntimeError("this engine was started before")
        first: Future[MstError | None] = asyncio.get_running_loop().create_future()
        self._supervisor = asyncio.create_task(self._supervise(first))
        error = await asyncio.shield(first)
        if error is not None:
            raise error

    async def run(self, job: Job) -> AsyncGenerator[Event, None]:
        """Yield progress and at last the rendition.

        Raises:
            EngineBusy: when all places are taken.
            EngineLost: when the worker died, or the job was cancelled, or the engine closed.
            JobTimeout: when it took too long.
            MstError: what the studio said of the request.
        """
        place = self._take(job)
        try:
            while True:
                event = await place.events.get()
                if isinstance(event, MstError):
                    raise event
                yield event
                if isinstance(event, Rendition):
                    return
        finally:
            self._leave(place)

    async def cancel(self, job_id: str) -> None:
        """Stop a job; its ``run`` raises EngineLost. Nothing happens when it is not there."""
        for place in [*self._places.values()]:
            if place.job.id == job_id:
                self._leave(place)
                place.events.put_nowait(EngineLost("it was cancelled"))

    def capacity(self) -> Capacity:
        """Count the places. A cancelled job keeps its own until the worker has let it go."""
        return Capacity(total=self._total, running=len(self._places))

    async def close(self) -> None:
        """End the worker; jobs that are still here raise EngineLost."""
        supervisor, self._supervisor = self._supervisor, None
        if supervisor is not None:
            supervisor.cancel()
            await asyncio.wait([supervisor])
            if not supervisor.cancelled():
                supervisor.result()  # raises what it fell over, should it ever

    def _take(self, job: Job) -> _Place:
        if self._supervisor is None or self._supervisor.done():
            raise EngineLost("it is not running")
        if len(self._places) >= self._total:
            raise EngineBusy(len(self._places))
        place = _Place(next(self._tickets), job)
        self._places[place.ticket] = place
        if self._child is not None:
            self._hand_over(place, self._child)
        return place

    def _hand_over(self, place: _Place, child: Child) -> None:
        place.workers += 1
        child.send(protocol.Run(place.ticket, place.job))

    def _leave(self, place: _Place) -> None:
        if place.left or place.ticket not in self._places:
            return
        place.left = True
        if self._child is None:
            self._free(place)
        else:
            self._child.send(protocol.Cancel(place.ticket))

    def _free(self, place: _Place, last: Event | MstError | None = None) -> None:
        del self._places[place.ticket]
        place.stop_clock()
        if last is not None:
            place.events.put_nowait(last)

    async def _supervise(self, first: Future[MstError | None]) -> None:
        try:
            while True:
                try:
                    self._child = await Child.start(
                        self._command, self._setup, self._ready_within_s
                    )
                except MstError as error:
                    if not first.done():
                        first.set_result(error)
                        return
                    logger.error("the engine cannot be started again: %s", error)
                    self._lose_everything(f"it cannot be started again: {error}")
                else:
                    if not first.done():
                        first.set_result(None)
                    await self._attend(self._child)
                self._deaths += 1
                await asyncio.sleep(self._pause())
        finally:
            self._lose_everything("the engine was closed")
            if not first.done():
                first.set_result(EngineLost("the engine was closed"))

    def _pause(self) -> float:
        """Seconds before the next worker: none after the first death, then ever more."""
        if self._deaths < 2:
            return 0
        return float(min(LONGEST_PAUSE_S, self._first_pause_s * 2 ** (self._deaths - 2)))

    async def _attend(self, child: Child) -> None:
        """Be with a worker from its first job to its end."""
        logger.info("the engine is ready, process %d", child.pid)
        grace_s = CLOSING_GRACE_S
        try:
            for place in self._places.values():
                self._hand_over(place, child)
            async for message in child.messages():
                self._receive(message)
            grace_s = 0  # its output has ended: it is dead or broken
        finally:
            self._child = None
            end = await child.close(grace_s)
        logger.error("the engine died: %s", end)
        for place in [*self._places.values()]:
            if place.left or place.clock is not None or place.workers >= MOST_WORKERS_A_JOB:
                self._free(place, EngineLost(end))

    def _receive(self, message: protocol.FromWorker) -> None:
        if isinstance(message, protocol.Ready | protocol.Refused):
            return
        place = self._places.get(message.ticket)
        if place is None:  # given up by its clock, while this was on its way
            return
        match message:
            case protocol.Begun():
                loop = asyncio.get_running_loop()
                place.clock = loop.call_later(self._job_timeout_s, self._give_up, place)
            case protocol.Told(progress=progress):
                place.events.put_nowait(progress)
            case protocol.Done(rendition=rendition):
                self._deaths = 0
                self._free(place, rendition)
            case protocol.Failed(code=code, arguments=arguments):
                self._free(place, rebuild_error(code, arguments))
            case protocol.Dropped():
                self._free(place)

    def _give_up(self, place: _Place) -> None:
        # A thread cannot be stopped from outside: the whole worker has to go.
        logger.error("job %s took more than %g s", place.job.id, self._job_timeout_s)
        self._free(place, JobTimeout(f"{self._job_timeout_s:g}"))
        if self._child is not None:
            self._child.kill()

    def _lose_everything(self, reason: str) -> None:
        for place in [*self._places.values()]:
            self._free(place, EngineLost(reason))
