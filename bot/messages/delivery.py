"""The delivery: brings words and answers to the message of a request, by the ways that are open.

For 15 minutes the interaction's token edits the public message. Later, or when Discord refuses the
token, a new message in the channel names the asker; where the bot may not write, a direct message.
"""

from __future__ import annotations

import logging
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager

import aiohttp
import discord

from bot.messages.replies import Replies, ResultMessage
from bot.requests.notifier import NotDelivered
from bot.requests.store import RequestRecord
from bot.texts import Texts
from mst_core.errors import MstError
from mst_core.jobs import Progress

log = logging.getLogger(__name__)

TOKEN_LIFETIME_S = 14.5 * 60
"""Discord gives 15 minutes; the rest is for the way."""
UNKNOWN_MESSAGE = 10008
DELETED_PLACEHOLDER = "…"
"""Stands for a moment in a message that is about to go."""
EXPIRED_TOKEN_CODES = (10015, 50027)
"""Unknown webhook and invalid webhook token: both are said of a token that has expired."""
UNREACHABLE_CODES = (*EXPIRED_TOKEN_CODES, 10003, 50001)
"""And unknown channel, missing access: the token leads nowhere, but the asker may be reached."""
RATE_LIMITED = 429


class Delivery:
    """The `bot.requests.notifier.Teller` of Discord."""

    def __init__(
        self,
        client: discord.Client,
        replies: Replies,
        texts: Texts,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._client, self._replies, self._texts, self._clock = client, replies, texts, clock

    async def show_position(
        self, record: RequestRecord, position: int, *, engine_ready: bool
    ) -> None:
        """Edit the public message: the place in the queue."""
        await self._edit_message(
            record, self._replies.queue_position(record, position, engine_ready=engine_ready)
        )

    async def show_progress(self, record: RequestRecord, progress: Progress) -> None:
        """Edit the public message: how far it is."""
        await self._edit_message(record, self._replies.progress(record, progress))

    async def deliver_result(self, record: RequestRecord, files: Mapping[str, bytes]) -> None:
        """Put the result into the public message, else into a new one.

        Raises:
            NotDelivered: when Discord could not be reached.
        """
        if record.receipt is None:
            raise ValueError(f"request {record.id} has no receipt")
        async with _map_network_errors():
            answer = self._replies.result(record, record.receipt, files)
            if self._token_valid(record):
                try:
                    await self._webhook(record).edit_message(
                        record.message_id,
                        content=answer.content,
                        embed=answer.embed,
                        attachments=answer.files,
                        view=answer.view,
                    )
                except discord.HTTPException as error:
                    if error.code == UNKNOWN_MESSAGE:
                        return  # someone removed the message: then nobody waits for it
                    if error.code not in UNREACHABLE_CODES:
                        raise
                else:
                    return
            await self._delete_original(record)
            answer = self._replies.result(record, record.receipt, files)  # files are read only once
            await self._send_new_message(record, answer)

    async def deliver_error(self, record: RequestRecord, error: MstError) -> None:
        """Remove the public message and tell the asker alone why.

        Raises:
            NotDelivered: when Discord could not be reached.
        """
        words = self._texts.render_error(error, record.locale)
        async with _map_network_errors():
            if self._token_valid(record) and await self._deliver_error_by_token(record, words):
                return
            await self._delete_original(record)
            words = self._texts.render(
                "late.refusal",
                record.locale,
                tune=self._replies.captions.describe(record, record.locale),
                reason=words,
            )
            sent = await self._send_direct_message(record, content=words)
            if not sent and not await self._send_to_channel(record, content=words):
                log.warning("request %d: its asker cannot be reached any more", record.id)

    async def _deliver_error_by_token(self, record: RequestRecord, words: str) -> bool:
        webhook = self._webhook(record)
        try:
            try:
                # While a message is still loading, a follow-up would become it, and be public.
                await webhook.edit_message(record.message_id, content=DELETED_PLACEHOLDER)
                await webhook.delete_message(record.message_id)
            except discord.HTTPException as error:
                if error.code != UNKNOWN_MESSAGE:
                    raise
            await webhook.send(words, ephemeral=True)
        except discord.HTTPException as error:
            if error.code in UNREACHABLE_CODES:
                return False
            raise
        return True

    async def _edit_message(self, record: RequestRecord, words: str) -> None:
        """Edit the public message, if it is still possible: progress is not worth a failure."""
        if not self._token_valid(record):
            return
        try:
            await self._webhook(record).edit_message(record.message_id, content=words)
        except (discord.DiscordException, aiohttp.ClientError, OSError) as error:
            log.info(
                "request %d: the progress was not shown: %s", record.id, _describe_error(error)
            )

    async def _send_new_message(self, record: RequestRecord, answer: ResultMessage) -> None:
        """Send the answer as a new message that names the asker, by the ways that are open."""
        content = self._texts.render(
            "late.answer", record.locale, user=f"<@{record.user_id}>", content=answer.content
        )
        sent = await self._send_to_channel(record, content=content, answer=answer)
        if not sent and record.receipt:
            for file in answer.files:
                file.reset()
            sent = await self._send_direct_message(record, content=answer.content, answer=answer)
        if not sent:
            log.warning("request %d: its asker cannot be reached any more", record.id)

    async def _send_to_channel(
        self, record: RequestRecord, *, content: str, answer: ResultMessage | None = None
    ) -> bool:
        channel = self._client.get_partial_messageable(record.channel_id, guild_id=record.guild_id)
        if f"<@{record.user_id}>" not in content:
            content = f"<@{record.user_id}> {content}"
        return await _try_send(channel, record, content, answer)

    async def _send_direct_message(
        self, record: RequestRecord, *, content: str, answer: ResultMessage | None = None
    ) -> bool:
        try:
            user = await self._client.fetch_user(record.user_id)
        except (discord.NotFound, discord.Forbidden):
            return False
        return await _try_send(user, record, content, answer)

    async def _delete_original(self, record: RequestRecord) -> None:
        channel = self._client.get_partial_messageable(record.channel_id, guild_id=record.guild_id)
        try:
            await channel.get_partial_message(record.message_id).delete()
        except (discord.NotFound, discord.Forbidden):
            log.info("request %d: its old message is out of reach", record.id)

    def _token_valid(self, record: RequestRecord) -> bool:
        return self._clock() - record.asked_at < TOKEN_LIFETIME_S

    def _webhook(self, record: RequestRecord) -> discord.Webhook:
        webhook = discord.Webhook.partial(
            self._client.application_id or 0, record.interaction_token, client=self._client
        )
        # A partial webhook takes itself for an ordinary one; only this kind may speak privately.
        webhook.type = discord.WebhookType.application
        return webhook


async def _try_send(
    place: discord.abc.Messageable,
    record: RequestRecord,
    content: str,
    answer: ResultMessage | None,
) -> bool:
    mentions = discord.AllowedMentions(
        everyone=False, roles=False, users=[discord.Object(record.user_id)]
    )
    try:
        if answer is None:
            await place.send(content, allowed_mentions=mentions)
        else:
            await place.send(
                content,
                allowed_mentions=mentions,
                embed=answer.embed,
                files=answer.files,
                view=answer.view,
                nonce=f"mst-{record.id}",  # Discord drops a second message with the same one
            )
    except (discord.NotFound, discord.Forbidden):
        return False
    return True


@asynccontextmanager
async def _map_network_errors() -> AsyncIterator[None]:
    try:
        yield
    except discord.HTTPException as error:
        if error.status < 500 and error.status != RATE_LIMITED:
            raise
        raise NotDelivered(f"Discord answered {error.status}") from error
    except (discord.RateLimited, aiohttp.ClientError, OSError) as error:  # a timeout is an OSError
        raise NotDelivered(_describe_error(error)) from error


def _describe_error(error: Exception) -> str:
    # Its text may hold the address, and with it the token of the interaction.
    status = f" {error.status}" if isinstance(error, discord.HTTPException) else ""
    return type(error).__name__ + status
