"""A button reaches the request of its own message: by its token, in its place, for its person."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.discord_env import DiscordEnv, last_message, suffixes
from tests.support.uploads import send_rerhythm, write_reel


async def edit_rows(server: DiscordEnv, assignment: str, **values: Any) -> None:
    assert server.bot._store is not None
    await server.bot._store.database.run(f"UPDATE requests SET {assignment}", **values)  # noqa: S608


async def is_refused(server: DiscordEnv) -> bool:
    """Whether bob's press below the last message is refused, in private, and makes nothing."""
    before = len(server.engine.jobs)
    result = await server.bob.click(last_message(server.channel), label="Another one")
    if len(server.engine.jobs) > before:
        return False
    assert result.ephemeral
    assert result.response is not None
    return "is no longer stored" in result.response.content


async def test_each_request_has_a_token_of_its_own_that_its_buttons_hold(
    server: DiscordEnv,
) -> None:
    for _ in range(2):
        await server.alice.slash(server.channel, "compose", style="folk")
    tokens = {record.press_token for record in await server.history(server.alice)}
    assert len(tokens) == 2
    assert {len(token) for token in tokens} == {16}
    assert not await is_refused(server)


@pytest.mark.parametrize(
    "assignment",
    [
        "press_token = '0123456789abcdef'",  # another request has the number now
        "channel_id = channel_id + 1",
        "guild_id = guild_id + 1",
        "guild_id = NULL",
    ],
)
async def test_a_button_of_another_request_or_place_makes_nothing(
    assignment: str, server: DiscordEnv
) -> None:
    await server.alice.slash(server.channel, "compose", style="folk")
    await edit_rows(server, assignment)
    assert await is_refused(server)


async def test_a_button_from_before_the_tokens_works_for_a_request_from_before_them(
    server: DiscordEnv,
) -> None:
    assert server.bot._store is not None
    server.engine.hold = True
    await server.alice.slash(server.channel, "compose", style="folk")
    await edit_rows(server, "press_token = ''")
    server.engine.release()
    await server.env.settle()
    assert "mst:again:1'" in str(
        [item.to_dict() for item in last_message(server.channel).components]
    )
    assert not await is_refused(server)


async def test_a_button_from_before_the_tokens_never_reaches_a_newer_request(
    server: DiscordEnv,
) -> None:
    server.engine.hold = True
    await server.alice.slash(server.channel, "compose", style="folk")
    await edit_rows(server, "press_token = ''")
    server.engine.release()
    await server.env.settle()
    await edit_rows(server, "press_token = '0123456789abcdef'")  # the ledger was started anew
    assert await is_refused(server)


async def test_a_late_result_in_a_direct_message_has_working_buttons(
    slow_server: DiscordEnv,
) -> None:
    server = slow_server
    server.engine.hold = True
    await server.alice.slash(server.channel, "compose", style="folk")
    await server.env.advance_time(20 * 60)
    channel = f"/channels/{server.channel.id}/messages"
    server.env.inject_error("POST", channel, status=403, code=50013, times=None)
    server.engine.release()
    await server.env.settle()
    direct = last_message(server.alice.user.dm_channel)
    assert suffixes(direct) == [".mp3", ".png", ".mid"]
    jobs = len(server.engine.jobs)
    await server.alice.user.click(direct, label="Another one")
    assert len(server.engine.jobs) == jobs + 1


async def test_who_did_not_ask_cannot_remove_a_result(server: DiscordEnv) -> None:
    await send_rerhythm(server, "reel.mid", write_reel())
    result = await server.bob.click(last_message(server.channel), label="Remove")
    assert result.ephemeral
    assert len(server.channel.history()) == 1
