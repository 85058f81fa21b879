"""Errors are shown only to the requesting user, before and after the public acknowledgement."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bot.requests.record import RequestRecord
from bot.requests.store import RequestStore
from mst_core.errors import NoSuchTune
from tests.support.discord_env import DiscordEnv, discord_env, last_message


@pytest.mark.parametrize(
    ("command", "options", "words"),
    [
        ("compose", {"style": "folk", "meter": "5/4"}, "the meters of folk are 4/4, 6/8"),
        ("compose", {"style": "folk", "meter": "fast"}, "write it as 4/4, 6/8 or 3/4"),
        ("compose", {"style": "folk", "key": "H"}, "write it as D, Em, F# minor or A mixolydian"),
        ("transfer", {"pitch": "folk", "rhythm": "jazz", "meter": "6/8"}, "are 4/4, 3/4"),
    ],
)
async def test_invalid_options_are_rejected_in_private(
    server: DiscordEnv, command: str, options: dict[str, Any], words: str
) -> None:
    result = await server.alice.slash(server.channel, command, **options)
    assert result.ephemeral
    assert not result.deferred, "it was never public"
    assert result.response is not None
    assert words in result.response.content
    assert server.channel.history(viewer=server.bob) == []
    assert await server.history(server.alice) == []


async def test_more_bars_than_the_setting_allows_are_rejected_in_private(tmp_path: Path) -> None:
    async with discord_env(tmp_path, MST_BARS_MAX="8") as server:
        result = await server.alice.slash(server.channel, "compose", style="folk", bars=9)
        assert result.ephemeral
        assert result.response is not None
        assert "choose 4 to 8" in result.response.content


async def test_the_open_requests_of_a_user_are_limited(tmp_path: Path) -> None:
    async with discord_env(tmp_path, MST_OPEN_PER_USER="2") as server:
        server.engine.hold = True
        for _ in range(2):
            await server.alice.slash(server.channel, "compose", style="folk")
        third = await server.alice.slash(server.channel, "compose", style="folk")
        others = await server.bob.slash(server.channel, "compose", style="folk")
        assert third.ephemeral
        assert third.response is not None
        assert "You already have 2 open requests" in third.response.content
        assert not others.ephemeral


async def test_a_cooldown_is_reported_and_ends(tmp_path: Path) -> None:
    async with discord_env(tmp_path, MST_COOLDOWN_S="10") as server:
        await server.alice.slash(server.channel, "compose", style="folk")
        await server.env.advance_time(4)
        early = await server.alice.slash(server.channel, "compose", style="folk")
        assert early.ephemeral
        assert early.response is not None
        assert "wait 6 s" in early.response.content
        await server.env.advance_time(6)
        assert not (await server.alice.slash(server.channel, "compose", style="folk")).ephemeral


async def test_a_later_failure_deletes_the_message_and_is_reported_in_private(
    server: DiscordEnv,
) -> None:
    server.engine.errors = [NoSuchTune("16 bars of nothing")]
    result = await server.alice.slash(server.channel, "compose", style="folk")
    assert result.response is None, "the public message is gone"
    (followup,) = result.followups
    assert followup.ephemeral
    assert "No tune meets these options: 16 bars of nothing" in followup.content
    (record,) = await server.history(server.alice)
    assert (record.state, record.error_code) == ("failed", "NoSuchTune")
    assert record.answered_at


async def test_a_bug_shows_a_reference_and_logs_the_traceback(
    server: DiscordEnv, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(*_: object, **__: object) -> list[RequestRecord]:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(RequestStore, "history", broken)
    result = await server.alice.slash(server.channel, "history")
    assert result.ephemeral
    assert result.response is not None
    reference = result.response.content.split("`")[1]
    assert f"reference {reference}" in caplog.text
    assert "ZeroDivisionError: a bug" in caplog.text


async def test_a_request_that_cannot_be_stored_is_reported_in_private(
    server: DiscordEnv, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(*_: object) -> RequestRecord:
        raise OSError("the disk is full")

    monkeypatch.setattr(RequestStore, "add", full)
    result = await server.alice.slash(server.channel, "compose", style="folk")
    assert result.ephemeral
    assert result.response is not None
    assert "Something went wrong on our side" in result.response.content
    assert server.channel.history() == [], "it is stored before it is acknowledged"


async def test_a_button_of_a_deleted_request_is_reported_in_private(server: DiscordEnv) -> None:
    await server.alice.slash(server.channel, "compose", style="folk")
    message = last_message(server.channel)
    await server.alice.slash(server.channel, "mydata delete")
    result = await server.bob.click(message, label="Another one")
    assert result.ephemeral
    assert result.response is not None
    assert "Request 1 is no longer stored" in result.response.content


async def test_only_the_requesting_user_removes_a_result(server: DiscordEnv) -> None:
    await server.alice.slash(server.channel, "compose", style="folk")
    message = last_message(server.channel)
    result = await server.bob.click(message, label="Remove")
    assert result.ephemeral
    assert len(server.channel.history(viewer=server.alice)) == 1
    await server.alice.click(message, label="Remove")
    assert server.channel.history(viewer=server.alice) == []
