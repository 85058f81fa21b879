"""A gateway and a REST interface of Discord over real sockets, as small as one login needs.

SimCord has neither, and what must be seen here is that the connection outlives a signal.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
import yarl
from aiohttp import web
from discord.gateway import DiscordWebSocket
from discord.http import Route

BOT = {"id": "1", "username": "bot", "discriminator": "0", "avatar": None, "bot": True}
USER = {"id": "2", "username": "alice", "discriminator": "0", "avatar": None}
CHANNEL = {"id": "3", "type": 1, "recipients": [USER]}


class SmallGateway:
    """Logs a bot in, sends it commands, and keeps what it answers."""

    def __init__(self) -> None:
        self.answers: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        """The data of each reply to an interaction, such as its content and flags."""
        self.edits: asyncio.Queue[str] = asyncio.Queue()
        """The body of each edit of a message."""
        self.identified = asyncio.Event()
        self._socket: web.WebSocketResponse | None = None
        self._sequence = 0

    async def send_command(self, id: int, name: str, **options: str) -> None:
        """Send a slash command of a user in a direct message."""
        given = [{"name": key, "type": 3, "value": value} for key, value in options.items()]
        interaction = {
            "id": str(id),
            "application_id": BOT["id"],
            "type": 2,
            "token": f"token-{id}",
            "version": 1,
            "data": {"id": "9", "name": name, "type": 1, "options": given},
            "channel": CHANNEL,
            "channel_id": CHANNEL["id"],
            "user": USER,
            "locale": "en-US",
            "context": 1,
            "authorizing_integration_owners": {},
            "entitlements": [],
            "attachment_size_limit": 10_000_000,
        }
        await self._send(0, interaction, "INTERACTION_CREATE")

    async def _send(self, op: int, data: object, event: str | None = None) -> None:
        assert self._socket is not None
        self._sequence += bool(event)
        message = {"op": op, "d": data, "t": event, "s": self._sequence if event else None}
        await self._socket.send_str(json.dumps(message))

    async def _connect(self, request: web.Request) -> web.WebSocketResponse:
        self._socket = web.WebSocketResponse()
        await self._socket.prepare(request)
        await self._send(10, {"heartbeat_interval": 40_000})
        async for message in self._socket:
            if message.type is aiohttp.WSMsgType.TEXT and json.loads(message.data)["op"] == 2:
                ready = {
                    "user": BOT,
                    "guilds": [],
                    "session_id": "a",
                    "resume_gateway_url": str(request.url),
                    "application": {"id": BOT["id"], "flags": 0},
                }
                await self._send(0, ready, "READY")
                self.identified.set()
        return self._socket

    async def _serve(self, request: web.Request) -> web.Response:
        path = request.path
        if path.endswith("/users/@me"):
            return _respond(BOT)
        if path.endswith("/applications/@me"):
            about = {"id": BOT["id"], "name": "bot", "icon": None, "description": "", "summary": ""}
            more = {"bot_public": True, "bot_require_code_grant": False, "verify_key": ""}
            return _respond({**about, **more, "owner": USER, "flags": 0})
        if path.endswith("/commands"):
            return _respond([])
        if path.endswith("/callback"):
            reader = await request.json()
            self.answers.put_nowait({"type": reader["type"], **reader.get("data", {})})
            callback = {"id": "5", "type": 2, "response_message_id": "6"}
            message = _message() if reader["type"] in (4, 5) else None
            return _respond(
                {"interaction": callback, "resource": {"type": reader["type"], "message": message}}
            )
        self.edits.put_nowait(await request.text())
        return _respond(_message())


def _respond(data: object) -> web.Response:
    # Without a charset, as Discord does: discord.py takes anything else for text.
    return web.Response(
        body=json.dumps(data).encode(), headers={"Content-Type": "application/json"}
    )


def _message() -> dict[str, Any]:
    return {
        "id": "6",
        "channel_id": CHANNEL["id"],
        "author": BOT,
        "content": "",
        "timestamp": "2026-01-01T00:00:00+00:00",
        "edited_timestamp": None,
        "tts": False,
        "mention_everyone": False,
        "mentions": [],
        "mention_roles": [],
        "attachments": [],
        "embeds": [],
        "pinned": False,
        "type": 0,
    }


@asynccontextmanager
async def small_gateway(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[SmallGateway]:
    """Serve it on a free port of this machine, and lead discord.py there."""
    gateway = SmallGateway()
    app = web.Application()
    app.router.add_get("/gateway", gateway._connect)
    app.router.add_route("*", "/{path:.*}", gateway._serve)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port = runner.addresses[0][1]
    monkeypatch.setattr(Route, "BASE", f"http://127.0.0.1:{port}/api")
    monkeypatch.setattr(
        DiscordWebSocket, "DEFAULT_GATEWAY", yarl.URL(f"ws://127.0.0.1:{port}/gateway")
    )
    try:
        yield gateway
    finally:
        await runner.cleanup()
