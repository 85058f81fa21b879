"""SimCord's environment and browser page, kept in step with real time.

SimCord is made for tests: its clock stands still until a test advances it, and its page shows the
outcome of a command when all tasks are at rest. The preview needs time to pass and progress to be
shown. simcord 3.2.1 has no public way for this, so this module uses these private parts of it;
`tests/bot/preview/test_preview.py` fails when a new version changes them:

* ``Preview._action(context_id, body)`` receives every click and command of the page. One lock
  serializes it with the clock and the refreshes, because SimCord rejects operations that overlap.
  ``Preview._get_page(context_id).revision`` replaces the revision that the page showed last, so
  that a progress edit in between does not invalidate a click.
* ``Preview._server`` and ``PreviewServer._index(request)``, so that the bare address opens the
  channel; SimCord's own page requires a secret after the ``#``. Access stays restricted: loopback
  only, the check of Host and Origin, the secret in every request.
* ``Env._settle_internal(...)`` waits until the bot is at rest and raises TimeoutError after five
  seconds. A live bot may be busy for longer, so the wait ends without an error.
* ``Env._record_error(error)`` collects the bot's errors for the assertions of a test, and marks a
  command whose error was reported as uncertain. Here errors are logged.
* ``Clock._epoch``, the date of instant 0: today, where SimCord has January 2026. Interaction
  tokens expire by this clock, so the bot's own clock must agree with it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from typing import Any, Self

import discord
from aiohttp import web
from simcord import ChannelHandle, Env, MemberActor, Preview, SetupError
from simcord.preview._server import PreviewServer

from bot.settings import BadSetting
from mst_core.errors import MstError

log = logging.getLogger(__name__)

TICK_S = 0.4
"""Seconds between two advances of the clock and refreshes of the page."""
SETTLE_TIMEOUT_S = 0.2
"""Seconds that one advance waits for a busy bot."""
RESPONSE_TIMEOUT_S = 3.0
"""Seconds that a click or command waits for the bot's first response; as on Discord."""


class LiveEnv(Env):
    """A SimCord environment that accepts a busy bot."""

    def __init__(self, bot: discord.Client) -> None:
        super().__init__(bot, check_errors=False)

    async def start(self) -> None:
        """Set the clock to now and log the bot in."""
        self.backend.clock._epoch = datetime.now(UTC)
        await super().start()

    async def _settle_internal(self, *, dispatch: str | None = None, **how: Any) -> None:
        # _deadline is the caller's whole budget, which one wait must not use up.
        how.pop("_deadline", None)
        how.setdefault("timeout", RESPONSE_TIMEOUT_S if dispatch else SETTLE_TIMEOUT_S)
        try:
            await super()._settle_internal(dispatch=dispatch, **how)
        except TimeoutError:
            log.debug("the bot is still busy after %s", dispatch or "an advance of the clock")

    def _record_error(self, error: BaseException) -> None:
        # The bot has reported and logged what a command or a button raised.
        if not isinstance(error, discord.app_commands.AppCommandError | MstError):
            log.error("the bot raised %r", error, exc_info=error)


class RedirectingServer(PreviewServer):
    """The server of the page, which redirects the bare address to the address with the secret."""

    async def _index(self, request: web.Request) -> web.StreamResponse:
        page: web.StreamResponse = await super()._index(request)  # rejects other hosts
        if not request.query_string:
            # The part after # never reaches a server, so ?live shows that it is there.
            raise web.HTTPFound(f"/?live#{self.preview.capability}", headers=self._SECURITY_HEADERS)
        return page


class LivePage:
    """The page of one channel. A lock serializes its actions, the clock and the refreshes."""

    def __init__(self, env: LiveEnv, preview: Preview, port: int) -> None:
        self._env = env
        self._preview = preview
        self._lock = asyncio.Lock()
        self._original_action = preview._action
        preview._action = self._action  # type: ignore[method-assign]
        preview._server = RedirectingServer(preview, port)

    @classmethod
    @asynccontextmanager
    async def open(
        cls, env: LiveEnv, channel: ChannelHandle, users: list[MemberActor], port: int
    ) -> AsyncIterator[Self]:
        """Serve a channel on 127.0.0.1; port 0 means any free port.

        Args:
            env: The environment, started.
            channel: The channel that the page shows.
            users: The users that the page can act as.
            port: The TCP port, 0 to 65535.

        Yields:
            The page; it is closed at the end of the context.

        Raises:
            BadSetting: when another program uses the port.
            SetupError: when SimCord cannot serve the page for another reason.
        """
        preview = env.preview(channel, viewers=users, layout="channel", port=port)
        page = cls(env, preview, port)
        async with AsyncExitStack() as stack:
            try:
                await stack.enter_async_context(preview)
            except SetupError as error:
                if isinstance(error.__cause__, OSError):
                    raise BadSetting(
                        f"MST_TRYOUT_PORT: port {port} is taken; set another, or 0 for any"
                    ) from error
                raise
            yield page

    @property
    def address(self) -> str:
        """The address of the page, without the secret."""
        return self._preview.url.partition("#")[0]

    async def wait_closed(self) -> None:
        """Wait until a user ends the session on the page."""
        await self._preview.wait_closed()

    async def follow_clock(self) -> None:
        """Advance the clock with real time and refresh the page, until the bot is closed."""
        loop = asyncio.get_running_loop()
        last_time, n_shown = loop.time(), 0
        while not self._env.bot.is_closed():
            await asyncio.sleep(TICK_S)
            async with self._lock:
                now = loop.time()
                try:
                    await self._env.advance_time(now - last_time)
                except TimeoutError:
                    log.debug("the clock was not advanced: the bot is busy")
                last_time = now
                # A refresh redraws the whole page, so an idle channel must cause none.
                if (n_requests := len(self._env.http_requests)) != n_shown:
                    await self._preview.refresh()
                    n_shown = n_requests

    async def _action(self, context_id: str | None, body: Mapping[str, Any]) -> dict[str, Any]:
        async with self._lock:
            if isinstance(body, Mapping) and "published_revision" in body:
                seen = self._preview._get_page(context_id)
                body = {**body, "published_revision": seen.revision}
            return await self._original_action(context_id, body)
