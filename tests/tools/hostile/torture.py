"""``make torture-readers``: hostile files through ``mst read`` and, if rejected, ``mst rerhythm``.

Each must be read (status 0) or rejected with the contract's one line (status 2, ``error: ...``),
with no other output and no file left, within 20 s and 1 GiB for the command and its child
processes; and after each, a valid file is read. Prints each fault, then the figures.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from tests.tools.hostile.files import GOOD, hostile_files

MAX_SECONDS = 20
MAX_MIB = 1_024
MST = Path(sys.executable).with_name("mst")


@dataclass(frozen=True)
class FileOutcome:
    """How the command handled one file."""

    name: str
    outcome: str
    """``read``, or the beginning of the error line without its numbers."""
    faults: str
    """What broke the contract; empty if nothing did."""
    seconds: float
    mib: float
    """Peak memory."""


def run(path: Path, *verb: str) -> tuple[int, str, str, float, float]:
    """Run ``mst`` on a file; return status, output, errors, seconds and peak MiB."""
    start = time.monotonic()
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        command = subprocess.Popen(
            [MST, *verb, "--", path.name], stdout=out, stderr=err, cwd=path.parent
        )
        _, status, used = os.wait4(command.pid, 0)  # includes the children that it waited for
        command.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.monotonic() - start
        texts = []
        for stream in (out, err):
            stream.seek(0)
            texts.append(stream.read().decode(errors="replace"))
    return command.returncode, texts[0], texts[1], seconds, used.ru_maxrss / 1_024


def try_file(name: str, data: bytes) -> FileOutcome:
    """Run the command on one file, and on a valid one after it, in an empty folder."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, name)
        path.write_bytes(data)
        status, out, err, seconds, mib = run(path, "read")
        if status == 2:  # the same file fails before any network is loaded, so this is quick
            again = run(path, "rerhythm", "--rhythm", "folk", "-o", "out.mid")
        left = sorted(each.name for each in Path(folder).iterdir())
        outcome = "read" if status == 0 else re.sub(r"^error: |[\d.]+|.*: ", "", err)[:60].strip()
        faults: list[str] = []
        if status == 0 and (err or not out):
            faults.append(f"it printed {err[:200]!r}")
        elif status == 2 and (out or not re.fullmatch(r"error: [^\n]+\n", err)):
            faults.append(f"it printed {out[:200]!r} and {err[:300]!r}")
        elif status not in (0, 2):
            faults.append(f"status {status}: {err[:300]!r}")
        if "the reader failed" in err or "its reader" in err:
            faults.append(f"a reader failed: {err!r}")
        if status == 2 and again[:3] != (status, out, err):
            faults.append(f"rerhythm printed {again[:3]!r}")
        if left != [name]:
            faults.append(f"it left {left}")
        if seconds > MAX_SECONDS or mib > MAX_MIB:
            faults.append(f"{seconds:.1f} s, {mib:.0f} MiB")
        suffix = name.rpartition(".")[2]
        good = Path(folder, f"good.{suffix if suffix in GOOD else 'mid'}")
        good.write_bytes(GOOD[good.suffix[1:]])
        if run(good, "read")[0] != 0:
            faults.append("the valid file after it was not read")
    return FileOutcome(name, outcome, "; ".join(faults), seconds, mib)


def main(step: int) -> int:
    """Try every ``step``-th file; return the exit status."""
    files = islice(hostile_files(), 0, None, step)
    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(lambda file: try_file(*file), files))
    failed = [each for each in outcomes if each.faults]
    for each in failed:
        sys.stdout.write(f"FAULT {each.name!r}: {each.faults}\n")
    for outcome, count in Counter(each.outcome for each in outcomes).most_common(20):
        sys.stdout.write(f"{count:5} {outcome}\n")
    slowest = max(outcomes, key=lambda each: each.seconds)
    largest = max(outcomes, key=lambda each: each.mib)
    sys.stdout.write(
        f"{len(outcomes)} files, {len(failed)} with faults; the slowest {slowest.name!r} took "
        f"{slowest.seconds:.1f} s, the largest {largest.name!r} {largest.mib:.0f} MiB\n"
    )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 1))
