"""The uploaded files, each stored once under its SHA-256, and the cache of their parsed scores.

The folder holds ``<sha>.bin``, the bytes of the upload, and ``<sha>.reading``, its parsed score,
written at the first job that needs it (``<sha>.tune-12.track-3.reading`` for voice 3 of tune 12
of a book). Files are created atomically. A row of the database says which user uploaded a file
under which name; a file exists as long as a row refers to it. Each user has a quota in bytes; the
files that they used least recently are deleted first.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from weakref import WeakValueDictionary

from bot.errors import LostFile, RequestNotFound
from bot.requests.database import Database
from mst_core.reading.formats import display_name
from mst_core.reading.parsed_score import Limits, Selection
from mst_core.reading.sandbox import parse
from mst_core.reading.serialization import is_encoded_score
from mst_core.requests import Request

MAX_PARSERS = 2
"""Parser processes that run at the same time; each may use 1 GB of memory."""
QUOTA_BYTES = 100_000_000
"""Default quota of a user, in bytes."""
_UNNEEDED = """sha256 NOT IN (
    SELECT name.key FROM requests, json_each(requests.names) AS name
    WHERE requests.answered_at IS NULL
)"""


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that one user uploaded: a row of the table ``uploads``."""

    id: int
    sha256: str
    user_id: int
    name: str
    size_bytes: int
    first_seen_at: float
    used_at: float


class Uploads:
    """The uploaded files, their rows and their parsed scores.

    Args:
        folder: Where the files are stored.
        database: Holds the rows.
        limits: The largest accepted file and score.
        quota_bytes: Bytes of stored files that each user may have.
        clock: Returns the time in seconds since 1970.
        parse: Parses a file in a process of its own, as `mst_core.reading.sandbox.parse`.
    """

    def __init__(
        self,
        folder: Path,
        database: Database,
        *,
        limits: Limits | None = None,
        quota_bytes: int = QUOTA_BYTES,
        clock: Callable[[], float] = time.time,
        parse: Callable[..., Awaitable[bytes]] = parse,
    ) -> None:
        self.folder = folder
        self.limits = limits or Limits()
        self._database, self._quota_bytes = database, quota_bytes
        self._clock, self._parse = clock, parse
        self._parser_slots = asyncio.Semaphore(MAX_PARSERS)
        self._parse_locks: WeakValueDictionary[Path, asyncio.Lock] = WeakValueDictionary()
        # A file must not be deleted between the check that it exists and the row that refers to it.
        self._rows_lock = asyncio.Lock()

    async def keep(
        self, user_id: int, name: str, data: bytes, *, request_id: int | None = None
    ) -> Upload:
        """Store an uploaded file on disk, and return its row.

        Args:
            user_id: The user's id on Discord.
            name: The name of the file as the user sent it, with or without folders.
            data: The bytes of the file.
            request_id: The stored request that waits for the file; None where there is none yet.

        Returns:
            The row; when the user sent the same bytes before, their earlier row with the new name.

        Raises:
            RequestNotFound: when the user has deleted that request, and their files, meanwhile.
        """
        sha256 = hashlib.sha256(data).hexdigest()
        async with self._rows_lock:
            await write_uncancelled(_write_once, self._path(sha256), data)
            row = await self._add_row(sha256, user_id, name, len(data), request_id)
            if row is None:
                await self._delete_unreferenced()
                raise RequestNotFound(request_id)
            return row

    def check_stored(self, sources: Iterable[str], names: Mapping[str, str]) -> None:
        """Check that files are still stored. A request may use the files of another user.

        Whoever presses a button below an answer uses its files without becoming a user of them:
        they are deleted with the data of whoever sent them.

        Args:
            sources: The SHA-256 of the files.
            names: Their names by SHA-256, for the error.

        Raises:
            LostFile: when one of them is no longer stored.
        """
        for sha256 in sources:
            if not self._path(sha256).exists():
                raise LostFile(names.get(sha256) or "the file")

    def sizes(self, names: Mapping[str, str]) -> list[tuple[str, int]]:
        """List name and size in bytes of stored files; those that are not stored are left out.

        Args:
            names: The names of the files, by SHA-256.
        """
        found = []
        for sha256, name in names.items():
            with suppress(OSError):
                found.append((name, self._path(sha256).stat().st_size))
        return found

    async def encoded_scores(self, request: Request, names: Mapping[str, str]) -> dict[str, bytes]:
        """Return the encoded scores of a request by SHA-256; an empty dict for a new tune.

        Args:
            request: The request; its ``sources`` are the files, with the track of the melody.
            names: The user's names of the files, by SHA-256; errors quote them.

        Raises:
            LostFile: when a file is no longer stored.
            ScoreError, BadOption: when the parser rejects a file.
        """
        return {
            sha256: await self.encoded_score(sha256, names.get(sha256, ""), selection)
            for sha256, selection in request.sources.items()
        }

    async def encoded_score(
        self, sha256: str, name: str, selection: Selection = Selection()
    ) -> bytes:
        """Return the encoded score of a file, from the cache if it is there.

        It is not decoded here but once, by the worker of the engine.

        Args:
            sha256: The SHA-256 of the file, in hexadecimal digits.
            name: The user's name of the file; its suffix says the format, and errors quote it.
            selection: Which tune of a book, and which part of it is the melody.

        Raises:
            LostFile: when the file is no longer stored.
            ScoreError, BadOption: when the parser rejects it.
        """
        path = self._path(sha256, _cache_suffix(selection))
        async with self._parse_locks.setdefault(path, asyncio.Lock()):
            if (kept := await asyncio.to_thread(_read_cached, path)) is not None:
                return kept
            try:
                data = await asyncio.to_thread(self._path(sha256).read_bytes)
            except FileNotFoundError as error:
                raise LostFile(display_name(name)) from error
            async with self._parser_slots:
                score: bytes = await self._parse(name, data, selection, limits=self.limits)
            async with self._rows_lock:
                if self._path(sha256).exists():  # else it was deleted meanwhile
                    await write_uncancelled(_write, path, score)
            return score

    async def find(self, upload_id: int) -> Upload | None:
        """Return one upload; None when it is no longer stored."""
        rows = await self._database.run("SELECT * FROM uploads WHERE id = :id", id=upload_id)
        return Upload(**rows[0]) if rows else None

    async def of_user(self, user_id: int) -> list[Upload]:
        """List the uploads of a user, newest first."""
        rows = await self._database.run(
            "SELECT * FROM uploads WHERE user_id = :user_id ORDER BY id DESC", user_id=user_id
        )
        return [Upload(**row) for row in rows]

    def read_bytes(self, upload: Upload) -> bytes:
        """Return the bytes of an upload, empty when it is deleted. It blocks: use a thread."""
        path = self._path(upload.sha256)
        return path.read_bytes() if path.exists() else b""

    async def delete_user(self, user_id: int) -> tuple[int, list[str]]:
        """Delete a user's rows, and the files without any other row.

        Returns:
            How many files the user had, and the SHA-256 of all that they ever sent: of those too
            that another user has sent as well, or that were deleted before for their age.
        """
        async with self._rows_lock:
            rows = await self._database.run(
                "DELETE FROM uploads WHERE user_id = :user_id RETURNING id", user_id=user_id
            )
            await self._delete_unreferenced()
            # A trigger has put the deleted rows there.
            sent = await self._database.run(
                "DELETE FROM pruned_uploads WHERE user_id = :user_id RETURNING sha256",
                user_id=user_id,
            )
        return len(rows), [row["sha256"] for row in sent]

    async def pruned_of_user(self, user_id: int) -> list[str]:
        """List the SHA-256 of files that a user sent and that are no longer stored."""
        rows = await self._database.run(
            "SELECT sha256 FROM pruned_uploads WHERE user_id = :user_id ORDER BY pruned_at",
            user_id=user_id,
        )
        return [row["sha256"] for row in rows]

    async def forget_pruned(self, before: float) -> None:
        """Forget who sent files that were deleted before a time, in seconds since 1970."""
        await self._database.run(
            "DELETE FROM pruned_uploads WHERE pruned_at < :before", before=before
        )

    async def delete_unused(self, before: float) -> int:
        """Delete the rows last used before a time, and the files without any other row.

        Args:
            before: Seconds since 1970.

        Returns:
            The number of deleted rows. Those that a request without delivered outcome needs stay.
        """
        async with self._rows_lock:
            rows = await self._database.run(
                f"DELETE FROM uploads WHERE used_at < :before AND {_UNNEEDED} RETURNING id",  # noqa: S608
                before=before,
            )
            if rows:
                await self._delete_unreferenced()
        return len(rows)

    async def make_room(self, n_bytes: int) -> tuple[int, int]:
        """Delete cached scores, the oldest first, then the files that were used least recently.

        Args:
            n_bytes: The bytes to be freed; fewer when open requests need all that is left.

        Returns:
            The freed bytes, and the number of deleted files that were uploaded.
        """
        async with self._rows_lock:
            freed = await asyncio.to_thread(_delete_oldest, self.folder, n_bytes)
            rows = await self._database.run(
                f"""DELETE FROM uploads WHERE sha256 IN (
                       SELECT sha256 FROM (
                           SELECT sha256, sum(max(size_bytes)) OVER (ORDER BY max(used_at), sha256)
                               - max(size_bytes) AS freed_before
                           FROM uploads WHERE {_UNNEEDED} GROUP BY sha256
                       ) WHERE freed_before < :missing
                   ) RETURNING sha256, size_bytes""",  # noqa: S608 - a constant
                missing=n_bytes - freed,
            )
            if rows:
                await self._delete_unreferenced()
        sizes = {row["sha256"]: int(row["size_bytes"]) for row in rows}
        return freed + sum(sizes.values()), len(sizes)

    async def note_use(self, files: Iterable[str], user_id: int) -> None:
        """Store that a user has used files; only those that this user sent are kept longer for it.

        Args:
            files: Their SHA-256.
            user_id: The user's id on Discord.
        """
        for sha256 in files:
            await self._database.run(
                "UPDATE uploads SET used_at = :now WHERE sha256 = :sha256 AND user_id = :user_id",
                now=self._clock(),
                sha256=sha256,
                user_id=user_id,
            )

    async def delete_leftovers(self) -> None:
        """Delete what remains after a crash: files without a row, and partly written files."""
        async with self._rows_lock:
            await self._delete_unreferenced()

    async def _add_row(
        self, sha256: str, user_id: int, name: str, size_bytes: int, request_id: int | None
    ) -> Upload | None:
        rows = await self._database.run(
            """INSERT INTO uploads (sha256, user_id, name, size_bytes, first_seen_at, used_at)
               SELECT :sha256, :user_id, :name, :size_bytes, :now, :now
               WHERE :request_id IS NULL OR EXISTS (SELECT 1 FROM requests WHERE id = :request_id)
               ON CONFLICT (sha256, user_id)
               DO UPDATE SET name = excluded.name, used_at = :now RETURNING *""",
            sha256=sha256,
            user_id=user_id,
            name=display_name(name),
            size_bytes=size_bytes,
            now=self._clock(),
            request_id=request_id,
        )
        await self._enforce_quota(user_id)
        return Upload(**rows[0]) if rows else None

    async def _enforce_quota(self, user_id: int) -> None:
        rows = await self._database.run(
            """DELETE FROM uploads WHERE id IN (
                   SELECT id FROM (
                       SELECT id, sum(size_bytes) OVER (ORDER BY used_at DESC, id DESC) AS so_far
                       FROM uploads WHERE user_id = :user_id
                   ) WHERE so_far > :most
               ) RETURNING id""",
            user_id=user_id,
            most=self._quota_bytes,
        )
        if rows:
            await self._delete_unreferenced()

    async def _delete_unreferenced(self) -> None:
        rows = await self._database.run("SELECT DISTINCT sha256 FROM uploads")
        held = {row["sha256"] for row in rows}

        def discard() -> None:
            for path in self.folder.glob("[!.]*"):
                if path.name.partition(".")[0] not in held:
                    path.unlink(missing_ok=True)
            # Whoever writes holds the lock of the rows too, so these are left from a crash.
            for draft in self.folder.glob(".*.draft"):
                draft.unlink(missing_ok=True)

        await asyncio.to_thread(discard)

    def _path(self, sha256: str, suffix: str = "bin") -> Path:
        return self.folder / f"{sha256}.{suffix}"


def _cache_suffix(selection: Selection) -> str:
    """Return the suffix of a cached score: ``tune-12.track-3.reading``."""
    chosen = {"tune": selection.tune, "track": selection.track}
    names = [f"{name}-{number}" for name, number in chosen.items() if number is not None]
    return ".".join([*names, "reading"])


def _read_cached(path: Path) -> bytes | None:
    """Read a cached score; None when there is none, a damaged one, or one of another version."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    return data if is_encoded_score(data) else None


def _delete_oldest(folder: Path, n_bytes: int) -> int:
    """Delete cached scores until ``n_bytes`` are freed; return the bytes that were."""
    found = [(path.stat(), path) for path in folder.glob("[!.]*.reading")]
    freed = 0
    for status, path in sorted(found, key=lambda one: one[0].st_mtime):
        if freed >= n_bytes:
            break
        path.unlink(missing_ok=True)
        freed += max(status.st_size, status.st_blocks * 512)
    return freed


async def write_uncancelled(write: Callable[..., None], *arguments: object) -> None:
    """Write in a thread, and wait for the end of it also when cancelled.

    Who cancels may delete what is written, which a thread that goes on would bring back.

    Args:
        write: What writes.
        arguments: Its arguments.
    """
    writing = asyncio.create_task(asyncio.to_thread(write, *arguments))
    try:
        await asyncio.shield(writing)
    finally:
        await asyncio.wait([writing])


def _write_once(path: Path, data: bytes) -> None:
    if not path.exists():
        _write(path, data)


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.draft")
    with draft.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    draft.rename(path)
