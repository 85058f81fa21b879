"""The request store: every accepted request in SQLite, with its state, lease and outcome.

A request is ``waiting``, then ``running`` under a lease, then ``done`` or ``failed``; its
``answered_at`` is set when the outcome is delivered. Each transition is one SQL statement: atomic,
and on disk when the method returns (docs/decisions.md#one-statement). Times are seconds since 1970.
"""

from __future__ import annotations

import logging
import secrets
import sqlite3
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import msgspec

from bot.errors import Cancelled, LostFile, RepeatedInteraction
from bot.requests.database import MIGRATIONS, Database, steady_clock
from bot.requests.fair_queue import LEASE, ORDER, QUEUE
from bot.requests.record import NewRequest, RequestRecord, record_from_row, sort_rows
from mst_core.errors import EngineFault
from mst_core.jobs import Receipt
from mst_core.request_json import encode_request
from mst_core.requests import Compose, Request

log = logging.getLogger(__name__)

HELD = "state = 'running' AND worker IN ('intake', 'download')"
"""The condition, in SQL, of a request that `INTAKE` or `DOWNLOAD` holds."""
MAX_ATTEMPTS_KEPT = 20
"""Attempts of one request whose end is kept."""
_LOST = f"""state = 'waiting', worker = NULL, lease_until = NULL,
    tries = tries - (CASE WHEN :count_try AND begun THEN 0 ELSE 1 END), begun = 0,
    attempts = CASE WHEN json_array_length(attempts) < {MAX_ATTEMPTS_KEPT} AND :reason NOT NULL
        THEN json_insert(attempts, '$[#]', json_array(round(:now, 3), :reason)) ELSE attempts END"""


INTAKE = "intake"
"""Holder of a stored request until Discord has confirmed its acknowledgement."""
DOWNLOAD = "download"
"""Holder of a stored request until its files are downloaded."""
HELD_UNTIL = 1e12
"""When such a lease ends: never."""


class RequestStore:
    """The stored requests. Open it with `RequestStore.open`, close it with `close`."""

    def __init__(
        self,
        database: Database,
        clock: Callable[[], float] = time.time,
        steady: Callable[[], float] | None = None,
    ) -> None:
        """Use an open database.

        Args:
            database: The database.
            clock: Returns the time in seconds since 1970, for what is shown.
            steady: The clock of leases, which never jumps; None makes a `steady_clock`.
        """
        self.database = database
        """Shared with `bot.requests.uploads.Uploads`, which has a table of its own."""
        self._clock, self._steady = clock, steady or steady_clock()

    @classmethod
    async def open(
        cls,
        path: Path,
        clock: Callable[[], float] = time.time,
        migrations: Path = MIGRATIONS,
        steady: Callable[[], float] | None = None,
    ) -> Self:
        """Open or create the database, and apply the pending migrations.

        Args:
            path: The database file; its folder is created too.
            clock: Returns the time in seconds since 1970.
            migrations: The folder of the migrations.
            steady: The clock of leases; see `__init__`.

        Raises:
            StartupError: when it cannot be opened, or was written by a newer version.
        """
        return cls(await Database.open(path, migrations), clock, steady)

    async def close(self) -> None:
        """Close the database."""
        await self.database.close()

    async def add(
        self, record: NewRequest, holder: str | None = None, parent_id: int | None = None
    ) -> RequestRecord:
        """Store a new request as waiting, or as held by `INTAKE` or `DOWNLOAD`.

        Args:
            record: The request.
            holder: Who holds it until `acknowledge` or `complete`; None when it may run at once.
            parent_id: The request below whose result a button was pressed: its names are copied as
                they are now, because a user who deletes their data takes them away.

        Returns:
            The record.

        Raises:
            RepeatedInteraction: when there is a request of the same interaction already.
            LostFile: when one of its files, or the request of the button, was deleted meanwhile.
        """
        rows = await self._query(
            """INSERT INTO requests (user_id, guild_id, channel_id, message_id, interaction_token,
                   file_limit_bytes, locale, request, names, first_seed, seed, asked_at,
                   state, worker, lease_until, interaction_id, press_token, expected_s, private,
                   asked_steady)
               SELECT :user_id, :guild_id, :channel_id, :message_id, :interaction_token,
                   :file_limit_bytes, :locale, :request,
                   coalesce((SELECT names FROM requests WHERE id = :parent_id), :names),
                   :first_seed, :seed, :now,
                   CASE WHEN :holder IS NULL THEN 'waiting' ELSE 'running' END, :holder,
                   CASE WHEN :holder IS NULL THEN NULL ELSE :held_until END, :interaction_id,
                   :press_token, :expected_s, :private, :steady
               WHERE (:parent_id IS NULL OR EXISTS (SELECT 1 FROM requests WHERE id = :parent_id))
               AND NOT EXISTS (
                   SELECT 1 FROM json_each(:names) AS name WHERE length(name.key) = 64
                   AND NOT EXISTS (SELECT 1 FROM uploads WHERE sha256 = name.key)
               )
               ON CONFLICT (interaction_id) DO NOTHING
               RETURNING *""",
            user_id=record.user_id,
            guild_id=record.guild_id,
            channel_id=record.channel_id,
            message_id=record.message_id,
            interaction_token=record.interaction_token,
            file_limit_bytes=record.file_limit_bytes,
            locale=record.locale,
            request=encode_request(record.request),
            names=msgspec.json.encode(record.names).decode(),
            first_seed=record.first_seed,
            seed=record.request.seed,
            holder=holder,
            held_until=HELD_UNTIL,
            interaction_id=record.interaction_id,
            press_token=secrets.token_hex(8),
            expected_s=record.expected_s,
            private=record.private,
            parent_id=parent_id,
        )
        if not rows:
            if await self._query(
                "SELECT id FROM requests WHERE interaction_id = :id", id=record.interaction_id
            ):
                raise RepeatedInteraction
            raise LostFile("the file")
        return record_from_row(rows[0])

    async def unacknowledged(self) -> list[RequestRecord]:
        """List the requests that `INTAKE` or `DOWNLOAD` holds."""
        rows = await self._query(f"SELECT * FROM requests WHERE {HELD}")  # noqa: S608
        return await self._decode(rows)

    async def acknowledge(self, request_id: int, message_id: int) -> bool:
        """Store the public message of a held request; one that `INTAKE` holds is waiting then.

        Args:
            request_id: The request.
            message_id: The message that will hold its result.

        Returns:
            False when it is deleted or acknowledged already.
        """
        rows = await self._query(
            f"""UPDATE requests SET message_id = :message_id,
                    state = CASE worker WHEN :intake THEN 'waiting' ELSE state END,
                    lease_until = CASE worker WHEN :intake THEN NULL ELSE lease_until END,
                    worker = CASE worker WHEN :intake THEN NULL ELSE worker END
                WHERE id = :id AND {HELD} RETURNING id""",  # noqa: S608 - a constant
            id=request_id,
            message_id=message_id,
            intake=INTAKE,
        )
        return bool(rows)

    async def complete(
        self, request_id: int, request: Request, names: Mapping[str, str], expected_s: float = 0.0
    ) -> bool:
        """Store the downloaded files of a request that `DOWNLOAD` holds.

        It is waiting then, unless its message is not known yet: then `INTAKE` holds it.

        Args:
            request_id: The request.
            request: The request with the SHA-256 of its files.
            names: The user's names of the files, by SHA-256.
            expected_s: Seconds of work that are expected.

        Returns:
            False when it is deleted.
        """
        rows = await self._query(
            """UPDATE requests SET request = :request, names = :names, expected_s = :expected_s,
                   state = CASE message_id WHEN 0 THEN state ELSE 'waiting' END,
                   lease_until = CASE message_id WHEN 0 THEN lease_until END,
                   worker = CASE message_id WHEN 0 THEN :intake END
               WHERE id = :id AND state = 'running' AND worker = :download RETURNING id""",
            id=request_id,
            request=encode_request(request),
            names=msgspec.json.encode(names).decode(),
            download=DOWNLOAD,
            intake=INTAKE,
            expected_s=expected_s,
        )
        return bool(rows)

    async def fail_unreadable(self) -> list[int]:
        """Fail undelivered requests that cannot be decoded, such as after an upgrade.

        Returns:
            Their ids; their users are informed like those of any other failure.
        """
        rows = await self._query("SELECT * FROM requests WHERE answered_at IS NULL")
        ids = [row["id"] for row in sort_rows(rows)[1]]
        await self._fail_unreadable(ids)
        return ids

    async def _fail_unreadable(self, ids: Sequence[int]) -> None:
        await self._query(
            """UPDATE requests SET state = 'failed', finished_at = :now, request = :placeholder,
                   names = '{}', receipt = NULL, stage_seconds = NULL, worker = NULL,
                   attempts = '[]', lease_until = NULL, error_code = :code,
                   error_arguments = '["unreadable"]'
               WHERE answered_at IS NULL AND id IN (SELECT value FROM json_each(:ids))""",
            placeholder=encode_request(Compose(pitch="", rhythm="", seed=0)),
            code=EngineFault.__name__,
            ids=msgspec.json.encode(ids).decode(),
        )

    async def _decode(self, rows: Iterable[sqlite3.Row]) -> list[RequestRecord]:
        """Return the records of the rows that can be decoded; fail the others, unless delivered."""
        records, unreadable = sort_rows(rows)
        if unreadable:
            ids = [row["id"] for row in unreadable]
            log.error("these requests cannot be read: %s", ids)
            await self._fail_unreadable(ids)
        return records

    async def withdraw(self, request_id: int) -> None:
        """Delete a held request: Discord did not acknowledge it, or its files did not come."""
        await self._query(
            f"DELETE FROM requests WHERE id = :id AND {HELD}",  # noqa: S608 - a constant
            id=request_id,
        )

    async def lease(
        self, worker: str, seconds: float, *, long: bool = True
    ) -> RequestRecord | None:
        """Lease the next request of the fair queue to a worker.

        A user has at most one running request; of the long ones (`LONG_JOB_S`) one runs of all.
        A lease that ends after `mark_begun` has counted one try; the caller fails too many.

        Args:
            worker: The name of the worker.
            seconds: How long the lease lasts, from now.
            long: Whether it may be a long one.

        Returns:
            The leased request; None when no request is waiting whose user has none running.
        """
        while rows := await self._query(LEASE, worker=worker, seconds=seconds, long=long):
            if records := await self._decode(rows):
                return records[0]
        return None

    async def set_expected(self, request_id: int, expected_s: float) -> None:
        """Store a better estimate of the work of a request.

        Args:
            request_id: The request.
            expected_s: CPU seconds that it is expected to take.
        """
        await self._query(
            "UPDATE requests SET expected_s = :expected_s WHERE id = :id",
            id=request_id,
            expected_s=expected_s,
        )

    async def renew_leases(self, worker: str, seconds: float, request_ids: Sequence[int]) -> None:
        """Extend the leases of a worker's requests to ``seconds`` from now.

        Args:
            worker: The name of the worker.
            seconds: How long the leases last, from now.
            request_ids: The requests; those that the worker does not have leased are left as they
                are.
        """
        await self._query(
            """UPDATE requests SET lease_until = :steady + :seconds
               WHERE worker = :worker AND state = 'running'
               AND id IN (SELECT value FROM json_each(:ids))""",
            worker=worker,
            seconds=seconds,
            ids=msgspec.json.encode(request_ids).decode(),
        )

    async def mark_begun(self, worker: str, request_id: int) -> None:
        """Store that the engine has begun with a request that this worker has leased.

        Args:
            worker: The name of the worker.
            request_id: The request; if the worker does not have it leased, it is left as it is.
        """
        await self._query(
            """UPDATE requests SET begun = 1
               WHERE worker = :worker AND id = :id AND state = 'running'""",
            worker=worker,
            id=request_id,
        )

    async def release(
        self, worker: str, request_id: int, reason: str | None, *, count_try: bool
    ) -> None:
        """Return a leased request to the queue, and keep the reason.

        Args:
            worker: The name of the worker.
            request_id: The request; if the worker does not have it leased, it is left as it is.
            reason: Why the attempt ended, for the history of the request; None keeps nothing.
            count_try: Whether the try counts, if the engine had begun with the request.
        """
        await self._query(
            f"UPDATE requests SET {_LOST} "  # noqa: S608 - a constant of this module
            "WHERE worker = :worker AND id = :id AND state = 'running'",
            worker=worker,
            id=request_id,
            reason=reason,
            count_try=count_try,
        )

    async def release_all(self, worker: str, reason: str | None, *, count_try: bool) -> None:
        """Return every request leased by a worker of this name to the queue; see `release`.

        Args:
            worker: The name of the worker.
            reason: Why the attempts ended, for the history of each request; None keeps nothing.
            count_try: Whether the try counts for each request that the engine had begun with.
        """
        await self._query(
            f"UPDATE requests SET {_LOST} "  # noqa: S608 - a constant of this module
            "WHERE worker = :worker AND state = 'running'",
            worker=worker,
            reason=reason,
            count_try=count_try,
        )

    async def mark_done(
        self, worker: str, request_id: int, receipt: Receipt, stage_seconds: Mapping[str, float]
    ) -> RequestRecord | None:
        """Store the result of a request that this worker has leased.

        Args:
            worker: The name of the worker.
            request_id: The request.
            receipt: What was made.
            stage_seconds: Seconds that each stage of the job took.

        Returns:
            The record; None when the request is deleted or leased to another worker.
        """
        rows = await self._query(
            """UPDATE requests SET state = 'done', finished_at = :now, receipt = :receipt,
                   stage_seconds = :stage_seconds, lease_until = NULL
               WHERE worker = :worker AND id = :id AND state = 'running' RETURNING *""",
            worker=worker,
            id=request_id,
            receipt=msgspec.json.encode(receipt).decode(),
            stage_seconds=msgspec.json.encode(stage_seconds).decode(),
        )
        return record_from_row(rows[0]) if rows else None

    async def mark_failed(
        self, worker: str, request_id: int, code: str, arguments: Sequence[str]
    ) -> RequestRecord | None:
        """Store the failure of a request that this worker has leased.

        Args:
            worker: The name of the worker.
            request_id: The request.
            code: The code of the error (`mst_core.errors.MstError.code`).
            arguments: Its arguments.

        Returns:
            The record; None when the request is deleted or leased to another worker.
        """
        rows = await self._query(
            """UPDATE requests SET state = 'failed', finished_at = :now, error_code = :code,
                   error_arguments = :arguments, lease_until = NULL
               WHERE worker = :worker AND id = :id AND state = 'running' RETURNING *""",
            worker=worker,
            id=request_id,
            code=code,
            arguments=msgspec.json.encode(list(arguments)).decode(),
        )
        return record_from_row(rows[0]) if rows else None

    async def cancel(self, request_id: int) -> RequestRecord | None:
        """End a request as cancelled: it waits no more, and no result of it can be stored.

        Returns:
            The record; None when it has its outcome already, is not acknowledged, or is deleted.
        """
        rows = await self._query(
            f"""UPDATE requests SET state = 'failed', finished_at = :now, error_code = :code,
                    error_arguments = '[]', worker = NULL, lease_until = NULL
                WHERE id = :id AND state IN ('waiting', 'running') AND NOT ({HELD})
                RETURNING *""",  # noqa: S608 - a constant of this module
            id=request_id,
            code=Cancelled.__name__,
        )
        return record_from_row(rows[0]) if rows else None

    async def mark_delivered(self, request_id: int, message_id: int | None = None) -> None:
        """Store that the outcome is delivered, and delete the interaction's token.

        Args:
            request_id: The request.
            message_id: The new message that holds the result; None for the known one.
        """
        await self._query(
            """UPDATE requests SET answered_at = :now, interaction_token = '',
                   message_id = coalesce(:message_id, message_id)
               WHERE id = :id AND answered_at IS NULL""",
            id=request_id,
            message_id=message_id,
        )

    async def run_again(self, request_id: int) -> None:
        """Return a finished request to the queue whose files are gone; its tries still count."""
        await self._query(
            """UPDATE requests SET state = 'waiting', finished_at = NULL, receipt = NULL,
                   stage_seconds = NULL, worker = NULL, deliveries = 0
               WHERE id = :id AND answered_at IS NULL AND state = 'done'""",
            id=request_id,
        )

    async def start_delivery(self, request_id: int) -> RequestRecord | None:
        """Count one delivery attempt; None when there is no outcome, or it is delivered."""
        for _ in range(2):
            rows = await self._query(
                """UPDATE requests SET deliveries = deliveries + 1
                   WHERE id = :id AND answered_at IS NULL AND state IN ('done', 'failed')
                   RETURNING *""",
                id=request_id,
            )
            if records := await self._decode(rows):
                return records[0]  # else it is a failure now, if there is one
        return None

    async def undelivered(self) -> list[int]:
        """List the ids of requests whose outcome is not delivered yet."""
        rows = await self._query(
            """SELECT id FROM requests WHERE answered_at IS NULL AND state IN ('done', 'failed')
               ORDER BY id"""
        )
        return [row["id"] for row in rows]

    async def queue(self) -> list[RequestRecord]:
        """List the waiting requests in the order in which they will be leased."""
        rows = await self._query(
            f"SELECT requests.* FROM requests JOIN {QUEUE} USING (id) {ORDER}"  # noqa: S608
        )
        return await self._decode(rows)

    async def find(self, request_id: int) -> RequestRecord | None:
        """Return one request; None when there is none, or none that can be read."""
        rows = await self._query("SELECT * FROM requests WHERE id = :id", id=request_id)
        return next(iter(await self._decode(rows)), None)

    async def history(
        self,
        user_id: int,
        limit: int = -1,
        *,
        public_only: bool = False,
        unreadable: list[dict[str, object]] | None = None,
    ) -> list[RequestRecord]:
        """List the latest ``limit`` requests of a user (-1: all), newest first.

        Those that cannot be read, such as after a step back to an older version, are left out.

        Args:
            user_id: The user's id on Discord.
            limit: The largest number of requests, at least 0; -1 for all.
            public_only: Whether private requests are left out.
            unreadable: Receives what is stored of those that cannot be read.
        """
        rows = await self._query(
            """SELECT * FROM requests WHERE user_id = :user_id AND NOT (private AND :public_only)
               ORDER BY id DESC LIMIT :limit""",
            user_id=user_id,
            limit=limit,
            public_only=public_only,
        )
        records, others = sort_rows(rows)
        if unreadable is not None:
            unreadable += [dict(row) for row in others]
        return records

    async def recently_made(self, limit: int) -> list[tuple[float, float, float]]:
        """List when the latest requests with a result began and ended, and their expected work.

        Args:
            limit: The largest number of requests.

        Returns:
            Seconds since 1970, twice, and seconds of work.
        """
        rows = await self._query(
            """SELECT started_at, finished_at, expected_s FROM requests
               WHERE state = 'done' AND started_at IS NOT NULL ORDER BY id DESC LIMIT :limit""",
            limit=limit,
        )
        return [tuple(row) for row in rows]

    async def count_open(self, user_id: int) -> int:
        """Count the acknowledged requests of a user that have no outcome yet."""
        rows = await self._query(
            """SELECT count(*) AS open FROM requests
               WHERE user_id = :user_id AND state IN ('waiting', 'running')
               AND (worker IS NULL OR worker NOT IN ('intake', 'download'))""",
            user_id=user_id,
        )
        return int(rows[0]["open"])

    async def count_waiting(self, guild_id: int | None) -> tuple[int, int]:
        """Count the requests that wait: in all, and of one server."""
        rows = await self._query(
            """SELECT count(*) AS in_all, coalesce(sum(guild_id = :guild_id), 0) AS of_server
               FROM requests WHERE state IN ('waiting', 'running') AND state = 'waiting'""",
            guild_id=guild_id,
        )
        return int(rows[0]["in_all"]), int(rows[0]["of_server"])

    async def count_backlog(self) -> tuple[int, int, float]:
        """Count waiting and running requests, and the seconds that the oldest waiting one waits."""
        (row,) = await self._query(
            f"""SELECT count(*) FILTER (WHERE state = 'waiting') AS waiting,
                   count(*) FILTER (WHERE state = 'running' AND NOT ({HELD})) AS running,
                   max(0, :steady - coalesce(min(coalesce(asked_steady, asked_at))
                       FILTER (WHERE state = 'waiting'), :steady)) AS oldest_s
               FROM requests WHERE answered_at IS NULL AND state IN ('waiting', 'running')"""  # noqa: S608
        )
        return row["waiting"], row["running"], float(row["oldest_s"])

    async def _query(self, statement: str, **values: Any) -> list[sqlite3.Row]:
        times = {"now": self._clock(), "steady": self._steady()}
        return await self.database.run(statement, **(times | values))
