"""``/rerhythm``: an attached tune gets a new rhythm; errors are ephemeral."""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path
from typing import Any

import discord
import pytest

from bot.requests import intake
from mst_core.reading.sandbox import parse
from mst_core.requests import Side
from tests.support.discord_env import DiscordEnv, discord_env, fields, last_message, suffixes
from tests.support.fakes import transfer_request
from tests.support.uploads import MP3_BYTES, TRUNCATED_MIDI, send_rerhythm, write_reel

REEL = write_reel()
PARTS = [".mp3", ".png", ".mid"]


async def test_a_midi_file_gives_a_result_with_its_measurements(server: DiscordEnv) -> None:
    await send_rerhythm(server, "My reel.mid", REEL, strength=50, seed=4)
    (message,) = server.channel.history()
    assert suffixes(message) == PARTS
    assert message.attachments[2].filename == "My-reel-jazz.0.50.mid"
    assert "My reel.mid in jazz rhythm" in message.content
    (embed,) = message.embeds
    assert embed.title == "The Test Reel"
    shown = fields(message)
    assert (shown["Rhythm"], shown["Strength"]) == ("Jazz", "50 %")
    assert (shown["Changed"], shown["Seed"]) == ("37 % of the notes", "`4`")
    assert "Melody" not in shown
    assert "Form" not in shown
    (job,) = server.engine.jobs
    request = transfer_request(job)
    assert (request.rhythm, request.seed) == (Side(style="jazz", strength=0.5), 4)
    assert len(job.scores[request.source].melody.notes) == 63


async def test_the_target_may_be_another_tune(server: DiscordEnv) -> None:
    other = write_reel(bars=4, tonic=67)
    await send_rerhythm(server, "reel.mid", REEL, rhythm=None, like=("other tune.mid", other))
    message = last_message(server.channel)
    assert suffixes(message) == PARTS
    assert fields(message)["Rhythm"] == "like other tune.mid"
    assert "in the rhythm of other tune.mid" in message.content
    (job,) = server.engine.jobs
    request = transfer_request(job)
    assert request.rhythm is not None
    assert request.rhythm.style is None
    like = request.rhythm.like or ""
    assert set(job.scores) == {request.source, like}
    assert job.scores[like].melody.bar_count == 4


@pytest.mark.parametrize(
    ("name", "data", "options", "words"),
    [
        ("reel.wav", REEL, {}, "“reel.wav” is a recording (WAV)"),
        ("reel.mid", b"", {}, "reel.mid is empty"),
        ("reel.mid", bytes(300_000), {}, "That is too long: 0.3 MB. At most 0.1 MB"),
        ("reel.mid", MP3_BYTES, {}, "“reel.mid” is a recording (MP3)"),
        ("reel.mid", REEL, {"rhythm": None}, "Choose what to change: a style with `rhythm`"),
        ("reel.mid", REEL, {"like": ("a.mid", REEL)}, "Choose one of the two: a style"),
        ("reel.mid", REEL, {"meter": "fast"}, "write it as 4/4, 6/8 or 3/4"),
        ("reel.mid", REEL, {"rhythm": None, "like": ("a.png", REEL)}, "“a.png” is a picture (PNG)"),
    ],
)
async def test_wrong_options_and_file_types_are_rejected_before_anything_is_public(
    tmp_path: Path, name: str, data: bytes, options: dict[str, Any], words: str
) -> None:
    async with discord_env(tmp_path, MST_UPLOAD_BYTES="100000") as server:
        result = await send_rerhythm(server, name, data, **options)
        assert result.ephemeral
        assert not result.deferred, "it was never public"
        assert result.response is not None
        assert words in result.response.content
        assert server.channel.history(viewer=server.bob) == []
        assert await server.history(server.alice) == []
        assert not list((server.settings.data_dir / "uploads").glob("*"))


async def test_a_broken_file_is_reported_in_private_and_the_next_one_is_served(
    server: DiscordEnv,
) -> None:
    result = await send_rerhythm(server, "broken.mid", TRUNCATED_MIDI)
    assert result.response is None, "the public message is gone"
    (followup,) = result.followups
    assert followup.ephemeral
    assert "This file cannot be read" in followup.content
    assert server.channel.history(viewer=server.bob) == []
    assert server.engine.jobs == []
    await send_rerhythm(server, "reel.mid", REEL)
    assert suffixes(last_message(server.channel)) == PARTS


async def test_a_missing_track_is_reported_in_private(server: DiscordEnv) -> None:
    result = await send_rerhythm(server, "reel.mid", REEL, track=9)
    (followup,) = result.followups
    assert followup.ephemeral
    assert "`track` cannot be “9”" in followup.content
    assert server.channel.history(viewer=server.bob) == []


async def test_a_parser_crash_is_reported_in_private(
    server: DiscordEnv, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Too little memory for the parser to start: its process dies.
    starved = partial(parse, memory_mib=12)
    held = server.bot._scheduler
    assert held is not None
    monkeypatch.setattr(held._uploads, "_parse", starved)
    result = await send_rerhythm(server, "reel.mid", REEL)
    (followup,) = result.followups
    assert followup.ephemeral
    assert "This file could not be read" in followup.content
    assert server.channel.history(viewer=server.bob) == []
    monkeypatch.setattr(held._uploads, "_parse", parse)
    await send_rerhythm(server, "reel.mid", REEL)
    assert suffixes(last_message(server.channel)) == PARTS


async def test_a_slow_download_is_acknowledged_in_time(
    server: DiscordEnv, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "DEFER_AFTER_S", 0.0)
    come = asyncio.Event()
    read = discord.Attachment.read

    async def slowly(self: discord.Attachment, **options: Any) -> bytes:
        await server.env.external_wait(come.wait(), reason="the file is on its way")
        return await read(self, **options)

    monkeypatch.setattr(discord.Attachment, "read", slowly)
    result = await send_rerhythm(server, "reel.mid", MP3_BYTES)
    assert result.deferred
    assert not result.ephemeral
    come.set()
    await server.env.settle()
    assert server.channel.history(viewer=server.bob) == []
    (followup,) = result.followups
    assert followup.ephemeral
    assert "is a recording (MP3)" in followup.content


async def test_a_failed_download_is_reported_in_private(
    server: DiscordEnv, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def lost(self: discord.Attachment, **_: Any) -> bytes:
        raise OSError("no route")

    monkeypatch.setattr(discord.Attachment, "read", lost)
    result = await send_rerhythm(server, "reel.mid", REEL)
    assert result.ephemeral
    assert result.response is not None
    assert "reel.mid could not be downloaded from Discord" in result.response.content


async def test_a_restart_between_the_upload_and_the_result_loses_nothing(
    server: DiscordEnv,
) -> None:
    server.engine.hold = True
    await send_rerhythm(server, "reel.mid", REEL)
    (message,) = server.channel.history()
    await server.restart()
    (after,) = server.channel.history()
    assert after.id == message.id
    assert suffixes(after) == PARTS
    (job,) = server.engine.jobs
    assert transfer_request(job).source in job.scores


async def test_a_restart_during_parsing_parses_the_file_again(
    server: DiscordEnv, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(*_: object, **__: object) -> Any:
        await server.env.external_wait(asyncio.Event().wait(), reason="the parser is at it")

    held = server.bot._scheduler
    assert held is not None
    monkeypatch.setattr(held._uploads, "_parse", never)
    await send_rerhythm(server, "reel.mid", REEL)
    assert "reading the file" in last_message(server.channel).content
    await server.restart()
    assert suffixes(last_message(server.channel)) == PARTS


async def test_strength_buttons_keep_the_seed_and_work_after_a_restart(server: DiscordEnv) -> None:
    await send_rerhythm(server, "reel.mid", REEL, seed=5)
    await server.restart()
    old = last_message(server.channel)
    await server.bob.click(old, label="25 %")
    await server.bob.click(last_message(server.channel), label="Another one")
    turned, rerolled = (transfer_request(job) for job in server.engine.jobs)
    assert (turned.strengths["rhythm"], turned.seed) == (0.25, 5)
    assert rerolled.strengths["rhythm"] == 0.25
    assert rerolled.seed != 5
    assert rerolled.source == turned.source
    assert [suffixes(message) for message in server.channel.history()] == [PARTS] * 3


async def test_the_button_of_the_current_strength_is_disabled(server: DiscordEnv) -> None:
    await send_rerhythm(server, "reel.mid", REEL, strength=75)
    buttons = {
        child.label: child.disabled
        for row in last_message(server.channel).components
        if isinstance(row, discord.ActionRow)
        for child in row.children
        if isinstance(child, discord.Button)
    }
    assert buttons == {
        "Another one": False,
        "Before and after": False,
        "Remove": False,
        "25 %": False,
        "50 %": False,
        "75 %": True,
        "100 %": False,
        "Variant 1": True,
        "Variant 2": False,
        "Variant 3": False,
        "Variant 4": False,
    }


async def test_the_history_names_the_file(server: DiscordEnv) -> None:
    await send_rerhythm(server, "reel.mid", REEL, strength=50, seed=3)
    result = await server.alice.slash(server.channel, "history")
    assert result.response is not None
    text = str(result.response.embeds[0].description)
    assert "reel.mid in jazz rhythm**, 50 %, seed `3`" in text


async def test_text_of_other_users_is_not_formatted(server: DiscordEnv) -> None:
    await send_rerhythm(server, "**bold** [x](y).mid", REEL)
    message = last_message(server.channel)
    assert message.content.startswith(r"🎵 **\*\*bold\*\* \[x](y).mid in jazz")
    assert message.attachments[2].filename == "bold-x-y-jazz.1.00.mid"


async def test_the_limit_and_the_cooldown_apply_to_uploads_too(tmp_path: Path) -> None:
    async with discord_env(tmp_path, MST_COOLDOWN_S="60") as server:
        server.engine.hold = True
        await server.alice.slash(server.channel, "compose", style="folk")
        result = await send_rerhythm(server, "reel.mid", REEL)
        assert result.ephemeral
        assert result.response is not None
        assert "wait 60 s" in result.response.content
        assert not list((server.settings.data_dir / "uploads").glob("*"))
