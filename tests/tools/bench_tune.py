"""How long a tune takes from the request to its sound: ``make bench``. A look, not a test.

Starts the engine as it ships, then measures tunes one by one, then eight asked for at once.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections import defaultdict
from statistics import median

from mst_core.engine.local import LocalEngine
from mst_core.jobs import Job, Progress
from mst_core.requests import Compose
from tests.support.paths import MODELS

ALONE, TOGETHER = 10, 8


async def time_tune(engine: LocalEngine, seed: int) -> dict[str, float]:
    """Seconds spent in each stage of one job, and in all."""
    seconds: dict[str, float] = defaultdict(float)
    start = since = time.perf_counter()
    stage = "waiting"
    async for event in engine.run(
        Job(f"bench {seed}", Compose(pitch="folk", rhythm="jazz", seed=seed))
    ):
        now = time.perf_counter()
        seconds[stage] += now - since
        since = now
        stage = event.stage if isinstance(event, Progress) else "delivering"
    return {**seconds, "in all": time.perf_counter() - start}


async def bench() -> None:
    """Print the figures."""
    engine = LocalEngine(MODELS, slots=TOGETHER)
    start = time.perf_counter()
    await engine.start()
    show("engine ready", [time.perf_counter() - start])
    try:
        await time_tune(engine, 0)  # the first one warms what is loaded late
        tunes = [await time_tune(engine, seed) for seed in range(1, ALONE + 1)]
        for stage in tunes[0]:
            show(f"alone, {stage}", [tune.get(stage, 0.0) for tune in tunes])
        start = time.perf_counter()
        crowd = await asyncio.gather(*(time_tune(engine, 100 + n) for n in range(TOGETHER)))
        show(f"{TOGETHER} at once, each", [tune["in all"] for tune in crowd])
        show(f"{TOGETHER} at once, the last", [time.perf_counter() - start])
    finally:
        await engine.close()


def show(what: str, seconds: list[float]) -> None:
    """One line: what, the median and the slowest, in seconds."""
    sys.stdout.write(f"{what:<24} {median(seconds):7.2f} s   (slowest {max(seconds):.2f} s)\n")


if __name__ == "__main__":
    asyncio.run(bench())
