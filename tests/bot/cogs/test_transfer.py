"""``/transfer file:`` and ``/mashup``: requests, results and buttons."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import discord
import pytest

from mst_core.errors import NoSound
from mst_core.requests import Side, Transfer
from tests.support.discord_env import DiscordEnv, discord_env, fields, last_message, suffixes
from tests.support.fakes import make_new_request, mashup_request, transfer_request
from tests.support.queue_env import QueueEnv
from tests.support.uploads import send_rerhythm, write_reel

REEL = write_reel()
OTHER = write_reel(bars=4, tonic=67)
PARTS = [".mp3", ".png", ".mid"]


async def transfer(server: DiscordEnv, **options: Any) -> Any:
    return await server.alice.slash(server.channel, "transfer", **options)


async def test_a_file_is_changed_towards_a_melodic_style_and_a_rhythm(server: DiscordEnv) -> None:
    await transfer(
        server, file=("reel.mid", REEL), pitch="jazz", rhythm="folk", strength=50, seed=4
    )
    (job,) = server.engine.jobs
    request = transfer_request(job)
    assert request.pitch == Side(style="jazz", strength=0.5)
    assert (request.rhythm, request.seed) == (Side(style="folk", strength=0.5), 4)
    message = last_message(server.channel)
    assert suffixes(message) == PARTS
    assert message.attachments[0].filename == "reel-jazz-folk.0.50.mp3"
    assert "reel.mid with a jazz melody in folk rhythm" in message.content
    assert fields(message) == {
        "Melody": "Jazz",
        "Rhythm": "Folk",
        "Strength": "50 %",
        "Changed": "37 % of the notes",
        "New pitches": "20 % of the notes",
        "Repeats": "12 of 12 repeated bars kept",
        "Similarity": "more like the target than 41 of 50 other tunes",
        "Longest shared run": "7 notes (95 % of unrelated tunes: up to 9)",
        "Key": "D major",
        "Meter": "4/4",
        "Tempo": "♩ = 180",
        "Bars": "8",
        "Seed": "`4`",
    }


async def test_one_side_alone_may_change_towards_another_tune(server: DiscordEnv) -> None:
    await transfer(
        server, file=("reel.mid", REEL), pitch_like=("other.mid", OTHER), pitch_strength=25
    )
    (job,) = server.engine.jobs
    request = transfer_request(job)
    assert request.rhythm is None
    assert request.pitch is not None
    assert request.pitch.style is None
    assert job.scores[request.pitch.like or ""].melody.bar_count == 4
    message = last_message(server.channel)
    assert "reel.mid with a melody like other.mid" in message.content
    shown = fields(message)
    assert (shown["Melody"], shown["Strength"]) == ("like other.mid", "25 %")
    assert "Rhythm" not in shown
    assert "Changed" not in shown


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"pitch": "folk"}, "fill in `rhythm` too"),
        ({"rhythm": "folk"}, "fill in `pitch` too"),
        (
            {"pitch": "folk", "rhythm": "jazz", "strength": 50},
            "`strength` applies only to",
        ),
        (
            {"pitch": "folk", "rhythm": "jazz", "keep_bars": "1"},
            "`keep_bars` applies only to",
        ),
        ({"pitch": "folk", "file": ("a.mid", REEL), "bars": 8}, "`bars` applies only to new tunes"),
        ({"file": ("a.mid", REEL)}, "Choose what to change"),
        (
            {"file": ("a.mid", REEL), "pitch": "folk", "pitch_like": ("b.mid", OTHER)},
            "a style with `pitch`, or a tune with `pitch_like`",
        ),
        ({"file": ("a.mid", REEL), "pitch_like": ("b.png", OTHER)}, "“b.png” is a picture"),
    ],
)
async def test_contradictory_options_are_rejected_before_anything_is_public(
    server: DiscordEnv, options: dict[str, Any], words: str
) -> None:
    result = await transfer(server, **options)
    assert result.ephemeral
    assert not result.deferred
    assert result.response is not None
    assert words in result.response.content
    assert await server.history(server.alice) == []


async def test_two_files_make_a_mashup_that_can_be_swapped(server: DiscordEnv) -> None:
    await server.alice.slash(
        server.channel, "mashup", a=("reel.mid", REEL), b=("*other*.mid", OTHER), track=1
    )
    message = last_message(server.channel)
    assert suffixes(message) == PARTS
    assert message.attachments[2].filename == "reel-x-other.mid"
    assert r"The pitches of reel.mid with the rhythm of \*other\*.mid" in message.content
    shown = fields(message)
    assert (shown["Melody"], shown["Rhythm"]) == ("like reel.mid", r"like \*other\*.mid")
    assert "Seed" not in shown
    await server.restart()
    await server.bob.click(last_message(server.channel), label="Swap the tunes")
    (job,) = server.engine.jobs
    request = mashup_request(job)
    assert request.track is None
    bars = [job.scores[sha].melody.bar_count for sha in (request.source, request.like)]
    assert bars == [4, 8]
    result = await server.alice.slash(server.channel, "history")
    assert result.response is not None
    assert "The pitches of reel.mid with" in str(result.response.embeds[0].description)


async def test_variants_have_consecutive_seeds_whichever_result_they_are_requested_from(
    server: DiscordEnv,
) -> None:
    await send_rerhythm(server, "reel.mid", REEL, seed=7)
    await server.restart()
    await server.bob.click(last_message(server.channel), label="Variant 3")
    third = last_message(server.channel)
    await server.bob.click(third, label="50 %")
    await server.alice.click(last_message(server.channel), label="Variant 2")
    seeds = [
        (transfer_request(job).seed, transfer_request(job).strengths["rhythm"])
        for job in server.engine.jobs
    ]
    assert seeds == [(9, 1.0), (9, 0.5), (8, 0.5)]
    assert disabled_labels(last_message(server.channel)) == {"50 %", "Variant 2"}
    assert len(server.channel.history()) == 4


async def test_strength_buttons_set_the_strength_of_both_sides(server: DiscordEnv) -> None:
    options = {"pitch": "jazz", "rhythm": "folk", "strength": 50, "pitch_strength": 100}
    await transfer(server, file=("reel.mid", REEL), **options)
    message = last_message(server.channel)
    assert fields(message)["Strength"] == "melody 100 %, rhythm 50 %"
    assert message.attachments[0].filename == "reel-jazz-folk.0.50.p1.00.mp3"
    assert disabled_labels(message) == {"Variant 1"}
    await server.alice.click(message, label="75 %")
    request = transfer_request(server.engine.jobs[-1])
    assert request.strengths == {"pitch": 0.75, "rhythm": 0.75}


async def test_before_and_after_is_shown_in_private(server: DiscordEnv) -> None:
    await send_rerhythm(server, "reel.mid", REEL, seed=4)
    await server.give_file(server.bob, REEL)
    await server.restart()
    result = await server.bob.click(last_message(server.channel), label="Before and after")
    assert result.ephemeral
    assert result.response is not None
    names = [attachment.filename for attachment in result.response.attachments]
    assert names == ["reel-jazz.1.00.compared.mp3", "reel-jazz.1.00.compared.png"]
    assert "eight bars of yours" in result.response.content
    assert "reel.mid in jazz rhythm**: your tune above" in result.response.content
    (job,) = server.engine.jobs
    assert (job.formats, transfer_request(job).seed) == (("mp3", "png"), 4)
    assert job.show_original
    assert job.play_original
    assert len(server.channel.history(viewer=server.alice)) == 1
    (look,) = await server.history(server.bob)
    assert (look.private, look.state, [*look.names.values()]) == (True, "done", ["reel.mid"])
    history = await server.bob.slash(server.channel, "history")
    assert history.response is not None
    assert "no requests yet" in str(history.response.embeds[0].description)


async def test_a_failed_comparison_is_reported_in_private(server: DiscordEnv) -> None:
    await send_rerhythm(server, "reel.mid", REEL)
    message = last_message(server.channel)
    server.engine.errors = [NoSound("0.0")]
    result = await server.alice.click(message, label="Before and after")
    assert result.ephemeral
    assert result.response is not None
    assert "its audio is silent" in result.response.content
    await server.alice.slash(server.channel, "mydata delete")
    result = await server.alice.click(message, label="Before and after")
    assert result.ephemeral
    assert result.response is not None
    assert "no longer stored" in result.response.content


async def test_a_result_can_be_removed_by_its_user_even_after_their_data_is_deleted(
    tmp_path: Path,
) -> None:
    async with discord_env(tmp_path) as server:
        await server.alice.slash(server.channel, "compose", style="folk")
        message = last_message(server.channel)
        await server.alice.slash(server.channel, "mydata delete")
        rejected = await server.bob.click(message, label="Remove")
        assert rejected.response is not None
        assert "Only the person who requested" in rejected.response.content
        await server.alice.click(message, label="Remove")
        assert server.channel.history() == []


async def test_requests_stored_by_an_older_version_are_read_correctly(queue: QueueEnv) -> None:
    record = await queue.store.add(make_new_request())
    old = '{"type":"rerhythm","source":"ab","seed":3,"rhythm":"folk","strength":0.5,"track":2}'
    await queue.store.database.run(
        "UPDATE requests SET request = :old WHERE id = :id", old=old, id=record.id
    )
    found = await queue.store.find(record.id)
    assert found is not None
    assert found.request == Transfer(
        source="ab", seed=3, rhythm=Side(style="folk", strength=0.5), track=2
    )
    assert found.first_seed is None


def disabled_labels(message: discord.Message) -> set[str | None]:
    """The labels of the disabled buttons: those of the present strength and variant."""
    return {
        child.label
        for row in message.components
        if isinstance(row, discord.ActionRow)
        for child in row.children
        if isinstance(child, discord.Button) and child.disabled
    }
