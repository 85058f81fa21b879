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
from itertools import count
from typing import Any

from aiohttp import WSMsgType, web

from tests.tools.standin.exchange import Exchange, Fault
from tests.tools.standin.payloads import (
    APPLICATION,
    EPHEMERAL,
    LOADING,
    describe_interaction,
    describe_message,
    describe_user,
    read_body,
    refuse,
    reply,
)

PROGRESS_SIGNS = ("▰", "▱", "in the queue")
"""What a message shows while its user waits."""
DEFERRED = 5
"""Type of an acknowledgement that shows "thinking"."""
ACKNOWLEDGE_WITHIN_S = 3.0
"""Seconds after which Discord shows its user that the application did not respond."""
UNKNOWN_MESSAGE = (404, 10008)
UNKNOWN_INTERACTION = (404, 10062)
ALREADY_ACKNOWLEDGED = (400, 40060)


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
            command: The name of the command, and of the command in it, if there is one.
            options: Its options without files.
            upload: Name and bytes of the file of the option ``file``.
            faults: What happens at the next calls about it, by route.
            twice: Whether the gateway sends it a second time, as after a lost connection.
            person: Who enters it, from 1; 0 is a new user.

        Returns:
            What its user will be shown.
        """
        exchange = self.open_exchange(command, person, faults=faults)
        number = exchange.number
        sent: list[dict[str, object]] = []
        for name, value in options.items():
            kind = 4 if isinstance(value, int) else 3
            sent.append({"name": name, "type": kind, "value": value})
        name, _, inner = command.partition(" ")
        data: dict[str, Any] = {"id": "1", "name": name, "type": 1, "options": sent}
        if inner:
            data["options"] = [{"name": inner, "type": 1, "options": sent}]
        if upload:
            name, content = upload
            self._uploads[f"{number}-{name}"] = content
            url = f"http://{self.address}/files/{number}-{name}"
            file = {"id": "7", "filename": name, "size": len(content), "url": url}
            sent.append({"name": "file", "type": 11, "value": "7"})
            data["resolved"] = {"attachments": {"7": {**file, "proxy_url": url}}}
        for _ in range(2 if twice else 1):
            await self.dispatch("INTERACTION_CREATE", describe_interaction(exchange, data))
        return exchange

    def open_exchange(
        self,
        command: str,
        person: int = 0,
        *,
        faults: Mapping[str, Sequence[Fault]] | None = None,
        below: Exchange | None = None,
    ) -> Exchange:
        """Note an interaction, of which the bot has not learnt yet.

        Args:
            command: What is entered or pressed.
            person: Who, from 1; 0 is a new user.
            faults: What happens at the next calls about it, by route.
            below: Whose message has the button that is pressed.
        """
        number = len(self.exchanges) + 1
        planned = {route: list(one) for route, one in (faults or {}).items()}
        sent_at = time.monotonic()
        exchange = Exchange(
            number, command, f"token-of-{number}", sent_at, planned, person=person, below=below
        )
        self.exchanges.append(exchange)
        self._by_token[exchange.token] = exchange
        self._by_channel[exchange.channel_id] = exchange
        self._by_channel[exchange.direct_channel_id] = exchange
        return exchange

    async def press(self, below: Exchange, move: str, person: int = 0) -> Exchange:
        """Let a user press a button below a public message.

        Args:
            below: Whose message it is.
            move: The move of the button, as in its custom id.
            person: Who presses it, from 1; 0 is a new user.

        Returns:
            What its user will be shown.

        Raises:
            LookupError: when the message has no such button.
        """
        custom_id = next((one for one in below.custom_ids if one.split(":")[1] == move), None)
        if custom_id is None:
            raise LookupError(f"no button {move!r} among {below.custom_ids}")
        exchange = self.open_exchange(f"press {move}", person, below=below)
        data = {"custom_id": custom_id, "component_type": 2}
        await self.dispatch("INTERACTION_CREATE", describe_interaction(exchange, data))
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
            "user": describe_user(APPLICATION, bot=True),
            "guilds": [],
            "session_id": f"session-{self.identified}",
            "resume_gateway_url": f"ws://{self.address}/gateway/",
            "application": {"id": str(APPLICATION), "flags": 0},
        }

    async def _me(self, _: web.Request) -> web.Response:
        return reply(describe_user(APPLICATION, bot=True))

    async def _user(self, request: web.Request) -> web.Response:
        return reply(describe_user(int(request.match_info["user"])))

    async def _application(self, _: web.Request) -> web.Response:
        about: dict[str, object] = {"id": str(APPLICATION), "name": "bot", "icon": None}
        about |= {
            "description": "",
            "rpc_origins": None,
            "verify_key": "",
            "bot_public": True,
            "flags": 0,
        }
        about |= {"bot_require_code_grant": False, "owner": describe_user(1), "team": None}
        return reply(about)

    async def _commands(self, request: web.Request) -> web.Response:
        return reply(
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
        body, _ = await read_body(request)

        def acknowledge() -> web.Response:
            if exchange.acknowledged or exchange.deferred or exchange.private:
                return refuse(*ALREADY_ACKNOWLEDGED)
            if time.monotonic() - exchange.sent_at > ACKNOWLEDGE_WITHIN_S:
                return refuse(*UNKNOWN_INTERACTION)
            content = body.get("data", {})
            ephemeral = bool(content.get("flags", 0) & EPHEMERAL)
            if ephemeral and body["type"] == DEFERRED:
                exchange.deferred = True
            elif ephemeral:
                self._tell(exchange, content.get("content", ""))
            else:
                exchange.acknowledged = True
            message = describe_message(exchange, EPHEMERAL if ephemeral else LOADING)
            about = {"id": str(exchange.id), "type": 2, "response_message_id": message["id"]}
            about |= {"response_message_loading": True, "response_message_ephemeral": ephemeral}
            resource = {"type": body["type"], "message": message}
            return reply({"interaction": about, "resource": resource})

        return await self._answer(request, exchange, "callback", acknowledge)

    async def _follow_up(self, request: web.Request) -> web.StreamResponse:
        exchange = self._by_token[request.match_info["token"]]
        body, files = await read_body(request)

        def follow() -> web.Response:
            if not (exchange.acknowledged or exchange.deferred):
                return refuse(404, 10015)
            self._tell(exchange, body.get("content", ""), files)
            return reply(describe_message(exchange, EPHEMERAL, number=exchange.id + 5))

        return await self._answer(request, exchange, "followup", follow)

    async def _edit(self, request: web.Request) -> web.StreamResponse:
        exchange = self._exchange_of(request)
        body, files = await read_body(request)

        def edit() -> web.Response:
            if exchange.deferred:
                text = body.get("content") or ""
                if files or not any(sign in text for sign in PROGRESS_SIGNS):
                    self._tell(exchange, text, files)
                return reply(describe_message(exchange, EPHEMERAL))
            if not exchange.acknowledged or exchange.deleted:
                return refuse(*UNKNOWN_MESSAGE)
            exchange.message = body.get("content") or exchange.message
            if "attachments" in body:
                exchange.files = len(body["attachments"])
            exchange.components = body.get("components", exchange.components)
            if exchange.files:
                exchange.ended_at = exchange.ended_at or time.monotonic()
            return reply(describe_message(exchange))

        route = "result" if files else "progress"
        return await self._answer(request, exchange, route, edit)

    async def _fetch(self, request: web.Request) -> web.StreamResponse:
        exchange = self._exchange_of(request)

        def fetch() -> web.Response:
            if exchange.deferred:
                told = bool(exchange.private or exchange.private_files)
                return reply(describe_message(exchange, EPHEMERAL | (0 if told else LOADING)))
            if not exchange.acknowledged or exchange.deleted:
                return refuse(*UNKNOWN_MESSAGE)
            return reply(describe_message(exchange))

        return await self._answer(request, exchange, "fetch", fetch)

    async def _delete(self, request: web.Request) -> web.StreamResponse:
        exchange = self._exchange_of(request)

        def delete() -> web.Response:
            if not exchange.acknowledged or exchange.deleted:
                return refuse(*UNKNOWN_MESSAGE)
            exchange.deleted = True
            return web.Response(status=204)

        return await self._answer(request, exchange, "delete", delete)

    async def _post(self, request: web.Request) -> web.StreamResponse:
        channel = int(request.match_info["channel"])
        exchange = self._by_channel[channel]
        body, files = await read_body(request)

        def post() -> web.Response:
            nonce = str(body.get("nonce", ""))
            if not nonce or not body.get("enforce_nonce") or nonce not in exchange.nonces:
                exchange.late.append((body.get("content") or "", len(files)))
                exchange.ended_at = exchange.ended_at or time.monotonic()
            exchange.nonces.add(nonce)
            return reply(describe_message(exchange, number=exchange.id + 9, channel=channel))

        direct = channel == exchange.direct_channel_id
        return await self._answer(request, exchange, "direct" if direct else "channel", post)

    async def _open_direct(self, request: web.Request) -> web.Response:
        user = int((await request.json())["recipient_id"])
        exchange = next(one for one in reversed(self.exchanges) if one.user_id == user)
        channel = {
            "id": str(exchange.direct_channel_id),
            "type": 1,
            "recipients": [describe_user(user)],
        }
        return reply(channel)

    def _exchange_of(self, request: web.Request) -> Exchange:
        named = request.match_info
        return (
            self._by_token[named["token"]]
            if "token" in named
            else self._by_channel[int(named["channel"])]
        )

    def _tell(self, exchange: Exchange, text: str, files: Sequence[bytes] = ()) -> None:
        if files:
            exchange.private_files += files
        else:
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
        return refuse(fault.status, fault.code, fault.retry_after_s)
