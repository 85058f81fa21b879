"""The local engine over the fake worker, for tests."""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any

from mst_core.engine.local import LocalEngine
from mst_core.jobs import Job, Progress, Rendition
from mst_core.requests import Compose
from tests.support.paths import PROJECT

FAKE_WORKER = ("env", f"PYTHONPATH={PROJECT}", sys.executable, "-m", "tests.support.fake_worker")


def make_engine(models: Path, **changes: Any) -> LocalEngine:
    settings: dict[str, Any] = {
        "worker_command": FAKE_WORKER,
        "first_restart_delay_s": 0.01,
        **changes,
    }
    return LocalEngine(models, Path("some.sf2"), "cpu", **settings)


@asynccontextmanager
async def opened(models: Path, **changes: Any) -> AsyncIterator[LocalEngine]:
    """Start an engine, and close it after the block."""
    engine = make_engine(models, **changes)
    await engine.start()
    try:
        yield engine
    finally:
        await engine.close()


def ask(style: str = "folk", seed: int = 1, formats: tuple[str, ...] = ("abc",)) -> Job:
    return Job(f"{style}-{seed}", Compose(pitch=style, rhythm=style, seed=seed), formats)


async def perform(engine: LocalEngine, job: Job) -> Rendition:
    """Run a job to its end."""
    async with aclosing(engine.run(job)) as events:
        *_, last = [event async for event in events]
    assert isinstance(last, Rendition)
    return last


async def begin(engine: LocalEngine, job: Job) -> AsyncGenerator[Progress | Rendition, None]:
    """Run a job until its first progress."""
    events = engine.run(job)
    assert isinstance(await anext(events), Progress)
    return events


def starts(models: Path) -> int:
    return len((models / "starts").read_text().splitlines())
