"""The shape of an answer: what is said while a request waits and runs, and what it ends in."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePath

import discord

from bot.messages.buttons import (
    VARIANT_COUNT,
    add_strengths,
    add_variants,
    result_buttons,
    style_choice,
)
from bot.messages.captions import MAX_NAME, Captions, escape, file_name, truncate
from bot.requests.store import RequestRecord
from bot.requests.uploads import Upload
from bot.texts import Texts
from mst_core.jobs import FORMATS, Compose, Mashup, Progress, Receipt, Transfer, next_seed
from mst_core.music import Meter
from mst_core.styles import StyleCard

EMBED_COLOR = discord.Colour.from_rgb(214, 160, 70)
PROGRESS_STEPS = 10
MAX_REMARKS = 5
MAX_REMARK = 250
MAX_TITLE = 256
"""Discord's limits: this for the title of an embed, and those for its other parts."""
MAX_FIELD = 1024
MAX_EMBED = 6000


@dataclass(frozen=True)
class ResultMessage:
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

    def queue_position(self, record: RequestRecord, position: int, *, engine_ready: bool) -> str:
        """Say which place in the queue a request has."""
        return self._texts.render(
            "progress.waiting" if engine_ready else "progress.waking",
            record.locale,
            tune=self.captions.describe(record, record.locale),
            place=position,
        )

    def progress(self, record: RequestRecord, progress: Progress) -> str:
        """Say how far a request is, with a bar of ten steps."""
        share = min(1.0, max(0.0, progress.share))
        done = round(share * PROGRESS_STEPS)
        return self._texts.render(
            "progress.running",
            record.locale,
            stage=self._texts.render_or(
                f"stages.{progress.stage}", "stages.working", record.locale
            ),
            tune=self.captions.describe(record, record.locale),
            bar="▰" * done + "▱" * (PROGRESS_STEPS - done),
            percent=round(share * 100),
        )

    def result(
        self, record: RequestRecord, receipt: Receipt, files: Mapping[str, bytes]
    ) -> ResultMessage:
        """Shape the result: sound, score and MIDI, what was done, and the buttons."""
        name = file_name(record)
        embed = self._embed(record, receipt)
        if "png" in files:
            embed.set_image(url=f"attachment://{name}.png")
        tune = self.captions.describe(record, record.locale)
        return ResultMessage(
            content=self._texts.render("answer.content", record.locale, tune=tune),
            embed=embed,
            files=[
                discord.File(io.BytesIO(files[suffix]), filename=f"{name}.{suffix}")
                for suffix in sorted(files, key=FORMATS.index)  # the sound first
            ],
            view=self._buttons(record),
        )

    def comparison(
        self, record: RequestRecord, picture: bytes, locale: str
    ) -> tuple[str, discord.File]:
        """Shape the score before and after, for one person alone."""
        words = self._texts.render(
            "answer.compared", locale, tune=self.captions.describe(record, locale)
        )
        return words, discord.File(
            io.BytesIO(picture), filename=f"{file_name(record)}.compared.png"
        )

    def style_question(self, upload: Upload, locale: str) -> str:
        """Ask for the style of an upload."""
        return self._texts.render("choice.content", locale, file=escape(upload.name, MAX_NAME))

    def style_choice_view(self, upload_id: int, percent: int, locale: str) -> discord.ui.View:
        """Lay out the styles and strengths to choose from."""
        return style_choice(
            upload_id,
            percent,
            [(name, card.title) for name, card in self._styles.items()],
            self._texts.render("choice.style", locale),
            lambda n: self._texts.render("answer.strength", locale, n),
        )

    def _buttons(self, record: RequestRecord) -> discord.ui.View:
        """The buttons: those of every answer, then rows of strengths and of variants."""
        request = record.request
        moves = {
            Compose: ("again", "remove"),
            Transfer: ("again", "compare", "remove"),
            Mashup: ("swap", "remove"),
        }[type(request)]
        labels = {move: self._texts.render(f"answer.{move}", record.locale) for move in moves}
        view = result_buttons(record.id, labels)
        if isinstance(request, Transfer):
            far = {round(100 * each) for each in request.strengths.values()}
            now = far.pop() if len(far) == 1 else None
            add_strengths(
                view,
                "strength",
                record.id,
                now,
                lambda n: self._texts.render("answer.strength", record.locale, n),
            )
            first = request.seed if record.first_seed is None else record.first_seed
            seeds = [next_seed(first, step) for step in range(VARIANT_COUNT)]
            present = seeds.index(request.seed) + 1 if request.seed in seeds else None
            add_variants(
                view,
                record.id,
                present,
                lambda n: self._texts.render("answer.variant", record.locale, n),
            )
        return view

    def _embed(self, record: RequestRecord, receipt: Receipt) -> discord.Embed:
        embed, request = discord.Embed(colour=EMBED_COLOR), record.request
        values: dict[str, object] = {**self.captions.origins(record)}
        if not isinstance(request, Compose):
            title = receipt.source or PurePath(record.names.get(request.source, "")).stem
            embed.title = escape(title, MAX_TITLE)
            embed.description = self._remarks(receipt)
        if isinstance(request, Transfer):
            values |= _strength_fields(request, receipt)
        values |= _measurement_fields(receipt)
        beat = Meter.parse(receipt.meter).beat_length
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
                name=self._texts.render(f"fields.{field}", record.locale),
                value=truncate(
                    self._texts.render(f"values.{field}", record.locale, *places), MAX_FIELD
                ),
            )
        footer = "answer.footer_mashup" if isinstance(request, Mashup) else "answer.footer"
        embed.set_footer(text=self._texts.render(footer, record.locale, number=record.id))
        return embed

    def _remarks(self, receipt: Receipt) -> str | None:
        remarks = [escape(text, MAX_REMARK) for text in receipt.remarks[:MAX_REMARKS]]
        return "\n".join(f"• {text}" for text in remarks) or None


def _strength_fields(request: Transfer, receipt: Receipt) -> dict[str, object]:
    """How far the sides were to go, and how many notes changed, in percent."""
    far = {side: round(100 * each) for side, each in request.strengths.items()}
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


def _measurement_fields(receipt: Receipt) -> dict[str, object]:
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
