"""``/transfer``: a tune that somebody sent, or a new one, in other styles on one side or both."""

from __future__ import annotations

from typing import Any

from discord import Attachment, Interaction, app_commands
from discord.app_commands import Command

from bot.cogs.options import (
    DEFAULT_BARS,
    FULL,
    BarList,
    Bars,
    Offers,
    Percent,
    Seed,
    Tempo,
    Track,
    Word,
)
from bot.errors import ForGivenTunes, ForNewTunes, NothingNamed, SideMissing, TwoNamed
from bot.requests.intake import COMING, Desk
from bot.texts import Texts
from mst_core.jobs import Compose, Restyle, draw_seed

OPTIONS = (
    "pitch", "rhythm", "file", "strength", "pitch_strength", "like", "pitch_like", "bars", "meter",
    "key", "tempo", "seed", "keep_bars", "track",
)  # fmt: skip


class TransferCog:
    """The command that takes melody and rhythm from where its asker says."""

    def __init__(self, desk: Desk, offers: Offers, texts: Texts) -> None:
        self._desk, self._offers, self._texts = desk, offers, texts

    def commands(self) -> list[Command[Any, ..., Any]]:
        """Build the command with the styles that there are."""

        async def transfer(
            interaction: Interaction[Any],
            pitch: str | None = None,
            rhythm: str | None = None,
            file: Attachment | None = None,
            strength: Percent | None = None,
            pitch_strength: Percent | None = None,
            like: Attachment | None = None,
            pitch_like: Attachment | None = None,
            bars: Bars | None = None,
            meter: Word | None = None,
            key: Word | None = None,
            tempo: Tempo | None = None,
            seed: Seed | None = None,
            keep_bars: BarList | None = None,
            track: Track | None = None,
        ) -> None:
            seed = draw_seed() if seed is None else seed
            if file is None:
                _require_none(
                    ForGivenTunes, strength=strength, pitch_strength=pitch_strength, like=like,
                    pitch_like=pitch_like, keep_bars=keep_bars, track=track,
                )  # fmt: skip
                if pitch is None or rhythm is None:
                    raise SideMissing("pitch" if pitch is None else "rhythm")
                request = Compose(pitch, rhythm, seed, bars or DEFAULT_BARS, meter, key, tempo)
                await self._desk.ask(interaction, request)
                return
            _require_none(ForNewTunes, bars=bars, key=key, tempo=tempo)
            _require_one_each(pitch=pitch, pitch_like=pitch_like, rhythm=rhythm, like=like)
            far = FULL if strength is None else strength
            draft = Restyle(
                COMING,
                seed,
                rhythm,
                None if like is None else COMING,
                far / FULL,
                meter,
                keep_bars,
                track,
                pitch,
                None if pitch_like is None else COMING,
                (far if pitch_strength is None else pitch_strength) / FULL,
            )
            files = {"source": file, "like": like, "pitch_like": pitch_like}
            await self._desk.ask_with_files(interaction, draft, files)

        described = app_commands.describe(
            **{option: self._texts.say(f"options.{option}") for option in OPTIONS}
            | {"strength": self._texts.say("options.given_strength")}
        )(transfer)
        described = self._offers.offer_styles(described, "pitch", "rhythm")
        described = app_commands.autocomplete(meter=self._offers.meters, key=self._offers.keys)(
            described
        )
        name = "transfer"
        return [
            Command(name=name, description=self._texts.say(f"commands.{name}"), callback=described)
        ]


def _require_none(fault: type[ForGivenTunes | ForNewTunes], **options: object) -> None:
    """Refuse the first option that is filled in. Raises the fault."""
    for option, value in options.items():
        if value is not None:
            raise fault(option)


def _require_one_each(
    *, pitch: str | None, pitch_like: object, rhythm: str | None, like: object
) -> None:
    """Refuse two sources for one side, and none for both. Raises TwoNamed or NothingNamed."""
    if pitch is not None and pitch_like is not None:
        raise TwoNamed("pitch", "pitch_like")
    if rhythm is not None and like is not None:
        raise TwoNamed("rhythm", "like")
    if pitch is None and pitch_like is None and rhythm is None and like is None:
        raise NothingNamed
