"""The messages between an engine and its worker process, and their framing.

A frame is the length of its body in four bytes, big-endian, and the body: one message in msgpack.
Messages are tagged structs, so that nothing else can be decoded; no pickle is ever read. A ticket
is the number that the engine gives to a job each time it sends it to a worker.
"""

from __future__ import annotations

import struct
from asyncio import IncompleteReadError, StreamReader
from collections.abc import Callable
from typing import BinaryIO

import msgspec

from mst_core.jobs import Job, Progress, Rendition

MAX_FRAME_BYTES = 2**29
"""Bytes of a body; ten minutes of WAV in 48 kHz stereo are a fifth of it."""
SETUP_TICKET = 0
"""Of a failed `Setup`; jobs are counted from 1."""
_LENGTH = struct.Struct(">I")


class Setup(msgspec.Struct, frozen=True, tag="setup"):
    """The first command to a worker: the arguments of `Studio.open`."""

    models: str
    soundfont: str | None
    device: str


class Run(msgspec.Struct, frozen=True, tag="run"):
    """Run a job."""

    ticket: int
    job: Job
    """The job with its parsed files encoded."""


class Cancel(msgspec.Struct, frozen=True, tag="cancel"):
    """Cancel a job; the worker answers with Failed, unless the job has ended already."""

    ticket: int


class Beat(msgspec.Struct, frozen=True, tag="beat"):
    """A sign of life, sent once a second and at each stage of the start."""

    ready: bool
    """Whether the studio is open, so that the worker takes jobs."""
    stage: str = ""
    """What the start is at."""
    work: dict[int, tuple[int, float | None]] = {}
    """By ticket of the jobs at work: their steps so far, and the CPU seconds of their threads;
    None where the system does not say."""


class JobUpdate(msgspec.Struct, frozen=True, tag="job_update"):
    """Progress of a job, or its rendition, which ends it."""

    ticket: int
    event: Progress | Rendition | None
    """None when the worker begins with the job, which may have waited for others."""


class Failed(msgspec.Struct, frozen=True, tag="failed"):
    """A job ended with an MstError, as code and arguments; a cancelled job with EngineLost."""

    ticket: int
    """`SETUP_TICKET` when the studio cannot be opened."""
    code: str
    arguments: tuple[str, ...]


WorkerEvent = Beat | JobUpdate | Failed

_command_decoder: msgspec.msgpack.Decoder[Setup | Run | Cancel] = msgspec.msgpack.Decoder(
    Setup | Run | Cancel
)
_event_decoder: msgspec.msgpack.Decoder[WorkerEvent] = msgspec.msgpack.Decoder(WorkerEvent)


def pack(message: Setup | Run | Cancel | WorkerEvent) -> bytes:
    """Return a message as a frame."""
    body = msgspec.msgpack.encode(message)
    return _LENGTH.pack(len(body)) + body


def read_command(stream: BinaryIO) -> Setup | Run | Cancel | None:
    """Return the next command to a worker; None at the end of the stream or of half a frame.

    Args:
        stream: the standard input of the worker; the call blocks until a frame is complete.

    Raises:
        msgspec.DecodeError: when the frame is no command.
    """
    head = stream.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    body = stream.read(_body_length(head))
    if len(body) < _body_length(head):
        return None
    return _command_decoder.decode(body)


async def read_event(
    stream: StreamReader, on_bytes: Callable[[], None] = lambda: None
) -> WorkerEvent | None:
    """Return the next event of a worker; None when the worker has ended.

    Args:
        stream: the standard output of the worker.
        on_bytes: called whenever bytes arrive: minutes of sound are a frame of many reads.

    Raises:
        msgspec.DecodeError: when the frame is no event.
    """
    try:
        head = await stream.readexactly(_LENGTH.size)
    except IncompleteReadError:
        return None
    length = _body_length(head)
    body = bytearray()
    while len(body) < length:
        chunk = await stream.read(length - len(body))
        if not chunk:
            return None
        on_bytes()
        body += chunk
    return _event_decoder.decode(body)


def _body_length(head: bytes) -> int:
    """Return the length of a body in bytes. Raises msgspec.DecodeError above the limit."""
    length: int = _LENGTH.unpack(head)[0]
    if length > MAX_FRAME_BYTES:
        raise msgspec.DecodeError(f"a frame of {length} bytes")
    return length
