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
from mst_core.reading.parsed_score import ParsedScore
from mst_core.reading.sandbox.protocol import (
    MAX_RESPONSE_BYTES,
    Parsed,
    ParseRequest,
    ParseResponse,
)
from mst_core.reading.serialization import InvalidScoreBytes, decode_score

# -E -s -B: neither the environment nor the home of anyone has a say, and nothing is written.
COMMAND = (sys.executable, "-E", "-s", "-B", "-m", "mst_core.reading.sandbox")
_IMPORT_ROOT = Path(__file__).parents[3]  # where mst_core is, rather than where a person works
_MAX_STDERR_BYTES = 20_000  # bytes of standard error that are logged
_CHUNK = 65_536

logger = logging.getLogger("mst_core.reading.sandbox")
_decoder: msgspec.msgpack.Decoder[ParseResponse] = msgspec.msgpack.Decoder(ParseResponse)


async def run_parser(
    order: ParseRequest, patience_s: float, memory_mib: int, command: tuple[str, ...] = COMMAND
) -> ParsedScore:
    """Start a process for an order and return what it read.

    Raises:
        MstError: what it said.
        ParserStopped: when it said nothing that makes sense.
    """
    cpu_s = math.ceil(patience_s)
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            str(memory_mib),
            str(cpu_s),
            stdin=PIPE,
            stdout=PIPE,
            stderr=PIPE,
            env={},
            cwd=_IMPORT_ROOT,
            start_new_session=True,
        )
    except OSError as error:
        logger.exception("the parser cannot be started")
        raise ParserStopped("its reader cannot be started") from error
    try:
        async with asyncio.timeout(patience_s):
            said = await _communicate(process, msgspec.msgpack.encode(order))
            status = await process.wait()
    except TimeoutError:
        logger.warning("the parser was ended after %g s over %r", patience_s, order.name)
        raise ParserStopped(f"it took more than {patience_s:g} seconds") from None
    finally:
        _kill(process)
        await process.communicate()  # what is left in its pipes; only then they close
    return _decode_response(said, status, order.name)


async def _communicate(process: Process, request: bytes) -> bytes:
    """Give the order, and return what comes to its standard output."""
    stdin, stdout, stderr = process.stdin, process.stdout, process.stderr
    if stdin is None or stdout is None or stderr is None:
        raise ValueError("a parser is started with three pipes")
    async with asyncio.TaskGroup() as ears:
        ears.create_task(_write_stdin(stdin, request))
        complaints = ears.create_task(_read_stream(stderr, _MAX_STDERR_BYTES))
        said = await _read_stream(stdout, MAX_RESPONSE_BYTES, lambda: _kill(process))
    for line in complaints.result().decode(errors="replace").splitlines():
        logger.warning("%s", "".join(sign if sign.isprintable() else "?" for sign in line[:500]))
    return said


async def _write_stdin(stdin: StreamWriter, request: bytes) -> None:
    """Write it all; a process that ends early tells by its answer or its status."""
    with suppress(BrokenPipeError, ConnectionResetError):
        stdin.write(request)
        await stdin.drain()
        stdin.close()
        await stdin.wait_closed()


async def _read_stream(
    stream: StreamReader, max_bytes: int, on_full: Callable[[], None] = lambda: None
) -> bytes:
    """Return the first ``most`` bytes; hear the rest out, after a call of ``stop``, and forget it.

    A pipe that is not read to its end never closes, and asyncio waits for it.
    """
    heard = bytearray()
    while chunk := await stream.read(_CHUNK):
        heard += chunk[: max_bytes - len(heard)]
        if len(heard) == max_bytes:
            on_full()
    return bytes(heard)


def _kill(process: Process) -> None:
    """End it and whatever it started."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def _decode_response(response: bytes, status: int, name: str) -> ParsedScore:
    try:
        answer = _decoder.decode(response)
        if isinstance(answer, Parsed):
            return decode_score(answer.score)
        error = rebuild_error(answer.code, answer.arguments)
        if isinstance(error, ScoreError | BadOption) and str(error):
            raise error
        reason: object = f"it answered {answer.code}"
    except (msgspec.DecodeError, InvalidScoreBytes, IndexError) as broken:
        reason = broken
    how = _describe_exit(status)
    logger.warning("the parser %s over %r: %s", how, name, reason)
    raise ParserStopped(
        "it took too much time" if status == -signal.SIGXCPU else f"its reader {how}"
    )


def _describe_exit(status: int) -> str:
    if status >= 0:
        return f"ended with status {status}"
    return f"was ended by {signal.Signals(-status).name}"
