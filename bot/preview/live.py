"""SimCord's world and its browser page, kept in step with real time.

SimCord is made for tests: its clock stands still until a test moves it, and its page shows a
command's outcome once everything has come to rest. Here a person sits in front of it, so time must
pass and progress must show. simcord 3.2.1 has no public way for this. These private parts of it are
used, here only; `tests/bot/preview/test_preview.py` fails when a new version changes them:

* ``Preview._action(context_id, body)`` takes every click and command of the page. One lock lets
  it, the passing of time and the refreshes take turns (SimCord refuses operations that overlap),
  and ``Preview._get_page(context_id).revision`` replaces the revision the page saw last: a
  progress edit meanwhile is no reason to refuse a click.
* ``Preview._server`` and ``PreviewServer._index(request)``, so that the bare address opens the
  channel; stock Preview wants a secret behind the ``#``. What keeps strangers out stays: loopback
  only, the check of Host and Origin, the secret in every request.
* ``Env._settle_internal(...)`` waits until the bot is at rest and raises TimeoutError when it is
  not after five seconds. A live bot may be busy for as long as it likes: the wait ends quietly.
* ``Env._record_error(error)`` collects what the bot raised, for the asserts of a test, and makes
  a command whose error was answered look uncertain. Here errors go to the log.
* ``Clock._epoch``, the date of instant 0: today, where stock SimCord lives in January 2026. Tokens
  of interactions run out by this clock, so the bot's own clock must agree with it.
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

from mst_core.errors import MstError

log = logging.getLogger(__name__)

TICK_S = 0.4
"""How often time moves on and the page is told what is new."""
SETTLE_TIMEOUT_S = 0.2
"""How long a tick waits for a bot that is at work."""
RESPONSE_TIMEOUT_S = 3.0
"""How long a click or command waits for the bot's first answer: as long as Discord would."""


class LiveEnv(Env):
    """A simulated Discord that does not mind a bot with work in hand."""

    def __init__(self, bot: discord.Client) -> None:
        super().__init__(bot, check_errors=False)

    async def start(self) -> None:
        """Turn the clock to now and log the bot in."""
        self.backend.clock._epoch = datetime.now(UTC)
        await super().start()

    async def _settle_internal(self, *, dispatch: str | None = None, **how: Any) -> None:
        # _deadline is the caller's whole budget; one wait shall not use it up.
        how.pop("_deadline", None)
        how.setdefault("timeout", RESPONSE_TIMEOUT_S if dispatch else SETTLE_TIMEOUT_S)
        try:
            await super()._settle_internal(dispatch=dispatch, **how)
        except TimeoutError:
            log.debug("the bot is still at work after %s", dispatch or "a tick")

    def _record_error(self, error: BaseException) -> None:
        # The bot's own error door has answered and logged what a command or a button raised.
        if not isinstance(error, discord.app_commands.AppCommandError | MstError):
            log.error("the bot raised %r", error, exc_info=error)


class RedirectingServer(PreviewServer):
    """The page's server, which also lets in whoever comes to the bare address."""

    async def _index(self, request: web.Request) -> web.StreamResponse:
        page: web.StreamResponse = await super()._index(request)  # refuses foreign hosts
        if not request.query_string:
            # The part behind # never reaches a server, so ?live says that it is there.
            raise web.HTTPFound(f"/?live#{self.preview.capability}", headers=self._SECURITY_HEADERS)
        return page


class PortInUse(Exception):
    """A port that another program has."""


class LivePage:
    """The page of one channel; owns the turn that actions, time and refreshes take."""

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
        """Serve a channel on 127.0.0.1; port 0 is any free one.

        Raises:
            PortTaken: naming the port.
        """
        preview = env.preview(channel, viewers=users, layout="channel", port=port)
        page = cls(env, preview, port)
        async with AsyncExitStack() as stack:
            try:
                await stack.enter_async_context(preview)
            except SetupError as error:
                if isinstance(error.__cause__, OSError):
                    raise PortInUse(f"port {port} is taken") from error
                raise
            yield page

    @property
    def address(self) -> str:
        """Where to find it."""
        return self._preview.url.partition("#")[0]

    async def wait_closed(self) -> None:
        """Return when someone has ended the session from the page."""
        await self._preview.wait_closed()

    async def follow_clock(self) -> None:
        """Let virtual time follow real time and show what is new, until the bot has closed."""
        loop = asyncio.get_running_loop()
        then, shown = loop.time(), 0
        while not self._env.bot.is_closed():
            await asyncio.sleep(TICK_S)
            async with self._lock:
                now = loop.time()
                try:
                    await self._env.advance_time(now - then)
                except TimeoutError:
                    log.debug("time stands still while the bot is at work")
                then = now
                # Each refresh draws the page anew, so an idle channel must cause none.
                if (done := len(self._env.http_requests)) != shown:
                    await self._preview.refresh()
                    shown = done

    async def _action(self, context_id: str | None, body: Mapping[str, Any]) -> dict[str, Any]:
        async with self._lock:
            if isinstance(body, Mapping) and "published_revision" in body:
                seen = self._preview._get_page(context_id)
                body = {**body, "published_revision": seen.revision}
            return await self._original_action(context_id, body)
