"""Discord as far as the bot uses it: the gateway, the REST interface and the file server.

Everything that the user of an interaction sees is kept in its `Exchange`. A `Fault` on a route of
one exchange makes Discord misbehave there; `StandIn.on_call` learns of every call, so that an
experiment can kill the bot between two of them.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from aiohttp import WSMsgType, web

APPLICATION = 1_000
ACKNOWLEDGE_WITHIN_S = 3.0
"""Seconds after which Discord shows its user that the application did not respond."""
EPHEMERAL = 64
LOADING = 128
UNKNOWN_MESSAGE = (404, 10008)
UNKNOWN_INTERACTION = (404, 10062)
ALREADY_ACKNOWLEDGED = (400, 40060)
STAMP = "2026-01-01T00:00:00+00:00"


@dataclass(frozen=True)
class Fault:
    """One way to misbehave at one call.

    A status of 0 cuts the connection instead of a reply; 200 replies as usual, after ``hold_s``.
    """

    status: int = 200
    code: int = 0
    """Discord's own number of the error."""
    hold_s: float = 0.0
    """Seconds before anything is done."""
    carried_out: bool = False
    """Whether the call takes effect all the same."""
    retry_after_s: float = 0.1
    """With status 429: seconds that the caller is told to wait."""


@dataclass
class Exchange:
    """One interaction, and what its user was shown."""

    number: int
    command: str
    token: str
    sent_at: float
    faults: dict[str, list[Fault]] = field(default_factory=dict)
    """By route what happens at the next calls, one each; then Discord behaves."""
    acknowledged: bool = False
    message: str = ""
    """Text of the public message."""
    files: int = 0
    """Files of the public message."""
    deleted: bool = False
    private: list[str] = field(default_factory=list)
    """Texts that only the user saw: refusals."""
    late: list[tuple[str, int]] = field(default_factory=list)
    """Text and number of files of messages in the channel or sent directly."""
    nonces: set[str] = field(default_factory=set)
    calls: list[str] = field(default_factory=list)
    """Every call, in order, with its fault."""
    ended_at: float = 0.0
    """When the user had the first outcome."""
    person: int = 0
    """Who entered it, for those who enter more than one; 0 is somebody new."""

    @property
    def id(self) -> int:
        """The snowflake of the interaction; other snowflakes follow from it."""
        return 10_000_000 + self.number

    @property
    def user_id(self) -> int:
        """Every exchange has a user of its own, unless it says who entered it."""
        return 70_000_000 + self.person if self.person else 20_000_000 + self.number

    @property
    def channel_id(self) -> int:
        """Every exchange has a channel of its own."""
        return 30_000_000 + self.number

    @property
    def guild_id(self) -> int:
        """The server, of eight users who say who they are; its own otherwise."""
        return 80_000_000 + self.person // 8 if self.person else 60_000_000 + self.number

    @property
    def direct_channel_id(self) -> int:
        """The channel of direct messages to the user."""
        return 40_000_000 + self.number

    @property
    def message_id(self) -> int:
        """The public message, once acknowledged."""
        return 50_000_000 + self.number

    @property
    def results(self) -> int:
        """Messages with a result that the user has."""
        return int(self.files > 0 and not self.deleted) + sum(n > 0 for _, n in self.late)

    @property
    def refusals(self) -> int:
        """How often the user learnt of a failure."""
        return len(self.private) + sum(n == 0 for _, n in self.late)


class StandIn:
    """The server. Use it as an asynchronous context manager."""

    def __init__(self) -> None:
        self.exchanges: list[Exchange] = []
        self.on_call: Callable[[str, bool], None] = lambda route, done: None
        """Called at each call of an exchange: its route, and whether it was carried out."""
        self.identified = 0
        """Sessions that the gateway has opened."""
        self.resumed = 0
        """Sessions that went on after a lost connection."""
        self.address = ""
        self._socket: web.WebSocketResponse | None = None
        self._sequence = count(1)
        self._uploads: dict[str, bytes] = {}
        self._by_token: dict[str, Exchange] = {}
        self._by_channel: dict[int, Exchange] = {}
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> StandIn:
        app = web.Application(client_max_size=2**26)
        api = "/api/v10"
        hook = f"{api}/webhooks/{{application}}/{{token}}"
        letters = f"{api}/channels/{{channel}}/messages"
        app.add_routes(
            [
                web.get("/gateway/", self._gateway),
                web.get("/files/{name}", self._file),
                web.get(f"{api}/users/@me", self._me),
                web.get(f"{api}/oauth2/applications/@me", self._application),
                web.put(f"{api}/applications/{{application}}/commands", self._commands),
                web.post(f"{api}/interactions/{{id}}/{{token}}/callback", self._callback),
                web.post(hook, self._follow_up),
                web.get(f"{hook}/messages/{{message}}", self._fetch),
                web.patch(f"{hook}/messages/{{message}}", self._edit),
                web.delete(f"{hook}/messages/{{message}}", self._delete),
                web.post(letters, self._post),
                web.get(f"{letters}/{{message}}", self._fetch),
                web.patch(f"{letters}/{{message}}", self._edit),
                web.delete(f"{letters}/{{message}}", self._delete),
                web.get(f"{api}/users/{{user}}", self._user),
                web.post(f"{api}/users/@me/channels", self._open_direct),
            ]
        )
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.address = "{}:{}".format(*self._runner.addresses[0][:2])
        return self

    async def __aexit__(self, *raised: object) -> None:
        if self._runner:
            await self._runner.cleanup()

    @property
    def connected(self) -> bool:
        """Whether a bot has a session at the gateway."""
        return self._socket is not None and not self._socket.closed

    async def send(
        self,
        command: str,
        options: Mapping[str, object],
        upload: tuple[str, bytes] | None = None,
        faults: Mapping[str, Sequence[Fault]] | None = None,
        *,
        twice: bool = False,
        person: int = 0,
    ) -> Exchange:
        """Let a user enter a slash command.

        Args:
            command: The name of the command.
            options: Its options without files.
            upload: Name and bytes of the file of the option ``file``.
            faults: What happens at the next calls about it, by route.
            twice: Whether the gateway sends it a second time, as after a lost connection.
            person: Who enters it, from 1; 0 is a new user.

        Returns:
            What its user will be shown.
        """
        number = len(self.exchanges) + 1
        planned = {route: list(one) for route, one in (faults or {}).items()}
        exchange = Exchange(
            number, command, f"token-of-{number}", time.monotonic(), planned, person=person
        )
        self.exchanges.append(exchange)
        self._by_token[exchange.token] = exchange
        self._by_channel[exchange.channel_id] = exchange
        self._by_channel[exchange.direct_channel_id] = exchange
        sent: list[dict[str, object]] = []
        for name, value in options.items():
            kind = 4 if isinstance(value, int) else 3
            sent.append({"name": name, "type": kind, "value": value})
        data: dict[str, Any] = {"id": "1", "name": command, "type": 1, "options": sent}
        if upload:
            name, content = upload
            self._uploads[f"{number}-{name}"] = content
            url = f"http://{self.address}/files/{number}-{name}"
            file = {"id": "7", "filename": name, "size": len(content), "url": url}
            sent.append({"name": "file", "type": 11, "value": "7"})
            data["resolved"] = {"attachments": {"7": {**file, "proxy_url": url}}}
        for _ in range(2 if twice else 1):
            await self.dispatch("INTERACTION_CREATE", _interaction(exchange, data))
        return exchange

    async def dispatch(self, event: str, data: object) -> None:
        """Send an event to the bot; nobody gets it where no bot is connected.

        Args:
            event: Its name.
            data: Its content.
        """
        socket = self._socket
        if socket is None or socket.closed:
            return
        try:
            await socket.send_json({"op": 0, "s": next(self._sequence), "t": event, "d": data})
        except (ConnectionError, RuntimeError):  # it was killed at this moment
            return

    async def drop_gateway(self, code: int = 4000) -> None:
        """Close the bot's connection to the gateway with a code; it may come back."""
        if self._socket:
            await self._socket.close(code=code)

    async def _gateway(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_json({"op": 10, "d": {"heartbeat_interval": 5_000}})
        async for message in socket:
            if message.type is not WSMsgType.TEXT:
                continue
            frame = json.loads(message.data)
            if frame["op"] == 1:
                await socket.send_json({"op": 11, "d": None})
            elif frame["op"] == 2:
                self._socket = socket
                await self.dispatch("READY", self._ready())
                self.identified += 1
            elif frame["op"] == 6:
                self._socket = socket
                await self.dispatch("RESUMED", {})
                self.resumed += 1
        return socket

    def _ready(self) -> dict[str, object]:
        return {
            "v": 10,
            "user": _user(APPLICATION, bot=True),
            "guilds": [],
            "session_id": f"session-{self.identified}",
            "resume_gateway_url": f"ws://{self.address}/gateway/",
            "application": {"id": str(APPLICATION), "flags": 0},
        }

    async def _me(self, _: web.Request) -> web.Response:
        return _reply(_user(APPLICATION, bot=True))

    async def _user(self, request: web.Request) -> web.Response:
        return _reply(_user(int(request.match_info["user"])))

    async def _application(self, _: web.Request) -> web.Response:
        about: dict[str, object] = {"id": str(APPLICATION), "name": "bot", "icon": None}
        about |= {
            "description": "",
            "rpc_origins": None,
            "verify_key": "",
            "bot_public": True,
            "flags": 0,
        }
        about |= {"bot_require_code_grant": False, "owner": _user(1), "team": None}
        return _reply(about)

    async def _commands(self, request: web.Request) -> web.Response:
        return _reply(
            [
                {"type": 1, "description": "", "default_member_permissions": None, **one}
                | {"id": str(number), "application_id": str(APPLICATION), "version": "1"}
                for number, one in enumerate(await request.json(), start=1)
            ]
        )

    async def _file(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["name"]
        exchange = self.exchanges[int(name.partition("-")[0]) - 1]
        return await self._answer(
            request, exchange, "file", lambda: web.Response(body=self._uploads[name])
        )

    async def _callback(self, request: web.Request) -> web.StreamResponse:
        exchange = self._by_token[request.match_info["token"]]
        body, _ = await _read_body(request)

        def acknowledge() -> web.Response:
            if exchange.acknowledged or exchange.private:
                return _refuse(*ALREADY_ACKNOWLEDGED)
            if time.monotonic() - exchange.sent_at > ACKNOWLEDGE_WITHIN_S:
                return _refuse(*UNKNOWN_INTERACTION)
            content = body.get("data", {})
            ephemeral = bool(content.get("flags", 0) & EPHEMERAL)
            if ephemeral:
                self._tell(exchange, content.get("content", ""))
            else:
                exchange.acknowledged = True
            message = _message(exchange, EPHEMERAL if ephemeral else LOADING)
            about = {"id": str(exchange.id), "type": 2, "response_message_id": message["id"]}
            about |= {"response_message_loading": True, "response_message_ephemeral": ephemeral}
            resource = {"type": body["type"], "message": message}
            return _reply({"interaction": about, "resource": resource})

        return await self._answer(request, exchange, "callback", acknowledge)

    async def _follow_up(self, request: web.Request) -> web.StreamResponse:
        exchange = self._by_token[request.match_info["token"]]
        body, _ = await _read_body(request)

        def follow() -> web.Response:
            if not exchange.acknowledged:
                return _refuse(404, 10015)
            self._tell(exchange, body.get("content", ""))
            return _reply(_message(exchange, EPHEMERAL, number=exchange.id + 5))

        return await self._answer(request, exchange, "followup", follow)

    async def _edit(self, request: web.Request) -> web.StreamResponse:
        exchange = self._exchange_of(request)
        body, n_files = await _read_body(request)

        def edit() -> web.Response:
            if not exchange.acknowledged or exchange.deleted:
                return _refuse(*UNKNOWN_MESSAGE)
            exchange.message = body.get("content") or exchange.message
            if "attachments" in body:
                exchange.files = len(body["attachments"])
            if exchange.files:
                exchange.ended_at = exchange.ended_at or time.monotonic()
            return _reply(_message(exchange))

        route = "result" if n_files else "progress"
        return await self._answer(request, exchange, route, edit)

    async def _fetch(self, request: web.Request) -> web.StreamResponse:
        exchange = self._exchange_of(request)

        def fetch() -> web.Response:
            if not exchange.acknowledged or exchange.deleted:
                return _refuse(*UNKNOWN_MESSAGE)
            return _reply(_message(exchange))

        return await self._answer(request, exchange, "fetch", fetch)

    async def _delete(self, request: web.Request) -> web.StreamResponse:
        exchange = self._exchange_of(request)

        def delete() -> web.Response:
            if not exchange.acknowledged or exchange.deleted:
                return _refuse(*UNKNOWN_MESSAGE)
            exchange.deleted = True
            return web.Response(status=204)

        return await self._answer(request, exchange, "delete", delete)

    async def _post(self, request: web.Request) -> web.StreamResponse:
        channel = int(request.match_info["channel"])
        exchange = self._by_channel[channel]
        body, n_files = await _read_body(request)

        def post() -> web.Response:
            nonce = str(body.get("nonce", ""))
            if not nonce or not body.get("enforce_nonce") or nonce not in exchange.nonces:
                exchange.late.append((body.get("content") or "", n_files))
                exchange.ended_at = exchange.ended_at or time.monotonic()
            exchange.nonces.add(nonce)
            return _reply(_message(exchange, number=exchange.id + 9, channel=channel))

        direct = channel == exchange.direct_channel_id
        return await self._answer(request, exchange, "direct" if direct else "channel", post)

    async def _open_direct(self, request: web.Request) -> web.Response:
        user = int((await request.json())["recipient_id"])
        exchange = self.exchanges[user - 20_000_001]
        channel = {"id": str(exchange.direct_channel_id), "type": 1, "recipients": [_user(user)]}
        return _reply(channel)

    def _exchange_of(self, request: web.Request) -> Exchange:
        named = request.match_info
        return (
            self._by_token[named["token"]]
            if "token" in named
            else self._by_channel[int(named["channel"])]
        )

    def _tell(self, exchange: Exchange, text: str) -> None:
        exchange.private.append(text)
        exchange.ended_at = exchange.ended_at or time.monotonic()

    async def _answer(
        self,
        request: web.Request,
        exchange: Exchange,
        route: str,
        carry_out: Callable[[], web.Response],
    ) -> web.StreamResponse:
        """Carry out a call, or misbehave as planned."""
        planned = exchange.faults.get(route)
        fault = planned.pop(0) if planned else Fault()
        exchange.calls.append(f"{route} {fault.status}" if fault != Fault() else route)
        self.on_call(route, False)
        if fault.hold_s:
            await asyncio.sleep(fault.hold_s)
        done = fault.status == 200 or fault.carried_out
        response = carry_out() if done else web.Response()
        if done:
            self.on_call(route, True)
        if fault.status == 0:
            if request.transport:
                request.transport.abort()
            return response
        if fault.status == 200:
            return response
        return _refuse(fault.status, fault.code, fault.retry_after_s)


def _reply(
    body: object, status: int = 200, headers: Mapping[str, str] | None = None
) -> web.Response:
    # discord.py reads JSON only where the type names no character set.
    content = json.dumps(body).encode()
    return web.Response(
        body=content, status=status, content_type="application/json", headers=headers
    )


def _refuse(status: int, code: int, retry_after_s: float = 0.1) -> web.Response:
    body: dict[str, object] = {"code": code, "message": f"the stand-in refuses: {status} {code}"}
    headers = {}
    if status == 429:
        body |= {"retry_after": retry_after_s, "global": False}
        headers = {"Via": "1.1 stand-in", "Retry-After": str(retry_after_s)}
    return _reply(body, status, headers)


async def _read_body(request: web.Request) -> tuple[dict[str, Any], int]:
    """Return the JSON of a call, and how many files it has."""
    if not request.content_type.startswith("multipart/"):
        return (await request.json() if request.can_read_body else {}), 0
    form = await request.post()
    return json.loads(str(form["payload_json"])), sum(one.startswith("files[") for one in form)


def _user(number: int, *, bot: bool = False) -> dict[str, object]:
    name = f"user{number}"
    user: dict[str, object] = {"id": str(number), "username": name, "global_name": name}
    return user | {"discriminator": "0", "avatar": None, "bot": bot, "flags": 0}


def _message(
    exchange: Exchange, flags: int = 0, number: int | None = None, channel: int | None = None
) -> dict[str, object]:
    number = exchange.message_id if number is None else number
    own = number == exchange.message_id
    files = [
        {
            "id": str(number + place),
            "filename": f"{place}.bin",
            "size": 1,
            "url": "",
            "proxy_url": "",
        }
        for place in range(exchange.files if own else 0)
    ]
    message: dict[str, object] = {"id": str(number), "attachments": files, "flags": flags}
    message |= {"channel_id": str(channel or exchange.channel_id), "content": exchange.message}
    message |= {"author": _user(APPLICATION, bot=True), "application_id": str(APPLICATION)}
    message |= {"webhook_id": str(APPLICATION), "type": 20, "timestamp": STAMP}
    message |= {key: [] for key in ("mentions", "mention_roles", "embeds", "components")}
    message |= dict.fromkeys(("tts", "mention_everyone", "pinned"), False)
    return message | {"edited_timestamp": None}


def _interaction(exchange: Exchange, data: Mapping[str, object]) -> dict[str, object]:
    user = _user(exchange.user_id)
    member: dict[str, object] = {"user": user, "roles": [], "joined_at": STAMP, "flags": 0}
    member |= {"permissions": "0", "deaf": False, "mute": False, "premium_since": None}
    channel = {"id": str(exchange.channel_id), "type": 0, "name": "music", "permissions": "0"}
    channel |= {"guild_id": str(exchange.guild_id), "parent_id": None, "position": 0, "nsfw": False}
    sent: dict[str, object] = {"id": str(exchange.id), "application_id": str(APPLICATION)}
    sent |= {"type": 2, "token": exchange.token, "version": 1, "data": data, "member": member}
    guild = str(exchange.guild_id)
    sent |= {"guild_id": guild, "channel_id": str(exchange.channel_id), "channel": channel}
    sent |= {"guild": {"id": guild, "locale": "en-US", "features": []}, "context": 0}
    sent |= {"app_permissions": "0", "locale": "en-US", "guild_locale": "en-US"}
    sent |= {"entitlements": [], "authorizing_integration_owners": {"0": guild}}
    return sent | {"attachment_size_limit": 10 * 2**20}
