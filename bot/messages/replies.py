"""The shape of an answer: what is said while a request waits and runs, and what it ends in."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePath

import discord

from bot.messages.buttons import VARIANTS, add_strengths, add_variants, answer_buttons, style_choice
from bot.messages.captions import LONGEST_NAME, Captions, cut, escaped, file_name, strengths
from bot.requests.store import Entry
from bot.requests.uploads import Upload
from bot.texts import Texts
from mst_core.jobs import FORMATS, Compose, Mashup, Progress, Receipt, Restyle, next_seed
from mst_core.music import Meter
from mst_core.styles import StyleCard

COLOUR = discord.Colour.from_rgb(214, 160, 70)
BAR_STEPS = 10
MOST_REMARKS = 5
LONGEST_REMARK = 250
LONGEST_TITLE = 256
"""Discord's limits: this for the title of an embed, and those for its other parts."""
LONGEST_FIELD = 1024
LONGEST_EMBED = 6000


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
        self.captions = Captions(texts, styles)

    def waiting(self, entry: Entry, place: int, *, awake: bool) -> str:
        """Say which place in the queue a request has."""
        return self._texts.say(
            "progress.waiting" if awake else "progress.waking",
            entry.locale,
            tune=self.captions.tune(entry, entry.locale),
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
            tune=self.captions.tune(entry, entry.locale),
            bar="▰" * done + "▱" * (BAR_STEPS - done),
            percent=round(share * 100),
        )

    def answer(self, entry: Entry, receipt: Receipt, files: Mapping[str, bytes]) -> Answer:
        """Shape the result: sound, score and MIDI, what was done, and the buttons."""
        name = file_name(entry)
        embed = self._embed(entry, receipt)
        if "png" in files:
            embed.set_image(url=f"attachment://{name}.png")
        tune = self.captions.tune(entry, entry.locale)
        return Answer(
            content=self._texts.say("answer.content", entry.locale, tune=tune),
            embed=embed,
            files=[
                discord.File(io.BytesIO(files[suffix]), filename=f"{name}.{suffix}")
                for suffix in sorted(files, key=FORMATS.index)  # the sound first
            ],
            view=self._view(entry),
        )

    def comparison(self, entry: Entry, picture: bytes, locale: str) -> tuple[str, discord.File]:
        """Shape the score before and after, for one person alone."""
        words = self._texts.say("answer.compared", locale, tune=self.captions.tune(entry, locale))
        return words, discord.File(io.BytesIO(picture), filename=f"{file_name(entry)}.compared.png")

    def choice(self, upload: Upload, locale: str) -> str:
        """Ask for the style of an upload."""
        return self._texts.say("choice.content", locale, file=escaped(upload.name, LONGEST_NAME))

    def choice_view(self, upload_id: int, percent: int, locale: str) -> discord.ui.View:
        """Lay out the styles and strengths to choose from."""
        return style_choice(
            upload_id,
            percent,
            [(name, card.title) for name, card in self._styles.items()],
            self._texts.say("choice.style", locale),
            lambda n: self._texts.say("answer.strength", locale, n),
        )

    def _view(self, entry: Entry) -> discord.ui.View:
        """The buttons: those of every answer, then rows of strengths and of variants."""
        request = entry.request
        moves = {
            Compose: ("again", "remove"),
            Restyle: ("again", "compare", "remove"),
            Mashup: ("swap", "remove"),
        }[type(request)]
        labels = {move: self._texts.say(f"answer.{move}", entry.locale) for move in moves}
        view = answer_buttons(entry.id, labels)
        if isinstance(request, Restyle):
            far = {round(100 * each) for each in strengths(request).values()}
            now = far.pop() if len(far) == 1 else None
            add_strengths(
                view, "strength", entry.id, now,
                lambda n: self._texts.say("answer.strength", entry.locale, n),
            )  # fmt: skip
            first = request.seed if entry.first_seed is None else entry.first_seed
            seeds = [next_seed(first, step) for step in range(VARIANTS)]
            present = seeds.index(request.seed) + 1 if request.seed in seeds else None
            add_variants(
                view, entry.id, present,
                lambda n: self._texts.say("answer.variant", entry.locale, n),
            )  # fmt: skip
        return view

    def _embed(self, entry: Entry, receipt: Receipt) -> discord.Embed:
        embed, request = discord.Embed(colour=COLOUR), entry.request
        values: dict[str, object] = {**self.captions.origins(entry)}
        if not isinstance(request, Compose):
            title = receipt.source or PurePath(entry.names.get(request.source, "")).stem
            embed.title = escaped(title, LONGEST_TITLE)
            embed.description = self._remarks(receipt)
        if isinstance(request, Restyle):
            values |= _how_far(request, receipt)
        values |= _measured(receipt)
        beat = Meter.parse(receipt.meter).beat
        dotted = beat.numerator == 3
        values |= {
            "key": receipt.key,
            "meter": receipt.meter,
            "tempo_dotted" if dotted else "tempo": round(receipt.tempo / (beat if dotted else 1)),
            "bars": receipt.bars,
        }
        if receipt.form:
            values["form"] = receipt.form
        if not isinstance(request, Mashup):  # it leaves nothing to luck
            values["seed"] = receipt.seed
        for field, value in values.items():
            places = value if isinstance(value, tuple) else (value,)
            embed.add_field(
                name=self._texts.say(f"fields.{field}", entry.locale),
                value=cut(self._texts.say(f"values.{field}", entry.locale, *places), LONGEST_FIELD),
            )
        footer = "answer.footer_mashup" if isinstance(request, Mashup) else "answer.footer"
        embed.set_footer(text=self._texts.say(footer, entry.locale, number=entry.id))
        return embed

    def _remarks(self, receipt: Receipt) -> str | None:
        remarks = [escaped(text, LONGEST_REMARK) for text in receipt.remarks[:MOST_REMARKS]]
        return "\n".join(f"• {text}" for text in remarks) or None


def _how_far(request: Restyle, receipt: Receipt) -> dict[str, object]:
    """How far the sides were to go, and how many notes changed, in percent."""
    far = {side: round(100 * each) for side, each in strengths(request).items()}
    values: dict[str, object] = {}
    if len(set(far.values())) == 1:
        values["strength"] = next(iter(far.values()))
    else:
        values["strengths"] = far["pitch"], far["rhythm"]
    if "rhythm" in far and receipt.changed is not None:
        values["changed"] = round(receipt.changed * 100)
    if "pitch" in far and receipt.repitched is not None:
        values["repitched"] = round(receipt.repitched * 100)
    return values


def _measured(receipt: Receipt) -> dict[str, object]:
    """What was measured of the result: repeats, nearness to the target, copies."""
    values: dict[str, object] = {}
    if receipt.repeats is not None and receipt.repeats[0]:
        values["repeats"] = receipt.repeats
    if receipt.closer_than is not None:
        values["closer_than"] = receipt.closer_than
    if receipt.longest_copy is not None:
        if receipt.usual_copy is None:
            values["longest_copy"] = receipt.longest_copy
        else:
            values["copies"] = receipt.longest_copy, receipt.usual_copy
    return values
