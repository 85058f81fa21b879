"""The ways of Discord misbehaving, each met by some commands; the bot is not killed in them."""

from __future__ import annotations

import asyncio
import sqlite3
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

from tests.tools.standin.exchange import Exchange, Fault
from tests.tools.standin.process import BotProcess, until
from tests.tools.standin.promises import Count, has_ended, judge
from tests.tools.standin.server import UNKNOWN_MESSAGE, StandIn

COMMANDS_PER_CASE = 3
ANSWERED_WITHIN_S = 60.0
HANG_S = 60.0
"""Longer than anything may wait for Discord."""
FAILING = Fault(503)
CUT = Fault(0)
LOST_REPLY = Fault(0, carried_out=True)
EXPIRED = Fault(401, 50027)
EXPIRED_TOKEN: dict[str, Sequence[Fault]] = {"result": [EXPIRED] * 9}
NO_TUNE = ("empty.abc", b"X:1\nK:D\n")
"""A file that is refused once it is read."""
TUNE = ("tune.abc", b"X:1\nK:D\nDEFG ABcd|dcBA GFED|\n")


@dataclass(frozen=True)
class Case:
    """One way of misbehaving."""

    name: str
    faults: Mapping[str, Sequence[Fault]] = field(default_factory=dict)
    refused: bool = False
    """Whether the command is one whose job fails."""
    may_be_silent: bool = False
    """Whether nobody is left to be told."""
    must_reply: bool = False
    """Whether Discord is well, so that each command gets at least a refusal."""
    within_s: float = ANSWERED_WITHIN_S
    twice: bool = False


CASES = (
    Case("acknowledgement fails once", {"callback": [FAILING]}),
    Case("acknowledgement fails, yet is carried out", {"callback": [Fault(502, carried_out=True)]}),
    Case("reply to the acknowledgement is lost", {"callback": [LOST_REPLY]}),
    Case("connection is cut before the acknowledgement", {"callback": [CUT]}),
    Case("acknowledgement takes 2 s", {"callback": [Fault(hold_s=2.0)]}),
    Case("acknowledgement takes longer than Discord waits", {"callback": [Fault(hold_s=3.5)]}),
    Case("acknowledgement is rate limited", {"callback": [Fault(429, retry_after_s=0.4)]}),
    Case("the same command comes twice", twice=True),
    Case("progress hangs", {"progress": [Fault(hold_s=HANG_S)]}, within_s=30),
    Case("progress is rate limited", {"progress": [Fault(429, retry_after_s=HANG_S)]}, within_s=30),
    Case("progress fails", {"progress": [FAILING] * 3}),
    Case("reply to the progress is lost", {"progress": [LOST_REPLY]}),
    Case("result fails once", {"result": [FAILING]}),
    Case("result fails seven times", {"result": [FAILING] * 7}),
    Case("result is refused with 500", {"result": [Fault(500)] * 6}),
    Case("reply to the result is lost", {"result": [LOST_REPLY]}),
    Case("connection is cut before the result", {"result": [CUT] * 2}),
    Case("result is rate limited", {"result": [Fault(429, retry_after_s=1.0)]}),
    Case("token has expired", EXPIRED_TOKEN),
    Case(
        "token has expired, reply to the message is lost",
        EXPIRED_TOKEN | {"channel": [LOST_REPLY]},
    ),
    Case(
        "token has expired, channel is deleted",
        EXPIRED_TOKEN | {"channel": [Fault(404, 10003)] * 9},
    ),
    Case(
        "token has expired, no access to the channel",
        EXPIRED_TOKEN | {"channel": [Fault(403, 50001)] * 9},
    ),
    Case(
        "token has expired, thread is archived",
        EXPIRED_TOKEN | {"channel": [Fault(400, 50083)] * 9},
    ),
    Case(
        "nobody can be reached",
        EXPIRED_TOKEN | {"channel": [Fault(403, 50001)] * 9, "direct": [Fault(403, 50007)] * 9},
        may_be_silent=True,
    ),
    Case(
        "message was deleted by somebody",
        {"progress": [Fault(*UNKNOWN_MESSAGE)] * 9, "result": [Fault(*UNKNOWN_MESSAGE)] * 9},
        may_be_silent=True,
    ),
    Case("file server hangs", {"file": [Fault(hold_s=HANG_S)]}, within_s=90),
    Case("file server fails", {"file": [FAILING] * 9}),
    Case("refusal fails once", {"followup": [FAILING]}, refused=True),
    Case("reply to the refusal is lost", {"followup": [LOST_REPLY]}, refused=True),
    Case("connection is cut before the refusal", {"followup": [CUT]}, refused=True),
    Case("reply to the deletion is lost", {"delete": [LOST_REPLY]}, refused=True),
    Case("token has expired before the refusal", {"fetch": [EXPIRED]}, refused=True),
)


QUICK_CASES = tuple(
    case
    for case in CASES
    if all(max(one.hold_s, one.retry_after_s) < HANG_S for one in chain(*case.faults.values()))
)
"""Those in which nothing hangs for a minute."""


async def count_cases(row: Count) -> None:
    """Run all cases.

    Args:
        row: Counts their commands.
    """
    for name, number, broken in await run_cases():
        row.add(failed=bool(broken), detail=f"{name}, {number}: {broken}")


async def run_cases(
    cases: Sequence[Case] = CASES,
) -> list[tuple[str, int, str]]:
    """Run cases beside each other, then drop the gateway twice, and lock the ledger.

    Args:
        cases: The cases to run.

    Returns:
        For each command the case, its number, and what was broken, empty when nothing was.
    """
    with tempfile.TemporaryDirectory() as folder:
        async with StandIn() as discord:
            bot = BotProcess(Path(folder), discord)
            try:
                await bot.start()
                sent = await _send(discord, cases)
                sent += await _drop(discord)
                sent += await _lock(discord, bot.data)
                checked = [one for one in sent if not one[0].may_be_silent]
                with suppress(TimeoutError):
                    await until(
                        lambda: all(has_ended(one) for _, one in checked),
                        "every command ends",
                        HANG_S + 20,
                    )
                # A second answer needs a moment.
                await asyncio.sleep(2)
            finally:
                bot.kill()
                await bot.wait()
        return [(case.name, exchange.number, _broken(case, exchange)) for case, exchange in sent]


async def _send(discord: StandIn, cases: Sequence[Case]) -> list[tuple[Case, Exchange]]:
    sent = []
    for case in cases:
        for number in range(COMMANDS_PER_CASE):
            faults = {route: list(one) for route, one in case.faults.items()}
            if case.refused or "file" in faults:
                tune = (
                    NO_TUNE if case.refused else ("tune.abc", b"X:1\nK:D\nDEFG ABcd|dcBA GFED|\n")
                )
                exchange = await discord.send("rerhythm", {"rhythm": "jazz"}, tune, faults)
            else:
                options = {"style": "folk", "seed": number}
                exchange = await discord.send("compose", options, None, faults, twice=case.twice)
            sent.append((case, exchange))
            await asyncio.sleep(0.02)
    return sent


async def _drop(discord: StandIn) -> list[tuple[Case, Exchange]]:
    """Close the gateway with work under way, once with a session that goes on and once without."""
    sent = []
    for name, code in (("gateway drops, session goes on", 4000), ("gateway drops for good", 4009)):
        exchanges = [await discord.send("compose", {"style": "jazz"}) for _ in range(3)]
        sessions = discord.resumed + discord.identified
        await discord.drop_gateway(code)
        await until(
            lambda sessions=sessions: discord.resumed + discord.identified > sessions,  # type: ignore[misc]
            "the bot comes back",
        )
        exchanges.append(await discord.send("compose", {"style": "jazz"}))
        sent += [(Case(name), one) for one in exchanges]
    return sent


async def _lock(discord: StandIn, data: Path) -> list[tuple[Case, Exchange]]:
    """Enter commands while another process writes to the ledger for four seconds."""
    case = Case("the ledger is locked", must_reply=True)
    with closing(sqlite3.connect(data / "ledger.sqlite3", isolation_level=None)) as ledger:
        ledger.execute("BEGIN IMMEDIATE")
        sent = [(case, await discord.send("compose", {"style": "folk"})) for _ in range(4)]
        await asyncio.sleep(4)
        ledger.execute("ROLLBACK")
    return sent


def _broken(case: Case, exchange: Exchange) -> str:
    broken = judge(exchange)
    if broken == "never told" and case.may_be_silent:
        return ""
    if case.must_reply and not exchange.acknowledged and not exchange.private:
        return f"left without a reply: {exchange}"
    seconds = exchange.ended_at - exchange.sent_at
    if not broken and exchange.ended_at and seconds > case.within_s:
        return f"told only after {seconds:.0f} s"
    return f"{broken}: {exchange}" if broken else ""
