"""``/styles``, ``/history``, ``/help`` and ``/mydata`` reply ephemerally."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import discord
from discord.app_commands import ContextMenu
from simcord import Env

from bot import create_bot
from tests.support.discord_env import DiscordEnv, last_message
from tests.support.fakes import FakeEngine, compose_request, make_settings


async def test_styles_lists_each_style_with_its_meters(server: DiscordEnv) -> None:
    result = await server.alice.slash(server.channel, "styles")
    assert result.ephemeral
    assert result.response is not None
    (embed,) = result.response.embeds
    assert [field.name for field in embed.fields] == ["Folk", "Jazz"]
    assert "4/4 (reel), 6/8" in str(embed.fields[0].value)


async def test_history_shows_the_users_requests_with_seeds_and_links(server: DiscordEnv) -> None:
    await server.alice.slash(server.channel, "compose", style="folk", seed=3)
    await server.bob.slash(server.channel, "compose", style="jazz", seed=4)
    result = await server.alice.slash(server.channel, "history")
    assert result.ephemeral
    assert result.response is not None
    text = str(result.response.embeds[0].description)
    assert "A new folk tune" in text
    assert "seed `3`" in text
    assert "done" in text
    assert f"/{server.channel.id}/" in text
    assert "Jazz" not in text


async def test_an_empty_history_suggests_a_command(server: DiscordEnv) -> None:
    result = await server.alice.slash(server.channel, "history")
    assert result.response is not None
    assert "Try `/compose`" in str(result.response.embeds[0].description)


async def test_help_names_every_command(server: DiscordEnv) -> None:
    result = await server.alice.slash(server.channel, "help")
    assert result.ephemeral
    assert result.response is not None
    text = str(result.response.embeds[0].description)
    for command in server.bot.tree.get_commands():
        said = command.name if isinstance(command, ContextMenu) else f"/{command.name}"
        assert command.name == "help" or said in text


async def test_help_works_while_the_engine_starts(tmp_path: Path) -> None:
    class Sleepy(FakeEngine):
        async def start(self) -> None:
            await env.external_wait(asyncio.Event().wait(), reason="it never wakes")

    bot = create_bot(Sleepy(), make_settings(tmp_path))
    env = Env(bot)
    await env.start()
    try:
        guild = env.create_guild("A server")
        channel = guild.create_text_channel("music")
        alice = guild.add_member(env.create_user("alice"))
        assert (await alice.slash(channel, "help")).response is not None
        await alice.slash(channel, "compose", style="folk")
        assert "engine is starting" in last_message(channel).content
    finally:
        await bot.close()
        await env.shutdown()


async def test_a_users_data_can_be_exported_as_a_file(server: DiscordEnv) -> None:
    await server.alice.slash(server.channel, "compose", style="folk", seed=3)
    await server.bob.slash(server.channel, "compose", style="jazz")
    result = await server.alice.slash(server.channel, "mydata export")
    assert result.ephemeral
    assert result.response is not None
    (file,) = result.response.attachments
    (kept,) = json.loads(await file.read())["requests"]
    assert (kept["user_id"], kept["request"]["seed"]) == (server.alice.id, 3)
    assert "interaction_token" not in kept


async def test_a_users_data_can_be_deleted_with_the_files(server: DiscordEnv) -> None:
    server.env.inject_error("PATCH", "/webhooks/*", status=503, times=2)
    await server.alice.slash(server.channel, "compose", style="folk")
    results = server.settings.data_dir / "results"
    assert len(list(results.iterdir())) == 1, "kept, since Discord did not take it yet"
    result = await server.alice.slash(server.channel, "mydata delete")
    assert result.response is not None
    assert "Deleted: 1 requests" in result.response.content
    assert list(results.iterdir()) == []
    assert await server.history(server.alice) == []


async def test_styles_are_choices_and_meters_and_keys_are_completed(server: DiscordEnv) -> None:
    async def offered(command: str, option: str, typed: str, **filled: str) -> list[str]:
        choices = await server.alice.autocomplete(server.channel, command, option, typed, **filled)
        return [choice["value"] for choice in choices]

    compose = server.bot.tree.get_command("compose")
    assert isinstance(compose, discord.app_commands.Command)
    style = compose.get_parameter("style")
    assert style is not None
    assert [choice.value for choice in style.choices] == ["folk", "jazz"]
    assert await offered("compose", "meter", "", style="folk") == ["4/4", "6/8"]
    assert await offered("transfer", "meter", "3", pitch="folk", rhythm="jazz") == ["3/4"]
    assert await offered("transfer", "meter", "", pitch="folk") == ["4/4", "6/8", "3/4"]
    assert await offered("compose", "key", "a d", style="folk") == ["A dorian"]


async def test_a_new_style_folder_is_a_choice_after_a_restart(server: DiscordEnv) -> None:
    models = server.settings.models_dir
    (models / "polka").mkdir()
    card = (models / "folk" / "style.toml").read_text(encoding="utf-8")
    (models / "polka" / "style.toml").write_text(card.replace("Folk", "Polka"), encoding="utf-8")
    await server.restart()
    await server.alice.slash(server.channel, "compose", style="polka")
    assert [compose_request(job).pitch for job in server.engine.jobs] == ["polka"]
