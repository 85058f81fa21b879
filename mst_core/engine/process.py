"""Start, use and stop one worker process from the process that owns it."""

from __future__ import annotations

import asyncio
import logging
import os
import re
import shutil
import signal
import sys
import tempfile
from asyncio import StreamReader
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from typing import Self

import msgspec

from mst_core.engine import protocol
from mst_core.engine.liveness import HangWatch, process_work_s, waits_for_disk
from mst_core.errors import EngineLost, rebuild_error

# `env` adds to the environment of the worker without reading that of this process. One OpenMP
# thread: the small LSTMs run three to five times slower with more.
WORKER_COMMAND = ("env", "OMP_NUM_THREADS=1", sys.executable, "-m", "mst_core.engine.worker")
SHUTDOWN_GRACE_S = 5.0
"""Seconds from closing the input of a worker until it is killed."""
TICK_S = 1.0
"""Seconds between two looks for a sign of life of the worker."""
LATE_START_S = 10.0
"""Seconds of a start after which the log says that it takes long."""
_MAX_LINE_BYTES = 65_536

logger = logging.getLogger("mst_core.engine.worker")


class WorkerProcess:
    """A worker that is ready for jobs. Read `events` to its end, or call `close`."""

    def __init__(self, process: Process, temporary: str) -> None:
        stdin, stdout, stderr = process.stdin, process.stdout, process.stderr
        if stdin is None or stdout is None or stderr is None:
            raise ValueError("a worker is started with three pipes")
        self._process = process
        self._temporary = temporary
        self._stdin = stdin
        self._stdout = stdout
        self._log_task = asyncio.create_task(_forward_log(stderr))
        self._ready = False
        self._stage = ""  # of its start
        self._signs = 0  # of life: reads from its output
        self._watch = HangWatch()
        self._frozen = ""  # why this side killed it, if it did
        self._watch_task = asyncio.create_task(self._watch_life())

    @classmethod
    async def start(
        cls, command: Sequence[str], setup: protocol.Setup, startup_timeout_s: float
    ) -> Self:
        """Start a worker and wait until it is ready.

        Args:
            command: program and arguments of the worker.
            setup: the arguments of its studio.
            startup_timeout_s: seconds until it must be ready.

        Raises:
            MstError: the error of the worker that could not open its studio.
            EngineLost: when it cannot be started, ends, or is not ready in time.
        """
        temporary = ""
        try:
            # Its own, because one that is killed leaves the sound that it was encoding.
            temporary = tempfile.mkdtemp(prefix="mst-engine-")
            # A session of its own: Ctrl-C in a terminal does not reach the worker or its ffmpeg,
            # and all of its processes can be killed at once.
            process = await asyncio.create_subprocess_exec(
                *command,
                stdin=PIPE,
                stdout=PIPE,
                stderr=PIPE,
                start_new_session=True,
                env={**os.environ, "TMPDIR": temporary},
            )
        except OSError as error:
            shutil.rmtree(temporary, ignore_errors=True)
            raise EngineLost(f"it cannot be started: {error}") from error
        child = cls(process, temporary)
        try:
            child.send(setup)
            async with asyncio.timeout(startup_timeout_s):
                answer = await child._read()
                while isinstance(answer, protocol.Beat) and not answer.ready:
                    child._stage = answer.stage or child._stage
                    answer = await child._read()
        except TimeoutError:
            end = await child.close(0)
            frozen = child._frozen and f"{end}; "
            raise EngineLost(
                f"{frozen}it was not ready after {startup_timeout_s:g} seconds"
            ) from None
        except BaseException:
            await child.close(0)
            raise
        if isinstance(answer, protocol.Beat):
            child._ready = True
            return child
        if isinstance(answer, protocol.Failed):
            await child.close(SHUTDOWN_GRACE_S)
            raise rebuild_error(answer.code, answer.arguments)
        raise EngineLost(f"{await child.close(0)} before it was ready")

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def silent_s(self) -> float:
        """Seconds since the last sign of life, in whole looks of this process."""
        return self._watch.silent_looks * TICK_S

    def send(self, message: protocol.Setup | protocol.Run | protocol.Cancel) -> None:
        """Send a command; it is dropped when the worker has ended, which also ends `events`."""
        # No drain: the slots of the engine bound what can wait here.
        if not self._stdin.is_closing():
            self._stdin.write(protocol.pack(message))

    async def events(self) -> AsyncIterator[protocol.WorkerEvent]:
        """Yield the events of the worker until it ends."""
        while (message := await self._read()) is not None:
            yield message

    async def _watch_life(self) -> None:
        """Kill the worker when it shows no sign of life for too long, see `liveness`.

        Looks are counted, not seconds: when this process itself was stopped, or the machine slept,
        the signs that came meanwhile are read before the next look. In its start only a new stage
        is a sign, because imports may hold the interpreter for long; a cold disk is no hang.
        """
        hang, ticks = "", 0
        while not hang:
            await asyncio.sleep(TICK_S)
            ticks += 1
            if not self._ready and waits_for_disk(self.pid):
                continue
            signs = self._signs if self._ready else self._stage
            hang = self._watch.look((self._ready, signs), process_work_s(self.pid))
            if not self._ready and ticks * TICK_S == LATE_START_S:
                logger.warning("the engine process %d is still starting", self.pid)
        if self._ready:
            self.condemn(f"it showed no sign of life {hang}")
        else:
            self.condemn(f"its start ({self._stage or 'the process'}) made no step {hang}")

    def condemn(self, reason: str) -> None:
        """Kill the worker; ``reason`` is what `close` returns."""
        self._frozen = reason
        logger.error("the engine process %d is frozen: %s", self.pid, reason)
        self.kill()

    def kill(self) -> None:
        """Kill the worker and every process that it started."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)

    def _note_life(self) -> None:
        """Count a sign of life."""
        self._signs += 1
        self._watch.silent_looks = 0

    async def close(self, grace_s: float) -> str:
        """Close the input of the worker, wait ``grace_s`` seconds for its end, then kill it.

        Its temporary files are deleted.

        Returns:
            How it ended, such as ``it ended with exit status 0``.
        """
        self._watch_task.cancel()
        self._stdin.close()
        try:
            async with asyncio.timeout(grace_s):
                await self._discard_output()
        except TimeoutError:
            logger.warning("the engine process %d is killed", self.pid)
        finally:
            self.kill()
        await self._discard_output()
        status = await self._process.wait()
        await asyncio.to_thread(shutil.rmtree, self._temporary, ignore_errors=True)
        await self._log_task
        with suppress(BrokenPipeError, ConnectionResetError):
            await self._stdin.wait_closed()
        if self._frozen:
            return self._frozen
        if status < 0:
            return f"it was ended by {signal.Signals(-status).name}"
        return f"it ended with exit status {status}"

    async def _read(self) -> protocol.WorkerEvent | None:
        """Return the next event; None when the worker has ended or sent an invalid frame."""
        try:
            event = await protocol.read_event(self._stdout, self._note_life)
        except msgspec.DecodeError:
            logger.exception("the engine process %d sent an invalid frame", self.pid)
            return None
        return event

    async def _discard_output(self) -> None:
        """Read to the end of the output: a worker that is writing must be able to finish."""
        while await self._stdout.read(_MAX_LINE_BYTES):
            pass


async def _forward_log(stderr: StreamReader) -> None:
    """Log the lines of a worker's standard error; a traceback gets the level of the line before."""
    level = logging.INFO
    rest = b""
    while chunk := await stderr.read(_MAX_LINE_BYTES):
        *lines, rest = (rest + chunk).split(b"\n")
        if len(rest) > _MAX_LINE_BYTES:
            lines, rest = [*lines, rest], b""
        for line in lines:
            level = _log_line(line, level)
    if rest:
        _log_line(rest, level)


def _log_line(line: bytes, level: int) -> int:
    """Log a line at its own level, or at ``level`` when it names none; return the level.

    The record has the job that the line names, as ``job``; an empty text when it names none.
    """
    text, job_id = line.decode(errors="replace").rstrip(), ""
    match = re.match(r"(DEBUG|INFO|WARNING|ERROR|CRITICAL) (?:\[job ([\w-]+)\] )?", text)
    if match:
        level, job_id = logging.getLevelNamesMapping()[match[1]], match[2] or ""
        text = text[match.end() :]
    if text:
        logger.log(level, "%s", text, extra={"job": job_id})
    return level
