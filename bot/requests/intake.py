"""The desk, where requests are handed in: check, defer, ask. The dispatcher sees to the reply."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any
from weakref import WeakValueDictionary

import aiohttp
import discord

from bot.errors import DownloadFailed, LostFile, NotRequester, RequestNotFound, TooManyOpen, TooSoon
from bot.requests.scheduler import Scheduler
from bot.requests.store import NewRequest, RequestRecord, RequestStore
from bot.requests.uploads import Upload, Uploads
from bot.settings import Settings
from mst_core.errors import BadOption
from mst_core.jobs import Compose, Mashup, Request, Side, Transfer, draw_seed, next_seed, validate
from mst_core.reading.formats import SNIFFED_BYTES
from mst_core.reading.parsed_score import Limits
from mst_core.reading.sandbox import detect_format, display_name
from mst_core.styles import StyleCard

# Fetching what a person attached: cheap checks first, then the bytes, then a look at them.
#
# Discord wants an answer within 3 s, and a public one never turns private again. So a file is
# fetched
# before anything is said, as long as that stays quick; a slow one comes after the public answer.

DOWNLOAD_TIMEOUT_S = 20.0
"""A file that takes longer is given up."""


def precheck(attachment: discord.Attachment, limits: Limits) -> None:
    """Do nothing, when a file may be fetched, by its name and size alone.

    Raises:
        UnreadableScore, TooLong: naming the file and what is accepted.
    """
    detect_format(attachment.filename, attachment.size, limits=limits)


async def fetch_all(attachments: Sequence[discord.Attachment], limits: Limits) -> list[bytes]:
    """Fetch files that passed `precheck`, and look at their first bytes.

    Raises:
        UnreadableScore, TooLong: naming the file and what is accepted.
        NotFetched: when Discord does not hand one over.
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


DEFER_AFTER_S = 1.5
"""How long files may take to come before the public answer has to be given; Discord allows 3 s."""


class RequestIntake:
    """Takes requests of people in; says no before anyone else can see it."""

    def __init__(
        self,
        store: RequestStore,
        uploads: Uploads,
        scheduler: Scheduler,
        styles: Mapping[str, StyleCard],
        settings: Settings,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store, self._uploads, self._scheduler = store, uploads, scheduler
        self._styles, self._settings, self._clock = styles, settings, clock
        self._pending: Counter[int] = Counter()
        self._upload_locks: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()

    async def submit(
        self,
        interaction: discord.Interaction[Any],
        request: Request,
        names: Mapping[str, str] | None = None,
        first_seed: int | None = None,
    ) -> None:
        """Check a request and its asker, acknowledge it in public, and enter it in the ledger.

        ``names`` says what the asker calls the kept files that it is about, by SHA-256;
        ``first_seed`` that it is a variant of another one.

        Raises:
            MstError: while nothing is public yet, when the request or its asker has to wait.
        """
        names = names or {}
        self._check_request(request)
        async with self._reserve_slot(interaction.user.id):
            await self._uploads.add_user(names, interaction.user.id)
            message_id = await _defer_publicly(interaction)
            await self._add_request(interaction, message_id, request, names, first_seed)

    async def submit_with_files(
        self,
        interaction: discord.Interaction[Any],
        draft: Transfer | Mashup,
        files: Mapping[str, discord.Attachment | None],
    ) -> None:
        """Do the same for files that have yet to come; each takes its place in the draft.

        ``files`` has them by the names that stand for them in the draft, such as ``source``.

        Raises:
            MstError: while nothing is public yet, unless the files take long to come.
        """
        places = {place: file for place, file in files.items() if file is not None}
        attached = [*places.values()]
        for one in attached:
            precheck(one, self._uploads.limits)
        self._check_request(draft)
        async with self._reserve_slot(interaction.user.id):
            coming = asyncio.create_task(fetch_all(attached, self._uploads.limits))
            try:
                quick, _ = await asyncio.wait([coming], timeout=DEFER_AFTER_S)
                message_id = None if quick else await _defer_publicly(interaction)
                contents = await coming
            finally:
                coming.cancel()
            message_id = message_id or await _defer_publicly(interaction)
            kept = [
                await self._uploads.keep(interaction.user.id, one.filename, content)
                for one, content in zip(attached, contents, strict=True)
            ]
            found = {place: one.sha256 for place, one in zip(places, kept, strict=True)}
            request = draft.with_sources(found)
            names = {upload.sha256: upload.name for upload in kept}
            await self._add_request(interaction, message_id, request, names)

    async def receive_upload(
        self, interaction: discord.Interaction[Any], attachment: discord.Attachment
    ) -> Upload:
        """Fetch, keep and read one file, behind a private answer that waits already.

        Raises:
            MstError: when it is no tune.
        """
        user_id = interaction.user.id
        # One file of a person at a time: the parsers are there for everybody.
        taking = self._upload_locks.setdefault(user_id, asyncio.Lock())
        async with self._reserve_slot(user_id), taking:
            (content,) = await fetch_all([attachment], self._uploads.limits)
            upload = await self._uploads.keep(user_id, attachment.filename, content)
            await self._uploads.parsed_score(upload.sha256, upload.name)
        return upload

    async def request_again(self, interaction: discord.Interaction[Any], request_id: int) -> None:
        """Ask for the same once more, with a new seed; the old answer stays.

        Raises:
            Forgotten: when the request is no longer kept; or whatever `ask` raises.
        """
        entry = await self._find_record(request_id)
        request = entry.request.with_seed(draw_seed())
        await self.submit(interaction, request, entry.names)

    async def request_strength(
        self, interaction: discord.Interaction[Any], request_id: int, strength: float
    ) -> None:
        """Ask for the same with another strength on every side, so that the two compare.

        Raises:
            Forgotten: when the request is no longer kept; or whatever `ask` raises.
        """
        entry = await self._find_record(request_id)
        request = entry.request.with_strength(strength)
        await self.submit(interaction, request, entry.names, entry.first_seed)

    async def request_variant(
        self, interaction: discord.Interaction[Any], request_id: int, number: int
    ) -> None:
        """Ask for another variant, counted from 1: the seeds follow that of the first.

        Raises:
            Forgotten: when the request is no longer kept; or whatever `ask` raises.
        """
        entry = await self._find_record(request_id)
        first = entry.request.seed if entry.first_seed is None else entry.first_seed
        request = entry.request.with_seed(next_seed(first, number - 1))
        await self.submit(interaction, request, entry.names, first)

    async def request_swapped(self, interaction: discord.Interaction[Any], request_id: int) -> None:
        """Ask for a mashup the other way round.

        Raises:
            Forgotten: when the request is no longer kept; or whatever `ask` raises.
        """
        entry = await self._find_record(request_id)
        request = entry.request
        if isinstance(request, Mashup):
            request = request.swapped()
        await self.submit(interaction, request, entry.names)

    async def draw_comparison(
        self, interaction: discord.Interaction[Any], request_id: int
    ) -> tuple[RequestRecord, bytes]:
        """Draw an answer's score before and after, behind a private answer that waits meanwhile.

        Raises:
            Forgotten, LostFile: when the request or its file is no longer kept.
            EngineBusy: when the engine has no place for it now.
        """
        entry = await self._find_record(request_id)
        async with self._reserve_slot(interaction.user.id):
            await interaction.response.defer(ephemeral=True, thinking=True)
            return entry, await self._scheduler.draw_comparison(entry.request, entry.names)

    async def request_style(
        self, interaction: discord.Interaction[Any], upload_id: int, rhythm: str, strength: float
    ) -> None:
        """Ask for a kept upload in the rhythm of a style.

        Raises:
            LostFile: when it is no longer kept; or whatever `ask` raises.
        """
        upload = await self._uploads.find(upload_id)
        if upload is None or upload.user_id != interaction.user.id:
            raise LostFile("the file")
        request = Transfer(
            source=upload.sha256, seed=draw_seed(), rhythm=Side(style=rhythm, strength=strength)
        )
        await self.submit(interaction, request, {upload.sha256: upload.name})

    async def remove_result(self, interaction: discord.Interaction[Any], request_id: int) -> None:
        """Remove the message of an answer, for the one who asked for it.

        Raises:
            Forgotten: when neither the ledger nor the message knows who asked.
            NotYours: when somebody else asked for it.
        """
        entry = await self._store.find(request_id)
        asker = _requester_of(interaction) if entry is None else entry.user_id
        if asker is None:
            raise RequestNotFound(request_id)
        if asker != interaction.user.id:
            raise NotRequester
        await interaction.response.defer()
        await interaction.delete_original_response()

    async def _add_request(
        self,
        interaction: discord.Interaction[Any],
        message_id: int,
        request: Request,
        names: Mapping[str, str],
        first_seed: int | None = None,
    ) -> None:
        if interaction.channel_id is None:
            raise RuntimeError("an interaction without a channel")
        await self._store.add(
            NewRequest(
                user_id=interaction.user.id,
                guild_id=interaction.guild_id,
                channel_id=interaction.channel_id,
                message_id=message_id,
                interaction_token=interaction.token,
                file_limit_bytes=interaction.filesize_limit,
                locale=interaction.locale.value,
                request=request,
                names=dict(names),
                first_seed=first_seed,
            )
        )
        self._scheduler.wake()

    async def _find_record(self, request_id: int) -> RequestRecord:
        entry = await self._store.find(request_id)
        if entry is None:
            raise RequestNotFound(request_id)
        return entry

    def _check_request(self, request: Request) -> None:
        validate(request, self._styles)
        if isinstance(request, Compose) and request.bars > self._settings.bars_max:
            raise BadOption("bars", request.bars, f"at most {self._settings.bars_max} here")

    @asynccontextmanager
    async def _reserve_slot(self, user_id: int) -> AsyncIterator[None]:
        """Hold a place of a person from the check until the request is in the ledger.

        Raises:
            TooManyOpen, TooSoon: when there is none.
        """
        # Counted before the ledger is asked: what is accepted meanwhile counts twice, never not.
        self._pending[user_id] += 1
        try:
            await self._check_user(user_id, self._pending[user_id])
            yield
        finally:
            self._pending[user_id] -= 1
            self._pending += Counter()  # drops what is at 0

    async def _check_user(self, user_id: int, coming: int) -> None:
        if await self._store.count_open(user_id) + coming > self._settings.max_open_per_user:
            raise TooManyOpen(self._settings.max_open_per_user)
        if latest := await self._store.history(user_id, 1):
            wait_s = latest[0].asked_at + self._settings.cooldown_s - self._clock()
            if wait_s > 0:
                raise TooSoon(f"{wait_s:.0f}" if wait_s >= 1 else "1")


def _requester_of(interaction: discord.Interaction[Any]) -> int | None:
    """Whose command or button brought the message; None for one that was sent without."""
    message = interaction.message
    metadata = message.interaction_metadata if message else None
    return metadata.user.id if metadata else None


async def _defer_publicly(interaction: discord.Interaction[Any]) -> int:
    """Acknowledge in public, and return the number of the message to answer in."""
    callback = await interaction.response.defer(thinking=True)
    if callback is None or callback.message_id is None:
        raise RuntimeError("Discord gave no message to answer in")
    return callback.message_id
