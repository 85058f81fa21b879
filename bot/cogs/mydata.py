"""``/mydata export`` and ``/mydata delete``: the stored data of a user."""

from __future__ import annotations

import asyncio
import io
import zipfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import discord
import msgspec
from discord import Interaction
from discord.app_commands import Command, Group

from bot.errors import TooSoon
from bot.requests.scheduler import Scheduler
from bot.requests.store import RequestStore
from bot.requests.uploads import Upload, Uploads
from bot.texts import Texts
from mst_core.request_json import encode_request

BUSY_S = "10"
"""Seconds that a user who has such a command in progress is asked to wait."""


def mydata_commands(
    store: RequestStore, uploads: Uploads, scheduler: Scheduler, texts: Texts
) -> Group:
    """Build the two commands as a group. All their replies are ephemeral.

    Args:
        store: The requests that are exported.
        uploads: The files that are exported.
        scheduler: Deletes the requests, jobs and uploads of a user.
        texts: The sentences of the replies and the descriptions of the commands.

    Returns:
        The group ``/mydata`` with ``export`` and ``delete``.
    """
    busy: set[int] = set()
    one_at_a_time = asyncio.Semaphore(1)  # those who wait are served in the order of their commands

    @asynccontextmanager
    async def turn(interaction: Interaction[Any]) -> AsyncIterator[None]:
        """Acknowledge a command of a user who has none of these in progress, and wait for its turn.

        Raises:
            TooSoon: when the user has one in progress.
        """
        user_id = interaction.user.id
        if user_id in busy:
            raise TooSoon(BUSY_S)
        busy.add(user_id)
        try:
            await interaction.response.defer(ephemeral=True, thinking=True)
            async with one_at_a_time:
                yield
        finally:
            busy.discard(user_id)

    async def export(interaction: Interaction[Any]) -> None:
        async with turn(interaction):
            text, files = await pack_data(interaction)
        await interaction.followup.send(text, files=files, ephemeral=True)

    async def pack_data(interaction: Interaction[Any]) -> tuple[str, list[discord.File]]:
        unreadable: list[dict[str, object]] = []
        records = await store.history(interaction.user.id, unreadable=unreadable)
        found = await uploads.of_user(interaction.user.id)
        data = {
            "requests": [
                {
                    name: value
                    for name, value in msgspec.to_builtins(record).items()
                    if name != "interaction_token"
                }
                | {"request": msgspec.Raw(encode_request(record.request).encode())}
                for record in records
            ],
            "unreadable": [
                {name: value for name, value in row.items() if name != "interaction_token"}
                for row in unreadable
            ],
            "uploads": msgspec.to_builtins(found),
            "pruned_uploads": await uploads.pruned_of_user(interaction.user.id),
        }
        content = await asyncio.to_thread(_format, data)
        files = [discord.File(io.BytesIO(content), filename="mydata.json")]
        packed = 0
        if found:
            archive, packed = await asyncio.to_thread(
                _pack, uploads, found, interaction.filesize_limit - len(content)
            )
            files.append(discord.File(io.BytesIO(archive), filename="uploads.zip"))
        text = texts.render(
            "mydata.export",
            interaction.locale.value,
            requests=len(records) + len(unreadable),
            uploads=len(found),
            packed=packed,
        )
        if unreadable:
            text += "\n" + texts.render(
                "mydata.unreadable", interaction.locale.value, count=len(unreadable)
            )
        return text, files

    async def delete(interaction: Interaction[Any]) -> None:
        async with turn(interaction):
            n_requests, n_uploads = await scheduler.delete_user(interaction.user.id)
        text = texts.render(
            "mydata.delete", interaction.locale.value, requests=n_requests, uploads=n_uploads
        )
        await interaction.followup.send(text, ephemeral=True)

    group = Group(name="mydata", description=texts.render("commands.mydata"))
    for name, callback in (("export", export), ("delete", delete)):
        description = texts.render(f"commands.mydata_{name}")
        group.add_command(Command(name=name, description=description, callback=callback))
    return group


def _format(data: object) -> bytes:
    return msgspec.json.format(msgspec.json.encode(data), indent=2)


def _pack(uploads: Uploads, packable: list[Upload], max_bytes: int) -> tuple[bytes, int]:
    """Return a ZIP archive of the newest uploads that fit, and their number."""
    archive, packed = io.BytesIO(), 0
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as files:
        for upload in packable:
            # An upper bound: incompressible data grows by less than 1 %, and each file has two
            # headers with its name.
            if (
                archive.getbuffer().nbytes + upload.size_bytes * 1.01 + 2_000 * (packed + 2)
                > max_bytes
            ):
                break
            files.writestr(f"{upload.id}-{upload.name}", uploads.read_bytes(upload))
            packed += 1
    return archive.getvalue(), packed
