"""Reads the hostile files in one process under the parser's limits: the quick form of `torture`.

``python -m tests.tools.hostile.one_process SHARE SHARES | cat`` (the limits forbid it to write to a
file) prints one JSON object a file: its name, the outcome, seconds of CPU, and the outcome of a
valid file read next.
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
from tests.tools.hostile.files import GOOD, hostile_files

MEMORY_MIB = 1_024
TIMEOUT_S = 15  # of CPU, for one file
READ = "read"


class TooSlow(BaseException):
    """Raised in the reader when a file has used its CPU seconds."""


def raise_too_slow(number: int, frame: FrameType | None) -> None:
    raise TooSlow


def try_to_read(name: str, data: bytes) -> str:
    """Return ``read``, the code of a rejection, or a description of anything else."""
    signal.setitimer(signal.ITIMER_PROF, TIMEOUT_S)
    try:
        score = load_score(name, data)
        if decode_score(encode_score(score)) != score:
            return "the score is not decoded as it was encoded"
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
    """Read every file whose number modulo ``shares`` is ``share``."""
    apply_rlimits(memory_mib=MEMORY_MIB, cpu_s=100 * TIMEOUT_S)
    signal.signal(signal.SIGPROF, raise_too_slow)
    for name, data in islice(hostile_files(), share, None, shares):
        start = time.process_time()
        outcome = try_to_read(name, data)
        seconds = round(time.process_time() - start, 2)
        _, _, suffix = name.rpartition(".")
        after = try_to_read(f"good.{suffix}", GOOD[suffix]) if suffix in GOOD else READ
        row = {"name": name, "outcome": outcome, "seconds": seconds, "valid_file_after": after}
        sys.stdout.write(json.dumps(row) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
