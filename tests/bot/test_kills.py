"""The short form of ``make torture``: the real bot as a process, against a stand-in for Discord."""

from __future__ import annotations

import sys

import pytest

from tests.tools.standin.cases import QUICK_CASES, run_cases
from tests.tools.standin.kills import kill_rounds

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="it reads /proc")


async def test_twenty_kills_lose_nothing_and_answer_nobody_twice() -> None:
    rows = await kill_rounds(20, seed=2)
    broken = {promise: row.details for promise, row in rows.items() if row.failed}
    assert broken == {}
    assert rows["no double answer"].tried == 112
    assert rows["what is in the ledger survives kill -9 of the bot (rows)"].tried > 10


async def test_a_misbehaving_discord_gets_one_outcome_for_each_command() -> None:
    broken = [outcome for outcome in await run_cases(QUICK_CASES) if outcome[2]]
    assert broken == []
