"""``/compose`` and ``/transfer``: new tunes in one style, or with the rhythm of another."""

from __future__ import annotations

from typing import Any

from discord import Interaction, app_commands
from discord.app_commands import Command, Range

from bot.desk import Desk
from bot.offers import Offers, Seed, Word
from bot.texts import Texts
from mst_core.jobs import BARS_RANGE, TEMPO_RANGE, Compose
from mst_core.requests import draw_seed

DEFAULT_BARS = 16

Bars = Range[int, BARS_RANGE[0], BARS_RANGE[1]]
Tempo = Range[float, TEMPO_RANGE[0], TEMPO_RANGE[1]]

OPTIONS = ("bars", "meter", "key", "tempo", "seed")


class ComposeCog:
    """The commands that make new tunes."""

    def __init__(self, desk: Desk, offers: Offers, texts: Texts) -> None:
        self._desk, self._offers, self._texts = desk, offers, texts

    def commands(self) -> list[Command[Any, ..., Any]]:
        """Build the commands with the styles that there are."""
        return [self._compose(), self._transfer()]

    def _compose(self) -> Command[Any, ..., None]:
        async def compose(
            interaction: Interaction[Any],
            style: str,
            bars: Bars = DEFAULT_BARS,
            meter: Word | None = None,
            key: Word | None = None,
            tempo: Tempo | None = None,
            seed: Seed | None = None,
        ) -> None:
            request = Compose(style, style, _seed(seed), bars, meter, key, tempo)
            await self._desk.ask(interaction, request)

        return self._command(compose, "style")

    def _transfer(self) -> Command[Any, ..., None]:
        async def transfer(
            interaction: Interaction[Any],
            pitch: str,
            rhythm: str,
            bars: Bars = DEFAULT_BARS,
            meter: Word | None = None,
            key: Word | None = None,
            tempo: Tempo | None = None,
            seed: Seed | None = None,
        ) -> None:
            request = Compose(pitch, rhythm, _seed(seed), bars, meter, key, tempo)
            await self._desk.ask(interaction, request)

        return self._command(transfer, "pitch", "rhythm")

    def _command(self, callback: Any, *style_options: str) -> Command[Any, ..., None]:
        """Describe a command and offer what its options may be."""
        name = callback.__name__
        descriptions = {
            option: self._texts.say(f"options.{option}") for option in (*style_options, *OPTIONS)
        }
        described = app_commands.describe(**descriptions)(callback)
        described = self._offers.offer_styles(described, *style_options)
        described = app_commands.autocomplete(meter=self._offers.meters, key=self._offers.keys)(
            described
        )
        return Command(
            name=name, description=self._texts.say(f"commands.{name}"), callback=described
        )


def _seed(seed: int | None) -> int:
    return draw_seed() if seed is None else seed
