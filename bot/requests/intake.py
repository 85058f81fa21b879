"""Intake: validates a request, stores it and acknowledges it; then the scheduler takes over.

A request is on disk before it is acknowledged, so that no user waits for one that is lost. Discord
wants an acknowledgement within 3 s, and a public one never turns private again. So whatever can be
checked is checked before it, and a rejection is ephemeral. Attached files are downloaded before
the acknowledgement too, as long as that takes less than `DEFER_AFTER_S`.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import sqlite3
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, Protocol, TypeVar, cast
from weakref import WeakValueDictionary

import aiohttp
import discord

from bot.errors import (
    LostFile,
    NotRequester,
    RequestNotFound,
    StoreBusy,
)
from bot.monitoring.logs import REQUEST_ID
from bot.requests.acknowledgement import Acknowledgements
from bot.requests.admission import Admission, expected_seconds
from bot.requests.downloads import fetch_all, precheck
from bot.requests.notifier import spawn
from bot.requests.record import NewRequest, RequestRecord
from bot.requests.scheduler import Scheduler
from bot.requests.store import DOWNLOAD, INTAKE, RequestStore
from bot.requests.uploads import Upload, Uploads
from bot.settings import Settings
from mst_core.reading.parsed_score import Selection
from mst_core.reading.sandbox import display_name
from mst_core.requests import Mashup, Request, Side, Transfer, draw_seed, next_seed, validate
from mst_core.styles import StyleCard

DEFER_AFTER_S = 1.5
"""Seconds that downloads may take before the public acknowledgement is sent without them."""
UPLOAD_MOVES = ("choose", "set")
"""The moves of `RequestIntake.press` whose id is that of an upload, which only its user may use."""
CHECK_WITHIN_S = 0.5
"""Seconds that the store may take for the checks before; a write that stalls holds them up too."""
KEEP_WITHIN_S = 1.0
"""Seconds that storing a request may take; later it is refused, and withdrawn when it is stored."""

log = logging.getLogger(__name__)

T = TypeVar("T")


class PrivateReplies(Protocol):
    """The ephemeral replies to a press; `bot.messages.replies.Replies` implements it."""

    def comparison(
        self, record: RequestRecord, picture: bytes, locale: str
    ) -> tuple[str, discord.File]:
        """Return a sentence and a PNG file: the score before and after.

        Args:
            record: The request whose score is compared.
            picture: The score before and after, as the bytes of a PNG file.
            locale: The Discord locale of the user who pressed, such as ``en-US``.

        Returns:
            The text of the message and its attachment.
        """

    def style_choice_view(self, upload_id: int, percent: int, locale: str) -> discord.ui.View:
        """Return a list of styles and a row of strengths for an upload.

        Args:
            upload_id: The upload that is to be changed.
            percent: The current strength, 0 to 100 %; its button is disabled.
            locale: The Discord locale of the user, such as ``en-US``.
        """


class RequestIntake:
    """Validates requests, acknowledges them and stores them. Rejections are ephemeral."""

    def __init__(
        self,
        store: RequestStore,
        uploads: Uploads,
        scheduler: Scheduler,
        styles: Mapping[str, StyleCard],
        settings: Settings,
        replies: PrivateReplies,
        acknowledgements: Acknowledgements,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store, self._uploads, self._scheduler = store, uploads, scheduler
        self._styles, self._settings, self._clock = styles, settings, clock
        self._replies, self._acknowledgements = replies, acknowledgements
        self._admission = Admission(store, settings.max_open_per_user, settings.cooldown_s, clock)
        self._pending: Counter[int] = Counter()
        self._upload_locks: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()
        self._moves: dict[str, Callable[[discord.Interaction[Any], int, int], Awaitable[None]]] = {
            "again": self._request_again,
            "strength": self._request_strength,
            "variant": self._request_variant,
            "swap": self._request_swapped,
            "part": self._request_part,
            "tune": self._request_tune,
            "compare": self._show_comparison,
            "remove": self._remove_result,
            "choose": self._request_style,
            "set": self._set_strength,
        }

    async def submit(
        self,
        interaction: discord.Interaction[Any],
        request: Request,
        names: Mapping[str, str] | None = None,
        first_seed: int | None = None,
    ) -> None:
        """Validate a request, acknowledge it publicly and store it.

        Args:
            interaction: The command or button press that makes the request.
            request: The request; its files are stored already.
            names: The user's names of these files, by SHA-256.
            first_seed: The seed of variant 1, when the request is a variant of another one.

        Raises:
            MstError: before the acknowledgement, when the request or its user is rejected.
        """
        names = names or {}
        self._check_request(request)
        async with self._reserve_slot(interaction.user.id, interaction.guild_id):
            self._uploads.check_stored(request.sources, names)
            record = await self._keep(interaction, request, names, first_seed)
            await self._acknowledge(interaction, record)

    async def submit_with_files(
        self,
        interaction: discord.Interaction[Any],
        draft: Transfer | Mashup,
        files: Mapping[str, discord.Attachment | None],
    ) -> None:
        """Download the files of a request, then validate, acknowledge and store it.

        Args:
            interaction: The command that makes the request.
            draft: The request, with a placeholder such as ``source`` for the hash of each file.
            files: The attachments by placeholder; None where an option is left out.

        Raises:
            MstError: as `submit`; after the acknowledgement when the downloads are slow.
        """
        attached = {name: file for name, file in files.items() if file is not None}
        for file in attached.values():
            precheck(file, self._uploads.limits)
        self._check_request(draft)
        user_id = interaction.user.id
        async with self._reserve_slot(user_id, interaction.guild_id):
            download = asyncio.create_task(fetch_all([*attached.values()], self._uploads.limits))
            try:
                in_time, _ = await asyncio.wait([download], timeout=DEFER_AFTER_S)
                if in_time:
                    request, names = await self._keep_files(
                        user_id, draft, attached, await download
                    )
                    record = await self._keep(interaction, request, names)
                    await self._acknowledge(interaction, record)
                else:
                    await self._acknowledge_first(interaction, draft, attached, download)
            finally:
                download.cancel()

    async def _acknowledge_first(
        self,
        interaction: discord.Interaction[Any],
        draft: Transfer | Mashup,
        attached: Mapping[str, discord.Attachment],
        download: asyncio.Task[list[bytes]],
    ) -> None:
        """Acknowledge a request whose files take long, then wait for them."""
        names = {name: display_name(file.filename) for name, file in attached.items()}
        record = await self._keep(interaction, draft, names, holder=DOWNLOAD)
        await self._acknowledge(interaction, record)
        try:
            contents = await download
            user_id = interaction.user.id
            request, names = await self._keep_files(user_id, draft, attached, contents)
        except Exception:
            await self._store.withdraw(record.id)
            raise
        expected_s = expected_seconds(self._uploads.sizes(names))
        if not await self._store.complete(record.id, request, names, expected_s):
            raise RequestNotFound(record.id)  # its user has deleted it meanwhile
        self._scheduler.wake()

    async def _keep_files(
        self,
        user_id: int,
        draft: Transfer | Mashup,
        attached: Mapping[str, discord.Attachment],
        contents: Sequence[bytes],
    ) -> tuple[Transfer | Mashup, dict[str, str]]:
        """Store the files of a request; return it with their SHA-256, and their names by those."""
        uploads = [
            await self._uploads.keep(user_id, file.filename, content)
            for file, content in zip(attached.values(), contents, strict=True)
        ]
        hashes = {name: one.sha256 for name, one in zip(attached, uploads, strict=True)}
        return draft.with_sources(hashes), {upload.sha256: upload.name for upload in uploads}

    async def receive_upload(
        self, interaction: discord.Interaction[Any], attachment: discord.Attachment
    ) -> Upload:
        """Download, store and parse one file; the interaction is deferred ephemerally already.

        Args:
            interaction: The command of the user who sends the file.
            attachment: The file, which passed `precheck`.

        Returns:
            The row of the stored file, whose parsed score is in the cache.

        Raises:
            TooManyOpen, TooSoon: when the user has no request left.
            DownloadFailed: when Discord does not deliver the file.
            MstError: when the file is too large or holds no tune.
        """
        user_id = interaction.user.id
        # One file of a user at a time: all users share the parser processes.
        lock = self._upload_locks.setdefault(user_id, asyncio.Lock())
        async with self._reserve_slot(user_id, interaction.guild_id), lock:
            (content,) = await fetch_all([attachment], self._uploads.limits)
            upload = await self._uploads.keep(user_id, attachment.filename, content)
            await self._uploads.encoded_score(upload.sha256, upload.name)
        return upload

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
        compare  request               -  an ephemeral picture of the score before and after
        remove   request               -  deletes the result's message
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
            NotRequester: when a user removes the result of another user's request.
            MstError: as `submit`.
        """
        if move not in UPLOAD_MOVES:
            record = await _in_time(self._store.find(id))
            if record is not None and not _may_press(interaction, record, token):
                raise RequestNotFound(id)
        await self._moves[move](interaction, id, argument or 0)

    async def _request_again(
        self, interaction: discord.Interaction[Any], request_id: int, _: int
    ) -> None:
        record = await self._find_record(request_id)
        await self.submit(interaction, record.request.with_seed(draw_seed()), record.names)

    async def _request_strength(
        self, interaction: discord.Interaction[Any], request_id: int, percent: int
    ) -> None:
        record = await self._find_record(request_id)
        request = record.request.with_strength(percent / 100)
        await self.submit(interaction, request, record.names, record.first_seed)

    async def _request_variant(
        self, interaction: discord.Interaction[Any], request_id: int, number: int
    ) -> None:
        record = await self._find_record(request_id)
        first = record.request.seed if record.first_seed is None else record.first_seed
        request = record.request.with_seed(next_seed(first, number - 1))
        await self.submit(interaction, request, record.names, first)

    async def _request_swapped(
        self, interaction: discord.Interaction[Any], request_id: int, _: int
    ) -> None:
        record = await self._find_record(request_id)
        await self.submit(interaction, record.request.swapped(), record.names)

    async def _request_part(
        self, interaction: discord.Interaction[Any], request_id: int, number: int
    ) -> None:
        record = await self._find_record(request_id)
        *_, selection = record.request.sources.values()
        request = record.request.with_selection(replace(selection, track=number))
        await self.submit(interaction, request, record.names, record.first_seed)

    async def _request_tune(
        self, interaction: discord.Interaction[Any], request_id: int, _: int
    ) -> None:
        record = await self._find_record(request_id)
        request = record.request.with_selection(Selection(tune=int(_chosen_value(interaction))))
        await self.submit(interaction, request, record.names, record.first_seed)

    async def _show_comparison(
        self, interaction: discord.Interaction[Any], request_id: int, _: int
    ) -> None:
        record = await self._find_record(request_id)
        async with self._reserve_slot(interaction.user.id, interaction.guild_id):
            await interaction.response.defer(ephemeral=True, thinking=True)
            self._admission.note(interaction.user.id)
            picture = await self._scheduler.draw_comparison(record.request, record.names)
        content, file = self._replies.comparison(record, picture, interaction.locale.value)
        await interaction.edit_original_response(content=content, attachments=[file])

    async def _remove_result(
        self, interaction: discord.Interaction[Any], request_id: int, _: int
    ) -> None:
        record = await self._store.find(request_id)
        requester = _requester_of(interaction) if record is None else record.user_id
        if requester is None:
            raise RequestNotFound(request_id)
        if requester != interaction.user.id:
            raise NotRequester
        await interaction.response.defer()
        await interaction.delete_original_response()

    async def _request_style(
        self, interaction: discord.Interaction[Any], upload_id: int, percent: int
    ) -> None:
        upload = await self._check_owner(interaction, upload_id)
        rhythm = Side(style=_chosen_value(interaction), strength=percent / 100)
        request = Transfer(source=upload.sha256, seed=draw_seed(), rhythm=rhythm)
        await self.submit(interaction, request, {upload.sha256: upload.name})

    async def _set_strength(
        self, interaction: discord.Interaction[Any], upload_id: int, percent: int
    ) -> None:
        await self._check_owner(interaction, upload_id)
        view = self._replies.style_choice_view(upload_id, percent, interaction.locale.value)
        await interaction.response.edit_message(view=view)

    async def _check_owner(self, interaction: discord.Interaction[Any], upload_id: int) -> Upload:
        upload = await self._uploads.find(upload_id)
        if upload is None or upload.user_id != interaction.user.id:
            raise LostFile("the file")
        return upload

    async def _keep(
        self,
        interaction: discord.Interaction[Any],
        request: Request,
        names: Mapping[str, str],
        first_seed: int | None = None,
        *,
        holder: str = INTAKE,
    ) -> RequestRecord:
        """Store a request before it is acknowledged, within `KEEP_WITHIN_S`."""
        if interaction.channel_id is None:
            raise RuntimeError("an interaction without a channel")
        adding = asyncio.create_task(
            self._store.add(
                NewRequest(
                    user_id=interaction.user.id,
                    guild_id=interaction.guild_id,
                    channel_id=interaction.channel_id,
                    message_id=0,  # not known yet
                    interaction_token=interaction.token,
                    file_limit_bytes=interaction.filesize_limit,
                    locale=interaction.locale.value,
                    request=request,
                    names=dict(names),
                    first_seed=first_seed,
                    interaction_id=interaction.id,
                    expected_s=expected_seconds(self._uploads.sizes(names)),
                ),
                holder,
            )
        )
        done, _ = await asyncio.wait([adding], timeout=KEEP_WITHIN_S)
        if not done:
            # The disk may still finish it: what is refused now must not run later.
            spawn(self._withdraw_late(adding), "the withdrawal of a late request", lambda _: None)
            raise StoreBusy
        record = adding.result()
        REQUEST_ID.set(record.id)
        return record

    async def _withdraw_late(self, adding: asyncio.Task[RequestRecord]) -> None:
        await self._store.withdraw((await adding).id)

    async def _acknowledge(
        self, interaction: discord.Interaction[Any], record: RequestRecord
    ) -> None:
        """Acknowledge a stored request publicly; it runs as soon as Discord confirms."""
        try:
            callback = await interaction.response.defer(thinking=True)
        except discord.NotFound:  # Discord took no acknowledgement: the user sees that it failed
            await self._store.withdraw(record.id)
            raise
        except (discord.DiscordException, aiohttp.ClientError, OSError) as error:
            log.warning("request %d: no reply to its acknowledgement: %r", record.id, type(error))
            await self._acknowledgements.settle(record)
            return
        if callback is None or callback.message_id is None:
            raise RuntimeError("Discord returned no message for the result")
        try:
            await self._store.acknowledge(record.id, callback.message_id)
        except sqlite3.Error as error:  # it is kept already, and its message is found again
            log.warning("request %d: its acknowledgement is not noted yet: %s", record.id, error)
            self._acknowledgements.settle_later(record)
        self._admission.note(interaction.user.id)
        self._scheduler.wake()

    async def _find_record(self, request_id: int) -> RequestRecord:
        record = await self._store.find(request_id)
        if record is None:
            raise RequestNotFound(request_id)
        return record

    def _check_request(self, request: Request) -> None:
        validate(request, self._styles, max_bars=self._settings.bars_max)

    @asynccontextmanager
    async def _reserve_slot(self, user_id: int, guild_id: int | None) -> AsyncIterator[None]:
        """Reserve one of a user's open requests from the check until it is stored.

        Raises:
            TooManyOpen, QueueFull, TooSoon: when the user has none left.
        """
        # Reserved before the store is read: a request stored meanwhile counts twice, never not.
        self._pending[user_id] += 1
        try:
            await _in_time(self._admission.check(user_id, guild_id, self._pending[user_id]))
            yield
        finally:
            self._pending[user_id] -= 1
            self._pending += Counter()  # drops the users at 0


async def _in_time(reading: Awaitable[T]) -> T:
    """Wait for a reading of the store for `CHECK_WITHIN_S`, then raise StoreBusy."""
    try:
        async with asyncio.timeout(CHECK_WITHIN_S):
            return await reading
    except TimeoutError as error:
        raise StoreBusy from error


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
