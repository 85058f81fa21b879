"""What the request queue needs of a notifier, and the throttling of its progress edits.

The scheduler and the outbox inform users through the `Notifier` protocol, so that they import no
Discord library; `bot.messages.delivery.Delivery` implements it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Protocol

from bot.requests.record import RequestRecord
from mst_core.errors import MstError
from mst_core.jobs import Progress

log = logging.getLogger(__name__)

EDIT_INTERVAL_S = 1.0
"""Seconds between two edits of a message, at least."""
EDIT_LIMIT_S = 15.0
"""Seconds after which an edit is given up, such as one that waits for a rate limit."""
DRAIN_LIMIT_S = 2.0
"""Seconds that a result waits for the edit in progress, which is then given up."""


class NotDelivered(Exception):
    """Discord could not be reached; the same outcome may be delivered later."""


class Notifier(Protocol):
    """Informs the user of a request about its state and its outcome."""

    async def show_position(
        self, record: RequestRecord, position: int, *, engine: str, wait_s: int
    ) -> None:
        """Show the position in the queue, counted from 1, and the state of the engine.

        Args:
            record: The waiting request.
            position: Its place in the queue, 1 for the next request that runs.
            engine: ``ready`` for jobs, ``starting`` or ``restarting``.
            wait_s: Seconds until its result, as estimated once the engine is ready.
        """

    async def show_progress(self, record: RequestRecord, progress: Progress) -> None:
        """Show the stage and the progress.

        Args:
            record: The running request.
            progress: The stage of its job and the share of the job that is done, 0 to 1.
        """

    async def deliver_result(self, record: RequestRecord, files: Mapping[str, bytes]) -> int | None:
        """Deliver the result with its files by format.

        Args:
            record: The finished request, with its receipt.
            files: The bytes of each file by its format, such as ``mp3``.

        Returns:
            The id of the message in the channel that holds it, where that is a new one.

        Raises:
            NotDelivered: when Discord could not be reached.
        """

    async def deliver_error(self, record: RequestRecord, error: MstError) -> None:
        """Delete the public message and inform the user privately.

        Args:
            record: The failed request.
            error: Why it failed; its code is the key of the sentence that the user gets.

        Raises:
            NotDelivered: when Discord could not be reached.
        """


class ProgressThrottle:
    """Limits the edits of one request's message: one at a time, and one every `EDIT_INTERVAL_S`.

    An edit that comes too soon is dropped, because a later one replaces it.
    """

    def __init__(self, spawn: Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]]) -> None:
        self._spawn = spawn
        self._edit: asyncio.Task[None] | None = None
        self._next_at = 0.0
        self._last_key: object = None

    def submit(self, edit: Coroutine[Any, Any, None], key: object = None) -> None:
        """Start an edit, unless it is too soon or the last started edit has the same ``key``.

        Args:
            edit: Edits the message once; it is closed without being run when it is dropped.
            key: What the edit shows, to recognize a repetition; None never counts as one.
        """
        now = asyncio.get_running_loop().time()
        repeated = key is not None and key == self._last_key
        if repeated or now < self._next_at or (self._edit and not self._edit.done()):
            edit.close()
            return
        self._last_key, self._next_at = key, now + EDIT_INTERVAL_S
        self._edit = self._spawn(_give_up_late(edit))

    async def drain(self) -> None:
        """Wait for the edit in progress, so that it cannot replace the result; then give it up.

        It waits `DRAIN_LIMIT_S` at most: a finished tune is worth more than its progress.
        """
        if self._edit:
            await asyncio.wait([self._edit], timeout=DRAIN_LIMIT_S)
            if self._edit.cancel():
                await asyncio.wait([self._edit], timeout=DRAIN_LIMIT_S)


async def _give_up_late(edit: Coroutine[Any, Any, None]) -> None:
    """Run an edit for `EDIT_LIMIT_S` at most; a later one shows more."""
    try:
        async with asyncio.timeout(EDIT_LIMIT_S):
            await edit
    except TimeoutError:
        log.info("an edit of a message took more than %g s and was given up", EDIT_LIMIT_S)
    finally:
        edit.close()  # also when this task is cancelled before it begins


def spawn(
    work: Coroutine[Any, Any, None],
    description: str,
    on_end: Callable[[asyncio.Task[None]], object],
) -> asyncio.Task[None]:
    """Start a background task whose failure is logged.

    Args:
        work: What the task does.
        description: What the log calls it, such as ``"the delivery of request 7"``.
        on_end: Called with the task at its end: removes it from the collection that holds it.
    """
    task = asyncio.create_task(work)

    def end(task: asyncio.Task[None]) -> None:
        on_end(task)
        if not task.cancelled() and (error := task.exception()):
            log.error("%s failed", description, exc_info=error)

    task.add_done_callback(end)
    return task
