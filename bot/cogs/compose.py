"""``/compose``: new tunes in one style."""

from __future__ import annotations

from typing import Any

from discord import Interaction, app_commands
from discord.app_commands import Command

from bot.cogs.options import DEFAULT_BARS, Bars, Offers, Seed, Tempo, Word
from bot.requests.intake import Desk
from bot.texts import Texts
from mst_core.jobs import Compose, draw_seed

OPTIONS = ("style", "bars", "meter", "key", "tempo", "seed")


class ComposeCog:
    """The command that makes new tunes."""

    def __init__(self, desk: Desk, offers: Offers, texts: Texts) -> None:
        self._desk, self._offers, self._texts = desk, offers, texts

    def commands(self) -> list[Command[Any, ..., Any]]:
        """Build the command with the styles that there are."""

        async def compose(
            interaction: Interaction[Any],
            style: str,
            bars: Bars = DEFAULT_BARS,
            meter: Word | None = None,
            key: Word | None = None,
            tempo: Tempo | None = None,
            seed: Seed | None = None,
        ) -> None:
            seed = draw_seed() if seed is None else seed
            request = Compose(style, style, seed, bars, meter, key, tempo)
            await self._desk.ask(interaction, request)

        described = app_commands.describe(
            **{option: self._texts.say(f"options.{option}") for option in OPTIONS}
        )(compose)
        described = self._offers.offer_styles(described, "style")
        described = app_commands.autocomplete(meter=self._offers.meters, key=self._offers.keys)(
            described
        )
        name = "compose"
        return [
            Command(name=name, description=self._texts.say(f"commands.{name}"), callback=described)
        ]
