"""Parses one untrusted file in a process of its own, with limits on memory and time.

`parse` starts the process, writes one request to its standard input and reads one response from
its standard output. However the process ends, the caller gets a bounded encoded score or an error
of `mst_core.errors`::

    parse -> process.run_parser -> python -m mst_core.reading.sandbox: rlimits, worker -> load

The parent process loads no reader and the child process no asyncio, so imports are inside the
functions. The caller bounds how many processes run at once.
"""

from __future__ import annotations

from mst_core.reading.formats import SNIFFED_BYTES, detect_format, display_name
from mst_core.reading.parsed_score import Limits, ParsedScore, Selection

__all__ = ["MEMORY_MIB", "TIMEOUT_S", "detect_format", "display_name", "parse", "parse_sync"]

TIMEOUT_S = 15.0
"""Leaves room for the promise that a file is rejected within 20 s, on a busy machine too."""
MEMORY_MIB = 1_024


async def parse(
    name: str,
    data: bytes,
    selection: Selection = Selection(),
    *,
    limits: Limits | None = None,
    timeout_s: float = TIMEOUT_S,
    memory_mib: int = MEMORY_MIB,
) -> bytes:
    """Read a file in a new process. Cancelling the call kills the process.

    Args:
        name: the file's name; its suffix and the first bytes decide the format.
        data: the whole file.
        selection: which tune of a book is meant, and which part of it is the melody.
        limits: how much the file may hold.
        timeout_s: seconds after which the process is killed; also its limit of CPU seconds.
        memory_mib: address space of the process in MiB.

    Returns:
        The encoded score, at most `serialization.MAX_ENCODED_BYTES`. It comes from a process that
        a hostile file may have taken over: `serialization.decode_score` checks it.

    Raises:
        UnreadableScore, NoMelody, TooLong, BadOption: as `mst_core.reading.load.load_score`.
        ParserStopped: when the process exceeded its time or memory, or crashed.
    """
    from mst_core.reading.sandbox.process import run_parser
    from mst_core.reading.sandbox.protocol import ParseRequest

    limits = limits or Limits()
    detect_format(name, len(data), data[:SNIFFED_BYTES], limits)
    request = ParseRequest(name=display_name(name), selection=selection, limits=limits, data=data)
    return await run_parser(request, timeout_s, memory_mib)


def parse_sync(
    name: str,
    data: bytes,
    selection: Selection = Selection(),
    *,
    limits: Limits | None = None,
    timeout_s: float = TIMEOUT_S,
    memory_mib: int = MEMORY_MIB,
) -> ParsedScore:
    """`parse` for callers without an event loop, such as the command line.

    See `parse` for Args and Raises.

    Returns:
        The melody, the other parts, and warnings about what was assumed or left out.
    """
    import asyncio

    import msgspec

    from mst_core.errors import ParserStopped
    from mst_core.reading.serialization import decode_score

    encoded = asyncio.run(
        parse(
            name,
            data,
            selection,
            limits=limits,
            timeout_s=timeout_s,
            memory_mib=memory_mib,
        )
    )
    try:
        return decode_score(encoded)
    except msgspec.DecodeError as error:
        raise ParserStopped(f"its reader wrote no score ({error})") from error
