"""Runs inside the parser process: reads the request, reads the file, writes the response.

Stands alone because only the parser process imports it, and with it the readers.
"""

from __future__ import annotations

import os
import sys
import traceback

import msgspec

from mst_core.errors import MstError, ParserStopped
from mst_core.reading.load import load_score
from mst_core.reading.sandbox.protocol import ParseRequest
from mst_core.reading.serialization import encode_score


def main() -> None:
    """Handle the request on standard input."""
    output = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints goes to standard error
    request = msgspec.msgpack.decode(sys.stdin.buffer.read(), type=ParseRequest)
    with output:
        output.write(msgspec.msgpack.encode(respond(request)))


def respond(request: ParseRequest) -> bytes | tuple[str, tuple[str, ...]]:
    """Read the file of a request.

    Returns:
        The encoded score, or code and arguments of an `MstError`, whatever the error was.
    """
    try:
        score = load_score(request.name, request.data, request.selection, limits=request.limits)
        return encode_score(score)
    except MstError as error:
        return error.code, error.arguments
    except MemoryError:
        pass  # respond outside: the traceback keeps the objects that fill the memory
    except Exception as error:
        # A bug of a reader. The parent process logs the place, without the text of the error, which
        # may quote the file: logs outlive it.
        traceback.print_tb(error.__traceback__, limit=-20)
        sys.stderr.write(type(error).__name__ + "\n")
        return _parser_stopped(f"the reader failed ({type(error).__name__})")
    return _parser_stopped("it took too much memory")


def _parser_stopped(why: str) -> tuple[str, tuple[str, ...]]:
    """Return code and arguments of a ParserStopped."""
    return ParserStopped.__name__, (why,)
