"""Delivery: sends progress and outcomes to the users through whichever Discord route is open.

For 15 minutes the interaction's token edits the public message. Later, or when Discord rejects the
token, a new message in the channel mentions the user. Where the bot may not write, it sends a
direct message.
"""

from __future__ import annotations

import logging
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager

import aiohttp
import discord

from bot.errors import Cancelled
from bot.messages.replies import Replies, ResultMessage
from bot.requests.notifier import NotDelivered
from bot.requests.record import RequestRecord
from bot.texts import Texts
from mst_core.errors import MstError
from mst_core.jobs import Progress

log = logging.getLogger(__name__)

TOKEN_LIFETIME_S = 14.5 * 60
"""Seconds that an interaction's token is used. Discord accepts it for 15 minutes."""
UNKNOWN_MESSAGE = 10008
DELETED_PLACEHOLDER = "…"
"""Content of a message for the moment before it is deleted."""
EXPIRED_TOKEN_CODES = (10015, 50027)
"""Discord's codes for an expired token: unknown webhook, invalid webhook token."""
UNREACHABLE_CODES = (*EXPIRED_TOKEN_CODES, 10003, 50001)
"""Codes after which another route is tried: also unknown channel and missing access."""
RATE_LIMITED = 429


class Delivery:
    """Implements `bot.requests.notifier.Notifier` with Discord messages."""

    def __init__(
        self,
        client: discord.Client,
        replies: Replies,
        texts: Texts,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._client, self._replies, self._texts, self._clock = client, replies, texts, clock

    async def show_position(
        self, record: RequestRecord, position: int, *, engine: str, wait_s: int
    ) -> None:
        """Show the position in the queue in the public message.

        See `Notifier.show_position`.
        """
        await self._edit_message(
            record, self._replies.queue_position(record, position, engine=engine, wait_s=wait_s)
        )

    async def show_progress(self, record: RequestRecord, progress: Progress) -> None:
        """Show the progress in the public message.

        See `Notifier.show_progress`.
        """
        await self._edit_message(record, self._replies.progress(record, progress))

    async def deliver_result(self, record: RequestRecord, files: Mapping[str, bytes]) -> int | None:
        """Put the result into the public message, else send a new one.

        See `Notifier.deliver_result`.

        Raises:
            NotDelivered: when Discord could not be reached.
            ValueError: when the request has no receipt.
            discord.HTTPException: when Discord rejects the message for another reason.
        """
        if record.receipt is None:
            raise ValueError(f"request {record.id} has no receipt")
        if record.private:
            await self._deliver_private(record, lambda: self._replies.comparison(record, files))
            return None
        async with _map_network_errors():
            message = self._replies.result(record, record.receipt, files)
            if self._token_valid(record):
                try:
                    await self._webhook(record).edit_message(
                        record.message_id,
                        content=message.content,
                        embeds=message.embeds,
                        attachments=message.files,
                        view=message.view,
                    )
                except discord.HTTPException as error:
                    if error.code == UNKNOWN_MESSAGE:
                        return None  # the message was deleted: nobody waits for the result
                    if error.code not in UNREACHABLE_CODES:
                        raise
                else:
                    return None
            if await self._holds_files(record):
                return None  # delivered already, before the ledger was restored from a backup
            await self._delete_original(record)
            # Built again, because the files of a message can be sent only once.
            message = self._replies.result(record, record.receipt, files)
            return await self._send_new_message(record, message)

    async def deliver_error(self, record: RequestRecord, error: MstError) -> None:
        """Delete the public message, and send the error to the user privately.

        See `Notifier.deliver_error`. That a request was cancelled is said in its message alone.

        Raises:
            NotDelivered: when Discord could not be reached.
            discord.HTTPException: when Discord rejects the message for another reason.
        """
        if isinstance(error, Cancelled):
            await self._deliver_cancellation(record)
            return
        text = self._texts.render_error(error, record.locale)
        if record.private:
            await self._deliver_private(record, lambda: ResultMessage(text, [], []))
            return
        async with _map_network_errors():
            if self._token_valid(record) and await self._deliver_error_by_token(record, text):
                return
            if await self._is_informed(record):
                return
            text = self._texts.render(
                "late.refusal",
                record.locale,
                tune=self._replies.captions.describe(record, record.locale),
                reason=text,
            )
            sent = await self._send_direct_message(record, content=text)
            if not sent and not await self._send_to_channel(record, content=text):
                log.warning("request %d: its user cannot be reached", record.id)
            await self._delete_original(record)

    async def _deliver_private(
        self, record: RequestRecord, build: Callable[[], ResultMessage]
    ) -> None:
        """Put an outcome into the ephemeral message, else into a direct message: never in public.

        ``build`` is called for each attempt, because the files of a message can be sent only once.
        """
        async with _map_network_errors():
            if self._token_valid(record):
                message = build()
                try:
                    known = await self._webhook(record).fetch_message(record.message_id)
                    if known.attachments:
                        return  # see _holds_files
                    await self._webhook(record).edit_message(
                        record.message_id,
                        content=message.content,
                        attachments=message.files,
                        view=None,
                    )
                except discord.HTTPException as error:
                    if error.code == UNKNOWN_MESSAGE:
                        return  # its user has dismissed it
                    if error.code not in UNREACHABLE_CODES:
                        raise
                else:
                    return
            message = build()
            if not await self._send_direct_message(
                record, content=message.content, message=message
            ):
                log.warning("request %d: its user cannot be reached", record.id)

    async def _deliver_cancellation(self, record: RequestRecord) -> None:
        """Say in the message of a request that it was cancelled; its user knows that already."""
        text = self._texts.render(
            "late.cancelled",
            record.locale,
            tune=self._replies.captions.describe(record, record.locale),
        )
        view = None if record.private else self._replies.single_button(record, "remove")
        async with _map_network_errors():
            if self._token_valid(record):
                try:
                    await self._webhook(record).edit_message(
                        record.message_id, content=text, view=view
                    )
                except discord.HTTPException as error:
                    if error.code == UNKNOWN_MESSAGE:
                        return
                    if error.code not in UNREACHABLE_CODES:
                        raise
                else:
                    return
            if record.private:
                return
            try:
                await self._original(record).edit(content=text, view=view)
            except (discord.NotFound, discord.Forbidden):
                log.info("request %d: its message cannot be edited any more", record.id)

    async def find_message(self, record: RequestRecord) -> int | None:
        """Find the message of a request by the token of its interaction.

        It is public; that of a private request is ephemeral, and still loading: one that has a
        content was answered already, such as by an error.

        Args:
            record: A request whose acknowledgement was not confirmed.

        Returns:
            The id of the message; 0 when the token has expired, so that none can be found; None
            when Discord has no such message.

        Raises:
            NotDelivered: when Discord could not be reached.
        """
        if not self._token_valid(record):
            return 0
        route = discord.http.Route(
            "GET",
            "/webhooks/{webhook_id}/{webhook_token}/messages/@original",
            webhook_id=self._client.application_id or 0,
            webhook_token=record.interaction_token,
        )
        async with _map_network_errors():
            try:
                message = await self._client.http.request(route)
            except discord.HTTPException as error:
                if error.code in (*EXPIRED_TOKEN_CODES, UNKNOWN_MESSAGE):
                    return None
                raise
        flags = discord.MessageFlags._from_value(message.get("flags", 0))
        found = flags.ephemeral and flags.loading if record.private else not flags.ephemeral
        return int(message["id"]) if found else None

    async def _deliver_error_by_token(self, record: RequestRecord, text: str) -> bool:
        """Send the error privately, then delete the public message; False when no token works.

        A private message cannot be found again. So where an earlier attempt got as far as sending
        it, and nobody knows whether it arrived, the public message says that the request failed:
        no user gets the same error twice, and none keeps a message that seems to be loading.
        """
        webhook = self._webhook(record)
        failed = self._unconfirmed(record)
        try:
            try:
                message = await webhook.fetch_message(record.message_id)
                if message.attachments:
                    return True  # see _holds_files
                if message.content in (DELETED_PLACEHOLDER, failed):
                    await webhook.edit_message(record.message_id, content=failed, view=None)
                    return True
                # While a message is still loading, a follow-up would become it, and be public.
                await webhook.edit_message(
                    record.message_id, content=DELETED_PLACEHOLDER, view=None
                )
            except discord.HTTPException as error:
                if error.code != UNKNOWN_MESSAGE:
                    raise
                if record.deliveries > 1:
                    return True  # deleted by an earlier attempt, which had sent the error
            await webhook.send(text, ephemeral=True)
            try:
                await webhook.delete_message(record.message_id)
            except discord.HTTPException as error:
                if error.code != UNKNOWN_MESSAGE:
                    raise
        except discord.HTTPException as error:
            if error.code in UNREACHABLE_CODES:
                return False
            raise
        return True

    async def _is_informed(self, record: RequestRecord) -> bool:
        """Return whether an earlier attempt has sent the error, or may have; else note this one.

        As `_deliver_error_by_token`, but as the bot: the token of the interaction works no more.
        """
        original = self._original(record)
        try:
            message = await original.fetch()
            if message.attachments:
                return True  # see _holds_files
            if message.content in (DELETED_PLACEHOLDER, self._unconfirmed(record)):
                await original.edit(content=self._unconfirmed(record), view=None)
                return True
            await original.edit(content=DELETED_PLACEHOLDER, view=None)
        except discord.NotFound:
            return record.deliveries > 1 and record.message_id > 0
        except discord.Forbidden:
            return False
        return False

    def _unconfirmed(self, record: RequestRecord) -> str:
        tune = self._replies.captions.describe(record, record.locale)
        return self._texts.render("late.unconfirmed", record.locale, tune=tune)

    def _original(self, record: RequestRecord) -> discord.PartialMessage:
        channel = self._client.get_partial_messageable(record.channel_id, guild_id=record.guild_id)
        return channel.get_partial_message(record.message_id)

    async def _edit_message(self, record: RequestRecord, text: str) -> None:
        """Edit the public message. A failure is only logged, as it is just progress."""
        if not self._token_valid(record):
            return
        try:
            await self._webhook(record).edit_message(
                record.message_id, content=text, view=self._replies.single_button(record, "cancel")
            )
        except (discord.DiscordException, aiohttp.ClientError, OSError) as error:
            log.info(
                "request %d: the progress was not shown: %s", record.id, _describe_error(error)
            )

    async def _send_new_message(self, record: RequestRecord, message: ResultMessage) -> int | None:
        """Send the result as a new message in the channel, whose id is returned, or directly."""
        content = self._texts.render(
            "late.answer", record.locale, user=f"<@{record.user_id}>", content=message.content
        )
        if sent := await self._send_to_channel(record, content=content, message=message):
            return sent.id
        for file in message.files:
            file.reset()
        if not await self._send_direct_message(record, content=message.content, message=message):
            log.warning("request %d: its user cannot be reached", record.id)
        return None

    async def _send_to_channel(
        self, record: RequestRecord, *, content: str, message: ResultMessage | None = None
    ) -> discord.Message | None:
        channel = self._client.get_partial_messageable(record.channel_id, guild_id=record.guild_id)
        if f"<@{record.user_id}>" not in content:
            content = f"<@{record.user_id}> {content}"
        return await _try_send(channel, record, content, message)

    async def _send_direct_message(
        self, record: RequestRecord, *, content: str, message: ResultMessage | None = None
    ) -> discord.Message | None:
        try:
            user = await self._client.fetch_user(record.user_id)
        except (discord.NotFound, discord.Forbidden):
            return None
        return await _try_send(user, record, content, message)

    async def _holds_files(self, record: RequestRecord) -> bool:
        """Return whether the public message has a result: such a message is never taken away.

        It has one when the ledger was restored from a backup that is older than the delivery.
        """
        try:
            message = await self._original(record).fetch()
        except (discord.NotFound, discord.Forbidden):
            return False
        if message.attachments:
            log.info("request %d: its message has the result already", record.id)
        return bool(message.attachments)

    async def _delete_original(self, record: RequestRecord) -> None:
        try:
            await self._original(record).delete()
        except (discord.NotFound, discord.Forbidden):
            log.info("request %d: its public message cannot be deleted", record.id)

    def _token_valid(self, record: RequestRecord) -> bool:
        return self._clock() - record.asked_at < TOKEN_LIFETIME_S

    def _webhook(self, record: RequestRecord) -> discord.Webhook:
        webhook = discord.Webhook.partial(
            self._client.application_id or 0, record.interaction_token, client=self._client
        )
        # A partial webhook has the ordinary type, which sends no ephemeral messages.
        webhook.type = discord.WebhookType.application
        return webhook


async def _try_send(
    channel: discord.abc.Messageable,
    record: RequestRecord,
    content: str,
    message: ResultMessage | None,
) -> discord.Message | None:
    mentions = discord.AllowedMentions(
        everyone=False, roles=False, users=[discord.Object(record.user_id)]
    )
    try:
        return await channel.send(
            content,
            allowed_mentions=mentions,
            embeds=message.embeds if message else [],
            files=message.files if message else [],
            view=message.view if message and message.view else discord.utils.MISSING,
            nonce=f"mst-{record.id}",  # Discord drops a second message with the same nonce
        )
    except (discord.NotFound, discord.Forbidden):
        return None


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
    # The text of the error may hold the webhook's address, and so the interaction's token.
    status = f" {error.status}" if isinstance(error, discord.HTTPException) else ""
    return type(error).__name__ + status
