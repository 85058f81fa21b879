"""What the engine process and its owner say to each other, and how it is framed.

A frame is four bytes of length, the highest first, then one message in msgpack. Messages are
tagged structs: nothing that arrives can be anything else, and no pickle is ever read. A ticket is
the number that the owner gives to a job each time it hands one over.
"""

from __future__ import annotations

import struct
from asyncio import IncompleteReadError, StreamReader
from typing import BinaryIO, Self

import msgspec
from msgspec import structs

from mst_core.jobs import Job, Progress, Rendition
from mst_core.reading.serialization import decode_score, encode_score

MAX_FRAME_BYTES = 2**29
"""Bytes; ten minutes of WAV in 48 kHz stereo are a fifth of it."""
_LENGTH = struct.Struct(">I")


class ProtocolError(Exception):
    """What arrived is no message: the other side is broken."""


class Setup(msgspec.Struct, frozen=True, tag="setup"):
    """The first message to a worker: what its studio is made of."""

    models: str
    soundfont: str | None
    device: str


class Run(msgspec.Struct, frozen=True, tag="run"):
    """Do this job."""

    ticket: int
    job: Job
    """The job without its parsed files."""
    scores: dict[str, bytes]
    """The parsed files of the job, each as `serialization.encode_score` wrote it."""

    @classmethod
    def of(cls, ticket: int, job: Job) -> Self:
        """Return the command to do a job."""
        scores = {name: encode_score(score) for name, score in job.scores.items()}
        return cls(ticket, structs.replace(job, scores={}), scores)

    def decode_job(self) -> Job:
        """Return the job with its parsed files.

        Raises:
            InvalidScoreBytes: when one of them cannot be decoded.
        """
        scores = {name: decode_score(data) for name, data in self.scores.items()}
        return structs.replace(self.job, scores=scores)


class Cancel(msgspec.Struct, frozen=True, tag="cancel"):
    """Stop it; answered by Dropped, unless it has ended already."""

    ticket: int


class Ready(msgspec.Struct, frozen=True, tag="ready"):
    """The studio is open."""


class SetupFailed(msgspec.Struct, frozen=True, tag="refused"):
    """The studio cannot be opened: an MstError as code and arguments."""

    code: str
    arguments: tuple[str, ...]


class Started(msgspec.Struct, frozen=True, tag="begun"):
    """A job has come to its turn."""

    ticket: int


class ProgressUpdate(msgspec.Struct, frozen=True, tag="told"):
    """How far it is."""

    ticket: int
    progress: Progress


class Finished(msgspec.Struct, frozen=True, tag="done"):
    """It is finished."""

    ticket: int
    rendition: Rendition


class Failed(msgspec.Struct, frozen=True, tag="failed"):
    """It ended with an MstError, as code and arguments."""

    ticket: int
    code: str
    arguments: tuple[str, ...]


class Cancelled(msgspec.Struct, frozen=True, tag="dropped"):
    """It was cancelled, and nothing of it goes on."""

    ticket: int


WorkerCommand = Setup | Run | Cancel
WorkerEvent = Ready | SetupFailed | Started | ProgressUpdate | Finished | Failed | Cancelled

_command_decoder: msgspec.msgpack.Decoder[WorkerCommand] = msgspec.msgpack.Decoder(WorkerCommand)
_event_decoder: msgspec.msgpack.Decoder[WorkerEvent] = msgspec.msgpack.Decoder(WorkerEvent)


def pack(message: WorkerCommand | WorkerEvent) -> bytes:
    """Return the frame of a message."""
    body = msgspec.msgpack.encode(message)
    return _LENGTH.pack(len(body)) + body


def read_command(stream: BinaryIO) -> WorkerCommand | None:
    """Wait for the next message to a worker; None when its owner is gone.

    Raises:
        WireError: when it is none.
    """
    head = stream.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    body = stream.read(_body_length(head))
    if len(body) < _body_length(head):
        return None
    try:
        return _command_decoder.decode(body)
    except msgspec.DecodeError as error:
        raise ProtocolError(str(error)) from error


async def read_event(stream: StreamReader) -> WorkerEvent | None:
    """Wait for the next message of a worker; None when it has ended.

    Raises:
        WireError: when it is none.
    """
    try:
        head = await stream.readexactly(_LENGTH.size)
        body = await stream.readexactly(_body_length(head))
    except IncompleteReadError:
        return None
    try:
        return _event_decoder.decode(body)
    except msgspec.DecodeError as error:
        raise ProtocolError(str(error)) from error


def _body_length(head: bytes) -> int:
    length: int = _LENGTH.unpack(head)[0]
    if length > MAX_FRAME_BYTES:
        raise ProtocolError(f"a frame of {length} bytes")
    return length
