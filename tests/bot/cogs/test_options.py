"""Autocompletion offers the styles, and the meters and keys of the chosen styles."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bot.cogs.options import MAX_CHOICES, StyleOptions
from mst_core.styles import load_style_cards
from tests.support.fakes import write_styles


class Namespace(SimpleNamespace):
    """The options given so far; None for any other, as in discord.py."""

    def __getattr__(self, _: str) -> None:
        return None


def interaction(**options: str) -> Any:
    return SimpleNamespace(namespace=Namespace(**options))


@pytest.fixture
def styles(tmp_path: Path) -> StyleOptions:
    return StyleOptions(load_style_cards(write_styles(tmp_path / "models")))


async def test_titles_that_begin_with_the_typed_text_come_first(styles: StyleOptions) -> None:
    titles = [choice.name for choice in await styles.complete_style(interaction(), "")]
    assert titles == ["Folk", "Jazz"]
    assert [choice.value for choice in await styles.complete_style(interaction(), "JA")] == ["jazz"]
    assert await styles.complete_style(interaction(), "tango") == []


async def test_the_meters_are_those_of_the_rhythms_style(styles: StyleOptions) -> None:
    chosen = interaction(pitch="folk", rhythm="jazz")
    assert [choice.value for choice in await styles.complete_meter(chosen, "")] == ["4/4", "3/4"]
    every = await styles.complete_meter(interaction(), "")
    assert [choice.value for choice in every] == ["4/4", "6/8", "3/4"]


async def test_a_meter_is_shown_with_the_name_of_its_dance(styles: StyleOptions) -> None:
    (choice,) = await styles.complete_meter(interaction(style="folk"), "reel")
    assert (choice.name, choice.value) == ("4/4 (reel)", "4/4")


async def test_the_keys_are_those_of_the_melodic_style(styles: StyleOptions) -> None:
    keys = await styles.complete_key(interaction(style="folk"), "d")
    assert [choice.value for choice in keys] == ["D major", "A dorian"]


async def test_no_more_choices_are_offered_than_discord_shows(styles: StyleOptions) -> None:
    card = styles.cards["folk"]
    many = StyleOptions({f"style{number}": card for number in range(MAX_CHOICES + 1)})
    assert len(await many.complete_style(interaction(), "")) == MAX_CHOICES
