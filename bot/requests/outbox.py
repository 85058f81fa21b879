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

from bot.requests.notifier import NotDelivered, Teller
from bot.requests.result_files import Shelf
from bot.requests.store import Entry, Ledger
from mst_core.errors import EngineFault, rebuild_error

log = logging.getLogger(__name__)

FIRST_WAIT_S = 30.0
LONGEST_WAIT_S = 15 * 60.0
GIVE_UP_S = 24 * 3600.0
"""Counted from the outcome: after that nobody is pursued any more."""


def wait_s(deliveries: int) -> float:
    """Say how long to wait after so many attempts in vain: 30 s, 1, 2, 4, 8, then 15 minutes."""
    return min(FIRST_WAIT_S * 2.0 ** min(deliveries - 1, 9), LONGEST_WAIT_S)


class Answering:
    """Owns the answers that are on their way."""

    def __init__(
        self,
        ledger: Ledger,
        shelf: Shelf,
        teller: Teller,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._ledger, self._shelf, self._teller, self._clock = ledger, shelf, teller, clock
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._resting: dict[int, asyncio.TimerHandle] = {}
        self._closing = False

    async def sweep(self) -> None:
        """Remove files that no answer waits for: what a crash left, or an older version."""
        await asyncio.to_thread(self._shelf.sweep, await self._ledger.unanswered())

    async def take_up(self) -> None:
        """Answer whatever has an outcome and no answer, unless it waits for its next attempt."""
        for request_id in await self._ledger.unanswered():
            if request_id not in self._resting:
                self.soon(request_id)

    def soon(self, request_id: int) -> None:
        """Begin to answer a request, unless that is under way."""
        self._rest_no_more(request_id)
        if request_id not in self._tasks and not self._closing:
            task = self._tasks[request_id] = asyncio.create_task(self._answer(request_id))
            task.add_done_callback(lambda done: self._reap(request_id, done))

    async def forget(self, request_ids: Collection[int]) -> None:
        """Leave requests unanswered that are no longer kept, and remove their files."""
        tasks = [self._tasks[one] for one in request_ids if one in self._tasks]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for request_id in request_ids:
            self._rest_no_more(request_id)
            await asyncio.to_thread(self._shelf.discard, request_id)

    async def close(self, grace_s: float) -> None:
        """Begin nothing more, and give what is under way a while to end."""
        self._closing = True
        for timer in self._resting.values():
            timer.cancel()
        tasks = list(self._tasks.values())
        if tasks:
            await asyncio.wait(tasks, timeout=grace_s)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _answer(self, request_id: int) -> None:
        entry = await self._ledger.delivering(request_id)
        if entry is None:
            return
        if problem := await self._tell(entry):
            if self._clock() - (entry.finished_at or entry.asked_at) < GIVE_UP_S:
                log.warning("request %d is not answered yet: %s", entry.id, problem)
                self._rest(entry)
                return
            log.error("request %d stays unanswered: %s", entry.id, problem)
        await self._ledger.answered(request_id)
        await asyncio.to_thread(self._shelf.discard, request_id)

    async def _tell(self, entry: Entry) -> str:
        """Tell the outcome; returns why it was not taken, or nothing."""
        try:
            if entry.state == "failed":
                error = rebuild_error(entry.error_code or "", entry.error_arguments)
                await self._teller.refuse(entry, error)
            else:
                files = await asyncio.to_thread(self._shelf.take, entry.id)
                await self._teller.answer(entry, files)
        except NotDelivered as error:
            return str(error)
        except Exception as error:
            return await self._tell_fault(entry, error)
        return ""

    async def _tell_fault(self, entry: Entry, error: Exception) -> str:
        reference = secrets.token_hex(4)
        log.error(
            "request %d cannot be answered, reference %s: %s",
            entry.id,
            reference,
            type(error).__name__,
            exc_info=error if entry.deliveries == 1 else None,  # once is enough
        )
        try:
            await self._teller.refuse(entry, EngineFault(reference))
        except NotDelivered as problem:
            return str(problem)
        except Exception as problem:
            return type(problem).__name__
        return ""

    def _rest(self, entry: Entry) -> None:
        loop = asyncio.get_running_loop()
        self._resting[entry.id] = loop.call_later(wait_s(entry.deliveries), self.soon, entry.id)

    def _rest_no_more(self, request_id: int) -> None:
        if timer := self._resting.pop(request_id, None):
            timer.cancel()

    def _reap(self, request_id: int, task: asyncio.Task[None]) -> None:
        del self._tasks[request_id]
        if not task.cancelled() and (error := task.exception()):
            log.error("request %d: answering it failed", request_id, exc_info=error)
