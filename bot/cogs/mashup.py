"""``/mashup``: the pitches of one attached tune with the rhythm of another.

A module of its own, as every command.
"""

from __future__ import annotations

from typing import Any

from discord import Attachment, Interaction
from discord.app_commands import Command

from bot.cogs.options import Track, Tune, build_command
from bot.requests.intake import RequestIntake
from bot.texts import Texts
from mst_core.requests import Mashup


def mashup_command(intake: RequestIntake, texts: Texts) -> Command[Any, ..., Any]:
    """Build ``/mashup``.

    Args:
        intake: Receives the request and its two files.
        texts: The descriptions of the command and its options.
    """

    async def mashup(
        interaction: Interaction[Any],
        a: Attachment,
        b: Attachment,
        track: Track | None = None,
        tune: Tune | None = None,
    ) -> None:
        draft = Mashup(source="source", like="like", track=track, tune=tune)
        await intake.submit_with_files(interaction, draft, {"source": a, "like": b})

    return build_command(
        "mashup", mashup, texts, ("a", "b", "track", "tune"), {"a": "mashup_a", "b": "mashup_b"}
    )
