"""Intake: validates a request, stores it and acknowledges it; then the scheduler takes over.

A request is on disk before it is acknowledged, so that no user waits for one that is lost. Discord
wants an acknowledgement within 3 s, and a public one never turns private again. So whatever can be
checked is checked before it, and a rejection is ephemeral. Attached files are downloaded before
the acknowledgement too, as long as that takes less than `DEFER_AFTER_S`.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any, TypeVar
from weakref import WeakValueDictionary

import aiohttp
import discord

from bot.errors import (
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
from mst_core.errors import MstError, RequestError
from mst_core.reading.sandbox import display_name
from mst_core.requests import Mashup, Request, Transfer, validate
from mst_core.styles import StyleCard

DEFER_AFTER_S = 1.5
"""Seconds that downloads may take before the public acknowledgement is sent without them."""
CHECK_WITHIN_S = 0.5
"""Seconds that the store may take for the checks before; a write that stalls holds them up too."""
KEEP_WITHIN_S = 1.0
"""Seconds that storing a request may take; later it is refused, and withdrawn when it is stored."""

log = logging.getLogger(__name__)

T = TypeVar("T")


class RequestIntake:
    """Validates requests, acknowledges them and stores them. Rejections are ephemeral."""

    def __init__(
        self,
        store: RequestStore,
        uploads: Uploads,
        scheduler: Scheduler,
        styles: Mapping[str, StyleCard],
        settings: Settings,
        acknowledgements: Acknowledgements,
        clock: Callable[[], float] = time.time,
        promise_room: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self._store, self._uploads, self._scheduler = store, uploads, scheduler
        self._styles, self._settings, self._clock = styles, settings, clock
        self._acknowledgements = acknowledgements
        self.admission = Admission(
            store,
            settings.max_open_per_user,
            settings.cooldown_s,
            clock,
            promise_room=promise_room,
        )
        self._pending: Counter[tuple[str, int | None]] = Counter()
        self._upload_locks: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()

    async def submit(
        self,
        interaction: discord.Interaction[Any],
        request: Request,
        names: Mapping[str, str] | None = None,
        first_seed: int | None = None,
        *,
        parent_id: int | None = None,
        private: bool = False,
    ) -> None:
        """Validate a request, store it and acknowledge it.

        Args:
            interaction: The command or button press that makes the request.
            request: The request; its files are stored already.
            names: The user's names of these files, by SHA-256.
            first_seed: The seed of variant 1, when the request is a variant of another one.
            parent_id: The request below whose result a button was pressed.
            private: Whether a picture of the score before and after is asked for, which only the
                user sees, instead of a tune for all.

        Raises:
            MstError: before the acknowledgement, when the request or its user is rejected.
        """
        names = names or {}
        self._check_request(request)
        async with self.reserve_slot(interaction.user.id, interaction.guild_id):
            self._uploads.check_stored(request.sources, names)
            record = await self._keep(
                interaction,
                request,
                names,
                first_seed,
                parent_id=parent_id,
                private=private,
            )
            await self._acknowledge(interaction, record)
        await self._uploads.note_use(request.sources, interaction.user.id)

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
        async with self.reserve_slot(user_id, interaction.guild_id):
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
            request, names = await self._keep_files(user_id, draft, attached, contents, record.id)
        except MstError as error:
            await self._fail_download(record.id, error)
            return
        except Exception:
            await self._store.withdraw(record.id)
            raise
        expected_s = expected_seconds(request, self._uploads.sizes(names))
        if not await self._store.complete(record.id, request, names, expected_s):
            raise RequestNotFound(record.id)  # its user has deleted it meanwhile
        self._scheduler.wake()

    async def _fail_download(self, request_id: int, error: MstError) -> None:
        """Have an error delivered, also after a crash; raise it where no message is known yet."""
        if not await self._scheduler.fail_download(request_id, error):
            await self._store.withdraw(request_id)
            raise error

    async def _keep_files(
        self,
        user_id: int,
        draft: Transfer | Mashup,
        attached: Mapping[str, discord.Attachment],
        contents: Sequence[bytes],
        request_id: int | None = None,
    ) -> tuple[Transfer | Mashup, dict[str, str]]:
        """Store the files of a request; return it with their SHA-256, and their names by those."""
        uploads = [
            await self._uploads.keep(user_id, file.filename, content, request_id=request_id)
            for file, content in zip(attached.values(), contents, strict=True)
        ]
        hashes = {name: one.sha256 for name, one in zip(attached, uploads, strict=True)}
        return draft.with_sources(hashes), {upload.sha256: upload.name for upload in uploads}

    @asynccontextmanager
    async def receive_upload(
        self, interaction: discord.Interaction[Any], attachment: discord.Attachment
    ) -> AsyncIterator[Upload | None]:
        """Acknowledge a command ephemerally, then download, store and parse one file.

        Until the end of the context, in which the user gets a reply, it is a request held by
        `DOWNLOAD`: after a crash its user learns of it.

        Args:
            interaction: The command of the user who sends the file, not yet acknowledged.
            attachment: The file, which passed `precheck`.

        Yields:
            The row of the stored file, whose parsed score is in the cache; None when the user is
            sent the reason why there is none.

        Raises:
            TooManyOpen, TooSoon: when the user has no request left.
        """
        user_id = interaction.user.id
        # One file of a user at a time: all users share the parser processes.
        lock = self._upload_locks.setdefault(user_id, asyncio.Lock())
        async with self.reserve_slot(user_id, interaction.guild_id):
            draft = Transfer(source="source", seed=0)
            names = {"source": display_name(attachment.filename)}
            record = await self._keep(interaction, draft, names, holder=DOWNLOAD, private=True)
            await self._acknowledge(interaction, record)
            try:
                async with lock:
                    (content,) = await fetch_all([attachment], self._uploads.limits)
                    upload = await self._uploads.keep(
                        user_id, attachment.filename, content, request_id=record.id
                    )
                    await self._uploads.encoded_score(upload.sha256, upload.name)
            except MstError as error:
                await self._fail_download(record.id, error)
                yield None
                return
            except BaseException:
                await self._store.withdraw(record.id)
                raise
            try:
                yield upload
            finally:
                await self._store.withdraw(record.id)

    async def _keep(
        self,
        interaction: discord.Interaction[Any],
        request: Request,
        names: Mapping[str, str],
        first_seed: int | None = None,
        *,
        holder: str = INTAKE,
        parent_id: int | None = None,
        private: bool = False,
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
                    private=private,
                    expected_s=expected_seconds(request, self._uploads.sizes(names)),
                ),
                holder,
                parent_id,
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
        with suppress(RequestError):  # it was rejected after all
            await self._store.withdraw((await adding).id)

    async def _acknowledge(
        self, interaction: discord.Interaction[Any], record: RequestRecord
    ) -> None:
        """Acknowledge a stored request; it runs as soon as Discord confirms."""
        try:
            callback = await interaction.response.defer(thinking=True, ephemeral=record.private)
        except discord.NotFound:  # Discord took no acknowledgement: the user sees that it failed
            await self._store.withdraw(record.id)
            raise
        except (discord.DiscordException, aiohttp.ClientError, OSError) as error:
            log.warning("request %d: no reply to its acknowledgement: %r", record.id, type(error))
            await self._acknowledgements.settle(record)
            return
        if callback is None or callback.message_id is None:
            log.warning("request %d: Discord's reply names no message", record.id)
            await self._acknowledgements.settle(record)
            return
        try:
            await self._store.acknowledge(record.id, callback.message_id)
        except sqlite3.Error as error:  # it is kept already, and its message is found again
            log.warning("request %d: its acknowledgement is not noted yet: %s", record.id, error)
            self._acknowledgements.settle_later(record)
        self.admission.note(interaction.user.id)
        self._scheduler.wake()

    def _check_request(self, request: Request) -> None:
        validate(request, self._styles, max_bars=self._settings.bars_max)

    @asynccontextmanager
    async def reserve_slot(self, user_id: int, guild_id: int | None) -> AsyncIterator[None]:
        """Reserve one of a user's open requests from the check until it is stored.

        Args:
            user_id: The user.
            guild_id: The server; None in a direct message.

        Raises:
            TooManyOpen, QueueFull, TooSoon: when the user has none left.
        """
        # Reserved before the store is read: a request stored meanwhile counts twice, never not.
        counted = Counter({("user", user_id): 1, ("server", guild_id): 1, ("all", None): 1})
        self._pending += counted
        try:
            pending = [self._pending[one] for one in counted]
            await in_time(self.admission.check(user_id, guild_id, *pending))
            self.admission.begin(user_id)
            try:
                yield
            except BaseException:
                self.admission.forget(user_id)
                raise
        finally:
            self._pending -= counted


async def in_time(reading: Awaitable[T]) -> T:
    """Wait for a reading of the store for `CHECK_WITHIN_S`, then raise StoreBusy."""
    try:
        async with asyncio.timeout(CHECK_WITHIN_S):
            return await reading
    except TimeoutError as error:
        raise StoreBusy from error
