"""A file belongs to who sent it: others may use it by a button, and deletion leaves no trace."""

from __future__ import annotations

import json

from simcord import MemberActor

from tests.support.discord_env import DiscordEnv, last_message
from tests.support.uploads import send_rerhythm, write_reel

REEL = write_reel(tonic=61)
NAME = "A private tune of mine.mid"
TRACES = (b"A private tune of mine", b"The Test Reel", REEL[100:140])
"""The name of the file, its title, and some of its notes."""


def traces(server: DiscordEnv) -> set[tuple[str, bytes]]:
    """Which of the traces are in which files of the data folder."""
    found = set()
    for path in server.settings.data_dir.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            found |= {(path.name, trace) for trace in TRACES if trace in data}
    return found


async def exported(server: DiscordEnv, member: MemberActor) -> tuple[dict[str, object], int]:
    """The exported data of a member, and the number of files that came with it."""
    result = await member.slash(server.channel, "mydata export")
    assert result.response is not None
    data, *archives = result.response.attachments
    return json.loads(await data.read()), len(archives)


async def test_who_presses_a_button_uses_the_file_but_never_owns_it(server: DiscordEnv) -> None:
    await send_rerhythm(server, NAME, REEL)
    await server.bob.click(last_message(server.channel), label="Another one")
    assert len(server.engine.jobs) == 2, "the press was answered"
    data, archives = await exported(server, server.bob)
    assert (data["uploads"], archives) == ([], 0)
    _, archives = await exported(server, server.alice)
    assert archives == 1


async def test_a_deleted_file_leaves_no_trace_although_others_used_it(server: DiscordEnv) -> None:
    await send_rerhythm(server, NAME, REEL)
    message = last_message(server.channel)
    await server.bob.click(message, label="Another one")
    assert {trace for _, trace in traces(server)} == {*TRACES}
    await server.alice.slash(server.channel, "mydata delete")
    assert traces(server) == set()
    (record,) = await server.history(server.bob)
    assert (record.state, record.names) == ("done", {})


async def test_a_button_of_a_deleted_file_says_so(server: DiscordEnv) -> None:
    await send_rerhythm(server, NAME, REEL)
    await server.bob.click(last_message(server.channel), label="Another one")
    await server.alice.slash(server.channel, "mydata delete")
    result = await server.bob.click(last_message(server.channel), label="Another one")
    assert result.ephemeral
    assert result.response is not None
    assert "no longer stored" in result.response.content
    result = await server.bob.slash(server.channel, "history")
    assert result.response is not None
    assert "A private tune" not in str(result.response.embeds[0].description)


async def test_who_sent_the_same_file_keeps_it_and_its_name(server: DiscordEnv) -> None:
    await send_rerhythm(server, NAME, REEL)
    await server.bob.slash(server.channel, "rerhythm", file=("bobs.mid", REEL), rhythm="jazz")
    await server.alice.slash(server.channel, "mydata delete")
    (record,) = await server.history(server.bob)
    assert [*record.names.values()] == ["bobs.mid"]
    _, archives = await exported(server, server.bob)
    assert archives == 1
    await server.bob.click(last_message(server.channel), label="Another one")
    assert len(server.engine.jobs) == 3
