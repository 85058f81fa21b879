"""What the parser's process and its owner say to each other: one order, one answer, in msgpack.

Tagged structs, no pickle. Each side closes its pipe behind its message, which is how it is framed.
"""

from __future__ import annotations

import msgspec

from mst_core.reading.parsed_score import Limits
from mst_core.reading.serialization import MAX_ENCODED_BYTES

MAX_RESPONSE_BYTES = MAX_ENCODED_BYTES + 1_000
"""Bytes."""


class ParseRequest(msgspec.Struct, frozen=True):
    """Read this file."""

    name: str
    track: int | None
    limits: Limits
    data: bytes


class Parsed(msgspec.Struct, frozen=True, tag="read"):
    """It was read; see `mst_core.reading.serialization`."""

    score: bytes


class Rejected(msgspec.Struct, frozen=True, tag="refused"):
    """It was not: an MstError as code and arguments."""

    code: str
    arguments: tuple[str, ...]


ParseResponse = Parsed | Rejected
