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

from bot.messages.replies import Answer, Replies
from bot.requests.notifier import NotDelivered
from bot.requests.store import Entry
from bot.texts import Texts
from mst_core.errors import MstError
from mst_core.jobs import Progress

log = logging.getLogger(__name__)

TOKEN_LIVES_S = 14.5 * 60
"""Discord gives 15 minutes; the rest is for the way."""
UNKNOWN_MESSAGE = 10008
SETTLED = "…"
"""Stands for a moment in a message that is about to go."""
DEAD_TOKEN = (10015, 50027)
"""Unknown webhook and invalid webhook token: both are said of a token that has expired."""
OUT_OF_REACH = (*DEAD_TOKEN, 10003, 50001)
"""And unknown channel, missing access: the token leads nowhere, but the asker may be reached."""
TOO_FAST = 429


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

    async def waiting(self, entry: Entry, place: int, *, awake: bool) -> None:
        """Edit the public message: the place in the queue."""
        await self._say(entry, self._replies.waiting(entry, place, awake=awake))

    async def progress(self, entry: Entry, progress: Progress) -> None:
        """Edit the public message: how far it is."""
        await self._say(entry, self._replies.progress(entry, progress))

    async def answer(self, entry: Entry, files: Mapping[str, bytes]) -> None:
        """Put the result into the public message, else into a new one.

        Raises:
            NotDelivered: when Discord could not be reached.
        """
        if entry.receipt is None:
            raise ValueError(f"request {entry.id} has no receipt")
        async with _reaching_discord():
            answer = self._replies.answer(entry, entry.receipt, files)
            if self._token_lives(entry):
                try:
                    await self._webhook(entry).edit_message(
                        entry.message_id,
                        content=answer.content,
                        embed=answer.embed,
                        attachments=answer.files,
                        view=answer.view,
                    )
                except discord.HTTPException as error:
                    if error.code == UNKNOWN_MESSAGE:
                        return  # someone removed the message: then nobody waits for it
                    if error.code not in OUT_OF_REACH:
                        raise
                else:
                    return
            await self._remove_old(entry)
            answer = self._replies.answer(entry, entry.receipt, files)  # files are read only once
            await self._send_anew(entry, answer)

    async def refuse(self, entry: Entry, error: MstError) -> None:
        """Remove the public message and tell the asker alone why.

        Raises:
            NotDelivered: when Discord could not be reached.
        """
        words = self._texts.word(error, entry.locale)
        async with _reaching_discord():
            if self._token_lives(entry) and await self._refuse_by_token(entry, words):
                return
            await self._remove_old(entry)
            words = self._texts.say(
                "late.refusal",
                entry.locale,
                tune=self._replies.captions.tune(entry, entry.locale),
                reason=words,
            )
            sent = await self._send_direct(entry, content=words)
            if not sent and not await self._send_channel(entry, content=words):
                log.warning("request %d: its asker cannot be reached any more", entry.id)

    async def _refuse_by_token(self, entry: Entry, words: str) -> bool:
        webhook = self._webhook(entry)
        try:
            try:
                # While a message is still loading, a follow-up would become it, and be public.
                await webhook.edit_message(entry.message_id, content=SETTLED)
                await webhook.delete_message(entry.message_id)
            except discord.HTTPException as error:
                if error.code != UNKNOWN_MESSAGE:
                    raise
            await webhook.send(words, ephemeral=True)
        except discord.HTTPException as error:
            if error.code in OUT_OF_REACH:
                return False
            raise
        return True

    async def _say(self, entry: Entry, words: str) -> None:
        """Edit the public message, if it is still possible: progress is not worth a failure."""
        if not self._token_lives(entry):
            return
        try:
            await self._webhook(entry).edit_message(entry.message_id, content=words)
        except (discord.DiscordException, aiohttp.ClientError, OSError) as error:
            log.info("request %d: the progress was not shown: %s", entry.id, _named(error))

    async def _send_anew(self, entry: Entry, answer: Answer) -> None:
        """Send the answer as a new message that names the asker, by the ways that are open."""
        content = self._texts.say(
            "late.answer", entry.locale, user=f"<@{entry.user_id}>", content=answer.content
        )
        sent = await self._send_channel(entry, content=content, answer=answer)
        if not sent and entry.receipt:
            for file in answer.files:
                file.reset()
            sent = await self._send_direct(entry, content=answer.content, answer=answer)
        if not sent:
            log.warning("request %d: its asker cannot be reached any more", entry.id)

    async def _send_channel(
        self, entry: Entry, *, content: str, answer: Answer | None = None
    ) -> bool:
        channel = self._client.get_partial_messageable(entry.channel_id, guild_id=entry.guild_id)
        if f"<@{entry.user_id}>" not in content:
            content = f"<@{entry.user_id}> {content}"
        return await _sent(channel, entry, content, answer)

    async def _send_direct(
        self, entry: Entry, *, content: str, answer: Answer | None = None
    ) -> bool:
        try:
            user = await self._client.fetch_user(entry.user_id)
        except (discord.NotFound, discord.Forbidden):
            return False
        return await _sent(user, entry, content, answer)

    async def _remove_old(self, entry: Entry) -> None:
        channel = self._client.get_partial_messageable(entry.channel_id, guild_id=entry.guild_id)
        try:
            await channel.get_partial_message(entry.message_id).delete()
        except (discord.NotFound, discord.Forbidden):
            log.info("request %d: its old message is out of reach", entry.id)

    def _token_lives(self, entry: Entry) -> bool:
        return self._clock() - entry.asked_at < TOKEN_LIVES_S

    def _webhook(self, entry: Entry) -> discord.Webhook:
        webhook = discord.Webhook.partial(
            self._client.application_id or 0, entry.interaction_token, client=self._client
        )
        # A partial webhook takes itself for an ordinary one; only this kind may speak privately.
        webhook.type = discord.WebhookType.application
        return webhook


async def _sent(
    place: discord.abc.Messageable, entry: Entry, content: str, answer: Answer | None
) -> bool:
    mentions = discord.AllowedMentions(
        everyone=False, roles=False, users=[discord.Object(entry.user_id)]
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
                nonce=f"mst-{entry.id}",  # Discord drops a second message with the same one
            )
    except (discord.NotFound, discord.Forbidden):
        return False
    return True


@asynccontextmanager
async def _reaching_discord() -> AsyncIterator[None]:
    try:
        yield
    except discord.HTTPException as error:
        if error.status < 500 and error.status != TOO_FAST:
            raise
        raise NotDelivered(f"Discord answered {error.status}") from error
    except (discord.RateLimited, aiohttp.ClientError, OSError) as error:  # a timeout is an OSError
        raise NotDelivered(_named(error)) from error


def _named(error: Exception) -> str:
    # Its text may hold the address, and with it the token of the interaction.
    status = f" {error.status}" if isinstance(error, discord.HTTPException) else ""
    return type(error).__name__ + status
