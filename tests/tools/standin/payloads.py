"""The bodies of Discord's replies and events, as far as discord.py reads them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from tests.tools.standin.exchange import Exchange

APPLICATION = 1_000
EPHEMERAL = 64
LOADING = 128
STAMP = "2026-01-01T00:00:00+00:00"


def reply(
    body: object, status: int = 200, headers: Mapping[str, str] | None = None
) -> web.Response:
    """Return a response of JSON.

    Args:
        body: What is encoded.
        status: The status of HTTP.
        headers: More headers.
    """
    # discord.py reads JSON only where the type names no character set.
    content = json.dumps(body).encode()
    return web.Response(
        body=content, status=status, content_type="application/json", headers=headers
    )


def refuse(status: int, code: int, retry_after_s: float = 0.1) -> web.Response:
    """Return an error.

    Args:
        status: The status of HTTP.
        code: Discord's own number of the error.
        retry_after_s: With status 429: seconds that the caller is to wait.
    """
    body: dict[str, object] = {"code": code, "message": f"the stand-in refuses: {status} {code}"}
    headers = {}
    if status == 429:
        body |= {"retry_after": retry_after_s, "global": False}
        headers = {"Via": "1.1 stand-in", "Retry-After": str(retry_after_s)}
    return reply(body, status, headers)


async def read_body(request: web.Request) -> tuple[dict[str, Any], list[bytes]]:
    """Return the JSON of a call, and its files."""
    if not request.content_type.startswith("multipart/"):
        return (await request.json() if request.can_read_body else {}), []
    form = await request.post()
    files = [
        one.file.read()
        for name, one in form.items()
        if name.startswith("files[") and isinstance(one, web.FileField)
    ]
    return json.loads(str(form["payload_json"])), files


def describe_user(number: int, *, bot: bool = False) -> dict[str, object]:
    """Return the user with a number.

    Args:
        number: The id.
        bot: Whether it is a bot.
    """
    name = f"user{number}"
    user: dict[str, object] = {"id": str(number), "username": name, "global_name": name}
    return user | {"discriminator": "0", "avatar": None, "bot": bot, "flags": 0}


def describe_message(
    exchange: Exchange, flags: int = 0, number: int | None = None, channel: int | None = None
) -> dict[str, object]:
    """Return a message of an exchange, its public one unless another number is given.

    Args:
        exchange: The exchange.
        flags: Discord's flags of the message.
        number: The id.
        channel: Where it is; None is the channel of the exchange.
    """
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
    message |= {"author": describe_user(APPLICATION, bot=True), "application_id": str(APPLICATION)}
    message |= {"webhook_id": str(APPLICATION), "type": 20, "timestamp": STAMP}
    message |= {key: [] for key in ("mentions", "mention_roles", "embeds")}
    message |= {"components": exchange.components if own else []}
    message |= dict.fromkeys(("tts", "mention_everyone", "pinned"), False)
    return message | {"edited_timestamp": None}


def describe_interaction(exchange: Exchange, data: Mapping[str, object]) -> dict[str, object]:
    """Return the event of a command, or of a press below the message of another exchange.

    Args:
        exchange: The command or the press.
        data: What was entered or pressed.
    """
    user = describe_user(exchange.user_id)
    member: dict[str, object] = {"user": user, "roles": [], "joined_at": STAMP, "flags": 0}
    member |= {"permissions": "0", "deaf": False, "mute": False, "premium_since": None}
    channel = {"id": str(exchange.channel_id), "type": 0, "name": "music", "permissions": "0"}
    channel |= {"guild_id": str(exchange.guild_id), "parent_id": None, "position": 0, "nsfw": False}
    sent: dict[str, object] = {"id": str(exchange.id), "application_id": str(APPLICATION)}
    if exchange.below:
        about = {"id": str(exchange.below.id), "type": 2, "authorizing_integration_owners": {}}
        about |= {"user": describe_user(exchange.below.user_id)}
        sent |= {"message": describe_message(exchange.below) | {"interaction_metadata": about}}
    kind = 3 if exchange.below else 2
    sent |= {"type": kind, "token": exchange.token, "version": 1, "data": data, "member": member}
    guild = str(exchange.guild_id)
    sent |= {"guild_id": guild, "channel_id": str(exchange.channel_id), "channel": channel}
    sent |= {"guild": {"id": guild, "locale": "en-US", "features": []}, "context": 0}
    sent |= {"app_permissions": "0", "locale": "en-US", "guild_locale": "en-US"}
    sent |= {"entitlements": [], "authorizing_integration_owners": {"0": guild}}
    return sent | {"attachment_size_limit": 10 * 2**20}
