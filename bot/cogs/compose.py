"""``/compose``: a new tune in one style. A module of its own, as every command."""

from __future__ import annotations

from typing import Any

from discord import Interaction
from discord.app_commands import Command

from bot.cogs.options import (
    DEFAULT_BARS,
    Bars,
    Seed,
    ShortText,
    StyleOptions,
    Tempo,
    build_command,
)
from bot.requests.intake import RequestIntake
from bot.texts import Texts
from mst_core.requests import Compose, draw_seed

OPTIONS = ("style", "bars", "meter", "key", "tempo", "seed")


def compose_command(
    intake: RequestIntake, styles: StyleOptions, texts: Texts
) -> Command[Any, ..., Any]:
    """Build ``/compose`` with the available styles as choices.

    Args:
        intake: Receives the request.
        styles: The choices of styles, and the autocompletion of meters and keys.
        texts: The descriptions of the command and its options.
    """

    async def compose(
        interaction: Interaction[Any],
        style: str,
        bars: Bars = DEFAULT_BARS,
        meter: ShortText | None = None,
        key: ShortText | None = None,
        tempo: Tempo | None = None,
        seed: Seed | None = None,
    ) -> None:
        seed = draw_seed() if seed is None else seed
        request = Compose(
            pitch=style, rhythm=style, seed=seed, bars=bars, meter=meter, key=key, tempo=tempo
        )
        await intake.submit(interaction, request)

    callback = styles.add_style_choices(compose, "style")
    return build_command(
        "compose",
        callback,
        texts,
        OPTIONS,
        meter=styles.complete_meter,
        key=styles.complete_key,
    )
