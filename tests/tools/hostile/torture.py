"""``make torture``: every nasty file through ``mst read`` and, if refused, ``mst rerhythm``.

Each must give a reading (status 0) or the contract's one line (status 2, ``error: ...``), with
nothing else said and no file left behind, within 20 s and 1 GiB for the command and all that it
starts; and after each, a good file is read. Prints each miss, then the figures.
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

from tests.tools.hostile.files import GOOD, nasty_files

MOST_SECONDS = 20
MOST_MIB = 1_024
MST = Path(sys.executable).with_name("mst")


@dataclass(frozen=True)
class Ordeal:
    """How it went with one file."""

    name: str
    outcome: str
    fault: str
    seconds: float
    mib: float


def run(path: Path, *verb: str) -> tuple[int, str, str, float, float]:
    """Run a verb on a file: status, output, errors, seconds, and mebibytes at the most."""
    begun = time.monotonic()
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        command = subprocess.Popen(
            [MST, *verb, "--", path.name], stdout=out, stderr=err, cwd=path.parent
        )
        _, status, used = os.wait4(command.pid, 0)  # of its children too, whom it has waited for
        command.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.monotonic() - begun
        words = []
        for stream in (out, err):
            stream.seek(0)
            words.append(stream.read().decode(errors="replace"))
    return command.returncode, words[0], words[1], seconds, used.ru_maxrss / 1_024


def torment(name: str, data: bytes) -> Ordeal:
    """Send one file, and a good one after it, from an empty folder."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, name)
        path.write_bytes(data)
        status, out, err, seconds, mib = run(path, "read")
        if status == 2:  # before it has loaded any network, so this is quick
            again = run(path, "rerhythm", "--rhythm", "folk", "-o", "out.mid")
        left = sorted(place.name for place in Path(folder).iterdir())
        outcome = "read" if status == 0 else re.sub(r"^error: |[\d.]+|.*: ", "", err)[:60].strip()
        faults: list[str] = []
        if status == 0 and (err or not out):
            faults.append(f"it said {err[:200]!r}")
        elif status == 2 and (out or not re.fullmatch(r"error: [^\n]+\n", err)):
            faults.append(f"it said {out[:200]!r} and {err[:300]!r}")
        elif status not in (0, 2):
            faults.append(f"status {status}: {err[:300]!r}")
        if "the reader failed" in err or "its reader" in err:
            faults.append(f"a reader broke: {err!r}")
        if status == 2 and again[:3] != (status, out, err):
            faults.append(f"rerhythm said {again[:3]!r}")
        if left != [name]:
            faults.append(f"it left {left}")
        if seconds > MOST_SECONDS or mib > MOST_MIB:
            faults.append(f"{seconds:.1f} s, {mib:.0f} MiB")
        suffix = name.rpartition(".")[2]
        good = Path(folder, f"good.{suffix if suffix in GOOD else 'mid'}")
        good.write_bytes(GOOD[good.suffix[1:]])
        if run(good, "read")[0] != 0:
            faults.append("the next one was not read")
    return Ordeal(name, outcome, "; ".join(faults), seconds, mib)


def main(step: int) -> int:
    """Take every ``step``-th file; return the exit status."""
    files = islice(nasty_files(), 0, None, step)
    with ThreadPoolExecutor(2) as places:
        ordeals = list(places.map(lambda file: torment(*file), files))
    misses = [ordeal for ordeal in ordeals if ordeal.fault]
    for ordeal in misses:
        sys.stdout.write(f"MISS {ordeal.name!r}: {ordeal.fault}\n")
    for outcome, count in Counter(ordeal.outcome for ordeal in ordeals).most_common(20):
        sys.stdout.write(f"{count:5} {outcome}\n")
    slowest = max(ordeals, key=lambda ordeal: ordeal.seconds)
    largest = max(ordeals, key=lambda ordeal: ordeal.mib)
    sys.stdout.write(
        f"{len(ordeals)} files, {len(misses)} misses; the slowest {slowest.name!r} took "
        f"{slowest.seconds:.1f} s, the largest {largest.name!r} {largest.mib:.0f} MiB\n"
    )
    return 1 if misses else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 1))
