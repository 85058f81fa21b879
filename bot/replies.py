"""The shape of an answer: what is said while a request waits and runs, and what it ends in."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass

import discord

from bot.buttons import answer_buttons
from bot.ledger import Entry
from bot.texts import Texts
from mst_core.jobs import FORMATS, Compose, Progress, Receipt
from mst_core.styles import StyleCard

COLOUR = discord.Colour.from_rgb(214, 160, 70)
BAR_STEPS = 10


@dataclass(frozen=True)
class Answer:
    """One message, ready to be sent or to take the place of another."""

    content: str
    embed: discord.Embed
    files: list[discord.File]
    view: discord.ui.View


class Replies:
    """Turns entries, progress and results into messages, in the asker's language."""

    def __init__(self, texts: Texts, styles: Mapping[str, StyleCard]) -> None:
        self._texts = texts
        self._styles = styles

    def waiting(self, entry: Entry, place: int, *, awake: bool) -> str:
        """Say which place in the queue a request has."""
        return self._texts.say(
            "progress.waiting" if awake else "progress.waking",
            entry.locale,
            tune=self.tune(entry.request, entry.locale),
            place=place,
        )

    def progress(self, entry: Entry, progress: Progress) -> str:
        """Say how far a request is, with a bar of ten steps."""
        share = min(1.0, max(0.0, progress.share))
        done = round(share * BAR_STEPS)
        return self._texts.say(
            "progress.running",
            entry.locale,
            stage=self._texts.say_or(f"stages.{progress.stage}", "stages.working", entry.locale),
            tune=self.tune(entry.request, entry.locale),
            bar="▰" * done + "▱" * (BAR_STEPS - done),
            percent=round(share * 100),
        )

    def answer(self, entry: Entry, receipt: Receipt, files: Mapping[str, bytes]) -> Answer:
        """Shape the result: sound, score and MIDI, what was done, and the buttons."""
        name = file_name(receipt)
        embed = self._embed(entry, receipt)
        if "png" in files:
            embed.set_image(url=f"attachment://{name}.png")
        say = self._texts.say
        return Answer(
            content=say(
                "answer.content", entry.locale, tune=self.tune(entry.request, entry.locale)
            ),
            embed=embed,
            files=[
                discord.File(io.BytesIO(files[suffix]), filename=f"{name}.{suffix}")
                for suffix in sorted(files, key=FORMATS.index)  # the sound first
            ],
            view=answer_buttons(
                entry.id, say("answer.again", entry.locale), say("answer.remove", entry.locale)
            ),
        )

    def tune(self, request: Compose, locale: str) -> str:
        """Say in a few words what was asked for, such as *a new folk tune*."""
        pitch, rhythm = self.title(request.pitch), self.title(request.rhythm)
        key = "tune.one" if request.pitch == request.rhythm else "tune.two"
        return self._texts.say(key, locale, pitch=pitch, rhythm=rhythm)

    def title(self, style: str) -> str:
        """Return the title of a style, or its name when its folder has gone."""
        return self._styles[style].title if style in self._styles else style

    def _embed(self, entry: Entry, receipt: Receipt) -> discord.Embed:
        embed = discord.Embed(colour=COLOUR)
        values: dict[str, object] = {
            "pitch": self.title(receipt.pitch),
            "rhythm": self.title(receipt.rhythm),
            "key": receipt.key,
            "meter": receipt.meter,
            "tempo": round(receipt.tempo),
            "bars": receipt.bars,
            "form": receipt.form,
            "seed": receipt.seed,
        }
        for field, value in values.items():
            embed.add_field(
                name=self._texts.say(f"fields.{field}", entry.locale),
                value=self._texts.say(f"values.{field}", entry.locale, value),
            )
        embed.set_footer(text=self._texts.say("answer.footer", entry.locale, number=entry.id))
        return embed


def file_name(receipt: Receipt) -> str:
    """Name the files of a result, without suffix: the styles and the seed."""
    styles = (
        receipt.pitch if receipt.pitch == receipt.rhythm else f"{receipt.pitch}-{receipt.rhythm}"
    )
    return f"{styles}-{receipt.seed}"
