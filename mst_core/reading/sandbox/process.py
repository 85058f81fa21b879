"""The parser's process seen by its owner: started, fed, listened to, and always ended."""

from __future__ import annotations

import asyncio
import logging
import math
import os
import signal
import sys
from asyncio import StreamReader, StreamWriter
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import msgspec

from mst_core.errors import BadOption, ParserStopped, ScoreError, rebuild_error
from mst_core.reading.parsed_score import Reading
from mst_core.reading.sandbox.protocol import LARGEST_ANSWER, Answer, Order, Read
from mst_core.reading.serialization import BrokenReading, decode_reading

# -E -s -B: neither the environment nor the home of anyone has a say, and nothing is written.
COMMAND = (sys.executable, "-E", "-s", "-B", "-m", "mst_core.reading.sandbox")
_HOME = Path(__file__).parents[3]  # where mst_core is, rather than where a person works
_MOST_COMPLAINTS = 20_000  # bytes of standard error that are logged
_CHUNK = 65_536

logger = logging.getLogger("mst_core.reading.sandbox")
_decoder: msgspec.msgpack.Decoder[Answer] = msgspec.msgpack.Decoder(Answer)


async def carry_out(
    order: Order, patience_s: float, memory_mib: int, command: tuple[str, ...] = COMMAND
) -> Reading:
    """Start a process for an order and return what it read.

    Raises:
        MstError: what it said.
        ParserStopped: when it said nothing that makes sense.
    """
    cpu_s = math.ceil(patience_s)
    try:
        process = await asyncio.create_subprocess_exec(
            *command, str(memory_mib), str(cpu_s),
            stdin=PIPE, stdout=PIPE, stderr=PIPE, env={}, cwd=_HOME, start_new_session=True,
        )  # fmt: skip
    except OSError as error:
        logger.exception("the parser cannot be started")
        raise ParserStopped("its reader cannot be started") from error
    try:
        async with asyncio.timeout(patience_s):
            said = await _converse(process, msgspec.msgpack.encode(order))
            status = await process.wait()
    except TimeoutError:
        logger.warning("the parser was ended after %g s over %r", patience_s, order.name)
        raise ParserStopped(f"it took more than {patience_s:g} seconds") from None
    finally:
        _kill(process)
        await process.communicate()  # what is left in its pipes; only then they close
    return _understand(said, status, order.name)


async def _converse(process: Process, order: bytes) -> bytes:
    """Give the order, and return what comes to its standard output."""
    stdin, stdout, stderr = process.stdin, process.stdout, process.stderr
    if stdin is None or stdout is None or stderr is None:
        raise ValueError("a parser is started with three pipes")
    async with asyncio.TaskGroup() as ears:
        ears.create_task(_give(stdin, order))
        complaints = ears.create_task(_listen(stderr, _MOST_COMPLAINTS))
        said = await _listen(stdout, LARGEST_ANSWER, lambda: _kill(process))
    for line in complaints.result().decode(errors="replace").splitlines():
        logger.warning("%s", "".join(sign if sign.isprintable() else "?" for sign in line[:500]))
    return said


async def _give(stdin: StreamWriter, order: bytes) -> None:
    """Write it all; a process that ends early tells by its answer or its status."""
    with suppress(BrokenPipeError, ConnectionResetError):
        stdin.write(order)
        await stdin.drain()
        stdin.close()
        await stdin.wait_closed()


async def _listen(
    stream: StreamReader, most: int, stop: Callable[[], None] = lambda: None
) -> bytes:
    """Return the first ``most`` bytes; hear the rest out, after a call of ``stop``, and forget it.

    A pipe that is not read to its end never closes, and asyncio waits for it.
    """
    heard = bytearray()
    while chunk := await stream.read(_CHUNK):
        heard += chunk[: most - len(heard)]
        if len(heard) == most:
            stop()
    return bytes(heard)


def _kill(process: Process) -> None:
    """End it and whatever it started."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def _understand(said: bytes, status: int, name: str) -> Reading:
    try:
        answer = _decoder.decode(said)
        if isinstance(answer, Read):
            return decode_reading(answer.reading)
        error = rebuild_error(answer.code, answer.arguments)
        if isinstance(error, ScoreError | BadOption) and str(error):
            raise error
        reason: object = f"it answered {answer.code}"
    except (msgspec.DecodeError, BrokenReading, IndexError) as broken:
        reason = broken
    how = _how_it_ended(status)
    logger.warning("the parser %s over %r: %s", how, name, reason)
    raise ParserStopped(
        "it took too much time" if status == -signal.SIGXCPU else f"its reader {how}"
    )


def _how_it_ended(status: int) -> str:
    if status >= 0:
        return f"ended with status {status}"
    return f"was ended by {signal.Signals(-status).name}"
