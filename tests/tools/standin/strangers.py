"""What strangers bring and may not have: another person's file, and files that harm a parser."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from itertools import islice
from pathlib import Path

from tests.tools.hostile.files import hostile_files
from tests.tools.standin.exchange import Exchange
from tests.tools.standin.machine import finish, running
from tests.tools.standin.process import until
from tests.tools.standin.promises import Count, has_ended
from tests.tools.standin.server import StandIn

HOSTILE_STEP = 10
"""One hostile file in so many is sent."""
AT_ONCE = 4
WITHIN_S = 90.0
TITLE, NAME = "Zanzibar Hornpipe", "from-zanzibar.abc"
TUNE = f"X:1\nT:{TITLE}\nM:4/4\nL:1/8\nK:D\nDEFG ABcd|dcBA GFED|DFAd fdAF|GECA, D4|\n".encode()
NOTES = b"DFAd fdAF|GECA, D4"
TRACES = (TITLE.encode(), b"zanzibar", NOTES)
ALICE, BOB = 1, 2
MOVES = ("again", "strength", "variant", "compare")


async def _ended(one: Exchange) -> Exchange:
    with suppress(TimeoutError):
        await until(lambda: bool(one.private or one.private_files) or has_ended(one), "an end", 60)
    return one


def _find(traces: Iterable[bytes], folder: Path) -> list[str]:
    """Return the files of a folder that hold one of the traces."""
    return [
        f"{trace!r} in {path}"
        for path in folder.rglob("*")
        if path.is_file()
        for trace in traces
        if trace in path.read_bytes()
    ]


async def torture_ownership(row: Count) -> None:
    """Let Bob press each button below Alice's answer, export his data, and let her delete hers.

    Args:
        row: Counts presses, exports, and looks at what the deletion has left.
    """
    with tempfile.TemporaryDirectory() as name:
        async with running(Path(name)) as (discord, bot):
            options = {"rhythm": "jazz"}
            hers = await _ended(await discord.send("rerhythm", options, (NAME, TUNE), person=ALICE))
            for move in MOVES:
                one = await _ended(await discord.press(hers, move, BOB))
                # "Before and after" shows the file itself: it is for whoever sent it.
                expected = 0 if move == "compare" else 1
                row.add(failed=one.results != expected, detail=f"Bob's press, {move}: {one}")
            exports = [
                await _ended(await discord.send("mydata export", {}, person=person))
                for person in (ALICE, BOB)
            ]
            has_tune = [_holds_tune(one) for one in exports]
            row.add(failed=has_tune != [True, False], detail=f"exports hold the file: {has_tune}")
            await _ended(await discord.send("mydata delete", {}, person=ALICE))
            left = await asyncio.to_thread(_find, TRACES, bot.data)
            row.add(failed=bool(left), detail=f"after the deletion: {left}")
            late = await _ended(await discord.press(hers, "again", BOB))
            row.add(failed=late.results != 0, detail=f"Bob still has a result: {late}")
        left = _find(TRACES, bot.data) + _find(TRACES, bot.log.parent)
        row.add(failed=bool(left), detail=f"after the end: {left}")


def _holds_tune(export: Exchange) -> bool:
    """Return whether an export has an archive of files; the archive is compressed."""
    return any(one.startswith(b"PK") for one in export.private_files)


async def torture_parsers(row: Count) -> None:
    """Send hostile files through the bot: each must be refused or answered in time.

    Args:
        row: Counts the files.
    """
    with tempfile.TemporaryDirectory() as name:
        async with running(Path(name)) as (discord, _):
            places = asyncio.Semaphore(AT_ONCE)
            files = [*islice(hostile_files(), 0, None, HOSTILE_STEP)]
            await asyncio.gather(*(_send(discord, places, *file) for file in files))
            await finish(discord)
        row.add_exchanges(discord.exchanges)
        for one in discord.exchanges:
            if one.ended_at - one.sent_at > WITHIN_S:
                row.add(failed=True, detail=f"told only after {one.ended_at - one.sent_at:.0f} s")


async def _send(discord: StandIn, places: asyncio.Semaphore, name: str, content: bytes) -> None:
    async with places:
        suffix = name.rpartition(".")[2]
        safe = f"file.{suffix if suffix.isalnum() else 'mid'}"
        one = await discord.send("rerhythm", {"rhythm": "jazz"}, (safe, content))
        await _ended(one)
