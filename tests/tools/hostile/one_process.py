"""Reads every nasty file in one process under the parser's limits: the quick half of `torture`.

``python -m tests.tools.hostile.one_process SHARE SHARES | cat`` (the limits let it write to no
file) prints one JSON object a file: its name, what came of it, and seconds of CPU. A good file
after each
shows that the next request is served.
"""

from __future__ import annotations

import json
import signal
import sys
import time
import traceback
from itertools import islice
from types import FrameType

from mst_core.errors import MstError
from mst_core.reading.load import load_score
from mst_core.reading.sandbox.rlimits import apply_rlimits
from mst_core.reading.serialization import decode_score, encode_score
from tests.tools.hostile.files import GOOD, nasty_files

MEMORY_MIB = 1_024
PATIENCE_S = 15
READ = "read"


class TooSlow(BaseException):
    """Its time is over."""


def stop(number: int, frame: FrameType | None) -> None:
    raise TooSlow


def endure(name: str, data: bytes) -> str:
    """Read it and say ``read``, or the code of the refusal, or whatever else came."""
    signal.setitimer(signal.ITIMER_PROF, PATIENCE_S)
    try:
        reading = load_score(name, data)
        if decode_score(encode_score(reading)) != reading:
            return "the reading does not cross the wire"
    except MstError as error:
        fit = str(error).isprintable() and len(str(error)) < 700
        return error.code if fit else f"unfit sentence: {error}"
    except TooSlow:
        return "too slow"
    except BaseException:
        return traceback.format_exc(limit=-8)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    return READ


def main(share: int, shares: int) -> None:
    """Take one of that many shares of the files, from 0."""
    apply_rlimits(memory_mib=MEMORY_MIB, cpu_s=100 * PATIENCE_S)
    signal.signal(signal.SIGPROF, stop)
    for name, data in islice(nasty_files(), share, None, shares):
        begun = time.process_time()
        outcome = endure(name, data)
        seconds = round(time.process_time() - begun, 2)
        _, _, suffix = name.rpartition(".")
        served = endure(f"good.{suffix}", GOOD[suffix]) if suffix in GOOD else READ
        found = {"name": name, "outcome": outcome, "seconds": seconds, "served": served}
        sys.stdout.write(json.dumps(found) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
