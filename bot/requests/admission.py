"""Admission: whether a user may ask now, by what waits already and by the pause after a request."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterable

from bot.errors import QueueFull, TooManyOpen, TooSoon
from bot.requests.store import RequestStore
from mst_core.job_cost import estimate_seconds
from mst_core.requests import Request

MAX_WAITING = 500
"""Requests that may wait in all; at 5 s each the last one waits 40 minutes."""
MAX_WAITING_PER_SERVER = 200
"""Requests of one server that may wait, so that another one finds room."""

BYTES_PER_NOTE = {"abc": 3, "xml": 400, "musicxml": 400, "mxl": 25}
"""Bytes of a file for each of its notes, by the end of its name; compressed files have fewer."""
MIDI_BYTES_PER_NOTE = 8
"""The same for MIDI: a note is two events of about 4 bytes."""


SECONDS_PER_NOTE = 0.3
"""Seconds of music for each note of a file: the median of real files is 0.25 to 0.4."""


def expected_seconds(request: Request, sizes: Iterable[tuple[str, int]]) -> float:
    """Return the CPU seconds that a request is expected to take, from the sizes of its files alone.

    Only the order of the queue depends on it, until a parser has read the files: the scheduler
    then estimates again.

    Args:
        request: The request.
        sizes: Name and size in bytes of each of its files; none for a new tune.
    """
    notes = 0.0
    for name, size in sizes:
        suffix = name.lower().rpartition(".")[2]
        notes += size / BYTES_PER_NOTE.get(suffix, MIDI_BYTES_PER_NOTE)
    size_of_one = (notes, notes * SECONDS_PER_NOTE, 0.0)
    return estimate_seconds(request, dict.fromkeys(request.sources, size_of_one))


class Admission:
    """Refuses requests beyond the limits of a user, of a server and of the whole queue."""

    def __init__(
        self,
        store: RequestStore,
        max_open_per_user: int,
        cooldown_s: float,
        clock: Callable[[], float] = time.time,
        steady: Callable[[], float] = time.monotonic,
        promise_room: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        """Begin with no request noted; those in the store count too.

        Args:
            store: The requests.
            max_open_per_user: Requests of one user without an outcome, at most.
            cooldown_s: Seconds between two requests of a user.
            clock: Returns the time in seconds since 1970.
            steady: Returns seconds that no change of the system's clock moves.
            promise_room: Promises room on the disk to a request, or raises NoRoom; None where
                there is always enough.
        """
        self._promise_room = promise_room
        self._store, self._clock, self._steady = store, clock, steady
        self._max_open, self._cooldown_s = max_open_per_user, cooldown_s
        self._noted: dict[int, tuple[float, float]] = {}

    def note(self, user_id: int) -> None:
        """Begin the pause of a user whose request was accepted."""
        now = self._steady()
        recent = {one: at for one, at in self._noted.items() if now - at[0] < self._cooldown_s}
        self._noted = recent | {user_id: (now, self._clock())}

    def begin(self, user_id: int) -> None:
        """Begin the pause of a user whose request has passed `check`, before it is accepted.

        Raises:
            TooSoon: when another request of the user has passed it at the same time.
        """
        if (wait_s := self._noted_pause_s(user_id)) and wait_s > 0:
            raise TooSoon(f"{max(1.0, wait_s):.0f}")
        self.note(user_id)

    def forget(self, user_id: int) -> None:
        """End the pause of a user whose request was not accepted after all."""
        self._noted.pop(user_id, None)

    async def check(
        self,
        user_id: int,
        guild_id: int | None,
        pending: int,
        pending_of_server: int = 1,
        pending_in_all: int = 1,
    ) -> None:
        """Check that a user may ask for one more tune now.

        Args:
            user_id: The user.
            guild_id: The server; None in a direct message.
            pending: The user's requests that are being accepted, this one included.
            pending_of_server: The same of the server.
            pending_in_all: The same of everybody.

        Raises:
            TooManyOpen, QueueFull, TooSoon, NoRoom: when not.
        """
        if await self._store.count_open(user_id) + pending > self._max_open:
            raise TooManyOpen(self._max_open)
        in_all, of_server = await self._store.count_waiting(guild_id)
        if in_all + pending_in_all > MAX_WAITING:
            raise QueueFull(in_all + pending_in_all - 1)
        if guild_id and of_server + pending_of_server > MAX_WAITING_PER_SERVER:
            raise QueueFull(of_server + pending_of_server - 1)
        wait_s = await self._pause_s(user_id)
        if wait_s > 0:
            raise TooSoon(f"{wait_s:.0f}" if wait_s >= 1 else "1")
        if self._promise_room:
            await self._promise_room()

    async def _pause_s(self, user_id: int) -> float:
        """Return the seconds that a user must still wait, 0 or less when none.

        The clock of the system may have been set back, which must make nobody wait for an hour: a
        request of the future says nothing.
        """
        if (wait_s := self._noted_pause_s(user_id)) is not None:
            return wait_s
        latest = await self._store.history(user_id, 1)
        passed_s = self._clock() - latest[0].asked_at if latest else -1.0
        return self._cooldown_s - passed_s if passed_s >= 0 else 0.0

    def _noted_pause_s(self, user_id: int) -> float | None:
        """Return the seconds that are left of a pause that was noted; None where none was."""
        if noted := self._noted.get(user_id):
            return self._cooldown_s - max(self._steady() - noted[0], self._clock() - noted[1])
        return None
