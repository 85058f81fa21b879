"""A result reaches its user after a crash, an expired token or an error of Discord."""

from __future__ import annotations

import pytest

from mst_core.errors import EngineLost, NoSuchTune
from tests.support import discord_env
from tests.support.discord_env import DiscordEnv, last_message, suffixes
from tests.support.fakes import FakeEngine


async def test_a_user_does_not_notice_an_engine_that_dies(server: DiscordEnv) -> None:
    server.engine.errors = [EngineLost("killed")]
    await server.alice.slash(server.channel, "compose", style="folk")
    await server.env.advance_time(5)
    (message,) = server.channel.history()
    assert suffixes(message) == [".mp3", ".png", ".mid"]
    assert len(server.engine.jobs) == 2


async def test_a_request_survives_a_crash_of_the_bot_and_is_answered_in_its_message(
    server: DiscordEnv,
) -> None:
    server.engine.hold = True
    await server.alice.slash(server.channel, "compose", style="folk")
    (message,) = server.channel.history()
    await server.restart()
    (after,) = server.channel.history()
    assert after.id == message.id
    assert suffixes(after) == [".mp3", ".png", ".mid"]


async def ask_for_no_tune(server: DiscordEnv) -> None:
    """Ask for a tune that the engine holds, and fails to make when it is released."""
    server.engine.hold = True
    server.engine.errors = [NoSuchTune("16 bars of nothing")]
    await server.alice.slash(server.channel, "compose", style="folk")


async def test_after_fifteen_minutes_a_new_message_mentions_the_user(
    slow_server: DiscordEnv,
) -> None:
    slow_server.engine.hold = True
    await slow_server.alice.slash(slow_server.channel, "compose", style="folk")
    (stale,) = slow_server.channel.history()
    await slow_server.env.advance_time(20 * 60)
    await slow_server.restart()
    (message,) = slow_server.channel.history()
    assert message.id != stale.id
    history = await slow_server.alice.slash(slow_server.channel, "history")
    assert history.response is not None
    assert f"/{message.id})" in str(history.response.embeds[0].description)
    assert message.content.startswith(slow_server.alice.mention)
    assert suffixes(message) == [".mp3", ".png", ".mid"]


async def test_a_late_failure_is_reported_in_a_direct_message(slow_server: DiscordEnv) -> None:
    await ask_for_no_tune(slow_server)
    await slow_server.env.advance_time(20 * 60)
    slow_server.engine.release()
    await slow_server.env.settle()
    assert slow_server.channel.history() == []
    direct = slow_server.alice.user.dm_channel.last_message
    assert direct is not None
    assert "could not be made" in direct.content
    assert "16 bars of nothing" in direct.content


async def test_a_token_that_discord_rejects_leads_to_a_new_message(
    server: DiscordEnv,
) -> None:
    server.engine.hold = True
    await server.alice.slash(server.channel, "compose", style="folk")
    server.env.inject_error("PATCH", "/webhooks/*", status=401, code=50027, times=None)
    server.engine.release()
    await server.env.settle()
    (message,) = server.channel.history()
    assert message.content.startswith(server.alice.mention)


async def test_a_deleted_message_is_not_posted_again(server: DiscordEnv) -> None:
    server.engine.hold = True
    await server.alice.slash(server.channel, "compose", style="folk")
    (message,) = server.channel.history()
    removed = server.bot.get_partial_messageable(server.channel.id).get_partial_message(message.id)
    await removed.delete()
    server.engine.release()
    await server.env.settle()
    assert server.channel.history() == []
    (record,) = await server.history(server.alice)
    assert record.answered_at


async def test_a_failed_delivery_is_retried(server: DiscordEnv) -> None:
    server.engine.hold = True
    await server.alice.slash(server.channel, "compose", style="folk")
    server.env.inject_error("PATCH", "/webhooks/*", status=500, times=1)
    server.engine.release()
    await server.env.settle()
    assert suffixes(last_message(server.channel)) == []
    await server.env.advance_time(40)
    assert suffixes(last_message(server.channel)) == [".mp3", ".png", ".mid"]
    assert len(server.engine.jobs) == 1


async def test_an_error_that_may_have_arrived_is_not_sent_a_second_time(
    server: DiscordEnv,
) -> None:
    server.engine.errors = [NoSuchTune("16 bars of nothing")]
    server.env.inject_error("POST", "/webhooks/*", status=500, times=1)
    await server.alice.slash(server.channel, "compose", style="folk")
    await server.env.advance_time(40)
    (message,) = server.channel.history()
    assert "could not be made" in message.content
    assert "16 bars of nothing" not in message.content, "the reason is for its user only"


async def test_an_error_that_may_have_arrived_is_not_sent_again_after_the_life_of_the_token(
    slow_server: DiscordEnv,
) -> None:
    server = slow_server
    await ask_for_no_tune(server)
    await server.env.advance_time(14.3 * 60)
    server.env.inject_error("POST", "/webhooks/*", status=500, times=1)
    server.engine.release()
    await server.env.settle()
    (record,) = await server.history(server.alice)
    assert (record.deliveries, record.answered_at) == (1, None)
    await server.env.advance_time(40)
    (record,) = await server.history(server.alice)
    assert record.answered_at
    (message,) = server.channel.history()
    assert "could not be made" in message.content
    assert server.alice.user.dm_channel.history() == []


async def test_a_late_error_is_not_sent_again_when_its_message_could_not_be_deleted(
    slow_server: DiscordEnv,
) -> None:
    server = slow_server
    await ask_for_no_tune(server)
    await server.env.advance_time(20 * 60)
    (message,) = server.channel.history()
    path = f"/channels/{server.channel.id}/messages/{message.id}"
    server.env.inject_error("DELETE", path, status=500, times=1)
    server.engine.release()
    await server.env.settle()
    await server.env.advance_time(40)
    (message,) = server.channel.history()
    assert "could not be made" in message.content
    assert len(server.alice.user.dm_channel.history()) == 1


async def test_where_the_bot_may_not_write_a_late_result_is_a_direct_message(
    slow_server: DiscordEnv,
) -> None:
    slow_server.engine.hold = True
    await slow_server.alice.slash(slow_server.channel, "compose", style="folk")
    await slow_server.env.advance_time(20 * 60)
    channel = f"/channels/{slow_server.channel.id}/messages"
    slow_server.env.inject_error("POST", channel, status=403, code=50013, times=None)
    slow_server.engine.release()
    await slow_server.env.settle()
    assert suffixes(last_message(slow_server.alice.user.dm_channel)) == [".mp3", ".png", ".mid"]


async def test_a_user_without_direct_messages_is_mentioned_in_the_channel(
    slow_server: DiscordEnv,
) -> None:
    await ask_for_no_tune(slow_server)
    await slow_server.env.advance_time(20 * 60)
    direct = f"/channels/{slow_server.alice.user.dm_channel.id}/messages"
    slow_server.env.inject_error("POST", direct, status=403, code=50007, times=None)
    slow_server.engine.release()
    await slow_server.env.settle()
    message = last_message(slow_server.channel)
    assert message.content.startswith(slow_server.alice.mention)
    assert "16 bars of nothing" in message.content


async def test_a_long_score_is_shown_with_its_first_three_pages(server: DiscordEnv) -> None:
    server.engine.pages = 5
    await server.alice.slash(server.channel, "compose", style="folk")
    (message,) = server.channel.history()
    assert [one.filename.partition(".")[2] for one in message.attachments] == [
        "mp3",
        "png",
        "2.png",
        "3.png",
        "mid",
    ]
    shown = [embed.image.url or "" for embed in message.embeds]
    assert [url.partition(".")[2] for url in shown] == ["png", "2.png", "3.png"]
    assert "the first 3 of 5 pages" in message.content


@pytest.mark.parametrize(("pages", "shown"), [(1, 1), (2, 2), (3, 3)])
async def test_a_score_of_up_to_three_pages_is_shown_whole(
    server: DiscordEnv, pages: int, shown: int
) -> None:
    server.engine.pages = pages
    await server.alice.slash(server.channel, "compose", style="folk")
    (message,) = server.channel.history()
    assert len(message.embeds) == shown
    assert "pages" not in message.content


async def restore_from_before_the_delivery(server: DiscordEnv, *, tries: int) -> None:
    """Deliver a result; then restart with the ledger of the moment before it was delivered."""
    server.engine.hold = True
    await server.alice.slash(server.channel, "compose", style="folk")
    assert server.bot._store is not None
    run = server.bot._store.database.run
    ((token,),) = await run("SELECT interaction_token FROM requests")
    server.engine.release()
    await server.env.settle()
    await run(
        """UPDATE requests SET state = 'running', worker = 'bot', answered_at = NULL,
               receipt = NULL, interaction_token = :token, tries = :tries""",
        token=token,
        tries=tries,
    )


@pytest.mark.parametrize("minutes", [0, 20])
@pytest.mark.parametrize("tries", [1, 99], ids=["it runs again", "it fails now"])
async def test_a_message_that_has_its_result_keeps_it_when_a_backup_is_restored(
    minutes: int, tries: int, server: DiscordEnv
) -> None:
    await restore_from_before_the_delivery(server, tries=tries)
    (before,) = server.channel.history()
    await server.env.advance_time(minutes * 60)
    await server.restart()
    (after,) = server.channel.history()
    assert after.id == before.id
    assert suffixes(after) == [".mp3", ".png", ".mid"]
    (record,) = await server.history(server.alice)
    assert record.answered_at


async def test_a_result_that_a_restored_backup_does_not_know_is_not_cancelled(
    server: DiscordEnv, monkeypatch: pytest.MonkeyPatch
) -> None:
    await restore_from_before_the_delivery(server, tries=1)
    monkeypatch.setattr(discord_env, "FakeEngine", lambda: FakeEngine(slots=0))
    await server.restart()
    await server.alice.click(last_message(server.channel), label="Cancel")
    (message,) = server.channel.history()
    assert suffixes(message) == [".mp3", ".png", ".mid"]
    assert "cancelled" not in message.content
    (record,) = await server.history(server.alice)
    assert record.state == "waiting", "its result comes again, with the words that belong to it"
