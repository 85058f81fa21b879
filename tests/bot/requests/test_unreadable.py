"""A request that this version cannot read harms no other, and its user learns of it."""

from __future__ import annotations

import json

import pytest

from bot.requests.record import RequestRecord
from tests.support.discord_env import DiscordEnv
from tests.support.queue_env import QueueEnv

DAMAGE = (
    """request = '{"type":"alien"}'""",
    "names = '[1]'",
    """attempts = '"never"'""",
    """stage_seconds = '7', receipt = '{"alien": 1}'""",
)


async def damage(queue: QueueEnv, record: RequestRecord, assignment: str, **values: object) -> None:
    await queue.store.database.run(
        f"UPDATE requests SET {assignment} WHERE id = :id",  # noqa: S608
        id=record.id,
        **values,
    )


@pytest.mark.parametrize("assignment", DAMAGE)
async def test_one_that_waits_fails_with_a_reason_and_the_next_one_runs(
    queue: QueueEnv, assignment: str
) -> None:
    broken, following = [await queue.add(user_id=user) for user in (1, 2)]
    await damage(queue, broken, assignment)
    async with queue.scheduling() as scheduler:
        scheduler.wake()
        await queue.delivered(following)
        await scheduler._outbox.resume()  # as the next heartbeat does
        await queue.delivered(broken)
    assert [error.code for error in queue.notifier.failures[broken.id]] == ["EngineFault"]
    assert len(queue.engine.jobs) == 1


@pytest.mark.parametrize("assignment", DAMAGE)
async def test_an_outcome_that_cannot_be_read_is_told_once_and_never_again(
    queue: QueueEnv, assignment: str
) -> None:
    record = await queue.add()
    async with queue.scheduling() as scheduler:
        scheduler.wake()
        await queue.delivered(record)
    await damage(queue, record, f"state = 'done', answered_at = NULL, {assignment}")
    async with queue.scheduling() as scheduler:
        await scheduler._outbox.resume()
        await queue.delivered(record)
        await scheduler._outbox.resume()
    assert [error.code for error in queue.notifier.failures[record.id]] == ["EngineFault"]


@pytest.mark.parametrize("assignment", DAMAGE)
async def test_a_delivered_one_breaks_neither_the_history_nor_the_export(
    server: DiscordEnv, assignment: str
) -> None:
    for style in ("folk", "jazz"):
        await server.alice.slash(server.channel, "compose", style=style)
    assert server.bot._store is not None
    await server.bot._store.database.run(f"UPDATE requests SET {assignment} WHERE id = 1")  # noqa: S608
    history = await server.alice.slash(server.channel, "history")
    assert history.response is not None
    text = str(history.response.embeds[0].description)
    assert "cannot read are left out: 1." in text
    assert "jazz" in text.casefold()
    export = await server.alice.slash(server.channel, "mydata export")
    message = export.response
    assert message is not None
    data = json.loads(await message.attachments[0].read())
    assert [len(data[name]) for name in ("requests", "unreadable")] == [1, 1]
    assert "interaction_token" not in data["unreadable"][0]
    assert "2 requests" in message.content
    assert "as they are stored: 1." in message.content
    await server.alice.slash(server.channel, "compose", style="folk")
    assert len(server.engine.jobs) == 3
