"""The worker process of an engine: one warm studio, commands on standard input, events on output.

One thread composes the tunes in the order of their arrival and a second one the long ones, which
lets the first go ahead; a few others render audio and scores, so that the next tune is composed
while the last one is rendered. The process ends with its standard input, because then its owner has
ended.
"""

from __future__ import annotations

import logging
import os
import secrets
import signal
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from textwrap import indent
from threading import Event, Lock, Thread, get_native_id
from typing import BinaryIO

from mst_core.engine import protocol
from mst_core.engine.liveness import thread_work_s
from mst_core.errors import EngineFault, EngineLost, MstError
from mst_core.generation.composition import Composition
from mst_core.jobs import Job, Progress
from mst_core.studio import Studio

RENDER_THREADS = 2
GIVE_WAY = 1.0
"""While shorter jobs are composed a long one waits after each step, this many times as long as the
step took: it keeps half of the time."""
MAX_GIVE_WAY_S = 1.0
"""Seconds that it waits at most after one step."""
BEAT_S = 1.0
"""Seconds between two signs of life."""
PROGRESS_STEP = 0.01
"""Share of a job after which progress is sent again; composers report after every note."""
PROGRESS_S = 0.1
"""Seconds between two progresses of a stage, at least: each one wakes the owner."""
LOG_FORMAT = "%(levelname)s %(of_job)s%(message)s"  # `process` parses the level and the job
_job_id: ContextVar[str] = ContextVar("job_id", default="")
"""The job that this thread works on."""

logger = logging.getLogger(__name__)


class JobRunner:
    """Runs jobs in threads of its own and sends their events. A job has two stages."""

    def __init__(self, studio: Studio, send: Callable[[protocol.WorkerEvent], None]) -> None:
        self._studio = studio
        self._send = send
        self._compose_pool = ThreadPoolExecutor(1, "composing")
        self._long_pool = ThreadPoolExecutor(1, "composing-long")
        self._render_pool = ThreadPoolExecutor(RENDER_THREADS, "finishing")
        self._stages: dict[int, Future[None]] = {}
        """By ticket the stage that each job is in or waits for."""
        self._steps: dict[int, int] = {}
        """By ticket the steps so far of the jobs that a thread works on now."""
        self._threads: dict[int, dict[int, float]] = {}
        """By ticket the threads that took a step, each with its CPU seconds at the last look."""
        self._work_s: dict[int, float] = {}
        """By ticket the CPU seconds of all its threads."""
        self._cancelled: set[int] = set()
        """Tickets of the jobs that are to end."""
        self._lock = Lock()
        self._way_free = Event()  # no shorter job is composed now
        self._way_free.set()

    def run(self, ticket: int, job: Job) -> None:
        """Queue a job.

        Args:
            ticket: number of the job; every event that is sent about it has this number.
            job: the request, the formats and the encoded scores.
        """
        pool = self._long_pool if job.is_long else self._compose_pool
        report = self._progress_callback(ticket, gives_way=job.is_long)
        with self._lock:
            self._stages[ticket] = pool.submit(self._compose, ticket, job, report)

    def work(self) -> dict[int, tuple[int, float | None]]:
        """Return steps and CPU seconds of the jobs at work, by ticket."""
        with self._lock:
            return {
                ticket: (steps, self._look_at_threads(ticket))
                for ticket, steps in self._steps.items()
            }

    def _look_at_threads(self, ticket: int) -> float | None:
        """Return the CPU seconds of all threads of a job so far; None without any figure."""
        threads = self._threads[ticket]
        now = {thread: thread_work_s(thread) for thread in [*threads]}
        known = {thread: seconds for thread, seconds in now.items() if seconds is not None}
        for thread, seconds in known.items():
            # One that was never looked at began with this job or with another: it counts from now.
            self._work_s[ticket] += max(0.0, seconds - (threads[thread] or seconds))
            threads[thread] = seconds
        return self._work_s[ticket] if known else None

    def _step(self, ticket: int) -> None:
        """Count a step of the calling thread."""
        if ticket in self._steps:
            self._steps[ticket] += 1
            self._threads[ticket].setdefault(get_native_id(), 0.0)

    def cancel(self, ticket: int) -> None:
        """Remove a waiting job from the queue, or end a running one at its next progress report."""
        with self._lock:
            stage = self._stages.get(ticket)
            if stage is None:  # it ended while the command was on its way
                return
            self._cancelled.add(ticket)
            waiting = stage.cancel()
        if waiting:
            self._fail_job(ticket, _cancelled())

    def close(self) -> None:
        """Start no further stage and wait for none."""
        self._compose_pool.shutdown(wait=False, cancel_futures=True)
        self._long_pool.shutdown(wait=False, cancel_futures=True)
        self._render_pool.shutdown(wait=False, cancel_futures=True)

    def _compose(self, ticket: int, job: Job, report: Callable[[Progress], None]) -> None:
        """Do the first stage of a job and queue its second."""
        self._send(protocol.JobUpdate(ticket, None))
        if not job.is_long:
            self._way_free.clear()
        try:
            with self._works_on(ticket, job):
                job = job.decode_scores()
                composition = self._studio.compose(job, report)
                with self._lock:
                    if ticket in self._cancelled:
                        raise _cancelled()
                    self._stages[ticket] = self._render_pool.submit(
                        self._render, ticket, job, report, composition
                    )
        finally:
            if not job.is_long:
                self._way_free.set()

    def _render(
        self,
        ticket: int,
        job: Job,
        report: Callable[[Progress], None],
        composition: Composition,
    ) -> None:
        """Do the second stage of a job."""
        with self._works_on(ticket, job):
            rendition = self._studio.render(job, composition, report)
            self._end_job(protocol.JobUpdate(ticket, rendition))

    def _progress_callback(self, ticket: int, *, gives_way: bool) -> Callable[[Progress], None]:
        """Return a function that sends progress, in steps, and ends the job once cancelled.

        One that gives way waits in the composing while shorter jobs are composed.
        """
        last, sent_s = Progress("", -1.0), 0.0  # the last progress that was sent, and when
        resumed_s = time.monotonic()  # when the present step began

        def report(progress: Progress) -> None:
            nonlocal last, sent_s, resumed_s
            if ticket in self._cancelled:
                raise _cancelled()
            self._step(ticket)
            now_s = time.monotonic()
            is_due = progress.stage != last.stage or now_s >= sent_s + PROGRESS_S
            if is_due and progress.share >= last.share + PROGRESS_STEP:
                last, sent_s = progress, now_s
                self._send(protocol.JobUpdate(ticket, progress))
            if gives_way and progress.stage == "composing":
                step_s = now_s - resumed_s
                self._way_free.wait(min(MAX_GIVE_WAY_S, GIVE_WAY * step_s))
                resumed_s = time.monotonic()

        return report

    @contextmanager
    def _works_on(self, ticket: int, job: Job) -> Iterator[None]:
        """Watch the steps of the block; end the job and send the error, if it raises one.

        Its log lines name the job.
        """
        token = _job_id.set(job.id)
        with self._lock:
            self._steps[ticket] = 0
            self._threads[ticket], self._work_s[ticket] = {get_native_id(): 0.0}, 0.0
        try:
            yield
        except Exception as error:
            self._fail_job(ticket, to_mst_error(error, f"job {job.id}"))
        finally:
            _job_id.reset(token)
            with self._lock:
                if get_native_id() in self._threads.get(ticket, {}):
                    del self._steps[ticket], self._threads[ticket], self._work_s[ticket]

    def _fail_job(self, ticket: int, error: MstError) -> None:
        """Forget a job and send its error."""
        self._end_job(protocol.Failed(ticket, error.code, error.arguments))

    def _end_job(self, last: protocol.JobUpdate | protocol.Failed) -> None:
        """Forget a job and send its last event."""
        with self._lock:
            del self._stages[last.ticket]
            self._cancelled.discard(last.ticket)
        self._send(last)


def _cancelled() -> EngineLost:
    """Return the error that ends a cancelled job."""
    return EngineLost("it was cancelled")


def to_mst_error(error: Exception, during: str) -> MstError:
    """Return an MstError as it is; log any other error and return an EngineFault that refers to it.

    Args:
        error: the error of a job or of the start.
        during: what failed, for the log.
    """
    if isinstance(error, MstError):
        return error
    reference = secrets.token_hex(4)
    logger.error("%s failed, reference %s", during, reference, exc_info=error)
    return EngineFault(reference)


def serve(
    incoming: BinaryIO,
    outgoing: BinaryIO,
    open_studio: Callable[[Path, Path | None, str, Callable[[str], None]], Studio],
) -> None:
    """Open the studio, then run commands until ``incoming`` ends.

    Args:
        incoming: stream of command frames; the first is a `protocol.Setup`.
        outgoing: stream for event frames.
        open_studio: opens a studio from models folder, SoundFont and device, and calls its last
            argument with the name of each stage.

    Raises:
        msgspec.DecodeError: when a frame is no command.
    """
    output_lock = Lock()

    def send(message: protocol.WorkerEvent) -> None:
        frame = protocol.pack(message)
        with output_lock:
            try:
                outgoing.write(frame)
                outgoing.flush()
            except BrokenPipeError:
                # The owner has ended: `read_command` returns None next.
                logger.info("the owner of this process has ended")

    setup = protocol.read_command(incoming)
    if not isinstance(setup, protocol.Setup):
        return
    try:
        soundfont = Path(setup.soundfont) if setup.soundfont is not None else None

        def note_stage(stage: str) -> None:
            send(protocol.Beat(ready=False, stage=stage))

        studio = open_studio(Path(setup.models), soundfont, setup.device, note_stage)
        note_stage("the synthesizer")
        studio.warm()
    except Exception as error:
        fault = to_mst_error(error, "opening the studio")
        send(protocol.Failed(protocol.SETUP_TICKET, fault.code, fault.arguments))
        return
    runner = JobRunner(studio, send)
    send(protocol.Beat(ready=True))
    ended = Event()
    Thread(target=_beat, args=(runner, send, ended), name="heartbeat", daemon=True).start()
    while (command := protocol.read_command(incoming)) is not None:
        if isinstance(command, protocol.Run):
            runner.run(command.ticket, command.job)
        elif isinstance(command, protocol.Cancel):
            runner.cancel(command.ticket)
    ended.set()
    runner.close()


def _beat(runner: JobRunner, send: Callable[[protocol.WorkerEvent], None], ended: Event) -> None:
    """Send a sign of life every `BEAT_S` seconds.

    It needs what every job needs: a running process, the interpreter lock (which native code may
    hold for good), the jobs and the output. So its absence proves that no job can go on.

    Args:
        runner: runs the jobs.
        send: sends an event to the owner.
        ended: set when no more signs are needed.
    """
    while not ended.wait(BEAT_S):
        send(protocol.Beat(ready=True, work=runner.work()))


def _name_job(record: logging.LogRecord) -> bool:
    """Name the job of this thread in a log record, in each line of its traceback too.

    Returns:
        True: the record is logged.
    """
    job_id = _job_id.get()
    of_job = f"[job {job_id}] " if job_id else ""
    record.__dict__["of_job"] = of_job
    if record.exc_info and job_id:
        text = logging.Formatter().formatException(record.exc_info)
        record.exc_text = indent(text, f"{record.levelname} {of_job}")
    return True


def claim_stdio() -> tuple[BinaryIO, BinaryIO]:
    """Return standard input and output as streams for frames alone.

    From then on the output of a library goes to standard error, and a program started from here
    has an empty input: ffmpeg would read commands from it.
    """
    incoming = os.fdopen(os.dup(0), "rb")
    outgoing = os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return incoming, outgoing


def main(
    open_studio: Callable[[Path, Path | None, str, Callable[[str], None]], Studio] = Studio.open,
) -> None:
    """Run the worker process; it never returns.

    Args:
        open_studio: opens the studio; tests replace it.
    """
    # Ctrl-C and a service manager signal the whole process group; the owner decides.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    incoming, outgoing = claim_stdio()
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(_name_job)
    logging.basicConfig(level=logging.INFO, format=LOG_FORMAT, handlers=[handler])
    status = 0
    try:
        serve(incoming, outgoing, open_studio)
    except Exception:
        logger.exception("the engine process failed")
        status = 1
    logging.shutdown()
    # Not sys.exit, which would wait for threads whose jobs have no caller any more.
    os._exit(status)


if __name__ == "__main__":
    main()
