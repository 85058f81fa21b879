"""The desk, where requests are handed in: check, defer, ask. The dispatcher sees to the reply."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import discord
import msgspec

from bot.dispatch import Dispatcher
from bot.ledger import Ask, Entry, Ledger
from bot.refusals import Forgotten, NotYours, TooManyOpen, TooSoon
from bot.settings import Settings
from mst_core.errors import BadOption
from mst_core.jobs import Compose
from mst_core.requests import check, draw_seed
from mst_core.styles import StyleCard


class Desk:
    """Takes requests of people in; says no before anyone else can see it."""

    def __init__(
        self,
        ledger: Ledger,
        dispatcher: Dispatcher,
        styles: Mapping[str, StyleCard],
        settings: Settings,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._ledger, self._dispatcher, self._styles = ledger, dispatcher, styles
        self._settings, self._clock = settings, clock

    async def ask(self, interaction: discord.Interaction[Any], request: Compose) -> None:
        """Check a request and its asker, acknowledge it in public, and enter it in the ledger.

        Raises:
            MstError: while nothing is public yet, when the request or its asker has to wait.
        """
        check(request, self._styles)
        if request.bars > self._settings.bars_max:
            raise BadOption("bars", request.bars, f"at most {self._settings.bars_max} here")
        await self._check_person(interaction.user.id)
        callback = await interaction.response.defer(thinking=True)
        if callback is None or callback.message_id is None or interaction.channel_id is None:
            raise RuntimeError("Discord gave no message to answer in")
        await self._ledger.accept(
            Ask(
                user_id=interaction.user.id,
                guild_id=interaction.guild_id,
                channel_id=interaction.channel_id,
                message_id=callback.message_id,
                interaction_token=interaction.token,
                file_limit_bytes=interaction.filesize_limit,
                locale=interaction.locale.value,
                request=request,
            )
        )
        self._dispatcher.wake()

    async def again(self, interaction: discord.Interaction[Any], request_id: int) -> None:
        """Ask for the same once more with a new seed; the old answer stays.

        Raises:
            Forgotten: when the request is no longer kept; or whatever `ask` raises.
        """
        entry = await self._find(request_id)
        seed = draw_seed()
        await self.ask(interaction, msgspec.structs.replace(entry.request, seed=seed))

    async def remove(self, interaction: discord.Interaction[Any], request_id: int) -> None:
        """Remove the message of an answer, for the one who asked for it.

        Raises:
            Forgotten: when the request is no longer kept.
            NotYours: when somebody else asked for it.
        """
        entry = await self._find(request_id)
        if entry.user_id != interaction.user.id:
            raise NotYours
        await interaction.response.defer()
        await interaction.delete_original_response()

    async def _find(self, request_id: int) -> Entry:
        entry = await self._ledger.find(request_id)
        if entry is None:
            raise Forgotten(request_id)
        return entry

    async def _check_person(self, user_id: int) -> None:
        latest = await self._ledger.history(user_id, self._settings.open_per_user)
        if len(latest) == self._settings.open_per_user and all(
            entry.state in ("waiting", "running") for entry in latest
        ):
            raise TooManyOpen(self._settings.open_per_user)
        if latest:
            wait_s = latest[0].asked_at + self._settings.cooldown_s - self._clock()
            if wait_s > 0:
                raise TooSoon(f"{wait_s:.0f}" if wait_s >= 1 else "1")
