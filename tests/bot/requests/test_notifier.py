"""Progress edits are throttled, and the failure of a background task is logged."""

from __future__ import annotations

import asyncio

import pytest

from bot.requests.notifier import ProgressThrottle, spawn


async def test_edits_run_one_at_a_time_and_at_most_once_a_second() -> None:
    shown: list[str] = []
    gate = asyncio.Event()

    async def edit(text: str) -> None:
        await gate.wait()
        shown.append(text)

    throttle = ProgressThrottle(asyncio.create_task)
    for text in ("first", "second", "third"):
        throttle.submit(edit(text))
    gate.set()
    await throttle.drain()
    throttle.submit(edit("too soon"))
    await throttle.drain()
    assert shown == ["first"]


async def test_an_edit_with_the_key_of_the_last_one_is_dropped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("bot.requests.notifier.EDIT_INTERVAL_S", 0.0)
    shown: list[int] = []

    async def edit(position: int) -> None:
        shown.append(position)

    throttle = ProgressThrottle(asyncio.create_task)
    for position in (3, 3, 2):
        throttle.submit(edit(position), key=position)
        await throttle.drain()
    assert shown == [3, 2]


async def test_the_failure_of_a_background_task_is_logged_and_the_task_removed(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def fail() -> None:
        raise OSError("the disk is full")

    tasks: set[asyncio.Task[None]] = set()
    task = spawn(fail(), "the delivery of request 7", tasks.discard)
    tasks.add(task)
    await asyncio.wait([task])
    await asyncio.sleep(0)
    assert tasks == set()
    assert "the delivery of request 7 failed" in caplog.text
    assert "OSError: the disk is full" in caplog.text


async def test_a_cancelled_background_task_is_no_failure(caplog: pytest.LogCaptureFixture) -> None:
    task = spawn(asyncio.sleep(60), "a task", lambda _: None)
    task.cancel()
    await asyncio.wait([task])
    await asyncio.sleep(0)
    assert caplog.text == ""
