"""Messages between the parser process and its parent: one request, one response, in msgpack.

Stands alone because both processes import it. Each side closes its pipe after its message, which
marks the end of the message. Tagged structs and no pickle: decoding runs no code of the sender.
"""

from __future__ import annotations

import msgspec

from mst_core.reading.parsed_score import Limits
from mst_core.reading.serialization import MAX_ENCODED_BYTES

MAX_RESPONSE_BYTES = MAX_ENCODED_BYTES + 1_000


class ParseRequest(msgspec.Struct, frozen=True):
    """A file to read."""

    name: str
    track: int | None
    """Which track or part is the melody, from 1; None chooses one."""
    limits: Limits
    data: bytes


class Parsed(msgspec.Struct, frozen=True, tag="parsed"):
    """The file was read."""

    score: bytes
    """As `mst_core.reading.serialization.encode_score` encodes it."""


class Rejected(msgspec.Struct, frozen=True, tag="rejected"):
    """The file was not read: code and arguments of an `MstError`."""

    code: str
    arguments: tuple[str, ...]
