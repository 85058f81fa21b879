"""Progress edits are throttled, and result files are written atomically."""

from __future__ import annotations

import asyncio
from pathlib import Path

from bot.requests.notifier import ProgressThrottle
from bot.requests.result_files import ResultFiles


async def test_edits_run_one_at_a_time_and_at_most_once_a_second() -> None:
    said: list[str] = []
    way = asyncio.Event()

    async def edit(word: str) -> None:
        await way.wait()
        said.append(word)

    words = ProgressThrottle(asyncio.create_task)
    for word in ("first", "second", "third"):
        words.submit(edit(word))
    way.set()
    await words.drain()
    words.submit(edit("too soon"))
    await words.drain()
    assert said == ["first"]


def test_a_result_is_written_atomically(tmp_path: Path) -> None:
    shelf = ResultFiles(tmp_path)
    shelf.write(1, {"mp3": b"old", "mid": b"old"})
    shelf.write(1, {"mp3": b"new"})
    assert shelf.read(1) == {"mp3": b"new"}
    shelf.discard(1)
    shelf.discard(1)
    assert shelf.read(1) == {}
    assert list(tmp_path.iterdir()) == []
