"""``/compose`` and ``/transfer``: new tunes in one style, or with the rhythm of another."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from discord import Interaction, app_commands
from discord.app_commands import Choice, Command, Range

from bot.desk import Desk
from bot.texts import Texts
from mst_core.jobs import BARS_RANGE, LARGEST_SEED, TEMPO_RANGE, Compose
from mst_core.requests import draw_seed
from mst_core.styles import StyleCard

MOST_CHOICES = 25
"""As many as Discord shows."""
DEFAULT_BARS = 16

Bars = Range[int, BARS_RANGE[0], BARS_RANGE[1]]
Tempo = Range[float, TEMPO_RANGE[0], TEMPO_RANGE[1]]
Seed = Range[int, 0, LARGEST_SEED]
Word = Range[str, 1, 24]

OPTIONS = ("bars", "meter", "key", "tempo", "seed")


class ComposeCog:
    """The commands that make new tunes."""

    def __init__(self, desk: Desk, styles: Mapping[str, StyleCard], texts: Texts) -> None:
        self._desk, self._styles, self._texts = desk, styles, texts

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
        if 0 < len(self._styles) <= MOST_CHOICES:
            choices = [Choice(name=card.title, value=style) for style, card in self._styles.items()]
            described = app_commands.choices(**dict.fromkeys(style_options, choices))(described)
        else:
            described = app_commands.autocomplete(
                **dict.fromkeys(style_options, self._offer_styles)
            )(described)
        described = app_commands.autocomplete(meter=self._offer_meters, key=self._offer_keys)(
            described
        )
        return Command(
            name=name, description=self._texts.say(f"commands.{name}"), callback=described
        )

    async def _offer_styles(self, _: Interaction[Any], typed: str) -> list[Choice[str]]:
        return _offer(((card.title, style) for style, card in self._styles.items()), typed)

    async def _offer_meters(self, interaction: Interaction[Any], typed: str) -> list[Choice[str]]:
        cards = self._chosen(interaction, "rhythm")
        meters = {
            meter: f"{meter} ({played.name})" if played.name else meter
            for card in cards
            for meter, played in card.meters.items()
        }
        return _offer(((label, meter) for meter, label in meters.items()), typed)

    async def _offer_keys(self, interaction: Interaction[Any], typed: str) -> list[Choice[str]]:
        cards = self._chosen(interaction, "pitch")
        return _offer(
            ((key, key) for key in dict.fromkeys(k for c in cards for k in c.keys)), typed
        )

    def _chosen(self, interaction: Interaction[Any], option: str) -> list[StyleCard]:
        """Return the card of the style that is filled in already, else all of them."""
        # A namespace gives None for an option that is not filled in, or not of this command.
        filled = getattr(interaction.namespace, option) or interaction.namespace.style
        return [self._styles[filled]] if filled in self._styles else list(self._styles.values())


def _seed(seed: int | None) -> int:
    return draw_seed() if seed is None else seed


def _offer(found: Iterable[tuple[str, str]], typed: str) -> list[Choice[str]]:
    """Offer what begins with, then what contains, the typed text, as far as Discord shows it."""
    wanted = typed.casefold()
    fitting = [pair for pair in found if wanted in pair[0].casefold()]
    fitting.sort(key=lambda pair: not pair[0].casefold().startswith(wanted))
    return [Choice(name=label[:100], value=value) for label, value in fitting[:MOST_CHOICES]]
