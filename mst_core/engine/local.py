"""The engine on one machine: one warm worker process, restarted when it dies.

The engine has a fixed number of slots: a job takes one when `LocalEngine.run` begins and frees it
when the worker has nothing more to do for it. When the worker dies, the jobs that it had started
raise EngineLost; those that waited go to the next worker, so that a job that kills workers does
little harm to the others. A job that hangs or takes too long ends the worker too, for a thread
cannot be stopped: then it alone is to blame, and all others go to the next worker. This module
imports no network, synthesizer or engraver.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from asyncio import Future, Queue, Task, TimerHandle
from collections.abc import AsyncGenerator, Callable, Sequence
from itertools import count
from pathlib import Path

from mst_core.engine import Capacity, EngineStatus, protocol
from mst_core.engine.liveness import HangWatch
from mst_core.engine.process import SHUTDOWN_GRACE_S, WORKER_COMMAND, WorkerProcess
from mst_core.errors import EngineBusy, EngineLost, JobTimeout, MstError, rebuild_error
from mst_core.jobs import Job, Progress, Rendition

MAX_RESTART_DELAY_S = 30.0
"""Seconds between two attempts to start a worker."""
MAX_ATTEMPTS_PER_JOB = 3
"""Workers that a waiting job is sent to. One that outlives none of them may be the cause."""

logger = logging.getLogger(__name__)


class _Slot:
    """One job of the engine with its event queue and its timeout."""

    def __init__(self, ticket: int, job: Job) -> None:
        self.ticket = ticket
        self.job = job
        self.events: Queue[Progress | Rendition | MstError] = Queue()
        self.abandoned = False  # its caller has left
        self.timeout: TimerHandle | None = None  # set when the worker starts the job
        self.watch = HangWatch()  # of its steps in the present worker
        self.attempts = 0  # workers that it was sent to

    def cancel_timeout(self) -> None:
        """Stop the timeout, if it runs."""
        if self.timeout is not None:
            self.timeout.cancel()
            self.timeout = None


class LocalEngine:
    """An `Engine` over one worker process."""

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
        """Prepare the engine; `start` starts its worker.

        Args:
            models: folder of the styles.
            soundfont: path of an .sf2 file; None finds one of the system.
            device: where the networks run: auto, cpu or cuda.
            slots: jobs that the engine takes at once.
            job_timeout_s: seconds that the worker may take for one job, and twice as many for a
                long one, which lets others go first.
            startup_timeout_s: seconds until a worker must be ready.
            first_restart_delay_s: seconds before the second restart in a row; then they double.
            worker_command: program and arguments of the worker; None is the real one.
        """
        self._setup = protocol.Setup(str(models), str(soundfont) if soundfont else None, device)
        self._command = tuple(worker_command or WORKER_COMMAND)
        self._slot_count = slots
        self._job_timeout_s = job_timeout_s
        self._startup_timeout_s = startup_timeout_s
        self._first_restart_delay_s = first_restart_delay_s
        self._tickets = count(1)
        self._slots: dict[int, _Slot] = {}
        self._worker: WorkerProcess | None = None
        self._restarts = 0  # since the last finished job
        self._deaths = 0  # ends and failed starts since ever
        self._problem = ""  # the last of them
        self._blamed = False  # whether one job is known to be why the worker is killed
        self._on_change: Callable[[], None] = lambda: None
        self._supervisor: Task[None] | None = None

    async def start(self) -> None:
        """Start the worker and return when it is ready; after a failed start, try once more.

        Raises:
            MstError: the error of a worker that could not open its studio, such as NoSoundFont.
            EngineLost: when the worker ended or was not ready in time.
        """
        if self._supervisor is not None and not self._supervisor.done():
            raise RuntimeError("this engine was started before")
        first: Future[MstError | None] = asyncio.get_running_loop().create_future()
        self._supervisor = asyncio.create_task(self._supervise(first))
        error = await asyncio.shield(first)
        if error is not None:
            raise error

    async def run(self, job: Job) -> AsyncGenerator[Progress | Rendition, None]:
        """Run a job: yield its progress and at last its rendition.

        Raises:
            EngineBusy: when all slots are taken.
            EngineLost: when the worker died, or the job was cancelled, or the engine closed.
            JobTimeout: when the job took too long.
            MstError: the error of the studio.
        """
        slot = self._take_slot(job)
        try:
            while True:
                event = await slot.events.get()
                if isinstance(event, MstError):
                    raise event
                yield event
                if isinstance(event, Rendition):
                    return
        finally:
            self._abandon(slot)

    async def cancel(self, job_id: str) -> None:
        """Cancel a job; its `run` raises EngineLost. An unknown job is ignored."""
        for slot in [*self._slots.values()]:
            if slot.job.id == job_id:
                self._abandon(slot)
                slot.events.put_nowait(EngineLost("it was cancelled"))

    def capacity(self) -> Capacity:
        """Return the slots and the jobs; a cancelled job counts until the worker drops it."""
        return Capacity(total=self._slot_count, running=len(self._slots))

    def status(self) -> EngineStatus:
        """Return whether a worker is ready, how the last one ended, and how often one did."""
        silent_s = self._worker.silent_s if self._worker else 0.0
        return EngineStatus(self._worker is not None, self._problem, self._deaths, silent_s)

    def watch(self, on_change: Callable[[], None]) -> None:
        """Have a function called whenever a worker is ready or has ended."""
        self._on_change = on_change

    async def close(self) -> None:
        """Stop the worker; the `run` of every job that is left raises EngineLost."""
        supervisor, self._supervisor = self._supervisor, None
        if supervisor is not None:
            supervisor.cancel()
            await asyncio.wait([supervisor])
            if not supervisor.cancelled():
                supervisor.result()  # raises the error that ended it, if any

    def _take_slot(self, job: Job) -> _Slot:
        """Give a job a slot and send it to the worker. Raises EngineBusy or EngineLost."""
        if self._supervisor is None or self._supervisor.done():
            raise EngineLost("it is not running")
        if len(self._slots) >= self._slot_count:
            raise EngineBusy(len(self._slots))
        slot = _Slot(next(self._tickets), job)
        self._slots[slot.ticket] = slot
        if self._worker is not None:
            self._send_job(slot, self._worker)
        return slot

    def _send_job(self, slot: _Slot, worker: WorkerProcess) -> None:
        """Send the job of a slot to a worker."""
        slot.attempts += 1
        slot.watch = HangWatch()
        worker.send(protocol.Run(slot.ticket, slot.job))

    def _abandon(self, slot: _Slot) -> None:
        """Cancel the job of a slot whose caller has left."""
        if slot.abandoned or slot.ticket not in self._slots:
            return
        slot.abandoned = True
        if self._worker is None:
            self._free_slot(slot)
        else:
            self._worker.send(protocol.Cancel(slot.ticket))

    def _free_slot(self, slot: _Slot, last: Progress | Rendition | MstError | None = None) -> None:
        """Remove a slot and hand its caller the last event."""
        del self._slots[slot.ticket]
        slot.cancel_timeout()
        if last is not None:
            slot.events.put_nowait(last)

    async def _supervise(self, first: Future[MstError | None]) -> None:
        """Start worker after worker; ``first`` receives the error of the first start, or None."""
        try:
            while True:
                try:
                    self._worker = await WorkerProcess.start(
                        self._command, self._setup, self._startup_timeout_s
                    )
                except MstError as error:
                    self._deaths += 1
                    self._problem = f"it could not be started: {error}"
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
                # Half of it by chance: engines that ended together do not start together.
                await asyncio.sleep(self._restart_delay_s() * (1 - secrets.randbelow(500) / 1000))
        finally:
            self._fail_all("the engine was closed")
            if not first.done():
                first.set_result(EngineLost("the engine was closed"))

    def _restart_delay_s(self) -> float:
        """Return the seconds before the next start: 0 after the first death, then doubling."""
        if self._restarts < 2:
            return 0
        return float(
            min(MAX_RESTART_DELAY_S, self._first_restart_delay_s * 2 ** (self._restarts - 2))
        )

    async def _follow_worker(self, worker: WorkerProcess) -> None:
        """Send the waiting jobs to a new worker and handle its events until it ends."""
        logger.info("the engine is ready, process %d", worker.pid)
        grace_s = SHUTDOWN_GRACE_S
        self._on_change()
        try:
            for slot in self._slots.values():
                self._send_job(slot, worker)
            async for message in worker.events():
                self._handle_event(message)
            grace_s = 0  # its output has ended: the worker is dead or broken
        finally:
            self._worker = None
            self._on_change()
            end = await worker.close(grace_s)
        self._deaths += 1
        self._problem = end
        logger.error("the engine died: %s", end)
        blamed, self._blamed = self._blamed, False
        for slot in [*self._slots.values()]:
            is_suspect = slot.timeout is not None and not blamed
            if slot.abandoned or is_suspect or slot.attempts >= MAX_ATTEMPTS_PER_JOB:
                self._free_slot(slot, EngineLost(end))
            slot.cancel_timeout()

    def _handle_event(self, message: protocol.WorkerEvent) -> None:
        """Pass an event of the worker on to the caller of its job."""
        if isinstance(message, protocol.Beat):
            self._look_at_work(message)
            return
        slot = self._slots.get(message.ticket)
        if slot is None:  # it timed out while this event was on its way
            return
        if isinstance(message, protocol.Failed):
            self._free_slot(slot, rebuild_error(message.code, message.arguments))
            return
        match message.event:
            case None:
                loop = asyncio.get_running_loop()
                limit_s = self._job_timeout_s * (2 if slot.job.is_long else 1)
                slot.timeout = loop.call_later(limit_s, self._time_out, slot, limit_s)
                slot.events.put_nowait(Progress("composing", 0.0))
            case Progress() as progress:
                slot.events.put_nowait(progress)
            case Rendition() as rendition:
                self._restarts = 0
                self._free_slot(slot, rendition)

    def _look_at_work(self, beat: protocol.Beat) -> None:
        """End the jobs that take no step any more, and with them the worker."""
        for ticket, (steps, work_s) in beat.work.items():
            slot = self._slots.get(ticket)
            if slot is not None and (hang := slot.watch.look(steps, work_s)):
                job_id = slot.job.id
                logger.error("job %s made no step %s", job_id, hang, extra={"job": job_id})
                self._blame(slot, EngineLost(f"it made no step {hang}"))

    def _time_out(self, slot: _Slot, limit_s: float) -> None:
        """End a job that takes more than ``limit_s`` seconds, and with it the worker."""
        job_id = slot.job.id
        logger.error("job %s took more than %g s", job_id, limit_s, extra={"job": job_id})
        self._blame(slot, JobTimeout(f"{limit_s:g}"))

    def _blame(self, slot: _Slot, error: MstError) -> None:
        """End a job and the worker: a thread cannot be stopped."""
        self._free_slot(slot, error)
        if self._worker is not None:
            self._blamed = True
            self._worker.condemn(f"job {slot.job.id}: {error}")

    def _fail_all(self, reason: str) -> None:
        """End every job with EngineLost."""
        for slot in [*self._slots.values()]:
            self._free_slot(slot, EngineLost(reason))
