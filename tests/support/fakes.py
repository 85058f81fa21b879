"""Fakes for the bot: an engine that invents its results, and two styles without networks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec

from bot.requests.record import NewRequest
from bot.settings import Settings
from mst_core.engine import Capacity, EngineStatus
from mst_core.errors import EngineBusy, MstError
from mst_core.jobs import Job, Progress, Receipt, Rendition
from mst_core.pages import name_page
from mst_core.requests import Compose, Mashup, Transfer

CARD = """
title = "{title}"
description = "{title} tunes for tests."
instrument = "flute"
program = 73
lowest = 60
highest = 84
[meters."4/4"]
weight = 0.6
tempo = 110.0
name = "reel"
[meters."{meter}"]
weight = 0.4
tempo = 120.0
[keys]
"D major" = 0.5
"A dorian" = 0.5
[forms]
AABB = 1.0
"""


def write_styles(folder: Path) -> Path:
    """Write two style cards, folk and jazz, without networks."""
    for name, meter in (("folk", "6/8"), ("jazz", "3/4")):
        (folder / name).mkdir(parents=True)
        card = CARD.format(title=name.capitalize(), meter=meter)
        (folder / name / "style.toml").write_text(card, encoding="utf-8")
    return folder


def make_settings(folder: Path, **environment: str) -> Settings:
    """Make settings for tests below a folder: no cooldown, no drain, no networks."""
    models = folder / "models"
    if not models.exists():
        write_styles(models)
    return Settings.from_environment(
        {
            "MST_DATA_DIR": str(folder / "data"),
            "MST_MODELS_DIR": str(models),
            "MST_COOLDOWN_S": "0",
            "MST_DRAIN_S": "1",
            **environment,
        },
        dotenv=folder / "no.env",
    )


def make_new_request(user_id: int = 1, seed: int = 7, **changes: Any) -> NewRequest:
    """Return a request of a user that is not stored yet."""
    values: dict[str, Any] = {
        "user_id": user_id,
        "guild_id": 10,
        "channel_id": 20,
        "message_id": 30,
        "interaction_token": "a token",
        "file_limit_bytes": 10 * 2**20,
        "locale": "en-US",
        "request": Compose(pitch="folk", rhythm="folk", seed=seed),
    }
    return NewRequest(**(values | changes))


def make_rendition(job: Job, *, pages: int = 1) -> Rendition:
    """Return an invented result of a job, with values for the options that the request omits."""
    request = job.request
    if isinstance(request, Compose):
        receipt = Receipt(
            pitch=request.pitch,
            rhythm=request.rhythm,
            seed=request.seed,
            key=request.key or "D major",
            meter=request.meter or "4/4",
            tempo=request.tempo or 110.0,
            bars=request.bars,
            notes=64,
            form="AABB",
            seconds=34.9,
            version="0",
        )
    else:
        reading = job.scores[request.source]
        restyle = request if isinstance(request, Transfer) else None
        strengths = request.strengths
        receipt = Receipt(
            pitch=request.styles.get("pitch", ""),
            rhythm=request.styles.get("rhythm", ""),
            seed=request.seed,
            key=reading.melody.key.name,
            meter=(restyle and restyle.meter) or str(reading.melody.meter),
            tempo=reading.melody.tempo,
            bars=reading.melody.bar_count,
            notes=len(reading.melody.notes),
            form="",
            seconds=reading.melody.seconds,
            version="0",
            source=reading.title,
            rhythm_strength=strengths.get("rhythm"),
            rhythm_changed=0.37 if "rhythm" in strengths else 0.0,
            pitch_strength=strengths.get("pitch"),
            pitch_changed=0.2 if "pitch" in strengths else 0.0,
            repeats=(12, 12),
            rank_among=(41, 50) if restyle else None,
            longest_shared_run=7 if restyle else None,
            p95_shared_run=9 if restyle else None,
            warnings=reading.warnings,
            track=reading.track,
            candidates=tuple((part.number, part.name) for part in reading.candidates)
            if len(reading.candidates) > 1
            else (),
            tune=reading.tune,
            tunes=tuple(enumerate(reading.tunes, start=1)),
        )
    made = pages if job.max_pages is None else min(pages, job.max_pages)
    if made < pages:
        receipt = msgspec.structs.replace(receipt, pages=pages)
    names = [
        name_page(format, number)
        for format in job.formats
        for number in range(1, (made if format == "png" else 1) + 1)
    ]
    return Rendition(receipt, {name: f"{name} of {job.id}".encode() for name in names})


def compose_request(job: Job) -> Compose:
    """The request of a job for a new tune."""
    assert isinstance(job.request, Compose)
    return job.request


def mashup_request(job: Job) -> Mashup:
    """The request of a job for a mashup."""
    assert isinstance(job.request, Mashup)
    return job.request


def transfer_request(job: Job) -> Transfer:
    """The request of a job for a transfer."""
    assert isinstance(job.request, Transfer)
    return job.request


class FakeEngine:
    """An engine with four slots. Set ``hold`` to keep jobs running until `release`."""

    def __init__(self, *, slots: int = 4) -> None:
        self.slots = slots
        self.jobs: list[Job] = []
        """Every started job, in order."""
        self.running: set[str] = set()
        self.max_running = 0
        self.progress = [Progress("composing", 0.4)]
        self.errors: list[MstError | Exception] = []
        """Raised by the next jobs, one each, instead of a result."""
        self.pages = 1
        """Pages of the score of every result."""
        self.start_error: MstError | None = None
        self.hold = False
        self.wait: Callable[[Awaitable[Any]], Awaitable[Any]] = _await_directly
        """How it waits; a SimCord environment needs its own way."""
        self.closed = False
        self.ready = True
        self.problem = ""
        self.on_change: Callable[[], None] = lambda: None
        self._gate = asyncio.Event()

    async def start(self) -> None:
        """Start, or fail with ``start_error``."""
        if self.start_error:
            raise self.start_error

    async def run(self, job: Job) -> AsyncIterator[Progress | Rendition]:
        """Report the progress, wait while held, then fail or return a rendition."""
        if len(self.running) >= self.slots:
            raise EngineBusy(len(self.running))
        job = job.decode_scores()
        self.jobs.append(job)
        self.running.add(job.id)
        self.max_running = max(self.max_running, len(self.running))
        try:
            for progress in self.progress:
                yield progress
            if self.hold:
                await self.wait(self._gate.wait())
            if self.errors:
                raise self.errors.pop(0)
            yield make_rendition(job, pages=self.pages)
        finally:
            self.running.discard(job.id)

    def release(self) -> None:
        """Let held jobs finish, and hold no more."""
        self.hold = False
        self._gate.set()

    async def cancel(self, job_id: str) -> None:
        """Do nothing: the caller also closes the iterator of `run`."""

    def capacity(self) -> Capacity:
        """Return the slots and the running jobs."""
        return Capacity(self.slots, len(self.running))

    def status(self) -> EngineStatus:
        """Return that it takes jobs, unless ``ready`` was changed."""
        return EngineStatus(self.ready, self.problem)

    def watch(self, on_change: Callable[[], None]) -> None:
        """Keep the function for `become`."""
        self.on_change = on_change

    def become(self, *, ready: bool) -> None:
        """Begin or cease to take jobs."""
        self.ready = ready
        self.on_change()

    async def close(self) -> None:
        """Record that it was closed."""
        self.closed = True


async def _await_directly(awaitable: Awaitable[Any]) -> Any:
    return await awaitable
