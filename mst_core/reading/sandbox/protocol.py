"""What the parser's process and its owner say to each other: one order, one answer, in msgpack.

Tagged structs, no pickle. Each side closes its pipe behind its message, which is how it is framed.
"""

from __future__ import annotations

import msgspec

from mst_core.reading.parsed_score import Limits
from mst_core.reading.serialization import LARGEST

LARGEST_ANSWER = LARGEST + 1_000
"""Bytes."""


class Order(msgspec.Struct, frozen=True):
    """Read this file."""

    name: str
    track: int | None
    limits: Limits
    data: bytes


class Read(msgspec.Struct, frozen=True, tag="read"):
    """It was read; see `mst_core.reading.serialization`."""

    reading: bytes


class Refused(msgspec.Struct, frozen=True, tag="refused"):
    """It was not: an MstError as code and arguments."""

    code: str
    arguments: tuple[str, ...]


Answer = Read | Refused
