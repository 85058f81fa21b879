"""What a dispatcher needs of one who speaks with people, and the pace of speaking."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Protocol

from bot.requests.store import Entry
from mst_core.errors import MstError
from mst_core.jobs import Progress

EDIT_S = 1.0
"""At least this long between two edits of a message."""


class NotDelivered(Exception):
    """Discord could not be reached; the same answer may be sent again later."""


class Teller(Protocol):
    """Who speaks with the asker of a request."""

    async def waiting(self, entry: Entry, place: int, *, awake: bool) -> None:
        """Say which place in the queue it has, and whether the engine is awake."""

    async def progress(self, entry: Entry, progress: Progress) -> None:
        """Say how far it is."""

    async def answer(self, entry: Entry, files: Mapping[str, bytes]) -> None:
        """Give the result. Raises NotDelivered."""

    async def refuse(self, entry: Entry, error: MstError) -> None:
        """Remove the public message and tell the asker alone. Raises NotDelivered."""


class Words:
    """The words about one unfinished request: one edit at a time, at most one a second.

    What comes too soon is dropped, since something newer follows.
    """

    def __init__(self, spawn: Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]]) -> None:
        self._spawn = spawn
        self._edit: asyncio.Task[None] | None = None
        self._next_at = 0.0
        self._last: object = None

    def say(self, edit: Coroutine[Any, Any, None], once_for: object = None) -> None:
        """Start the edit unless it is too soon, or ``once_for`` says that it was said already."""
        now = asyncio.get_running_loop().time()
        repeated = once_for is not None and once_for == self._last
        if repeated or now < self._next_at or (self._edit and not self._edit.done()):
            edit.close()
            return
        self._last, self._next_at = once_for, now + EDIT_S
        self._edit = self._spawn(edit)

    async def quiet(self) -> None:
        """Wait until no edit is on its way, so that none can overtake the answer."""
        if self._edit:
            await asyncio.wait([self._edit])
