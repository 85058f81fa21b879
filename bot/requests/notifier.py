"""What a dispatcher needs of one who speaks with people, and the pace of speaking."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Protocol

from bot.requests.store import RequestRecord
from mst_core.errors import MstError
from mst_core.jobs import Progress

EDIT_INTERVAL_S = 1.0
"""At least this long between two edits of a message."""


class NotDelivered(Exception):
    """Discord could not be reached; the same answer may be sent again later."""


class Notifier(Protocol):
    """Who speaks with the asker of a request."""

    async def show_position(
        self, record: RequestRecord, position: int, *, engine_ready: bool
    ) -> None:
        """Say which place in the queue it has, and whether the engine is awake."""

    async def show_progress(self, record: RequestRecord, progress: Progress) -> None:
        """Say how far it is."""

    async def deliver_result(self, record: RequestRecord, files: Mapping[str, bytes]) -> None:
        """Give the result. Raises NotDelivered."""

    async def deliver_error(self, record: RequestRecord, error: MstError) -> None:
        """Remove the public message and tell the asker alone. Raises NotDelivered."""


class ProgressThrottle:
    """The words about one unfinished request: one edit at a time, at most one a second.

    What comes too soon is dropped, since something newer follows.
    """

    def __init__(self, spawn: Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]]) -> None:
        self._spawn = spawn
        self._edit: asyncio.Task[None] | None = None
        self._next_at = 0.0
        self._last_key: object = None

    def submit(self, edit: Coroutine[Any, Any, None], key: object = None) -> None:
        """Start the edit unless it is too soon, or ``key`` says that it was said already."""
        now = asyncio.get_running_loop().time()
        repeated = key is not None and key == self._last_key
        if repeated or now < self._next_at or (self._edit and not self._edit.done()):
            edit.close()
            return
        self._last_key, self._next_at = key, now + EDIT_INTERVAL_S
        self._edit = self._spawn(edit)

    async def drain(self) -> None:
        """Wait until no edit is on its way, so that none can overtake the answer."""
        if self._edit:
            await asyncio.wait([self._edit])
