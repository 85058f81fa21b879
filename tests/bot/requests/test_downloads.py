"""A download is read up to the largest accepted file, whatever the sender says and sends."""

from __future__ import annotations

import asyncio
import gzip
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import discord
import pytest

from bot.errors import DownloadFailed
from bot.requests.downloads import capped_download, fetch_all
from mst_core.errors import TooLong
from mst_core.reading.parsed_score import Limits
from tests.support.uploads import write_reel


@asynccontextmanager
async def serving(head: str, *bodies: bytes, endless: bool = False) -> AsyncIterator[Any]:
    """A web server that answers every request with these bytes; how many it could send."""
    counted = SimpleNamespace(url="", sent=0)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(f"HTTP/1.1 {head}\r\nConnection: close\r\n\r\n".encode())
        try:
            for body in itertools.cycle(bodies) if endless else bodies:
                writer.write(body)
                await writer.drain()
                counted.sent += len(body)
        except ConnectionError:
            return
        finally:
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    counted.url = f"http://{host}:{port}/reel.mid"
    try:
        yield counted
    finally:
        server.close()


def attachment(url: str, size: int) -> Any:
    """An attachment that states a size, and is read as the bot reads it."""

    async def read() -> bytes:
        return await capped_download(Limits().file_bytes)(url)

    return SimpleNamespace(filename="reel.mid", size=size, url=url, read=read)


async def test_a_file_arrives_as_it_was_sent() -> None:
    reel = write_reel()
    async with serving("200 OK", reel[:100], reel[100:]) as site:
        assert await fetch_all([attachment(site.url, len(reel))], Limits()) == [reel]


async def test_of_a_file_without_end_no_more_is_read_than_the_largest_one() -> None:
    limits = Limits()
    head = "200 OK\r\nContent-Length: 6000000000"
    async with serving(head, write_reel(), bytes(2**20), endless=True) as site:
        with pytest.raises(TooLong):
            await fetch_all([attachment(site.url, 500)], limits)
        assert site.sent < limits.file_bytes + 16 * 2**20, "what sockets hold is not read"


async def test_at_most_one_byte_more_than_the_limit_is_kept() -> None:
    async with serving("200 OK", bytes(5000)) as site:
        assert len(await capped_download(10)(site.url)) == 11
        assert len(await capped_download(5000)(site.url)) == 5000


async def test_a_packed_answer_is_not_unpacked() -> None:
    packed = gzip.compress(bytes(10**6))
    async with serving("200 OK\r\nContent-Encoding: gzip", packed) as site:
        assert await capped_download(10**7)(site.url) == packed


@pytest.mark.parametrize("head", ["404 Not Found", "403 Forbidden", "500 Oops"])
async def test_a_file_that_is_not_delivered_is_named(head: str) -> None:
    async with serving(head, b"no") as site:
        with pytest.raises(discord.HTTPException):
            await capped_download(10)(site.url)
        with pytest.raises(DownloadFailed, match=r"reel\.mid"):
            await fetch_all([attachment(site.url, 500)], Limits())
