"""The message menu "Re-rhythm this tune": an ephemeral list of styles, then a public result."""

from __future__ import annotations

import discord
import pytest
from simcord import InteractionResult

from mst_core.reading.formats import ACCEPTED_FORMATS
from mst_core.requests import Side
from tests.support.discord_env import DiscordEnv, last_message, suffixes
from tests.support.fakes import transfer_request
from tests.support.uploads import MP3_BYTES, TRUNCATED_MIDI, write_reel

MENU = "Re-rhythm this tune"
REEL = write_reel()


async def post(server: DiscordEnv, *files: tuple[str, bytes]) -> discord.Message:
    """Post a message with files as bob."""
    return await server.bob.send(server.channel, "listen to this", attachments=files)


async def open_menu(server: DiscordEnv, *files: tuple[str, bytes]) -> InteractionResult:
    """Post a message with files as bob, and open its menu as alice."""
    return await server.alice.context_menu(server.channel, MENU, await post(server, *files))


async def test_a_posted_tune_gets_the_style_that_is_chosen_in_private(server: DiscordEnv) -> None:
    result = await open_menu(server, ("notes.txt", b"x"), ("reel.mid", REEL))
    assert result.ephemeral
    assert result.response is not None
    assert "reel.mid" in result.response.content
    assert len(server.channel.history(viewer=server.bob)) == 1
    choice = result.response
    await server.alice.select(choice, ["jazz"])
    message = last_message(server.channel)
    assert suffixes(message) == [".mp3", ".png", ".mid"]
    assert not message.flags.ephemeral
    (job,) = server.engine.jobs
    request = transfer_request(job)
    assert request.rhythm == Side(style="jazz")
    assert [record.user_id for record in await server.history(server.alice)] == [server.alice.id]


async def test_the_strength_is_set_before_the_style_is_chosen(server: DiscordEnv) -> None:
    result = await open_menu(server, ("reel.mid", REEL))
    assert result.response is not None
    await server.alice.click(result.response, label="50 %")
    await server.alice.select(result.response, ["folk"])
    (job,) = server.engine.jobs
    assert transfer_request(job).strengths["rhythm"] == 0.5


async def test_the_style_list_works_after_a_restart(server: DiscordEnv) -> None:
    result = await open_menu(server, ("reel.mid", REEL))
    await server.restart()
    assert result.response is not None
    await server.alice.select(result.response, ["folk"])
    assert suffixes(last_message(server.channel)) == [".mp3", ".png", ".mid"]


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ([], ACCEPTED_FORMATS),
        ([("notes.txt", b"some words")], "notes.txt does not have the ending of a score file"),
        ([("notes.txt", b"some words")], ACCEPTED_FORMATS),
        ([("reel.mid", MP3_BYTES)], "“reel.mid” is a recording (MP3)"),
        ([("reel.mid", TRUNCATED_MIDI)], "This file cannot be read"),
    ],
)
async def test_a_file_without_a_tune_is_reported_in_private(
    server: DiscordEnv, files: list[tuple[str, bytes]], words: str
) -> None:
    result = await open_menu(server, *files)
    assert result.ephemeral
    assert result.response is not None
    assert words in result.response.content
    assert len(server.channel.history(viewer=server.bob)) == 1
    assert server.engine.jobs == []


async def test_choosing_a_style_for_a_deleted_file_is_reported(server: DiscordEnv) -> None:
    choice = (await open_menu(server, ("reel.mid", REEL))).response
    assert choice is not None
    await server.alice.slash(server.channel, "mydata delete")
    result = await server.alice.select(choice, ["folk"])
    assert result.ephemeral
    assert result.response is not None
    assert "no longer stored" in result.response.content
    assert server.engine.jobs == []
