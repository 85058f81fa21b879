"""The preview with a slow engine: a process of its own for the tests."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from bot.preview import serve
from bot.settings import Settings
from mst_core.engine import Capacity, EngineStatus
from mst_core.jobs import Job, Progress, Receipt, Rendition

STEPS = 10
STEP_S = 0.4
STARTING_FILE = Path("cold")
"""The engine is starting as long as this file exists."""
HELD_FILE = Path("held")
"""No job ends as long as this file exists."""


class SlowEngine:
    """Runs four jobs at once, in steps of `STEP_S` seconds."""

    def __init__(self) -> None:
        self._running = 0

    async def start(self) -> None:
        """Wait while `STARTING_FILE` exists."""
        await _wait_while_exists(STARTING_FILE)
        self._mp3 = _ffmpeg("-f", "lavfi", "-i", "sine=440:duration=16", "-ac", "2", "-f", "mp3")
        self._png = _ffmpeg(
            *("-f", "lavfi", "-i", "color=c=teal:s=320x120", "-frames:v", "1"),
            *("-f", "image2pipe", "-c:v", "png"),
        )

    async def run(self, job: Job) -> AsyncIterator[Progress | Rendition]:
        """Report the progress in steps, then return a tone, a picture and an empty MIDI file."""
        self._running += 1
        try:
            for step in range(STEPS):
                yield Progress("composing", step / STEPS)
                await asyncio.sleep(STEP_S)
            await _wait_while_exists(HELD_FILE)
            yield Rendition(_receipt(job), {"mp3": self._mp3, "png": self._png, "mid": b"MThd"})
        finally:
            self._running -= 1

    async def cancel(self, job_id: str) -> None:
        """Do nothing: the job runs on without a reader."""

    def capacity(self) -> Capacity:
        """Return a capacity of four jobs."""
        return Capacity(4, self._running)

    def status(self) -> EngineStatus:
        """Return that it takes jobs."""
        return EngineStatus(ready=True)

    def watch(self, on_change: Callable[[], None]) -> None:
        """Do nothing: it is always ready."""

    async def close(self) -> None:
        """End."""


def _receipt(job: Job) -> Receipt:
    submitted = job.request
    return Receipt(
        pitch=submitted.styles.get("pitch", ""),
        rhythm=submitted.styles.get("rhythm", ""),
        seed=submitted.seed,
        key="D major",
        meter="6/8",
        tempo=165.0,
        bars=16,
        notes=96,
        form="AABB",
        seconds=16.0,
        version="0",
    )


async def _wait_while_exists(sign: Path) -> None:
    while sign.exists():  # noqa: ASYNC110, ASYNC240 - another process creates the file
        await asyncio.sleep(STEP_S)


def _ffmpeg(*arguments: str) -> bytes:
    command = ("ffmpeg", "-v", "error", *arguments, "-")
    return subprocess.run(command, capture_output=True, check=True).stdout


if __name__ == "__main__":
    asyncio.run(serve(Settings.from_environment(), SlowEngine()))
    sys.exit(0)
