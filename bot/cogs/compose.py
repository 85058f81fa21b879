"""``/compose``: a new tune in one style. A module of its own, as every command."""

from __future__ import annotations

from typing import Any

from discord import Interaction, app_commands
from discord.app_commands import Command

from bot.cogs.options import DEFAULT_BARS, Bars, Seed, ShortText, StyleOptions, Tempo
from bot.requests.intake import RequestIntake
from bot.texts import Texts
from mst_core.jobs import Compose, draw_seed

OPTIONS = ("style", "bars", "meter", "key", "tempo", "seed")


class ComposeCog:
    """Registers ``/compose``."""

    def __init__(self, intake: RequestIntake, options: StyleOptions, texts: Texts) -> None:
        self._intake, self._options, self._texts = intake, options, texts

    def commands(self) -> list[Command[Any, ..., Any]]:
        """Build the command with the available styles as choices."""

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
            await self._intake.submit(interaction, request)

        described = app_commands.describe(
            **{option: self._texts.render(f"options.{option}") for option in OPTIONS}
        )(compose)
        described = self._options.add_style_choices(described, "style")
        described = app_commands.autocomplete(
            meter=self._options.complete_meter, key=self._options.complete_key
        )(described)
        name = "compose"
        return [
            Command(
                name=name, description=self._texts.render(f"commands.{name}"), callback=described
            )
        ]
