"""The outbox: delivers the outcome of every request, also after Discord was unreachable.

A failed delivery is retried after 30 s, then with growing delays, until the outcome is a day old.
The files of a result are kept until it is delivered (docs/decisions.md#stored-before-delivered).
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import TYPE_CHECKING

from bot.monitoring.logs import REQUEST_ID
from bot.requests.notifier import NotDelivered, Notifier, spawn
from bot.requests.record import RequestRecord
from bot.requests.result_files import ResultFiles
from bot.requests.store import RequestStore
from mst_core.errors import EngineFault, rebuild_error

if TYPE_CHECKING:
    from bot.monitoring.metrics import Metrics

log = logging.getLogger(__name__)

FIRST_RETRY_S = 30.0
"""Seconds before the first retry; each later delay is twice as long."""
MAX_RETRY_S = 15 * 60.0
"""Seconds between two attempts, at most."""
GIVE_UP_AFTER_S = 24 * 3600.0
"""Seconds after the outcome when delivery is given up."""
LEAST_ATTEMPTS = 8
"""Attempts before that, three quarters of an hour: the clock may have been set forward by a day."""


def retry_delay_s(attempts: int) -> float:
    """Return the delay before the next attempt in seconds: 30 s, then 1, 2, 4, 8, 15 minutes."""
    return min(FIRST_RETRY_S * 2.0 ** min(attempts - 1, 9), MAX_RETRY_S)


class Outbox:
    """Delivers outcomes in background tasks, one for each request."""

    def __init__(
        self,
        store: RequestStore,
        results: ResultFiles,
        notifier: Notifier,
        clock: Callable[[], float] = time.time,
        on_run_again: Callable[[], None] = lambda: None,
        metrics: Metrics | None = None,
    ) -> None:
        self._metrics = metrics
        self._on_run_again = on_run_again
        self._store, self._results, self._notifier, self._clock = store, results, notifier, clock
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._retries: dict[int, asyncio.TimerHandle] = {}
        self._closing = False

    async def sweep(self) -> None:
        """Delete the files of results that are delivered already, such as after a crash."""
        await asyncio.to_thread(self._results.sweep, await self._store.undelivered())

    async def resume(self, running: Collection[int] = ()) -> None:
        """Enqueue every undelivered outcome, unless its retry is scheduled.

        Args:
            running: Requests whose jobs are about to end, which enqueue them themselves.
        """
        for request_id in await self._store.undelivered():
            if request_id not in self._retries and request_id not in running:
                self.enqueue(request_id)

    def enqueue(
        self, request_id: int, prepare: Callable[[], Awaitable[None]] | None = None
    ) -> None:
        """Start the delivery of a request's outcome, unless it is in progress.

        Args:
            request_id: The request.
            prepare: Awaited before the delivery, such as the end of an edit of its message.
        """
        self._cancel_retry(request_id)
        if request_id not in self._tasks and not self._closing:
            self._tasks[request_id] = spawn(
                self._deliver(request_id, prepare),
                f"the delivery of request {request_id}",
                lambda _: self._tasks.pop(request_id),
            )

    async def discard(self, request_ids: Collection[int]) -> None:
        """Cancel the deliveries of deleted requests, and delete their files."""
        tasks = [self._tasks[one] for one in request_ids if one in self._tasks]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for request_id in request_ids:
            self._cancel_retry(request_id)
            await asyncio.to_thread(self._results.discard, request_id)

    async def close(self, grace_s: float) -> None:
        """Start no more deliveries, wait ``grace_s`` for those in progress, then cancel them."""
        self._closing = True
        for timer in self._retries.values():
            timer.cancel()
        tasks = list(self._tasks.values())
        if tasks:
            await asyncio.wait(tasks, timeout=grace_s)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _deliver(
        self, request_id: int, prepare: Callable[[], Awaitable[None]] | None
    ) -> None:
        REQUEST_ID.set(request_id)
        if prepare:
            await prepare()
        record = await self._store.start_delivery(request_id)
        if record is None:
            return
        files = await asyncio.to_thread(self._results.read, record.id)
        if record.state == "done" and not files:
            # Such as after a backup without them: the same seed makes the same tune again.
            log.warning("request %d runs again: the files of its result are gone", record.id)
            await self._store.run_again(record.id)
            self._on_run_again()
            return
        problem, message_id = await self._notify(record, files)
        if problem:
            age_s = self._clock() - (record.finished_at or record.asked_at)
            if age_s < GIVE_UP_AFTER_S or record.deliveries < LEAST_ATTEMPTS:
                log.warning("request %d is not delivered yet: %s", record.id, problem)
                self._observe(record, "retried")
                self._schedule_retry(record)
                return
            log.error("request %d stays undelivered: %s", record.id, problem)
        self._observe(record, "given_up" if problem else "delivered")
        await self._store.mark_delivered(request_id, message_id)
        await asyncio.to_thread(self._results.discard, request_id)

    def _observe(self, record: RequestRecord, outcome: str) -> None:
        if self._metrics:
            self._metrics.delivery_ended(outcome, self._clock() - record.asked_at)

    async def _notify(
        self, record: RequestRecord, files: Mapping[str, bytes]
    ) -> tuple[str, int | None]:
        """Deliver the outcome once; return why that failed, or "", and its new message, if any."""
        try:
            if record.state == "done":
                return "", await self._notifier.deliver_result(record, files)
            error = rebuild_error(record.error_code or "", record.error_arguments)
            await self._notifier.deliver_error(record, error)
        except NotDelivered as problem:
            return str(problem), None
        except Exception as problem:
            return await self._notify_of_fault(record, problem), None
        return "", None

    async def _notify_of_fault(self, record: RequestRecord, error: Exception) -> str:
        """Log an unexpected error and deliver its reference; return why that failed, or ""."""
        reference = secrets.token_hex(4)
        log.error(
            "request %d cannot be delivered, reference %s: %s",
            record.id,
            reference,
            type(error).__name__,
            exc_info=error if record.deliveries == 1 else None,  # one traceback is enough
        )
        try:
            await self._notifier.deliver_error(record, EngineFault(reference))
        except NotDelivered as problem:
            return str(problem)
        except Exception as problem:
            return type(problem).__name__
        return ""

    def _schedule_retry(self, record: RequestRecord) -> None:
        loop = asyncio.get_running_loop()
        self._retries[record.id] = loop.call_later(
            retry_delay_s(record.deliveries), self.enqueue, record.id
        )

    def _cancel_retry(self, request_id: int) -> None:
        if timer := self._retries.pop(request_id, None):
            timer.cancel()
