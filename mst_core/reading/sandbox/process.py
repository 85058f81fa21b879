"""Runs the parser process from outside: starts it, writes the request, reads the response, ends it.

Nothing that the process writes is trusted: output is cut at a maximum size and reduced to the bytes
of a score, which whoever decodes them checks, or to an error that a reader may raise. The log names
no file of a user.
"""

from __future__ import annotations

import asyncio
import logging
import math
import os
import signal
import subprocess
import sys
from asyncio import StreamReader, StreamWriter
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import msgspec

from mst_core.errors import BadOption, ParserStopped, ScoreError, rebuild_error
from mst_core.reading.formats import MAX_ARGUMENT_LENGTH
from mst_core.reading.sandbox.protocol import MAX_RESPONSE_BYTES, ParseRequest
from mst_core.reading.serialization import is_encoded_score

# -E -s -B: PYTHON* variables and the user's site-packages are ignored, no .pyc file is written.
COMMAND = (sys.executable, "-E", "-s", "-B", "-m", "mst_core.reading.sandbox")
_IMPORT_ROOT = Path(__file__).parents[3]  # the folder of mst_core, whatever the working directory
_MAX_STDERR_BYTES = 20_000  # that are logged
_MAX_LOGGED_LINE = 500  # characters
_REPORT_TIMEOUT_S = 30.0
_CHUNK_BYTES = 65_536

logger = logging.getLogger("mst_core.reading.sandbox")
# The number of texts is checked before they are made: millions of them would take the bot's memory.
_decoder: msgspec.msgpack.Decoder[bytes | tuple[str, tuple[str, ...]]] = msgspec.msgpack.Decoder(
    bytes | tuple[str, Annotated[tuple[str, ...], msgspec.Meta(max_length=20)]]
)


async def run_parser(
    request: ParseRequest, timeout_s: float, memory_mib: int, command: tuple[str, ...] = COMMAND
) -> bytes:
    """Start a process for a request and return the encoded score that it read.

    Args:
        request: the file, checked by `detect_format`.
        timeout_s: seconds after which the process is killed; rounded up, its CPU seconds.
        memory_mib: address space of the process in MiB.
        command: the program and its first arguments; MiB and CPU seconds are appended.

    Returns:
        The encoded score; its content is not checked.

    Raises:
        ScoreError, BadOption: the rejection that the process returned.
        ParserStopped: when it returned no valid response.
    """
    cpu_s = math.ceil(timeout_s)
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
        async with asyncio.timeout(timeout_s):
            response = await _communicate(process, msgspec.msgpack.encode(request))
            status = await process.wait()
    except TimeoutError:
        logger.warning("the parser was ended after %g s", timeout_s)
        raise ParserStopped(f"it took more than {timeout_s:g} seconds") from None
    finally:
        _kill(process)
        await process.communicate()  # drains the pipes, which close only then
    return _decode_response(response, status)


def find_missing_protections() -> dict[str, str]:
    """Start a parser process that reads nothing, and ask it how it is confined. It blocks.

    Returns:
        The reasons, by the name in `confinement.PROTECTIONS`, of those that this machine lacks.

    Raises:
        ParserStopped: when the process cannot be started or fails.
    """
    try:
        done = subprocess.run(  # noqa: S603  (our own interpreter, no shell)
            [*COMMAND, "1024", "15", "report"],
            env={},
            cwd=_IMPORT_ROOT,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_REPORT_TIMEOUT_S,
            check=True,
        )
        return msgspec.json.decode(done.stdout, type=dict[str, str])
    except (OSError, subprocess.SubprocessError, msgspec.DecodeError) as error:
        logger.warning("the parser does not start: %s", error)
        raise ParserStopped("its reader cannot be started") from error


async def _communicate(process: Process, request: bytes) -> bytes:
    """Write the request, log what comes from standard error, and return standard output."""
    stdin, stdout, stderr = process.stdin, process.stdout, process.stderr
    if stdin is None or stdout is None or stderr is None:
        raise ValueError("a parser is started with three pipes")
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(_write_stdin(stdin, request))
        errors = tasks.create_task(_read_stream(stderr, _MAX_STDERR_BYTES))
        response = await _read_stream(stdout, MAX_RESPONSE_BYTES, lambda: _kill(process))
    for line in errors.result().decode(errors="replace").splitlines():
        printable = (sign if sign.isprintable() else "?" for sign in line[:_MAX_LOGGED_LINE])
        logger.warning("%s", "".join(printable))
    return response


async def _write_stdin(stdin: StreamWriter, request: bytes) -> None:
    """Write all bytes and close; a process that ends early is seen by its response or status."""
    with suppress(BrokenPipeError, ConnectionResetError):
        stdin.write(request)
        await stdin.drain()
        stdin.close()
        await stdin.wait_closed()


async def _read_stream(
    stream: StreamReader, max_bytes: int, on_full: Callable[[], None] = lambda: None
) -> bytes:
    """Return the first ``max_bytes`` bytes; call ``on_full`` once they are there, drop the rest.

    Reads to the end in any case: a pipe with unread data never closes, and asyncio waits for it.
    """
    found = bytearray()
    while chunk := await stream.read(_CHUNK_BYTES):
        found += chunk[: max_bytes - len(found)]
        if len(found) == max_bytes:
            on_full()
    return bytes(found)


def _kill(process: Process) -> None:
    """Kill the process and all that it started, by its process group."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def _decode_response(response: bytes, status: int) -> bytes:
    """The encoded score of a response; raises the error of a rejection, or ParserStopped."""
    try:
        decoded = _decoder.decode(response)
        if isinstance(decoded, bytes):
            if is_encoded_score(decoded):
                return decoded
            raise msgspec.ValidationError("no encoded score")
        code, arguments = decoded
        error = rebuild_error(code, tuple(text[:MAX_ARGUMENT_LENGTH] for text in arguments))
        if isinstance(error, ScoreError | BadOption) and str(error):
            raise error
        reason: object = f"it answered {code}"
    except (msgspec.DecodeError, UnicodeDecodeError, IndexError) as invalid:
        reason = invalid
    how = _describe_exit(status)
    logger.warning("the parser %s: %s", how, reason)
    raise ParserStopped(
        "it took too much time" if status == -signal.SIGXCPU else f"its reader {how}"
    )


def _describe_exit(status: int) -> str:
    """Such as ``ended with status 1`` or ``was ended by SIGKILL``."""
    if status >= 0:
        return f"ended with status {status}"
    return f"was ended by {signal.Signals(-status).name}"
