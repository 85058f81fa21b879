"""The desk keeps to what one person may have open, however fast they ask."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import discord

from bot.errors import TooManyOpen
from bot.requests.intake import RequestIntake
from bot.requests.uploads import Uploads
from mst_core.jobs import Compose
from mst_core.reading.parsed_score import Limits, ParsedScore
from mst_core.reading.sandbox import parse
from mst_core.styles import load_style_cards
from tests.support.fakes import make_settings
from tests.support.queue_env import QueueEnv
from tests.support.uploads import write_reel


class Pause:
    """Discord's end of an interaction: it takes a moment to acknowledge."""

    async def defer(self, *, thinking: bool) -> SimpleNamespace:
        await asyncio.sleep(0.01)
        return SimpleNamespace(message_id=30)


def interaction_of(user_id: int) -> Any:
    return SimpleNamespace(
        user=SimpleNamespace(id=user_id), guild_id=10, channel_id=20, token="a token",  # noqa: S106
        filesize_limit=10 * 2**20, locale=discord.Locale.american_english, response=Pause(),
    )  # fmt: skip


class Attached:
    """A file at a message."""

    filename = "reel.mid"

    def __init__(self, bars: int) -> None:
        self.data = write_reel(bars)

    async def read(self) -> bytes:
        return self.data


class CountingParser:
    """The real parser, and how many of it ran at once."""

    running = most_running = 0

    async def __call__(
        self, name: str, data: bytes, *, track: int | None, limits: Limits
    ) -> ParsedScore:
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        try:
            return await parse(name, data, track=track, limits=limits)
        finally:
            self.running -= 1


async def test_of_twenty_requests_at_once_a_person_gets_three(
    house: QueueEnv, tmp_path: Path
) -> None:
    settings = make_settings(tmp_path, MST_OPEN_PER_USER="3")
    async with house.scheduling() as dispatcher:
        house.engine.hold = True
        styles = load_style_cards(settings.models_dir)
        desk = RequestIntake(house.store, house.uploads, dispatcher, styles, settings)
        asked = [
            desk.submit(interaction_of(1), Compose(pitch="folk", rhythm="folk", seed=seed))
            for seed in range(20)
        ]
        other = desk.submit(interaction_of(2), Compose(pitch="folk", rhythm="folk", seed=1))
        ended = await asyncio.gather(*asked, other, return_exceptions=True)
        assert len(await house.store.history(1)) == 3
        assert len(await house.store.history(2)) == 1
    assert [type(one) for one in ended if one] == [TooManyOpen] * 17


async def test_files_of_one_person_are_read_one_after_the_other(
    house: QueueEnv, tmp_path: Path
) -> None:
    settings, counting = make_settings(tmp_path, MST_OPEN_PER_USER="3"), CountingParser()
    uploads = Uploads(house.uploads.folder, house.store.database, parse=counting)
    async with house.scheduling() as dispatcher:
        desk = RequestIntake(
            house.store, uploads, dispatcher, load_style_cards(settings.models_dir), settings
        )
        files: list[Any] = [Attached(bars) for bars in (2, 3, 4, 5)]
        coming = [desk.receive_upload(interaction_of(1), file) for file in files]
        ended = await asyncio.gather(*coming, return_exceptions=True)
    assert counting.most_running == 1
    assert [type(one) for one in ended if isinstance(one, Exception)] == [TooManyOpen]
    assert len(await uploads.of_user(1)) == 3
