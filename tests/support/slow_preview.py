"""The try-out with an engine that works slowly and visibly: a process of its own for the tests."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

from bot.preview import serve
from bot.settings import Settings
from mst_core.engine import Capacity
from mst_core.jobs import Job, JobEvent, Progress, Receipt, Rendition

STEPS = 10
STEP_S = 0.4
COLD = Path("cold")
"""While there is such a file, the engine warms up."""
HELD = Path("held")
"""While there is such a file, no job ends."""


class SlowEngine:
    """Works on four jobs at once, in steps that can be watched, as long as the test wants."""

    def __init__(self) -> None:
        self._running = 0

    async def start(self) -> None:
        """Warm up."""
        await _while_there(COLD)
        self._mp3 = _ffmpeg("-f", "lavfi", "-i", "sine=440:duration=16", "-ac", "2", "-f", "mp3")
        self._png = _ffmpeg(
            *("-f", "lavfi", "-i", "color=c=teal:s=320x120", "-frames:v", "1"),
            *("-f", "image2pipe", "-c:v", "png"),
        )

    async def run(self, job: Job) -> AsyncIterator[JobEvent]:
        """Tell the progress in steps, then give a tone, a coloured field and an empty MIDI file."""
        self._running += 1
        try:
            for step in range(STEPS):
                yield Progress("composing", step / STEPS)
                await asyncio.sleep(STEP_S)
            await _while_there(HELD)
            yield Rendition(_receipt(job), {"mp3": self._mp3, "png": self._png, "mid": b"MThd"})
        finally:
            self._running -= 1

    async def cancel(self, job_id: str) -> None:
        """Let it run: nobody listens."""

    def capacity(self) -> Capacity:
        """Say that there are four places."""
        return Capacity(4, self._running)

    async def close(self) -> None:
        """End."""


def _receipt(job: Job) -> Receipt:
    asked = job.request
    return Receipt(
        pitch=asked.styles.get("pitch", ""),
        rhythm=asked.styles.get("rhythm", ""),
        seed=asked.seed,
        key="D major",
        meter="6/8",
        tempo=165.0,
        bars=16,
        notes=96,
        form="AABB",
        seconds=16.0,
        version="0",
    )


async def _while_there(sign: Path) -> None:
    while sign.exists():  # noqa: ASYNC110, ASYNC240 - the sign comes from another process
        await asyncio.sleep(STEP_S)


def _ffmpeg(*arguments: str) -> bytes:
    command = ("ffmpeg", "-v", "error", *arguments, "-")
    return subprocess.run(command, capture_output=True, check=True).stdout


if __name__ == "__main__":
    asyncio.run(serve(Settings.from_environment(), SlowEngine()))
    sys.exit(0)
