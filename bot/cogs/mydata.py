"""``/mydata export`` and ``/mydata delete``: the stored data of a user."""

from __future__ import annotations

import asyncio
import io
import zipfile
from typing import Any

import discord
import msgspec
from discord import Interaction, app_commands
from discord.app_commands import Command, Group

from bot.requests.scheduler import Scheduler
from bot.requests.store import RequestStore
from bot.requests.uploads import Upload, Uploads
from bot.texts import Texts
from mst_core.jobs import encode_request


class MyDataCog:
    """Registers the two commands. All their replies are ephemeral."""

    def __init__(
        self, store: RequestStore, uploads: Uploads, scheduler: Scheduler, texts: Texts
    ) -> None:
        self._store, self._uploads = store, uploads
        self._scheduler, self._texts = scheduler, texts

    def commands(self) -> list[Group]:
        """Build the commands."""
        mydata = Group(name="mydata", description=self._texts.render("commands.mydata"))
        mydata.add_command(self._command("export", self._export))
        mydata.add_command(self._command("delete", self._delete))
        return [mydata]

    def _command(self, name: str, callback: Any) -> Command[Any, ..., None]:
        async def run(interaction: Interaction[Any]) -> None:
            await callback(interaction)

        description = self._texts.render(f"commands.mydata_{name}")
        return app_commands.Command(name=name, description=description, callback=run)

    async def _export(self, interaction: Interaction[Any]) -> None:
        await interaction.response.defer(ephemeral=True, thinking=True)
        records = await self._store.history(interaction.user.id)
        uploads = await self._uploads.of_user(interaction.user.id)
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
            "uploads": msgspec.to_builtins(uploads),
        }
        content = msgspec.json.format(msgspec.json.encode(data), indent=2)
        files = [discord.File(io.BytesIO(content), filename="mydata.json")]
        packed = 0
        if uploads:
            archive, packed = await asyncio.to_thread(
                self._pack, uploads, interaction.filesize_limit - len(content)
            )
            files.append(discord.File(io.BytesIO(archive), filename="uploads.zip"))
        text = self._texts.render(
            "mydata.export",
            interaction.locale.value,
            requests=len(records),
            uploads=len(uploads),
            packed=packed,
        )
        await interaction.followup.send(text, files=files, ephemeral=True)

    def _pack(self, uploads: list[Upload], max_bytes: int) -> tuple[bytes, int]:
        """Return a ZIP archive of the newest uploads that fit, and their number."""
        archive, packed = io.BytesIO(), 0
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as files:
            for upload in uploads:
                # An upper bound: incompressible data grows by less than 1 %, and each file has two
                # headers with its name.
                if archive.tell() + upload.size_bytes * 1.01 + 2_000 * (packed + 2) > max_bytes:
                    break
                files.writestr(f"{upload.id}-{upload.name}", self._uploads.read_bytes(upload))
                packed += 1
        return archive.getvalue(), packed

    async def _delete(self, interaction: Interaction[Any]) -> None:
        await interaction.response.defer(ephemeral=True, thinking=True)
        requests, uploads = await self._scheduler.delete_user(interaction.user.id)
        text = self._texts.render(
            "mydata.delete", interaction.locale.value, requests=requests, uploads=uploads
        )
        await interaction.followup.send(text, ephemeral=True)
