"""The engine process: one warm studio, its orders on standard input, its answers on output.

Tunes are composed in one thread, one after the other in the order of their coming; sound and score
are made in a few others, so that the next tune is composed while the last one plays. The process
lives as long as its standard input: when that ends, its owner is gone, and so is it.
"""

from __future__ import annotations

import logging
import os
import secrets
import signal
import sys
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from threading import Event, Lock
from typing import BinaryIO

from mst_core.engine import protocol
from mst_core.errors import EngineFault, MstError
from mst_core.generation.composition import Composition
from mst_core.jobs import Job, Progress
from mst_core.studio import Studio

RENDER_THREADS = 2
PROGRESS_STEP = (
    0.01  # progress is sent when a hundredth more is done: a composer may tell every note
)
LOG_FORMAT = "%(levelname)s %(message)s"  # `child` reads the level back

logger = logging.getLogger(__name__)

SendEvent = Callable[[protocol.WorkerEvent], None]
OpenStudio = Callable[[Path, Path | None, str], Studio]


class _JobCancelled(Exception):
    """Raised inside a job that nobody waits for any more."""


class _RunningJob:
    """One job on its way through the two halves."""

    def __init__(self, ticket: int, job: Job) -> None:
        self.ticket = ticket
        self.job = job
        self.last_share = -1.0  # the last share that was sent
        self.cancelled = Event()
        self.future: Future[None]  # of the half it is in, or waits for


class JobRunner:
    """Where jobs are worked on. Owns the threads and the tasks in them."""

    def __init__(self, studio: Studio, send: SendEvent) -> None:
        self._studio = studio
        self._send = send
        self._compose_pool = ThreadPoolExecutor(1, "composing")
        self._render_pool = ThreadPoolExecutor(RENDER_THREADS, "finishing")
        self._running: dict[int, _RunningJob] = {}
        self._lock = Lock()

    def run(self, ticket: int, job: Job) -> None:
        """Put a job at the end of the line."""
        task = _RunningJob(ticket, job)
        with self._lock:
            self._running[ticket] = task
            task.future = self._compose_pool.submit(self._compose, task)

    def cancel(self, ticket: int) -> None:
        """Take a job out of the line, or stop it where it next tells its progress."""
        with self._lock:
            task = self._running.get(ticket)
            if task is None:  # it ended while the order was on its way
                return
            task.cancelled.set()
            waiting = task.future.cancel()
        if waiting:
            self._end_job(task, protocol.Cancelled(ticket))

    def close(self) -> None:
        """Take nothing more and wait for nothing."""
        self._compose_pool.shutdown(wait=False, cancel_futures=True)
        self._render_pool.shutdown(wait=False, cancel_futures=True)

    def _compose(self, task: _RunningJob) -> None:
        self._send(protocol.Started(task.ticket))

        def compose() -> None:
            composition = self._studio.compose(task.job, self._progress_callback(task))
            with self._lock:
                if task.cancelled.is_set():
                    raise _JobCancelled
                task.future = self._render_pool.submit(self._render, task, composition)

        self._run_stage(task, compose)

    def _render(self, task: _RunningJob, composition: Composition) -> None:
        def finish() -> None:
            rendition = self._studio.render(task.job, composition, self._progress_callback(task))
            self._end_job(task, protocol.Finished(task.ticket, rendition))

        self._run_stage(task, finish)

    def _progress_callback(self, task: _RunningJob) -> Callable[[Progress], None]:
        def tell(progress: Progress) -> None:
            if task.cancelled.is_set():
                raise _JobCancelled
            if progress.share >= task.last_share + PROGRESS_STEP:
                task.last_share = progress.share
                self._send(protocol.ProgressUpdate(task.ticket, progress))

        return tell

    def _run_stage(self, task: _RunningJob, half: Callable[[], None]) -> None:
        try:
            half()
        except _JobCancelled:
            self._end_job(task, protocol.Cancelled(task.ticket))
        except Exception as error:
            fault = to_mst_error(error, f"job {task.job.id}")
            self._end_job(task, protocol.Failed(task.ticket, fault.code, fault.arguments))

    def _end_job(self, task: _RunningJob, last_word: protocol.WorkerEvent) -> None:
        with self._lock:
            del self._running[task.ticket]
        self._send(last_word)


def to_mst_error(error: Exception, during: str) -> MstError:
    """Return the error itself when it is ours; else log it whole and return a reference."""
    if isinstance(error, MstError):
        return error
    reference = secrets.token_hex(4)
    logger.error("%s failed, reference %s", during, reference, exc_info=error)
    return EngineFault(reference)


def serve(incoming: BinaryIO, outgoing: BinaryIO, open_studio: OpenStudio) -> None:
    """Open the studio, then follow orders until there are no more.

    Raises:
        WireError: when an order is none.
    """
    writing = Lock()

    def answer(message: protocol.WorkerEvent) -> None:
        frame = protocol.pack(message)
        with writing:
            try:
                outgoing.write(frame)
                outgoing.flush()
            except BrokenPipeError:
                # The owner is gone: `read_command` is about to see the same.
                logger.info("nobody hears the answers any more")

    setup = protocol.read_command(incoming)
    if not isinstance(setup, protocol.Setup):
        return
    try:
        soundfont = Path(setup.soundfont) if setup.soundfont is not None else None
        studio = open_studio(Path(setup.models), soundfont, setup.device)
        studio.warm()
    except Exception as error:
        fault = to_mst_error(error, "opening the studio")
        answer(protocol.SetupFailed(fault.code, fault.arguments))
        return
    bench = JobRunner(studio, answer)
    answer(protocol.Ready())
    while (order := protocol.read_command(incoming)) is not None:
        if isinstance(order, protocol.Run):
            bench.run(order.ticket, order.decode_job())
        elif isinstance(order, protocol.Cancel):
            bench.cancel(order.ticket)
    bench.close()


def claim_stdio() -> tuple[BinaryIO, BinaryIO]:
    """Take standard input and output for frames alone.

    What a library prints goes to standard error, and a program started from here (ffmpeg reads its
    keyboard) finds an empty input.
    """
    incoming = os.fdopen(os.dup(0), "rb")
    outgoing = os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return incoming, outgoing


def main(open_studio: OpenStudio = Studio.open) -> None:
    """Be the engine process."""
    # Ctrl-C and a service manager reach the whole group; it is for the owner to decide.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    incoming, outgoing = claim_stdio()
    logging.basicConfig(level=logging.INFO, format=LOG_FORMAT, stream=sys.stderr)
    status = 0
    try:
        serve(incoming, outgoing, open_studio)
    except Exception:
        logger.exception("the engine process fails")
        status = 1
    logging.shutdown()
    # Not sys.exit: that would wait for threads whose work nobody wants any more.
    os._exit(status)


if __name__ == "__main__":
    main()
