"""The parts of the request queue, with a fake engine and a recording notifier."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from bot.requests.record import RequestRecord
from bot.requests.result_files import ResultFiles
from bot.requests.scheduler import Scheduler
from bot.requests.store import RequestStore
from bot.requests.uploads import Uploads
from mst_core.engine import Engine
from mst_core.errors import MstError
from mst_core.jobs import Progress
from tests.support.fakes import FakeEngine, make_new_request


class RecordingNotifier:
    """A notifier that records its calls."""

    def __init__(self) -> None:
        self.positions: list[tuple[int, int, str]] = []
        self.waits: dict[int, int] = {}
        """The seconds to go that were last shown, by request."""
        self.shares: list[float] = []
        self.results: dict[int, list[dict[str, bytes]]] = {}
        self.failures: dict[int, list[MstError]] = {}
        self.errors: list[Exception] = []
        """Raised by the next deliveries, one each."""
        self.permanent_error: Exception | None = None
        """Raised by every delivery."""

    async def show_position(
        self, record: RequestRecord, position: int, *, engine: str, wait_s: int
    ) -> None:
        self.waits[record.id] = wait_s
        self.positions.append((record.id, position, engine))

    async def show_progress(self, record: RequestRecord, progress: Progress) -> None:
        self.shares.append(progress.share)

    async def deliver_result(self, record: RequestRecord, files: Mapping[str, bytes]) -> int | None:
        self._raise_planned_error()
        self.results.setdefault(record.id, []).append(dict(files))
        return None

    async def deliver_error(self, record: RequestRecord, error: MstError) -> None:
        self._raise_planned_error()
        self.failures.setdefault(record.id, []).append(error)

    def _raise_planned_error(self) -> None:
        if self.permanent_error:
            raise self.permanent_error
        if self.errors:
            raise self.errors.pop(0)


class QueueEnv:
    """A request store with the parts that a scheduler needs."""

    def __init__(self, folder: Path, store: RequestStore) -> None:
        self.store = store
        self.results = ResultFiles(folder / "results")
        self.uploads = Uploads(folder / "uploads", store.database)
        self.notifier = RecordingNotifier()
        self.engine = FakeEngine()
        self.engine_failures: list[MstError] = []

    @asynccontextmanager
    async def scheduling(
        self, engine: Engine | None = None, **changes: Any
    ) -> AsyncIterator[Scheduler]:
        values: dict[str, Any] = {"tries": 3, "job_timeout_s": 60, "retry_s": 0.01} | changes
        scheduler = Scheduler(
            self.store, self.results, self.uploads, engine or self.engine, self.notifier, **values
        )
        await scheduler.start(self.engine_failures.append)
        yield scheduler
        await scheduler.close(0)

    async def add(self, scheduler: Scheduler | None = None, **changes: Any) -> RequestRecord:
        record = await self.store.add(make_new_request(**changes))
        if scheduler:
            scheduler.wake()
        return record

    async def delivered(self, *records: RequestRecord) -> list[RequestRecord]:
        """Wait until the outcomes are delivered, and return the present records."""

        async def all_delivered() -> bool:
            found = [await self.store.find(record.id) for record in records]
            return all(record and record.answered_at for record in found)

        await until(all_delivered)
        return [record for one in records if (record := await self.store.find(one.id))]


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Wait until a condition holds; pytest's timeout is the limit."""
    while not await condition():  # noqa: ASYNC110 - the store sends no events
        await asyncio.sleep(0.005)
