"""A process for each file from a stranger, with limits on memory and time; it reads one and ends.

``parse`` starts it with one order on standard input and takes one answer from its output. However
it ends, the caller gets a bounded reading or one of the sentences of `mst_core.errors`::

    parse -> process (its owner) -> python -m mst_core.reading.sandbox: rlimits, worker -> load

The owner loads no reader and the process no asyncio: each import below waits for its side. How many
run at once is for the caller to bound.
"""

from __future__ import annotations

from mst_core.reading.formats import SNIFFED_BYTES, detect_format, display_name
from mst_core.reading.parsed_score import Limits, ParsedScore

__all__ = ["MEMORY_MIB", "TIMEOUT_S", "detect_format", "display_name", "parse", "parse_sync"]

TIMEOUT_S = 15.0
"""A refusal is promised within 20 s, on a busy machine too."""
MEMORY_MIB = 1_024


async def parse(
    name: str,
    data: bytes,
    *,
    track: int | None = None,
    limits: Limits | None = None,
    timeout_s: float = TIMEOUT_S,
    memory_mib: int = MEMORY_MIB,
) -> ParsedScore:
    """Read a file in a process of its own; errors as in `mst_core.reading.load.read_score`.

    Cancelling it ends the process.

    Raises:
        ParserStopped: when the process ran out of time or memory, or broke.
    """
    from mst_core.reading.sandbox.process import run_parser
    from mst_core.reading.sandbox.protocol import ParseRequest

    limits = limits or Limits()
    detect_format(name, len(data), data[:SNIFFED_BYTES], limits)
    order = ParseRequest(name=display_name(name), track=track, limits=limits, data=data)
    return await run_parser(order, timeout_s, memory_mib)


def parse_sync(
    name: str,
    data: bytes,
    *,
    track: int | None = None,
    limits: Limits | None = None,
    timeout_s: float = TIMEOUT_S,
    memory_mib: int = MEMORY_MIB,
) -> ParsedScore:
    """Do the same where no event loop runs: on the command line."""
    import asyncio

    return asyncio.run(
        parse(name, data, track=track, limits=limits, timeout_s=timeout_s, memory_mib=memory_mib)
    )
