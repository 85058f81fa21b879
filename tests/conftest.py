"""Fixtures that many tests use."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import settings

from bot.requests.store import RequestStore
from mst_core.corpora.tunes import CorpusTune, read_tunes
from tests.support.corpus import write_corpus
from tests.support.discord_env import DiscordEnv, discord_env
from tests.support.queue_env import QueueEnv

# No deadline for properties: the machine may be busy.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


@pytest.fixture
async def long_stage(tmp_path: Path) -> AsyncIterator[DiscordEnv]:
    """A bot whose jobs may take longer than an interaction token is valid."""
    async with discord_env(tmp_path, MST_JOB_TIMEOUT_S="800") as stage:
        yield stage


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[DiscordEnv]:
    async with discord_env(tmp_path) as stage:
        yield stage


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[QueueEnv]:
    store = await RequestStore.open(tmp_path / "ledger.sqlite3")
    yield QueueEnv(tmp_path, store)
    await store.close()


@pytest.fixture
def tunes(tmp_path: Path) -> list[CorpusTune]:
    """Sixty small dances."""
    return list(read_tunes([write_corpus(tmp_path / "dances.jsonl")]))
