"""Presses: what the buttons and lists below messages do; most make another request.

`RequestIntake` receives those like any other. Custom ids of posted messages name the moves for
good.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, cast

import discord

from bot.errors import LostFile, NotRequester, RequestNotFound
from bot.requests.intake import KEEP_WITHIN_S, RequestIntake, in_time
from bot.requests.record import RequestRecord
from bot.requests.scheduler import Scheduler
from bot.requests.store import RequestStore
from bot.requests.uploads import Upload, Uploads
from mst_core.reading.parsed_score import Selection
from mst_core.requests import Request, Side, Transfer, draw_seed, next_seed

UPLOAD_MOVES = ("choose", "set")
"""The moves of `Presses.press` whose id is that of an upload, which only its user may use."""


class Presses:
    """Carries out the moves of buttons and lists. Rejections are ephemeral."""

    def __init__(
        self,
        intake: RequestIntake,
        store: RequestStore,
        uploads: Uploads,
        scheduler: Scheduler,
        style_choice_view: Callable[[int, int, str], discord.ui.View],
    ) -> None:
        """Keep what the moves need.

        Args:
            intake: Receives the requests.
            store: The requests whose buttons are pressed.
            uploads: The files whose lists are used.
            scheduler: Cancels requests.
            style_choice_view: Lays out the list of styles for an upload, a strength in percent and
                a locale; see `bot.messages.replies.Replies.style_choice_view`.
        """
        self._intake, self._store, self._uploads = intake, store, uploads
        self._scheduler, self._style_choice_view = scheduler, style_choice_view
        self._moves: dict[str, Callable[[discord.Interaction[Any], int, int], Awaitable[None]]] = {
            "again": self._request_again,
            "strength": self._request_strength,
            "variant": self._request_variant,
            "swap": self._request_swapped,
            "part": self._request_part,
            "tune": self._request_tune,
            "compare": self._show_comparison,
            "remove": self._remove_result,
            "cancel": self._cancel_request,
            "choose": self._request_style,
            "set": self._set_strength,
        }

    async def press(
        self,
        interaction: discord.Interaction[Any],
        move: str,
        id: int,
        argument: int | None,
        token: str = "",
    ) -> None:
        """Carry out the move of a button or list below a message.

        ======== ========== ============= ===================================================
        move     id         argument      effect
        ======== ========== ============= ===================================================
        again    request               -  the same request with a new seed
        strength request    percent       the same request and seed with another strength
        variant  request    number from 1 the same request with another of its seeds
        swap     request               -  a mashup with its two tunes exchanged
        part     request    part, from 1  the same request with another part as the melody
        tune     request               -  the same request with another tune of its book; the list's
                                          value is the number of the tune, from 1
        compare  request               -  an ephemeral picture of the score before and after, for
                                          whoever sent the file
        remove   request               -  deletes the result's message
        cancel   request               -  cancels the request, unless it has its outcome already
        choose   upload     percent       re-rhythms an upload; the list's value is the style
        set      upload     percent       sets the strength for the next ``choose``
        ======== ========== ============= ===================================================

        Custom ids of messages that are posted already hold these moves: they stay valid. A request
        is found only by its token, and only where it was asked for, or by whoever asked for it.

        Args:
            interaction: The press, not yet acknowledged.
            move: The move, one of the table.
            id: The id of the request or upload.
            argument: The argument in the unit of the table; None for a move without one.
            token: The token of the request; empty in the buttons of version 0.2.

        Raises:
            RequestNotFound, LostFile: when the request or upload is no longer stored.
            NotRequester: when a user cancels another user's request, removes its result, or asks
                for the score before and after of a file that they have not sent.
            MstError: as `submit`.
        """
        if move not in UPLOAD_MOVES:
            record = await in_time(self._store.find(id))
            if record is not None and not _may_press(interaction, record, token):
                raise RequestNotFound(id)
        await self._moves[move](interaction, id, argument or 0)

    async def _request_again(
        self, interaction: discord.Interaction[Any], request_id: int, _: int
    ) -> None:
        record = await self._find_record(request_id)
        await self._repeat(interaction, record, record.request.with_seed(draw_seed()), None)

    async def _request_strength(
        self, interaction: discord.Interaction[Any], request_id: int, percent: int
    ) -> None:
        record = await self._find_record(request_id)
        request = record.request.with_strength(percent / 100)
        await self._repeat(interaction, record, request, record.first_seed)

    async def _request_variant(
        self, interaction: discord.Interaction[Any], request_id: int, number: int
    ) -> None:
        record = await self._find_record(request_id)
        first = record.request.seed if record.first_seed is None else record.first_seed
        request = record.request.with_seed(next_seed(first, number - 1))
        await self._repeat(interaction, record, request, first)

    async def _request_swapped(
        self, interaction: discord.Interaction[Any], request_id: int, _: int
    ) -> None:
        record = await self._find_record(request_id)
        await self._repeat(interaction, record, record.request.swapped(), None)

    async def _request_part(
        self, interaction: discord.Interaction[Any], request_id: int, number: int
    ) -> None:
        record = await self._find_record(request_id)
        *_, selection = record.request.sources.values()
        request = record.request.with_selection(replace(selection, track=number))
        await self._repeat(interaction, record, request, record.first_seed)

    async def _request_tune(
        self, interaction: discord.Interaction[Any], request_id: int, _: int
    ) -> None:
        record = await self._find_record(request_id)
        request = record.request.with_selection(Selection(tune=int(_chosen_value(interaction))))
        await self._repeat(interaction, record, request, record.first_seed)

    async def _show_comparison(
        self, interaction: discord.Interaction[Any], request_id: int, _: int
    ) -> None:
        record = await self._find_record(request_id)
        own = {
            upload.sha256 for upload in await in_time(self._uploads.of_user(interaction.user.id))
        }
        if not own.issuperset(record.request.sources):
            raise NotRequester  # it shows and plays the file itself
        await self._repeat(interaction, record, record.request, record.first_seed, private=True)

    async def _remove_result(
        self, interaction: discord.Interaction[Any], request_id: int, _: int
    ) -> None:
        record = await in_time(self._store.find(request_id))
        requester = _requester_of(interaction) if record is None else record.user_id
        if requester is None:
            raise RequestNotFound(request_id)
        if requester != interaction.user.id:
            raise NotRequester
        await interaction.response.defer()
        await interaction.delete_original_response()

    async def _cancel_request(
        self, interaction: discord.Interaction[Any], request_id: int, _: int
    ) -> None:
        record = await self._find_record(request_id)
        if record.user_id != interaction.user.id:
            raise NotRequester
        if interaction.message and interaction.message.attachments:
            # The ledger was restored from a backup of before the result, which comes once more.
            await interaction.response.defer()
            return
        # Stored before it is acknowledged. On a slow disk it goes on: its message says how it ends.
        cancelling = asyncio.create_task(self._scheduler.cancel(request_id))
        await asyncio.wait([cancelling], timeout=KEEP_WITHIN_S)
        if cancelling.done():
            cancelling.result()
        await interaction.response.defer()

    async def _request_style(
        self, interaction: discord.Interaction[Any], upload_id: int, percent: int
    ) -> None:
        upload = await self._check_owner(interaction, upload_id)
        rhythm = Side(style=_chosen_value(interaction), strength=percent / 100)
        request = Transfer(source=upload.sha256, seed=draw_seed(), rhythm=rhythm)
        await self._intake.submit(interaction, request, {upload.sha256: upload.name})

    async def _set_strength(
        self, interaction: discord.Interaction[Any], upload_id: int, percent: int
    ) -> None:
        await self._check_owner(interaction, upload_id)
        view = self._style_choice_view(upload_id, percent, interaction.locale.value)
        await interaction.response.edit_message(view=view)

    async def _check_owner(self, interaction: discord.Interaction[Any], upload_id: int) -> Upload:
        upload = await in_time(self._uploads.find(upload_id))
        if upload is None or upload.user_id != interaction.user.id:
            raise LostFile("the file")
        return upload

    async def _repeat(
        self,
        interaction: discord.Interaction[Any],
        record: RequestRecord,
        request: Request,
        first_seed: int | None,
        *,
        private: bool = False,
    ) -> None:
        """Submit a request made from an earlier one, whose files and names it uses."""
        await self._intake.submit(
            interaction, request, record.names, first_seed, parent_id=record.id, private=private
        )

    async def _find_record(self, request_id: int) -> RequestRecord:
        record = await in_time(self._store.find(request_id))
        if record is None:
            raise RequestNotFound(request_id)
        return record


def _chosen_value(interaction: discord.Interaction[Any]) -> str:
    """Return the value that was chosen in a list."""
    (value,) = cast("dict[str, list[str]]", interaction.data)["values"]
    return value


def _may_press(interaction: discord.Interaction[Any], record: RequestRecord, token: str) -> bool:
    """Return whether a button with this token belongs to the request, and is where it may be.

    A ledger that was started anew gives the numbers of posted buttons to other requests; the token
    says which is which.
    """
    if not secrets.compare_digest(token, record.press_token):
        return False
    here = interaction.channel_id == record.channel_id and interaction.guild_id == record.guild_id
    # A late result is a direct message to its user.
    return here or (interaction.guild_id is None and interaction.user.id == record.user_id)


def _requester_of(interaction: discord.Interaction[Any]) -> int | None:
    """Return the user whose command or press created the message; None when Discord omits it."""
    message = interaction.message
    metadata = message.interaction_metadata if message else None
    return metadata.user.id if metadata else None
