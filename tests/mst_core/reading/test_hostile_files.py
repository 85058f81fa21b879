"""Hostile files: each is read or rejected with a reason, and the valid file after it is read."""

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
from mst_core.reading.serialization import decode_score
from tests.support.paths import CASES, PROJECT
from tests.tools.hostile.files import GOOD, hostile_files

SHARES = 2
_SAMPLE_STEP = 29  # every 29th file is parsed in a process of its own

REJECTIONS = {code for code, kind in all_errors().items() if issubclass(kind, ScoreError)}
REJECTIONS -= {"ParserStopped"}


@pytest.mark.parametrize("share", range(SHARES))
def test_each_hostile_file_is_read_or_rejected_and_the_valid_file_after_it_is_read(
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
    outcomes = {row["name"]: row["outcome"] for row in rows}
    assert {
        name: each for name, each in outcomes.items() if each not in {"read", *REJECTIONS}
    } == {}
    assert {row["name"] for row in rows if row["valid_file_after"] != "read"} == set()
    assert {"read", "UnreadableScore", "TooLong", "NoMelody"} <= {row["outcome"] for row in rows}


async def test_a_sample_is_parsed_in_real_processes_as_in_the_bot() -> None:
    texts = Texts.open()
    slots = asyncio.Semaphore(2)
    parsed = []

    async def parse_both(name: str, data: bytes) -> None:
        async with slots:
            reason: ScoreError = NoMelody("nothing")
            try:
                await parse(name, data)
            except ScoreError as error:
                reason = error
            assert reason.code in REJECTIONS, f"{name}: {reason}"
            assert texts.render_error(reason).isprintable()
            suffix = name.rpartition(".")[2]
            good = suffix if suffix in GOOD else "mid"
            assert decode_score(await parse(f"good.{good}", GOOD[good])).melody.notes
            parsed.append(name)

    async with asyncio.TaskGroup() as group:
        for name, data in islice(hostile_files(), 5, None, _SAMPLE_STEP):
            group.create_task(parse_both(name, data))
    assert len(parsed) >= 25


def test_the_hostile_files_are_the_same_each_time() -> None:
    """All random ones are among the first 200."""
    assert [*islice(hostile_files(), 200)] == [*islice(hostile_files(), 200)]


@pytest.mark.parametrize("case", sorted(CASES.glob("*.*")), ids=lambda path: path.name)
def test_a_file_that_once_broke_a_reader_does_so_no_more(case: Path) -> None:
    with suppress(ScoreError):
        assert len(load_score(case.name, case.read_bytes()).melody.notes) >= 2
