"""What the slash commands share: their option types, their autocompletion, their building."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from discord import Interaction, app_commands
from discord.app_commands import Choice, Command, Range

from bot.texts import Texts
from mst_core.requests import BARS_RANGE, MAX_SEED, TEMPO_RANGE
from mst_core.styles import StyleCard

MAX_CHOICES = 25
"""Choices that Discord shows for one option."""

DEFAULT_BARS = 16
FULL_PERCENT = 100
"""The largest strength, in percent."""

Seed = Range[int, 0, MAX_SEED]
ShortText = Range[str, 1, 24]
Bars = Range[int, BARS_RANGE[0], BARS_RANGE[1]]
Tempo = Range[float, TEMPO_RANGE[0], TEMPO_RANGE[1]]
Track = Range[int, 1, 999]
Tune = Range[int, 1, 5_000]


class StyleOptions:
    """Choices of styles, and autocompletion of the meters and keys of the chosen styles."""

    def __init__(self, styles: Mapping[str, StyleCard]) -> None:
        self.cards = styles

    def add_style_choices(self, callback: Any, *options: str) -> Any:
        """Add the styles to options of a command: as choices, or by autocompletion if too many.

        Args:
            callback: The callback of the command.
            *options: The names of the options that take a style.

        Returns:
            The same callback, for `build_command`.
        """
        if 0 < len(self.cards) <= MAX_CHOICES:
            choices = [Choice(name=card.title, value=style) for style, card in self.cards.items()]
            return app_commands.choices(**dict.fromkeys(options, choices))(callback)
        return app_commands.autocomplete(**dict.fromkeys(options, self.complete_style))(callback)

    async def complete_style(self, _: Interaction[Any], typed: str) -> list[Choice[str]]:
        """Complete the title of a style.

        Args:
            _: The interaction; all users have the same styles.
            typed: What the user has typed so far, perhaps nothing.

        Returns:
            At most `MAX_CHOICES` styles whose title contains the text; the value is the name of the
            style.
        """
        return _matching_choices(((card.title, style) for style, card in self.cards.items()), typed)

    async def complete_meter(self, interaction: Interaction[Any], typed: str) -> list[Choice[str]]:
        """Complete a meter of the rhythm's style.

        Args:
            interaction: The command with the options that are filled so far.
            typed: What the user has typed so far, perhaps nothing.

        Returns:
            At most `MAX_CHOICES` meters that contain the text, of all styles when none is chosen
            yet.
        """
        cards = self._selected_cards(interaction, "rhythm")
        meters = {
            meter: f"{meter} ({details.name})" if details.name else meter
            for card in cards
            for meter, details in card.meters.items()
        }
        return _matching_choices(((label, meter) for meter, label in meters.items()), typed)

    async def complete_key(self, interaction: Interaction[Any], typed: str) -> list[Choice[str]]:
        """Complete a key of the melodic style.

        Args:
            interaction: The command with the options that are filled so far.
            typed: What the user has typed so far, perhaps nothing.

        Returns:
            At most `MAX_CHOICES` keys that contain the text, of all styles when none is chosen yet.
        """
        cards = self._selected_cards(interaction, "pitch")
        return _matching_choices(
            ((key, key) for key in dict.fromkeys(k for c in cards for k in c.keys)), typed
        )

    def _selected_cards(self, interaction: Interaction[Any], option: str) -> list[StyleCard]:
        """Return the card of the style chosen in ``option`` or ``style``, else all cards."""
        # A namespace returns None for an option that is not given, or not of this command.
        filled = getattr(interaction.namespace, option) or interaction.namespace.style
        return [self.cards[filled]] if filled in self.cards else list(self.cards.values())


def build_command(
    name: str,
    callback: Any,
    texts: Texts,
    options: Sequence[str] = (),
    text_keys: Mapping[str, str] | None = None,
    **completions: Any,
) -> Command[Any, ..., Any]:
    """Build a slash command with its descriptions.

    Args:
        name: The name of the command; ``commands.<name>`` is the key of its description.
        callback: Called with the interaction and the options.
        texts: The descriptions.
        options: The options; ``options.<option>`` is the key of a description.
        text_keys: Other keys below ``options``, by option.
        **completions: The autocompletion of an option.
    """
    keys = {option: option for option in options} | dict(text_keys or {})
    described = app_commands.describe(
        **{option: texts.render(f"options.{key}") for option, key in keys.items()}
    )(callback)
    if completions:
        described = app_commands.autocomplete(**completions)(described)
    return Command(name=name, description=texts.render(f"commands.{name}"), callback=described)


def _matching_choices(choices: Iterable[tuple[str, str]], typed: str) -> list[Choice[str]]:
    """Return the choices that begin with the typed text, then those that contain it."""
    text = typed.casefold()
    matching = [pair for pair in choices if text in pair[0].casefold()]
    matching.sort(key=lambda pair: not pair[0].casefold().startswith(text))
    return [Choice(name=label[:100], value=value) for label, value in matching[:MAX_CHOICES]]
