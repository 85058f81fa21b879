"""The intake limits the open requests of one user, however many arrive at once."""

from __future__ import annotations

import asyncio
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import discord
import pytest

from bot.errors import LostFile, QueueFull, TooManyOpen, TooSoon
from bot.requests.acknowledgement import Acknowledgements
from bot.requests.intake import RequestIntake
from bot.requests.record import RequestRecord
from bot.requests.scheduler import Scheduler
from bot.requests.store import DOWNLOAD
from bot.requests.uploads import Uploads
from mst_core.errors import BadOption
from mst_core.reading.parsed_score import Limits, Selection
from mst_core.reading.sandbox import parse
from mst_core.requests import Compose, Side, Transfer
from mst_core.styles import load_style_cards
from tests.support.fakes import make_settings
from tests.support.queue_env import QueueEnv
from tests.support.uploads import write_reel

IDS = count(1)
"""Ids of interactions."""


class DelayedResponse:
    """The response of an interaction: acknowledging takes 10 ms."""

    async def defer(self, *, thinking: bool, ephemeral: bool) -> SimpleNamespace:
        await asyncio.sleep(0.01)
        return SimpleNamespace(message_id=30)


def interaction_of(user_id: int) -> Any:
    return SimpleNamespace(
        id=next(IDS),
        user=SimpleNamespace(id=user_id),
        guild_id=10,
        channel_id=20,
        token="a token",  # noqa: S106
        filesize_limit=10 * 2**20,
        locale=discord.Locale.american_english,
        response=DelayedResponse(),
    )


class AttachedFile:
    """A MIDI file attached to a message."""

    filename = "reel.mid"

    def __init__(self, bars: int) -> None:
        self.data = write_reel(bars)

    async def read(self) -> bytes:
        return self.data


class CountingParseFile:
    """The real parser, which counts how many of its processes run at once."""

    running = max_running = 0

    async def __call__(
        self, name: str, data: bytes, selection: Selection, *, limits: Limits
    ) -> bytes:
        self.running += 1
        self.max_running = max(self.max_running, self.running)
        try:
            return await parse(name, data, selection, limits=limits)
        finally:
            self.running -= 1


def make_intake(
    env: QueueEnv, folder: Path, uploads: Uploads, scheduler: Scheduler, **environment: str
) -> RequestIntake:
    """An intake that lets one user have three open requests."""
    settings = make_settings(folder, **{"MST_OPEN_PER_USER": "3", **environment})
    styles = load_style_cards(settings.models_dir)

    async def find_message(_: RequestRecord) -> int | None:
        return None

    pending = Acknowledgements(env.store, find_message, scheduler.wake)
    return RequestIntake(env.store, uploads, scheduler, styles, settings, pending)


async def test_of_twenty_simultaneous_requests_of_one_user_three_are_stored(
    queue: QueueEnv, tmp_path: Path
) -> None:
    async with queue.scheduling() as scheduler:
        queue.engine.hold = True
        intake = make_intake(queue, tmp_path, queue.uploads, scheduler)
        submitted = [
            intake.submit(interaction_of(1), Compose(pitch="folk", rhythm="folk", seed=seed))
            for seed in range(20)
        ]
        other = intake.submit(interaction_of(2), Compose(pitch="folk", rhythm="folk", seed=1))
        outcomes = await asyncio.gather(*submitted, other, return_exceptions=True)
        assert len(await queue.store.history(1)) == 3
        assert len(await queue.store.history(2)) == 1
    assert [type(one) for one in outcomes if one] == [TooManyOpen] * 17


async def test_files_of_one_user_are_parsed_one_after_the_other(
    queue: QueueEnv, tmp_path: Path
) -> None:
    counting = CountingParseFile()
    uploads = Uploads(queue.uploads.folder, queue.store.database, parse=counting)
    async with queue.scheduling() as scheduler:
        intake = make_intake(queue, tmp_path, uploads, scheduler)
        files: list[Any] = [AttachedFile(bars) for bars in (2, 3, 4, 5)]

        async def receive(file: Any) -> None:
            async with intake.receive_upload(interaction_of(1), file):
                held = await queue.store.unacknowledged()
                assert {(one.private, one.worker) for one in held} == {(True, DOWNLOAD)}

        received = [receive(file) for file in files]
        outcomes = await asyncio.gather(*received, return_exceptions=True)
    assert counting.max_running == 1
    assert [type(one) for one in outcomes if isinstance(one, Exception)] == [TooManyOpen]
    assert len(await uploads.of_user(1)) == 3
    assert await queue.store.unacknowledged() == []


async def test_of_simultaneous_requests_of_one_server_no_more_than_its_limit_are_stored(
    queue: QueueEnv, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.requests.admission.MAX_WAITING_PER_SERVER", 3)
    queue.engine.slots = 0
    async with queue.scheduling() as scheduler:
        intake = make_intake(queue, tmp_path, queue.uploads, scheduler)
        request = Compose(pitch="folk", rhythm="folk", seed=1)
        submitted = [intake.submit(interaction_of(user), request) for user in range(12)]
        outcomes = await asyncio.gather(*submitted, return_exceptions=True)
        assert await queue.store.count_waiting(10) == (3, 3)
        assert intake._pending == {}
    assert [type(one) for one in outcomes if one] == [QueueFull] * 9


async def test_of_simultaneous_requests_of_one_user_the_pause_lets_one_pass(
    queue: QueueEnv, tmp_path: Path
) -> None:
    queue.engine.slots = 0
    request = Compose(pitch="folk", rhythm="folk", seed=1)
    rejected = Compose(pitch="folk", rhythm="folk", seed=1, bars=1000)
    async with queue.scheduling() as scheduler:
        intake = make_intake(queue, tmp_path, queue.uploads, scheduler, MST_COOLDOWN_S="60")
        with pytest.raises(BadOption):
            await intake.submit(interaction_of(1), rejected)
        lost = Transfer(source="ab", seed=1, rhythm=Side(style="folk"))
        with pytest.raises(LostFile):  # what is rejected begins no pause
            await intake.submit(interaction_of(1), lost)
        submitted = [intake.submit(interaction_of(1), request) for _ in range(3)]
        outcomes = await asyncio.gather(*submitted, return_exceptions=True)
        assert len(await queue.store.history(1)) == 1
    assert [type(one) for one in outcomes if one] == [TooSoon] * 2
