"""Nasty files: each gives a reading or a reason, and the next good one is read."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from contextlib import suppress
from itertools import islice
from pathlib import Path

import pytest

from bot.texts import Texts
from mst_core.errors import NoMelody, ScoreError, all_errors
from mst_core.reading.load import load_score
from mst_core.reading.sandbox import parse
from tests.support.paths import CASES, PROJECT
from tests.tools.hostile.files import GOOD, nasty_files

SHARES = 2
_SAMPLE_STEP = 29  # every so many files go through a process of their own

REASONS = {code for code, kind in all_errors().items() if issubclass(kind, ScoreError)}
REASONS -= {"ParserStopped"}


@pytest.mark.parametrize("share", range(SHARES))
def test_each_nasty_file_gives_a_reading_or_a_reason_and_the_next_good_one_is_read(
    share: int,
) -> None:
    done = subprocess.run(
        [
            sys.executable,
            "-W",
            "error",
            "-m",
            "tests.tools.hostile.one_process",
            str(share),
            str(SHARES),
        ],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
    )
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert len({row["name"] for row in rows}) == len(rows) >= 300 / SHARES
    strange = {row["name"]: row["outcome"] for row in rows} | {
        f"{row['name']}, the next one": row["served"] for row in rows
    }
    assert {name: what for name, what in strange.items() if what not in {"read", *REASONS}} == {}
    assert {"read", "UnreadableScore", "TooLong", "NoMelody"} <= {row["outcome"] for row in rows}


async def test_a_sample_meets_the_real_process_as_in_the_bot() -> None:
    texts = Texts.open()
    places = asyncio.Semaphore(2)
    met = []

    async def meet(name: str, data: bytes) -> None:
        async with places:
            reason: ScoreError = NoMelody("nothing")
            try:
                await parse(name, data)
            except ScoreError as error:
                reason = error
            assert reason.code in REASONS, f"{name}: {reason}"
            assert texts.render_error(reason).isprintable()
            suffix = name.rpartition(".")[2]
            good = suffix if suffix in GOOD else "mid"
            assert (await parse(f"good.{good}", GOOD[good])).melody.notes
            met.append(name)

    async with asyncio.TaskGroup() as group:
        for name, data in islice(nasty_files(), 5, None, _SAMPLE_STEP):
            group.create_task(meet(name, data))
    assert len(met) >= 25


def test_the_files_are_the_same_each_time() -> None:
    """The first ones hold all that is drawn by lot."""
    assert [*islice(nasty_files(), 200)] == [*islice(nasty_files(), 200)]


@pytest.mark.parametrize("case", sorted(CASES.glob("*.*")), ids=lambda path: path.name)
def test_what_was_found_once_stays_mended(case: Path) -> None:
    with suppress(ScoreError):
        assert len(load_score(case.name, case.read_bytes()).melody.notes) >= 2
