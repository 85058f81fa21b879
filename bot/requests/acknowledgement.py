"""Acknowledgements whose reply was lost: whether Discord has the message of a stored request.

A request is stored before it is acknowledged to Discord, as leased to `INTAKE`, or to `DOWNLOAD`
while its files are still on their way. When the bot is killed in between, or Discord's reply is
lost, its message is looked for by the interaction: if it is there, the request runs, else the user
saw that the command failed, and the request is withdrawn.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Awaitable, Callable

from bot.errors import DownloadFailed
from bot.requests.notifier import NotDelivered
from bot.requests.record import RequestRecord
from bot.requests.store import DOWNLOAD, RequestStore

log = logging.getLogger(__name__)

RETRY_S = 20.0
"""Seconds between two looks for the messages of unconfirmed acknowledgements."""


class Acknowledgements:
    """Settles requests that are stored but whose acknowledgement is not confirmed.

    Args:
        store: The requests.
        find_message: Returns the id of a request's public message, 0 when the interaction is too
            old to ask, and None when there is no such message; raises NotDelivered when Discord
            cannot be reached.
        wake: Called when a request is ready to run.
    """

    def __init__(
        self,
        store: RequestStore,
        find_message: Callable[[RequestRecord], Awaitable[int | None]],
        wake: Callable[[], None],
    ) -> None:
        self._store, self._find_message, self._wake = store, find_message, wake
        self._unsettled: dict[int, RequestRecord] = {}
        self._left: frozenset[int] = frozenset()  # by an earlier process, with its downloads
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Settle what an earlier process left, now and until each has an answer of Discord."""
        self._unsettled = {one.id: one for one in await self._store.unacknowledged()}
        self._left = frozenset(self._unsettled)
        self._look_again(0)

    async def close(self) -> None:
        """Leave what is not settled to the next start."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def settle(self, record: RequestRecord) -> None:
        """Look for the message of a request; run the request, withdraw it, or look again later.

        Args:
            record: A request whose acknowledgement is not confirmed.
        """
        self._unsettled[record.id] = record
        try:
            message_id = await self._find_message(record)
        except NotDelivered as error:
            log.info("request %d: its message is looked for again: %s", record.id, error)
            self._look_again(RETRY_S)
            return
        if message_id is None:
            await self._store.withdraw(record.id)
        else:
            await self._store.acknowledge(record.id, message_id)
            if record.worker == DOWNLOAD and record.id in self._left:
                await self._store.mark_failed(
                    DOWNLOAD,
                    record.id,
                    DownloadFailed.__name__,
                    [next(iter(record.names.values()), "the file")],
                )
        self._unsettled.pop(record.id, None)
        self._wake()

    def settle_later(self, record: RequestRecord) -> None:
        """Settle a request that cannot be marked as acknowledged now, such as on a locked disk."""
        self._unsettled[record.id] = record
        self._look_again(RETRY_S)

    def _look_again(self, after_s: float) -> None:
        if self._unsettled and (self._task is None or self._task.done()):
            self._task = asyncio.create_task(self._run(after_s))

    async def _run(self, wait_s: float) -> None:
        while self._unsettled:
            await asyncio.sleep(wait_s)
            wait_s = RETRY_S
            for record in list(self._unsettled.values()):
                try:
                    await self.settle(record)
                except sqlite3.Error:  # such as a full disk: the next look may succeed
                    log.exception("request %d cannot be settled", record.id)
