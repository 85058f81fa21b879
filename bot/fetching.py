"""Fetching what a person attached: cheap checks first, then the bytes, then a look at them.

Discord wants an answer within 3 s, and a public one never turns private again. So a file is fetched
before anything is said, as long as that stays quick; a slow one comes after the public answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import aiohttp
import discord

from bot.errors import NotFetched
from mst_core.reading.formats import FIRST_BYTES
from mst_core.reading.parsed_score import Limits
from mst_core.reading.sandbox import cheap_check, show_name

LONGEST_S = 20.0
"""A file that takes longer is given up."""


def check_unseen(attachment: discord.Attachment, limits: Limits) -> None:
    """Do nothing, when a file may be fetched, by its name and size alone.

    Raises:
        UnreadableScore, TooLong: naming the file and what is accepted.
    """
    cheap_check(attachment.filename, attachment.size, limits=limits)


async def fetch_all(attachments: Sequence[discord.Attachment], limits: Limits) -> list[bytes]:
    """Fetch files that passed `check_unseen`, and look at their first bytes.

    Raises:
        UnreadableScore, TooLong: naming the file and what is accepted.
        NotFetched: when Discord does not hand one over.
    """
    return list(await asyncio.gather(*(_fetch(one, limits) for one in attachments)))


async def _fetch(attachment: discord.Attachment, limits: Limits) -> bytes:
    try:
        async with asyncio.timeout(LONGEST_S):
            data = await attachment.read()
    except (discord.HTTPException, aiohttp.ClientError, OSError) as error:  # TimeoutError is one
        raise NotFetched(show_name(attachment.filename)) from error
    cheap_check(attachment.filename, len(data), data[:FIRST_BYTES], limits)
    return data
