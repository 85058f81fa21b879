"""A result reaches its user after a crash, an expired token or an error of Discord."""

from __future__ import annotations

from mst_core.errors import EngineLost, NoSuchTune
from tests.support.discord_env import DiscordEnv, last_message, suffixes


async def test_a_user_does_not_notice_an_engine_that_dies(stage: DiscordEnv) -> None:
    stage.engine.errors = [EngineLost("killed")]
    await stage.alice.slash(stage.channel, "compose", style="folk")
    await stage.env.advance_time(5)
    (message,) = stage.channel.history()
    assert suffixes(message) == [".mp3", ".png", ".mid"]
    assert len(stage.engine.jobs) == 2


async def test_a_request_survives_a_crash_of_the_bot_and_is_answered_in_its_message(
    stage: DiscordEnv,
) -> None:
    stage.engine.hold = True
    await stage.alice.slash(stage.channel, "compose", style="folk")
    (message,) = stage.channel.history()
    await stage.restart()
    (after,) = stage.channel.history()
    assert after.id == message.id
    assert suffixes(after) == [".mp3", ".png", ".mid"]


async def test_after_fifteen_minutes_a_new_message_mentions_the_user(
    long_stage: DiscordEnv,
) -> None:
    long_stage.engine.hold = True
    await long_stage.alice.slash(long_stage.channel, "compose", style="folk")
    (stale,) = long_stage.channel.history()
    await long_stage.env.advance_time(20 * 60)
    await long_stage.restart()
    (message,) = long_stage.channel.history()
    assert message.id != stale.id
    assert message.content.startswith(long_stage.alice.mention)
    assert suffixes(message) == [".mp3", ".png", ".mid"]


async def test_a_late_failure_is_reported_in_a_direct_message(long_stage: DiscordEnv) -> None:
    long_stage.engine.hold = True
    long_stage.engine.errors = [NoSuchTune("16 bars of nothing")]
    await long_stage.alice.slash(long_stage.channel, "compose", style="folk")
    await long_stage.env.advance_time(20 * 60)
    long_stage.engine.release()
    await long_stage.env.settle()
    assert long_stage.channel.history() == []
    direct = long_stage.alice.user.dm_channel.last_message
    assert direct is not None
    assert "could not be made" in direct.content
    assert "16 bars of nothing" in direct.content


async def test_a_token_that_discord_rejects_leads_to_a_new_message(
    stage: DiscordEnv,
) -> None:
    stage.engine.hold = True
    await stage.alice.slash(stage.channel, "compose", style="folk")
    stage.env.inject_error("PATCH", "/webhooks/*", status=401, code=50027, times=None)
    stage.engine.release()
    await stage.env.settle()
    (message,) = stage.channel.history()
    assert message.content.startswith(stage.alice.mention)


async def test_a_deleted_message_is_not_posted_again(stage: DiscordEnv) -> None:
    stage.engine.hold = True
    await stage.alice.slash(stage.channel, "compose", style="folk")
    (message,) = stage.channel.history()
    removed = stage.bot.get_partial_messageable(stage.channel.id).get_partial_message(message.id)
    await removed.delete()
    stage.engine.release()
    await stage.env.settle()
    assert stage.channel.history() == []
    (record,) = await stage.history(stage.alice)
    assert record.answered_at


async def test_a_failed_delivery_is_retried(stage: DiscordEnv) -> None:
    stage.engine.hold = True
    await stage.alice.slash(stage.channel, "compose", style="folk")
    stage.env.inject_error("PATCH", "/webhooks/*", status=500, times=1)
    stage.engine.release()
    await stage.env.settle()
    assert suffixes(last_message(stage.channel)) == []
    await stage.env.advance_time(40)
    assert suffixes(last_message(stage.channel)) == [".mp3", ".png", ".mid"]
    assert len(stage.engine.jobs) == 1


async def test_where_the_bot_may_not_write_a_late_result_is_a_direct_message(
    long_stage: DiscordEnv,
) -> None:
    long_stage.engine.hold = True
    await long_stage.alice.slash(long_stage.channel, "compose", style="folk")
    await long_stage.env.advance_time(20 * 60)
    channel = f"/channels/{long_stage.channel.id}/messages"
    long_stage.env.inject_error("POST", channel, status=403, code=50013, times=None)
    long_stage.engine.release()
    await long_stage.env.settle()
    assert suffixes(last_message(long_stage.alice.user.dm_channel)) == [".mp3", ".png", ".mid"]


async def test_a_user_without_direct_messages_is_mentioned_in_the_channel(
    long_stage: DiscordEnv,
) -> None:
    long_stage.engine.hold = True
    long_stage.engine.errors = [NoSuchTune("16 bars of nothing")]
    await long_stage.alice.slash(long_stage.channel, "compose", style="folk")
    await long_stage.env.advance_time(20 * 60)
    direct = f"/channels/{long_stage.alice.user.dm_channel.id}/messages"
    long_stage.env.inject_error("POST", direct, status=403, code=50007, times=None)
    long_stage.engine.release()
    await long_stage.env.settle()
    message = last_message(long_stage.channel)
    assert message.content.startswith(long_stage.alice.mention)
    assert "16 bars of nothing" in message.content
