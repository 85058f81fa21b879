"""Downloads of attached files from Discord, of which never more than the largest file is read.

Discord states the size of an attachment, but whoever serves the file may send more.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import aiohttp
import discord

from bot.errors import DownloadFailed
from mst_core.reading.formats import SNIFFED_BYTES
from mst_core.reading.parsed_score import Limits
from mst_core.reading.sandbox import detect_format, display_name

DOWNLOAD_TIMEOUT_S = 20.0
"""Seconds that the download of one attachment may take."""


def capped_download(limit_bytes: int) -> Callable[[str], Awaitable[bytes]]:
    """Return a function that downloads the file at a URL, and no more than one byte too much.

    It takes the place of discord.py's own, which reads whatever comes into memory.

    Args:
        limit_bytes: The largest accepted file, in bytes; the byte after it shows that it is larger.
    """

    async def download(url: str) -> bytes:
        data = bytearray()
        # Nothing is unpacked: a few bytes may unpack to a thousand times as many.
        headers = {"Accept-Encoding": "identity"}
        async with (
            aiohttp.ClientSession(auto_decompress=False, headers=headers) as session,
            session.get(url) as response,
        ):
            if response.status != 200:
                raise discord.HTTPException(response, "the file was not delivered")
            async for chunk in response.content.iter_chunked(2**16):
                data += chunk[: limit_bytes + 1 - len(data)]
                if len(data) > limit_bytes:
                    response.close()
                    break
        return bytes(data)

    return download


def precheck(attachment: discord.Attachment, limits: Limits) -> None:
    """Check the name and the size of an attachment before its download.

    Args:
        attachment: The attachment, with its name and its size in bytes.
        limits: The largest accepted file, in bytes.

    Raises:
        UnreadableScore, TooLong: naming the file and the accepted formats or size.
    """
    detect_format(attachment.filename, attachment.size, limits=limits)


async def fetch_all(attachments: Sequence[discord.Attachment], limits: Limits) -> list[bytes]:
    """Download attachments that passed `precheck`, and check their first bytes.

    Args:
        attachments: The attachments, which are downloaded at the same time.
        limits: The largest accepted file, in bytes.

    Returns:
        The bytes of each file, in the order of the attachments.

    Raises:
        UnreadableScore, TooLong: naming the file and the accepted formats or size.
        DownloadFailed: when Discord does not deliver one within `DOWNLOAD_TIMEOUT_S`.
    """
    return list(await asyncio.gather(*(_fetch(one, limits) for one in attachments)))


async def _fetch(attachment: discord.Attachment, limits: Limits) -> bytes:
    try:
        async with asyncio.timeout(DOWNLOAD_TIMEOUT_S):
            data = await attachment.read()
    except (discord.HTTPException, aiohttp.ClientError, OSError) as error:  # TimeoutError is one
        raise DownloadFailed(display_name(attachment.filename)) from error
    detect_format(attachment.filename, len(data), data[:SNIFFED_BYTES], limits)
    return data
