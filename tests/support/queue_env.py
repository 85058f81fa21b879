"""The parts around a dispatcher, with an engine of paper and a notebook for a teller."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from bot.requests.result_files import Shelf
from bot.requests.scheduler import Dispatcher
from bot.requests.store import Entry, Ledger
from bot.requests.uploads import Uploads
from mst_core.engine import Engine
from mst_core.errors import MstError
from mst_core.jobs import Progress
from tests.support.fakes import FakeEngine, make_ask


class Notebook:
    """A teller that writes down what it would say."""

    def __init__(self) -> None:
        self.places: list[tuple[int, int, bool]] = []
        self.shares: list[float] = []
        self.answers: dict[int, list[dict[str, bytes]]] = {}
        self.refusals: dict[int, list[MstError]] = {}
        self.errors: list[Exception] = []
        """Raised by the next answers or refusals, one each."""
        self.trouble: Exception | None = None
        """Raised by every answer and refusal."""

    async def waiting(self, entry: Entry, place: int, *, awake: bool) -> None:
        self.places.append((entry.id, place, awake))

    async def progress(self, entry: Entry, progress: Progress) -> None:
        self.shares.append(progress.share)

    async def answer(self, entry: Entry, files: Mapping[str, bytes]) -> None:
        self._stumble()
        self.answers.setdefault(entry.id, []).append(dict(files))

    async def refuse(self, entry: Entry, error: MstError) -> None:
        self._stumble()
        self.refusals.setdefault(entry.id, []).append(error)

    def _stumble(self) -> None:
        if self.trouble:
            raise self.trouble
        if self.errors:
            raise self.errors.pop(0)


class House:
    """The parts around a dispatcher."""

    def __init__(self, folder: Path, ledger: Ledger) -> None:
        self.ledger = ledger
        self.shelf = Shelf(folder / "results")
        self.uploads = Uploads(folder / "uploads", ledger.database)
        self.notebook = Notebook()
        self.engine = FakeEngine()
        self.broken: list[MstError] = []

    @asynccontextmanager
    async def dispatching(
        self, engine: Engine | None = None, **changes: Any
    ) -> AsyncIterator[Dispatcher]:
        values: dict[str, Any] = {"tries": 3, "job_timeout_s": 60, "retry_s": 0.01} | changes
        dispatcher = Dispatcher(
            self.ledger, self.shelf, self.uploads, engine or self.engine, self.notebook, **values
        )
        await dispatcher.start(self.broken.append)
        yield dispatcher
        await dispatcher.close(0)

    async def accept(self, dispatcher: Dispatcher | None = None, **changes: Any) -> Entry:
        entry = await self.ledger.accept(make_ask(**changes))
        if dispatcher:
            dispatcher.wake()
        return entry

    async def answered(self, *entries: Entry) -> list[Entry]:
        """Wait until all of them are answered, and return them as they are now."""

        async def all_answered() -> bool:
            found = [await self.ledger.find(entry.id) for entry in entries]
            return all(entry and entry.answered_at for entry in found)

        await until(all_answered)
        return [entry for one in entries if (entry := await self.ledger.find(one.id))]


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Wait for what another task will bring about; pytest's timeout is the limit."""
    while not await condition():  # noqa: ASYNC110 - the ledger rings no bell
        await asyncio.sleep(0.005)
