"""Messages between the parser process and its parent: one request, one response, in msgpack.

Stands alone because both processes import it. Each side closes its pipe after its message, which
marks the end of the message. No pickle: decoding runs no code of the sender. A response is the
score as `mst_core.reading.serialization.encode_score` encodes it, or, when the file was not read,
the code and the arguments of an `MstError`.
"""

from __future__ import annotations

import msgspec

from mst_core.reading.parsed_score import Limits, Selection
from mst_core.reading.serialization import MAX_ENCODED_BYTES

MAX_RESPONSE_BYTES = MAX_ENCODED_BYTES + 1_000


class ParseRequest(msgspec.Struct, frozen=True):
    """A file to read."""

    name: str
    selection: Selection
    limits: Limits
    data: bytes
