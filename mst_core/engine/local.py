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
from mst_core.engine.process import SHUTDOWN_GRACE_S, WORKER_COMMAND, WorkerProcess
from mst_core.errors import EngineBusy, EngineLost, JobTimeout, MstError, rebuild_error
from mst_core.jobs import Job, JobEvent, Rendition

MAX_RESTART_DELAY_S = 30.0  # between two attempts to start a worker
MAX_ATTEMPTS_PER_JOB = 3  # a job that was handed to so many, and never begun, is itself suspect

logger = logging.getLogger(__name__)


class _Slot:
    """A job in the engine, and the line in which its events wait to be fetched."""

    def __init__(self, ticket: int, job: Job) -> None:
        self.ticket = ticket
        self.job = job
        self.events: Queue[JobEvent | MstError] = Queue()
        self.abandoned = False  # nobody fetches any more
        self.timeout: TimerHandle | None = None  # runs from the moment the job was begun
        self.attempts = 0  # how many it was handed to

    def cancel_timeout(self) -> None:
        if self.timeout is not None:
            self.timeout.cancel()


class LocalEngine:
    """Five methods over one child process; see `mst_core.engine.Engine`."""

    def __init__(
        self,
        models: Path,
        soundfont: Path | None = None,
        device: str = "auto",
        *,
        slots: int = 8,
        job_timeout_s: float = 120.0,
        startup_timeout_s: float = 180.0,  # torch from a cold disk takes its time
        first_restart_delay_s: float = 0.5,
        worker_command: Sequence[str] | None = None,
    ) -> None:
        self._setup = protocol.Setup(str(models), str(soundfont) if soundfont else None, device)
        self._command = tuple(worker_command or WORKER_COMMAND)
        self._slot_count = slots
        self._job_timeout_s = job_timeout_s
        self._startup_timeout_s = startup_timeout_s
        self._first_restart_delay_s = first_restart_delay_s
        self._tickets = count(1)
        self._slots: dict[int, _Slot] = {}
        self._worker: WorkerProcess | None = None
        self._restarts = 0  # since a job was last finished
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

    async def run(self, job: Job) -> AsyncGenerator[JobEvent, None]:
        """Yield progress and at last the rendition.

        Raises:
            EngineBusy: when all places are taken.
            EngineLost: when the worker died, or the job was cancelled, or the engine closed.
            JobTimeout: when it took too long.
            MstError: what the studio said of the request.
        """
        place = self._take_slot(job)
        try:
            while True:
                event = await place.events.get()
                if isinstance(event, MstError):
                    raise event
                yield event
                if isinstance(event, Rendition):
                    return
        finally:
            self._abandon(place)

    async def cancel(self, job_id: str) -> None:
        """Stop a job; its ``run`` raises EngineLost. Nothing happens when it is not there."""
        for place in [*self._slots.values()]:
            if place.job.id == job_id:
                self._abandon(place)
                place.events.put_nowait(EngineLost("it was cancelled"))

    def capacity(self) -> Capacity:
        """Count the places. A cancelled job keeps its own until the worker has let it go."""
        return Capacity(total=self._slot_count, running=len(self._slots))

    async def close(self) -> None:
        """End the worker; jobs that are still here raise EngineLost."""
        supervisor, self._supervisor = self._supervisor, None
        if supervisor is not None:
            supervisor.cancel()
            await asyncio.wait([supervisor])
            if not supervisor.cancelled():
                supervisor.result()  # raises what it fell over, should it ever

    def _take_slot(self, job: Job) -> _Slot:
        if self._supervisor is None or self._supervisor.done():
            raise EngineLost("it is not running")
        if len(self._slots) >= self._slot_count:
            raise EngineBusy(len(self._slots))
        place = _Slot(next(self._tickets), job)
        self._slots[place.ticket] = place
        if self._worker is not None:
            self._send_job(place, self._worker)
        return place

    def _send_job(self, place: _Slot, child: WorkerProcess) -> None:
        place.attempts += 1
        child.send(protocol.Run.of(place.ticket, place.job))

    def _abandon(self, place: _Slot) -> None:
        if place.abandoned or place.ticket not in self._slots:
            return
        place.abandoned = True
        if self._worker is None:
            self._free_slot(place)
        else:
            self._worker.send(protocol.Cancel(place.ticket))

    def _free_slot(self, place: _Slot, last: JobEvent | MstError | None = None) -> None:
        del self._slots[place.ticket]
        place.cancel_timeout()
        if last is not None:
            place.events.put_nowait(last)

    async def _supervise(self, first: Future[MstError | None]) -> None:
        try:
            while True:
                try:
                    self._worker = await WorkerProcess.start(
                        self._command, self._setup, self._startup_timeout_s
                    )
                except MstError as error:
                    if not first.done():
                        first.set_result(error)
                        return
                    logger.error("the engine cannot be started again: %s", error)
                    self._fail_all(f"it cannot be started again: {error}")
                else:
                    if not first.done():
                        first.set_result(None)
                    await self._follow_worker(self._worker)
                self._restarts += 1
                await asyncio.sleep(self._restart_delay_s())
        finally:
            self._fail_all("the engine was closed")
            if not first.done():
                first.set_result(EngineLost("the engine was closed"))

    def _restart_delay_s(self) -> float:
        """Seconds before the next worker: none after the first death, then ever more."""
        if self._restarts < 2:
            return 0
        return float(
            min(MAX_RESTART_DELAY_S, self._first_restart_delay_s * 2 ** (self._restarts - 2))
        )

    async def _follow_worker(self, child: WorkerProcess) -> None:
        """Be with a worker from its first job to its end."""
        logger.info("the engine is ready, process %d", child.pid)
        grace_s = SHUTDOWN_GRACE_S
        try:
            for place in self._slots.values():
                self._send_job(place, child)
            async for message in child.messages():
                self._handle_event(message)
            grace_s = 0  # its output has ended: it is dead or broken
        finally:
            self._worker = None
            end = await child.close(grace_s)
        logger.error("the engine died: %s", end)
        for place in [*self._slots.values()]:
            if (
                place.abandoned
                or place.timeout is not None
                or place.attempts >= MAX_ATTEMPTS_PER_JOB
            ):
                self._free_slot(place, EngineLost(end))

    def _handle_event(self, message: protocol.WorkerEvent) -> None:
        if isinstance(message, protocol.Ready | protocol.SetupFailed):
            return
        place = self._slots.get(message.ticket)
        if place is None:  # given up by its clock, while this was on its way
            return
        match message:
            case protocol.Started():
                loop = asyncio.get_running_loop()
                place.timeout = loop.call_later(self._job_timeout_s, self._time_out, place)
            case protocol.ProgressUpdate(progress=progress):
                place.events.put_nowait(progress)
            case protocol.Finished(rendition=rendition):
                self._restarts = 0
                self._free_slot(place, rendition)
            case protocol.Failed(code=code, arguments=arguments):
                self._free_slot(place, rebuild_error(code, arguments))
            case protocol.Cancelled():
                self._free_slot(place)

    def _time_out(self, place: _Slot) -> None:
        # A thread cannot be stopped from outside: the whole worker has to go.
        logger.error("job %s took more than %g s", place.job.id, self._job_timeout_s)
        self._free_slot(place, JobTimeout(f"{self._job_timeout_s:g}"))
        if self._worker is not None:
            self._worker.kill()

    def _fail_all(self, reason: str) -> None:
        for place in [*self._slots.values()]:
            self._free_slot(place, EngineLost(reason))
