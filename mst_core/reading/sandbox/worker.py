"""The inside of the parser's process: reads the order, reads the file, writes the answer."""

from __future__ import annotations

import os
import sys
import traceback

import msgspec

from mst_core.errors import MstError, ParserStopped
from mst_core.reading.load import load_score
from mst_core.reading.sandbox.protocol import Parsed, ParseRequest, ParseResponse, Rejected
from mst_core.reading.serialization import encode_score


def main() -> None:
    """Carry out the order on standard input."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints is no answer
    order = msgspec.msgpack.decode(sys.stdin.buffer.read(), type=ParseRequest)
    with answers:
        answers.write(msgspec.msgpack.encode(respond(order)))


def respond(order: ParseRequest) -> ParseResponse:
    """Read the file of an order, and turn whatever goes wrong into a refusal."""
    try:
        reading = load_score(order.name, order.data, track=order.track, limits=order.limits)
        return Parsed(encode_score(reading))
    except MstError as error:
        return Rejected(error.code, error.arguments)
    except MemoryError:
        pass  # its traceback holds on to what fills the memory: answer outside of it
    except Exception as error:
        # A bug of ours, or a file that no one thought of. The owner logs the traceback.
        traceback.print_exc(limit=-20)
        return _parser_stopped(f"our reader stumbled over it ({type(error).__name__})")
    return _parser_stopped("it took too much memory")


def _parser_stopped(why: str) -> Rejected:
    return Rejected(ParserStopped.__name__, (why,))
