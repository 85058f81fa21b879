"""Answering: sees every request that has an outcome told, however long Discord is away.

What Discord does not take is sent again, after 30 s and then ever later, until it is a day old.
A result's files stay on the shelf until it is told; a new one like it needs only the request.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import Callable, Collection

from bot.requests.notifier import NotDelivered, Notifier
from bot.requests.result_files import ResultFiles
from bot.requests.store import RequestRecord, RequestStore
from mst_core.errors import EngineFault, rebuild_error

log = logging.getLogger(__name__)

FIRST_RETRY_S = 30.0
MAX_RETRY_S = 15 * 60.0
GIVE_UP_AFTER_S = 24 * 3600.0
"""Counted from the outcome: after that nobody is pursued any more."""


def retry_delay_s(attempts: int) -> float:
    """Say how long to wait after so many attempts in vain: 30 s, 1, 2, 4, 8, then 15 minutes."""
    return min(FIRST_RETRY_S * 2.0 ** min(attempts - 1, 9), MAX_RETRY_S)


class Outbox:
    """Owns the answers that are on their way."""

    def __init__(
        self,
        store: RequestStore,
        results: ResultFiles,
        notifier: Notifier,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store, self._results, self._notifier, self._clock = store, results, notifier, clock
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._retries: dict[int, asyncio.TimerHandle] = {}
        self._closing = False

    async def sweep(self) -> None:
        """Remove files that no answer waits for: what a crash left, or an older version."""
        await asyncio.to_thread(self._results.sweep, await self._store.undelivered())

    async def resume(self) -> None:
        """Answer whatever has an outcome and no answer, unless it waits for its next attempt."""
        for request_id in await self._store.undelivered():
            if request_id not in self._retries:
                self.enqueue(request_id)

    def enqueue(self, request_id: int) -> None:
        """Begin to answer a request, unless that is under way."""
        self._cancel_retry(request_id)
        if request_id not in self._tasks and not self._closing:
            task = self._tasks[request_id] = asyncio.create_task(self._deliver(request_id))
            task.add_done_callback(lambda done: self._reap(request_id, done))

    async def discard(self, request_ids: Collection[int]) -> None:
        """Leave requests unanswered that are no longer kept, and remove their files."""
        tasks = [self._tasks[one] for one in request_ids if one in self._tasks]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for request_id in request_ids:
            self._cancel_retry(request_id)
            await asyncio.to_thread(self._results.discard, request_id)

    async def close(self, grace_s: float) -> None:
        """Begin nothing more, and give what is under way a while to end."""
        self._closing = True
        for timer in self._retries.values():
            timer.cancel()
        tasks = list(self._tasks.values())
        if tasks:
            await asyncio.wait(tasks, timeout=grace_s)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _deliver(self, request_id: int) -> None:
        entry = await self._store.start_delivery(request_id)
        if entry is None:
            return
        if problem := await self._notify(entry):
            if self._clock() - (entry.finished_at or entry.asked_at) < GIVE_UP_AFTER_S:
                log.warning("request %d is not answered yet: %s", entry.id, problem)
                self._schedule_retry(entry)
                return
            log.error("request %d stays unanswered: %s", entry.id, problem)
        await self._store.mark_delivered(request_id)
        await asyncio.to_thread(self._results.discard, request_id)

    async def _notify(self, record: RequestRecord) -> str:
        """Tell the outcome; returns why it was not taken, or nothing."""
        try:
            if record.state == "failed":
                error = rebuild_error(record.error_code or "", record.error_arguments)
                await self._notifier.deliver_error(record, error)
            else:
                files = await asyncio.to_thread(self._results.read, record.id)
                await self._notifier.deliver_result(record, files)
        except NotDelivered as error:
            return str(error)
        except Exception as error:
            return await self._notify_of_fault(record, error)
        return ""

    async def _notify_of_fault(self, record: RequestRecord, error: Exception) -> str:
        reference = secrets.token_hex(4)
        log.error(
            "request %d cannot be answered, reference %s: %s",
            record.id,
            reference,
            type(error).__name__,
            exc_info=error if record.deliveries == 1 else None,  # once is enough
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

    def _reap(self, request_id: int, task: asyncio.Task[None]) -> None:
        del self._tasks[request_id]
        if not task.cancelled() and (error := task.exception()):
            log.error("request %d: answering it failed", request_id, exc_info=error)
