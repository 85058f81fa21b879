"""``mst-bot verify``: whether this disk keeps what the bot was promised to have stored.

A process stores requests and files as the bot does, in a folder of its own on the file system of
the data, and is killed at random moments, again and again. After each kill every row and file that
it had acknowledged is looked for, and SQLite checks its pages. A few more checks are of what
SQLite and the bot rely on. A kill shows nothing of a power failure: then the disk itself must have
kept what it acknowledged.
"""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import multiprocessing
import os
import random
import secrets
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from statistics import median
from threading import Thread
from typing import IO

from bot.errors import StartupError
from bot.requests.data_folder import LEDGER
from bot.requests.database import lock_data_dir
from bot.requests.record import NewRequest
from bot.requests.result_files import ResultFiles
from bot.requests.store import INTAKE, RequestStore
from mst_core.requests import Compose

MAX_LIFE_S = 0.4
"""Seconds that a process lives at most, from before it opens the ledger; more on a slow machine."""
MIN_KILLS = 5
"""Kills at least, on however slow a machine."""
MAX_EMPTY_KILLS = 8
"""Kills after which a process that acknowledges nothing is given up; each lives longer."""
ROUND_TIMEOUT_S = 20.0
"""Seconds in which a process must come so far."""
FILE_BYTES = 200_000
"""Bytes of each file that is written; some results are larger, most have this size."""
SYNC_TRIES = 40
MIN_SYNC_S = 20e-6
"""Seconds that the fastest disk takes to keep a block for good; memory alone takes less."""
MEMORY_FILE_SYSTEMS = ("tmpfs", "ramfs")
REMOTE_FILE_SYSTEMS = ("nfs", "nfs4", "cifs", "smb3", "9p", "ceph", "fuse.sshfs", "fuse.s3fs")
MAX_JUMP_S = 1.0
"""Seconds by which the clock may move otherwise than time passes."""
NOT_SHOWN = """\
Not shown: what a power failure or a crash of the kernel does. It loses acknowledged rows where the
disk, or the host of a virtual machine, says that it has kept what is still in its memory."""


def verify(
    data_dir: Path,
    free_bytes: int,
    seconds: float,
    writer: Callable[[Path, int], None] | None = None,
) -> list[tuple[bool, str, str]]:
    """Try the disk of a data folder, and return what was found. It blocks.

    Args:
        data_dir: The data folder; the bot may be using it. Where it does not exist, the folder that
            it will be made in is tried.
        free_bytes: Bytes that the settings keep free on the disk.
        seconds: How long processes are killed; the rest takes a few seconds.
        writer: What each process runs; None takes `store_requests`.

    Returns:
        For each check: whether it is passed, what was checked, and what was found.

    Raises:
        StartupError: when nothing can be written there.
    """
    place = data_dir.absolute()
    place = next(path for path in (place, *place.parents) if path.is_dir())
    wall, steady = time.time(), time.monotonic()
    try:
        folder = Path(tempfile.mkdtemp(prefix=".verify-", dir=place))
        try:
            found = [
                *_try_kills(folder / "kills", seconds, writer or store_requests),
                _check_sync(folder),
                _check_file_system(place),
                _check_locks(folder),
            ]
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        free = shutil.disk_usage(place).free
    except OSError as error:
        raise StartupError(f"nothing can be written into {place}: {error}") from error
    words = f"{free // 10**6} MB are free; MST_DISK_FREE_MB keeps {free_bytes // 10**6} MB free"
    found.append((free > free_bytes, "room", words))
    jump_s = (time.time() - wall) - (time.monotonic() - steady)
    found.append(_check_clock(data_dir, jump_s))
    return found


def store_requests(folder: Path, acknowledgements: int) -> None:
    """Store requests and files of results as the bot does, until this process is killed.

    Args:
        folder: Where the ledger and the files are made, or found.
        acknowledgements: A file descriptor that gets a line for each of them: ``stored ID TOKEN``,
            ``acknowledged ID`` or ``written ID SHA256``.
    """
    asyncio.run(_store_requests(folder, acknowledgements))


async def _store_requests(folder: Path, acknowledgements: int) -> None:
    store = await RequestStore.open(folder / LEDGER)
    results = ResultFiles(folder / "results")
    while True:
        record = await store.add(
            NewRequest(
                user_id=secrets.randbelow(100),
                guild_id=None,
                channel_id=1,
                message_id=0,
                interaction_token=secrets.token_hex(100),
                file_limit_bytes=1,
                locale="en-US",
                request=Compose(pitch="folk", rhythm="folk", seed=1),
            ),
            INTAKE,
        )
        os.write(acknowledgements, f"stored {record.id} {record.press_token}\n".encode())
        if await store.acknowledge(record.id, record.id):
            os.write(acknowledgements, f"acknowledged {record.id}\n".encode())
        if record.id % 4 == 0:
            content = os.urandom(FILE_BYTES)
            await asyncio.to_thread(results.write, record.id, {"mp3": content})
            digest = hashlib.sha256(content).hexdigest()
            os.write(acknowledgements, f"written {record.id} {digest}\n".encode())


def _try_kills(
    folder: Path, seconds: float, writer: Callable[[Path, int], None]
) -> list[tuple[bool, str, str]]:
    """Kill one process after another, and count what each had acknowledged and what is left."""
    folder.mkdir()
    until = time.monotonic() + seconds
    kills = n_files = 0
    rows: dict[int, tuple[str, bool]] = {}
    lost: set[int] = set()
    damaged: set[int] = set()
    problems: list[str] = []
    while not problems and (
        time.monotonic() < until or kills < (MIN_KILLS if rows else MAX_EMPTY_KILLS)
    ):
        kills += 1
        acknowledged = _run_and_kill(folder, writer, MAX_LIFE_S * (1 if rows else kills))
        files = {}
        for line in acknowledged:
            kind, number, *rest = line.split()
            if kind == "stored":
                rows[int(number)] = (rest[0], False)
            elif kind == "acknowledged":
                rows[int(number)] = (rows[int(number)][0], True)
            else:
                files[int(number)] = rest[0]
        n_files += len(files)
        damaged |= {one for one, digest in files.items() if _digest(folder, one) != digest}
        try:
            kept, problem = read_ledger(folder / LEDGER)
        except sqlite3.Error as error:
            problems.append(str(error))
            break
        if problem != "ok":
            problems.append(problem)
        lost |= {one for one, row in rows.items() if not _is_kept(row, kept.get(one))}
        shutil.rmtree(folder / "results", ignore_errors=True)  # what was looked at takes no room
    return [
        (
            not lost and bool(rows),
            "kills",
            f"{kills} kills of a process that stores requests: of {len(rows)} acknowledged rows"
            f" {len(lost)} lost",
        ),
        (
            not problems,
            "ledger",
            f"damaged: {problems[0]}" if problems else "whole after each kill (quick_check)",
        ),
        (
            not damaged,
            "files",
            f"of {n_files} acknowledged files {len(damaged)} lost or damaged",
        ),
    ]


def _run_and_kill(
    folder: Path, writer: Callable[[Path, int], None], max_life_s: float
) -> list[str]:
    """Run a process that stores things, kill it at a random moment, return what it acknowledged."""
    reading, writing = os.pipe()
    lines: list[str] = []
    with open(reading, encoding="ascii") as stream:
        # Forked: a new interpreter would take a second, in which nothing is stored.
        process = multiprocessing.get_context("fork").Process(target=writer, args=(folder, writing))
        process.start()
        os.close(writing)
        reader = Thread(target=lambda: lines.extend(stream), daemon=True)
        reader.start()
        process.join(random.uniform(0, max_life_s))
        process.kill()
        process.join(ROUND_TIMEOUT_S)
        reader.join(ROUND_TIMEOUT_S)
    return [line for line in lines if line.endswith("\n")]


def read_ledger(ledger: Path) -> tuple[dict[int, tuple[str, bool]], str]:
    """Return the rows of a ledger, as token and whether acknowledged, and what SQLite checks."""
    if not ledger.exists():
        return {}, "ok"
    with closing(sqlite3.connect(ledger)) as connection:
        ((problem,), *_) = connection.execute("PRAGMA quick_check(1)")
        columns = {row[1] for row in connection.execute("PRAGMA table_info(requests)")}
        if "press_token" not in columns:  # killed before this migration, so before the first row
            return {}, str(problem)
        rows = connection.execute("SELECT id, press_token, message_id != 0 FROM requests")
        return {one: (token, bool(done)) for one, token, done in rows}, str(problem)


def _is_kept(row: tuple[str, bool], kept: tuple[str, bool] | None) -> bool:
    """Return whether a row is there, and as far as it was acknowledged at least."""
    return kept is not None and kept[0] == row[0] and kept[1] >= row[1]


def _digest(folder: Path, request_id: int) -> str:
    """Return the SHA-256 of a written file; empty when it is not there."""
    content = ResultFiles(folder / "results").read(request_id).get("mp3")
    return hashlib.sha256(content).hexdigest() if content is not None else ""


def _check_sync(folder: Path) -> tuple[bool, str, str]:
    """Measure what it costs to have a block kept, and to write one without."""
    with (folder / "sync").open("wb", buffering=0) as file:
        written = [_seconds(file, sync=False) for _ in range(SYNC_TRIES)]
        synced = [_seconds(file, sync=True) for _ in range(SYNC_TRIES)]
    sync_s = median(synced)
    return (
        sync_s >= MIN_SYNC_S,
        "fsync",
        f"{1e3 * sync_s:.2f} ms for a block that is to be kept, {1e3 * median(written):.3f} ms for"
        " one that is not" + ("" if sync_s >= MIN_SYNC_S else ": nothing waits for the disk"),
    )


def _seconds(file: IO[bytes], *, sync: bool) -> float:
    began = time.perf_counter()
    file.write(bytes(4096))
    if sync:
        os.fsync(file.fileno())
    return time.perf_counter() - began


def _check_file_system(place: Path) -> tuple[bool, str, str]:
    """Say which file system a folder is on; one in memory or of another machine does not pass."""
    mount_point, kind, device = find_mount(place)
    words = f"{kind} of {device} at {mount_point}"
    if kind in MEMORY_FILE_SYSTEMS:
        return False, "file system", f"{words} is in memory: nothing outlives the machine"
    if kind in REMOTE_FILE_SYSTEMS:
        return False, "file system", f"{words} is of another machine: SQLite needs a local one"
    if kind == "overlay":
        return False, "file system", f"{words} goes with its container: mount a volume"
    return True, "file system", words


def find_mount(place: Path, mounts: str | None = None) -> tuple[str, str, str]:
    """Find where the file system of a folder is mounted, its type, and its device.

    Args:
        place: The folder, absolute.
        mounts: The text of ``/proc/self/mountinfo``; None reads it.

    Returns:
        All three as texts; ``unknown`` where the system does not say.
    """
    if mounts is None:
        try:
            mounts = Path("/proc/self/mountinfo").read_text(encoding="utf-8")
        except OSError:
            mounts = ""
    real = place.resolve()
    best = ("", "unknown", "unknown")
    for line in mounts.splitlines():
        before, _, after = line.partition(" - ")
        point = before.split()[4].replace("\\040", " ")
        if real.is_relative_to(point) and len(point) >= len(best[0]):  # a later one covers it
            kind, device, *_ = after.split()
            best = (point, kind, device)
    return best


def _check_locks(folder: Path) -> tuple[bool, str, str]:
    """Check that another process sees the locks of this one: of the folder and of a database."""
    held = folder / "locks"
    with lock_data_dir(held), closing(sqlite3.connect(held / LEDGER)) as connection:
        (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
        connection.execute("CREATE TABLE one (x)")
        connection.execute("BEGIN IMMEDIATE")
        process = multiprocessing.get_context("fork").Process(target=_try_locks, args=(held,))
        process.start()
        process.join(ROUND_TIMEOUT_S)
        process.kill()
        connection.execute("ROLLBACK")
    if mode != "wal":
        return False, "locks", "SQLite can have no write-ahead log here"
    if process.exitcode != 0:
        return False, "locks", "another process does not see them: two bots could use one ledger"
    return True, "locks", "another process sees those of the folder and of the ledger"


def _try_locks(folder: Path) -> None:
    """Exit with 0 when both locks of another process hold, else with 1."""
    with (folder / "lock").open("wb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            with closing(sqlite3.connect(folder / LEDGER, timeout=0)) as connection:
                try:
                    connection.execute("BEGIN IMMEDIATE")
                except sqlite3.OperationalError:
                    os._exit(0)
    os._exit(1)


def _check_clock(data_dir: Path, jump_s: float) -> tuple[bool, str, str]:
    """Check the clock by how it moved meanwhile, and by the latest request of the ledger."""
    if abs(jump_s) > MAX_JUMP_S:
        return False, "clock", f"it was set by {jump_s:+.1f} s meanwhile"
    ahead_s = _latest_request(data_dir / LEDGER) - time.time()
    if ahead_s > MAX_JUMP_S:
        return False, "clock", f"it is {ahead_s:.0f} s before the latest request: was it set back?"
    return True, "clock", f"it moves as time passes ({jump_s:+.3f} s), and no request is later"


def _latest_request(ledger: Path) -> float:
    """Return when the latest request came, in seconds since 1970; 0 when that cannot be read."""
    try:
        uri = f"{ledger.absolute().as_uri()}?mode=ro"
        with closing(sqlite3.connect(uri, uri=True)) as connection:
            ((latest,),) = connection.execute("SELECT max(asked_at) FROM requests")
    except sqlite3.Error:
        return 0.0
    return float(latest or 0)


def format_table(found: Sequence[tuple[bool, str, str]]) -> str:
    """Return what was found as a table of three columns, and what it does not show.

    Args:
        found: As `verify` returns it.
    """
    width = max(len(subject) for _, subject, _ in found)
    lines = [
        f"{'yes' if passed else 'NO ':3}  {subject:{width}}  {words}"
        for passed, subject, words in found
    ]
    return "\n".join([*lines, "", NOT_SHOWN])
