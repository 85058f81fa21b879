"""Fixtures that many tests use."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import settings

from bot.requests.store import RequestStore
from mst_core.corpora.tunes import CorpusTune, read_tunes
from tests.support.corpus import write_corpus
from tests.support.discord_env import DiscordEnv, discord_env
from tests.support.queue_env import QueueEnv

TESTS = Path(__file__).parent
SLOW_MODULES = {
    TESTS / name
    for name in (
        "bot/messages/test_delivery.py",  # seconds of waiting
        "bot/messages/test_private.py",
        "bot/preview/test_preview.py",  # a browser
        "bot/preview/test_upload.py",
        "bot/requests/test_acknowledgement.py",
        "bot/requests/test_erasure.py",  # races of presses and deletions
        "bot/requests/test_outbox.py",
        "bot/test_backup.py",  # a load of requests
        "bot/test_verify.py",  # processes that are killed
        "bot/test_kills.py",  # the bot as a process, started again and again
        "mst_core/cli/test_evaluate.py",  # networks
        "mst_core/cli/test_one_run.py",
        "mst_core/cli/test_rerhythm.py",
        "mst_core/cli/test_train.py",
        "mst_core/cli/test_transfer.py",
        "mst_core/composing",
        "mst_core/corpora/test_folk_books.py",  # thousands of tunes of music21
        "mst_core/corpora/test_sources.py",
        "mst_core/corpora/test_variants.py",
        "mst_core/engine/test_local.py",  # processes that are killed or stopped
        "mst_core/engine/test_process.py",
        "mst_core/evaluation",
        "mst_core/generation/test_meter_model.py",
        "mst_core/networks",
        "mst_core/notation/test_picture.py",  # hundreds of pages
        "mst_core/reading/midi/test_retiming.py",  # long performances
        "mst_core/reading/sandbox/test_process.py",  # processes that are killed
        "mst_core/reading/test_hostile_files.py",  # hundreds of files
        "mst_core/reading/test_one_reading.py",  # each piece in three formats
        "mst_core/sound/test_encoding.py",  # ffmpeg
        "mst_core/sound/test_fluidsynth_cli.py",
        "mst_core/sound/test_mastering.py",
        "mst_core/sound/test_mix.py",
        "mst_core/statistics/test_fingerprints.py",
        "mst_core/training",
        "mst_core/transfer/test_anticipation.py",
        "mst_core/transfer/test_bar_rhythms.py",
        "mst_core/transfer/test_config.py",
        "mst_core/transfer/test_pitch.py",
        "mst_core/transfer/test_rhythm.py",
        "mst_core/transfer/test_rhythm_selection.py",
        "test_api.py",
        "test_golden.py",
        "test_package.py",
    )
}
"""Modules and folders whose tests need a network, a browser, ffmpeg or many seconds."""


def is_slow(path: Path) -> bool:
    return path in SLOW_MODULES or any(parent in SLOW_MODULES for parent in path.parents)


def pytest_configure(config: pytest.Config) -> None:
    """Let ``import torch`` fail in ``-m "not slow"``: those tests need no network."""
    if config.getoption("markexpr") == "not slow":
        sys.modules.setdefault("torch", None)  # type: ignore[arg-type]


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave slow modules out of ``-m "not slow"`` before they import their libraries."""
    quick = config.getoption("markexpr") == "not slow"
    return True if quick and is_slow(collection_path) else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if is_slow(item.path):
            item.add_marker(pytest.mark.slow)


# No deadline for properties: the machine may be busy.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


@pytest.fixture
async def slow_server(tmp_path: Path) -> AsyncIterator[DiscordEnv]:
    """A bot whose jobs may take longer than an interaction token is valid."""
    async with discord_env(tmp_path, MST_JOB_TIMEOUT_S="800") as server:
        yield server


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[DiscordEnv]:
    async with discord_env(tmp_path) as server:
        yield server


@pytest.fixture
async def queue(tmp_path: Path) -> AsyncIterator[QueueEnv]:
    store = await RequestStore.open(tmp_path / "ledger.sqlite3")
    yield QueueEnv(tmp_path, store)
    await store.close()


@pytest.fixture
def tunes(tmp_path: Path) -> list[CorpusTune]:
    """Sixty small dances."""
    return list(read_tunes([write_corpus(tmp_path / "dances.jsonl")]))
