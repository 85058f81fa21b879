"""How long the bot keeps what it stores, how much of the disk it takes, and whether it has room.

Deleted are, in this order: what is older than its days; then, while the bot takes more than its
quota, cached scores, the uploads that were used least recently, and the oldest delivered requests.
What a request without a delivered outcome needs is never deleted. A button below a result whose
request or file is gone answers that it is no longer stored. When room is still missing, or the disk
is nearly full, new requests are refused, and health says so.

Counted is what the bot writes: the ledger with its log, uploads and results. Room is kept for the
results of all open requests.
"""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

from bot.errors import NoRoom
from bot.requests.data_folder import LEDGER
from bot.requests.notifier import spawn
from bot.requests.store import RequestStore
from bot.requests.uploads import Uploads

log = logging.getLogger(__name__)

INTERVAL_S = 30.0
"""Seconds between two measurements."""
DAY_S = 86_400.0
RESULT_BYTES = 4_000_000
"""Room that an open request is given for its result; four minutes of sound take that."""
SPARE = 0.05
"""Share of the quota that is freed beyond what is missing, so that not every minute frees some."""
IN_FLIGHT_S = 25.0
"""Seconds after which an accepted request is stored with its files, longer than any download."""
BATCH_ROWS = 500
"""Requests that one statement deletes: fewer than a user could notice."""
MAX_BATCHES = 20
"""Such statements for old requests in one measurement; what is left follows at the next."""


class Retention:
    """Deletes what is old or too much, and refuses requests that would find no room.

    Args:
        folder: The data folder.
        store: The requests.
        uploads: The uploaded files.
        quota_bytes: Bytes that ledger, uploads and results may take.
        free_bytes: Bytes that stay free on the disk.
        upload_days: Days after its last use that an upload is kept; 0 for ever.
        history_days: Days after its delivery that a request is kept; 0 for ever.
        clock: Returns the time in seconds since 1970.
        steady: Returns seconds that no change of the system's clock moves.
        free_on_disk: Returns the free bytes of the disk of a folder.
    """

    def __init__(
        self,
        folder: Path,
        store: RequestStore,
        uploads: Uploads,
        *,
        quota_bytes: int,
        free_bytes: int,
        upload_days: int,
        history_days: int,
        clock: Callable[[], float] = time.time,
        steady: Callable[[], float] = time.monotonic,
        free_on_disk: Callable[[Path], int] = lambda folder: shutil.disk_usage(folder).free,
    ) -> None:
        self._folder, self._store, self._uploads = folder, store, uploads
        self._quota_bytes, self._free_bytes = quota_bytes, free_bytes
        self._upload_days, self._history_days = upload_days, history_days
        self._clock, self._steady, self._free_on_disk = clock, steady, free_on_disk
        self._offset_s = clock() - steady()
        self._request_bytes = RESULT_BYTES + uploads.limits.file_bytes
        self._promised: list[tuple[float, int]] = []
        self._enforcing: asyncio.Task[None] | None = None
        self._task: asyncio.Task[None] | None = None
        self.sizes = dict.fromkeys(("ledger", "uploads", "results", "expected", "free"), 0)
        """Bytes as measured last: three that count for the quota, those that the results of open
        requests are expected to take, and what is free on the disk."""
        self.problem = ""
        """Why new requests are refused, in one sentence; empty when they are not."""

    def start(self) -> None:
        """Delete what is too old or too much in the background, from now on."""
        self._task = spawn(self._repeat(), "the retention", lambda _: None)

    async def close(self) -> None:
        """End the work in the background."""
        tasks = [task for task in (self._task, self._enforcing) if task]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def admit(self) -> None:
        """Promise room to one more request.

        Raises:
            NoRoom: when there is none, also after what can be deleted was deleted.
        """
        if self._missing() > 0:
            await self.enforce()
        if self._missing() > 0:
            raise NoRoom
        self._promised.append((self._steady(), self._request_bytes))

    async def enforce(self) -> None:
        """Measure, and delete what is too old or too much. Calls at one time share the work."""
        if self._enforcing is None or self._enforcing.done():
            self._enforcing = asyncio.create_task(self._enforce())
        # A caller that waits no longer must not stop a deletion halfway.
        await asyncio.shield(self._enforcing)

    async def _repeat(self) -> None:
        while True:
            try:
                await self.enforce()
            except Exception:  # such as a locked database: the next time may succeed
                log.exception("old data could not be deleted")
            await asyncio.sleep(INTERVAL_S)

    async def _enforce(self) -> None:
        # Promises of before are measured now, unless their files are still on the way.
        since = self._steady() - IN_FLIGHT_S
        self._promised = [one for one in self._promised if one[0] > since]
        await self._delete_old()
        await self._store.database.purge_rest()
        await self._measure()
        if (missing := self._missing_of_quota()) > 0:
            await self._make_room(missing + int(SPARE * self._quota_bytes))
        problem = self._describe_problem()
        if problem and not self.problem:
            log.error("new requests are refused: %s", problem)
        elif self.problem and not problem:
            log.info("new requests are accepted again")
        self.problem = problem

    async def _delete_old(self) -> None:
        # The earlier of two clocks: setting the system's clock forward makes nothing old.
        now = min(self._clock(), self._offset_s + self._steady())
        if self._upload_days:
            n_files = await self._uploads.delete_unused(now - self._upload_days * DAY_S)
            if n_files:
                log.info("%d files unused for %d days are deleted", n_files, self._upload_days)
        if self._history_days:
            n_rows = await self._delete_delivered(now - self._history_days * DAY_S)
            if n_rows:
                log.info("%d requests of %d days ago are deleted", n_rows, self._history_days)
            # No request has their names any more: one is delivered in a day or never.
            await self._uploads.forget_pruned(now - (self._history_days + 2) * DAY_S)

    async def _make_room(self, n_bytes: int) -> None:
        """Delete cached scores and uploads, then delivered requests, of about ``n_bytes``."""
        freed, n_files = await self._uploads.make_room(n_bytes)
        n_rows, before, deleted = 0, self.sizes["ledger"], 1
        while freed < n_bytes and deleted:
            deleted = await self._delete_delivered(self._clock(), max_batches=1)
            n_rows += deleted
            freed += before
            before = await asyncio.to_thread(_measure_ledger, self._folder)
            freed -= before
        await self._measure()
        if n_files or n_rows:
            log.warning(
                "the quota MST_DATA_ROOM_MB is reached: %d unused files and %d old requests are"
                " deleted",
                n_files,
                n_rows,
            )

    async def _delete_delivered(self, before: float, max_batches: int = MAX_BATCHES) -> int:
        """Delete requests delivered before a time, the oldest first; return how many."""
        total = 0
        for _ in range(max_batches):
            rows = await self._store.database.run(
                # Only the oldest are looked at, so that this takes no longer in a long ledger.
                """DELETE FROM requests WHERE answered_at < :before AND id IN (
                       SELECT id FROM requests ORDER BY id LIMIT :most
                   ) RETURNING id""",
                before=before,
                most=BATCH_ROWS,
            )
            total += len(rows)
            if not rows:
                break
        if total:
            await self._store.database.trim()
        return total

    async def _measure(self) -> None:
        (row,) = await self._store.database.run(
            "SELECT count(*) AS open FROM requests WHERE state IN ('waiting', 'running')"
        )
        ledger, uploads, results = await asyncio.to_thread(_measure_folder, self._folder)
        self.sizes = {
            "ledger": ledger,
            "uploads": uploads,
            "results": results,
            "expected": row["open"] * RESULT_BYTES,
            "free": await asyncio.to_thread(self._free_on_disk, self._folder),
        }

    @property
    def used_bytes(self) -> int:
        """Bytes that count for the quota."""
        return self.sizes["ledger"] + self.sizes["uploads"] + self.sizes["results"]

    @property
    def _needed_bytes(self) -> int:
        """What is not written yet: of open requests, of those just admitted, and of the next."""
        promised = sum(n_bytes for _, n_bytes in self._promised)
        return self.sizes["expected"] + promised + self._request_bytes

    def _missing_of_quota(self) -> int:
        """Return the bytes that the next request would lack; negative when some are left."""
        return self.used_bytes + self._needed_bytes - self._quota_bytes

    def _missing_on_disk(self) -> int:
        return self._free_bytes + self._needed_bytes - self.sizes["free"]

    def _missing(self) -> int:
        return max(self._missing_of_quota(), self._missing_on_disk())

    def _describe_problem(self) -> str:
        if self._missing_on_disk() > 0:
            return (
                f"the disk has {_megabytes(self.sizes['free'])} MB left; MST_DISK_FREE_MB keeps"
                f" {_megabytes(self._free_bytes)} MB free"
            )
        if self._missing_of_quota() > 0:
            return (
                f"the data takes {_megabytes(self.used_bytes)} MB of the"
                f" {_megabytes(self._quota_bytes)} MB of MST_DATA_ROOM_MB"
            )
        return ""


def _measure_folder(folder: Path) -> tuple[int, int, int]:
    """Return the bytes on disk of ledger, uploads and results."""
    uploads = sum(_size_on_disk(path) for path in (folder / "uploads").glob("*"))
    # Unlike Path.glob, os.walk passes over a folder that is deleted meanwhile: it was delivered.
    results = sum(
        _size_on_disk(Path(parent, name))
        for parent, _, names in os.walk(folder / "results")
        for name in names
    )
    return _measure_ledger(folder), uploads, results


def _measure_ledger(folder: Path) -> int:
    return sum(_size_on_disk(path) for path in folder.glob(f"{LEDGER}*"))


def _size_on_disk(path: Path) -> int:
    """Return the bytes that a file takes, whole blocks included; 0 when it is gone."""
    try:
        status = path.stat()
    except OSError:
        return 0
    return max(status.st_size, status.st_blocks * 512)


def _megabytes(n_bytes: int) -> int:
    return n_bytes // 1_000_000
