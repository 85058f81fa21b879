"""What an option of a command may be, and what is offered while a person types."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from discord import Interaction, app_commands
from discord.app_commands import Choice, Range

from mst_core.jobs import BARS_RANGE, MAX_SEED, TEMPO_RANGE
from mst_core.styles import StyleCard

MAX_CHOICES = 25
"""As many as Discord shows."""

DEFAULT_BARS = 16
FULL_PERCENT = 100
"""The whole way, in percent."""

Seed = Range[int, 0, MAX_SEED]
ShortText = Range[str, 1, 24]
BarList = Range[str, 1, 100]
Bars = Range[int, BARS_RANGE[0], BARS_RANGE[1]]
Tempo = Range[float, TEMPO_RANGE[0], TEMPO_RANGE[1]]
Percent = Range[int, 0, FULL_PERCENT]
Track = Range[int, 1, 999]


class StyleOptions:
    """Offers styles, and the meters and keys of those that are chosen already."""

    def __init__(self, styles: Mapping[str, StyleCard]) -> None:
        self._styles = styles

    def add_style_choices(self, callback: Any, *options: str) -> Any:
        """Give the options of a command's callback the styles: as choices, or by what is typed."""
        if 0 < len(self._styles) <= MAX_CHOICES:
            choices = [Choice(name=card.title, value=style) for style, card in self._styles.items()]
            return app_commands.choices(**dict.fromkeys(options, choices))(callback)
        return app_commands.autocomplete(**dict.fromkeys(options, self.complete_style))(callback)

    async def complete_style(self, _: Interaction[Any], typed: str) -> list[Choice[str]]:
        """Offer styles by their titles."""
        return _matching_choices(
            ((card.title, style) for style, card in self._styles.items()), typed
        )

    async def complete_meter(self, interaction: Interaction[Any], typed: str) -> list[Choice[str]]:
        """Offer the meters of the rhythm's style."""
        cards = self._selected_cards(interaction, "rhythm")
        meters = {
            meter: f"{meter} ({played.name})" if played.name else meter
            for card in cards
            for meter, played in card.meters.items()
        }
        return _matching_choices(((label, meter) for meter, label in meters.items()), typed)

    async def complete_key(self, interaction: Interaction[Any], typed: str) -> list[Choice[str]]:
        """Offer the keys of the pitches' style."""
        cards = self._selected_cards(interaction, "pitch")
        return _matching_choices(
            ((key, key) for key in dict.fromkeys(k for c in cards for k in c.keys)), typed
        )

    def _selected_cards(self, interaction: Interaction[Any], option: str) -> list[StyleCard]:
        """Return the card of the style that is filled in already, else all of them."""
        # A namespace gives None for an option that is not filled in, or not of this command.
        filled = getattr(interaction.namespace, option) or interaction.namespace.style
        return [self._styles[filled]] if filled in self._styles else list(self._styles.values())


def _matching_choices(found: Iterable[tuple[str, str]], typed: str) -> list[Choice[str]]:
    """Offer what begins with, then what contains, the typed text, as far as Discord shows it."""
    wanted = typed.casefold()
    fitting = [pair for pair in found if wanted in pair[0].casefold()]
    fitting.sort(key=lambda pair: not pair[0].casefold().startswith(wanted))
    return [Choice(name=label[:100], value=value) for label, value in fitting[:MAX_CHOICES]]
