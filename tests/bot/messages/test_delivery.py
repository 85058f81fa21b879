"""An answer finds its asker, though the bot dies, the token runs out or Discord stumbles."""

from __future__ import annotations

from mst_core.errors import EngineLost, NoSuchTune
from tests.support.discord_env import DiscordEnv, last, suffixes


async def test_an_engine_that_dies_is_not_noticed(stage: DiscordEnv) -> None:
    stage.engine.errors = [EngineLost("killed")]
    await stage.alice.slash(stage.channel, "compose", style="folk")
    await stage.env.advance_time(5)
    (message,) = stage.channel.history()
    assert suffixes(message) == [".mp3", ".png", ".mid"]
    assert len(stage.engine.jobs) == 2


async def test_a_request_survives_the_death_of_the_bot_and_is_answered_in_its_message(
    stage: DiscordEnv,
) -> None:
    stage.engine.hold = True
    await stage.alice.slash(stage.channel, "compose", style="folk")
    (message,) = stage.channel.history()
    await stage.restart()
    (after,) = stage.channel.history()
    assert after.id == message.id
    assert suffixes(after) == [".mp3", ".png", ".mid"]


async def test_after_fifteen_minutes_a_new_message_names_the_asker(long_stage: DiscordEnv) -> None:
    long_stage.engine.hold = True
    await long_stage.alice.slash(long_stage.channel, "compose", style="folk")
    (stale,) = long_stage.channel.history()
    await long_stage.env.advance_time(20 * 60)
    await long_stage.restart()
    (message,) = long_stage.channel.history()
    assert message.id != stale.id
    assert message.content.startswith(long_stage.alice.mention)
    assert suffixes(message) == [".mp3", ".png", ".mid"]


async def test_a_late_failure_is_told_in_a_direct_message(long_stage: DiscordEnv) -> None:
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


async def test_a_dead_token_that_discord_notices_first_ends_in_a_new_message(
    stage: DiscordEnv,
) -> None:
    stage.engine.hold = True
    await stage.alice.slash(stage.channel, "compose", style="folk")
    stage.env.inject_error("PATCH", "/webhooks/*", status=401, code=50027, times=None)
    stage.engine.release()
    await stage.env.settle()
    (message,) = stage.channel.history()
    assert message.content.startswith(stage.alice.mention)


async def test_a_removed_message_is_not_posted_again(stage: DiscordEnv) -> None:
    stage.engine.hold = True
    await stage.alice.slash(stage.channel, "compose", style="folk")
    (message,) = stage.channel.history()
    removed = stage.bot.get_partial_messageable(stage.channel.id).get_partial_message(message.id)
    await removed.delete()
    stage.engine.release()
    await stage.env.settle()
    assert stage.channel.history() == []
    (entry,) = await stage.history(stage.alice)
    assert entry.answered_at


async def test_discord_hiccups_and_the_answer_comes_later(stage: DiscordEnv) -> None:
    stage.engine.hold = True
    await stage.alice.slash(stage.channel, "compose", style="folk")
    stage.env.inject_error("PATCH", "/webhooks/*", status=500, times=1)
    stage.engine.release()
    await stage.env.settle()
    assert suffixes(last(stage.channel)) == []
    await stage.env.advance_time(40)
    assert suffixes(last(stage.channel)) == [".mp3", ".png", ".mid"]
    assert len(stage.engine.jobs) == 1


async def test_where_the_bot_may_not_write_a_late_answer_comes_directly(
    long_stage: DiscordEnv,
) -> None:
    long_stage.engine.hold = True
    await long_stage.alice.slash(long_stage.channel, "compose", style="folk")
    await long_stage.env.advance_time(20 * 60)
    channel = f"/channels/{long_stage.channel.id}/messages"
    long_stage.env.inject_error("POST", channel, status=403, code=50013, times=None)
    long_stage.engine.release()
    await long_stage.env.settle()
    assert suffixes(last(long_stage.alice.user.dm_channel)) == [".mp3", ".png", ".mid"]


async def test_who_takes_no_direct_messages_is_named_in_the_channel(long_stage: DiscordEnv) -> None:
    long_stage.engine.hold = True
    long_stage.engine.errors = [NoSuchTune("16 bars of nothing")]
    await long_stage.alice.slash(long_stage.channel, "compose", style="folk")
    await long_stage.env.advance_time(20 * 60)
    direct = f"/channels/{long_stage.alice.user.dm_channel.id}/messages"
    long_stage.env.inject_error("POST", direct, status=403, code=50007, times=None)
    long_stage.engine.release()
    await long_stage.env.settle()
    message = last(long_stage.channel)
    assert message.content.startswith(long_stage.alice.mention)
    assert "16 bars of nothing" in message.content
