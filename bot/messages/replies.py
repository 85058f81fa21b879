"""Replies: the content of messages about a request, from its place in the queue to its result."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import PurePath

import discord

from bot.messages.buttons import (
    PERCENTS,
    VARIANT_NUMBERS,
    add_choice_list,
    add_number_row,
    result_buttons,
    style_list,
)
from bot.messages.captions import (
    MAX_NAME,
    Captions,
    button_moves,
    escape,
    file_name,
    truncate,
)
from bot.requests.record import RequestRecord
from bot.requests.scheduler import MAX_PAGES
from bot.requests.uploads import Upload
from bot.texts import Texts
from mst_core.jobs import FORMATS, Progress, Receipt
from mst_core.music import Meter
from mst_core.pages import list_pages, name_page
from mst_core.requests import Request, next_seed
from mst_core.styles import StyleCard

EMBED_COLOR = discord.Colour.from_rgb(214, 160, 70)
PROGRESS_STEPS = 10
MAX_PART_NAME = 40
"""Characters of the name of a part on a button."""
MAX_WARNINGS = 8
"""Warnings that one result shows."""
MAX_WARNING = 250
"""Characters of one warning."""
MAX_TITLE = 256
"""Characters that Discord allows in the title of an embed."""
MAX_FIELD = 1024
"""Characters that Discord allows in one field of an embed."""
MAX_EMBED = 6000
"""Characters that Discord allows in a whole embed."""


@dataclass(frozen=True)
class ResultMessage:
    """A message with a result, to be sent or to replace the content of an earlier message."""

    content: str
    embeds: list[discord.Embed]
    """The result with the first page of its score; then one for each further page that is sent."""
    files: list[discord.File]
    view: discord.ui.View | None = None


class Replies:
    """Renders the state, the progress and the result of a request in its user's language."""

    def __init__(self, texts: Texts, styles: Mapping[str, StyleCard]) -> None:
        self._texts = texts
        self._styles = styles
        self.captions = Captions(texts, styles)

    def queue_position(
        self, record: RequestRecord, position: int, *, engine: str, wait_s: int
    ) -> str:
        """Return a sentence with the position in the queue, counted from 1, and the time to go.

        Args:
            record: The waiting request.
            position: Its place in the queue, 1 for the next request that runs.
            engine: ``ready`` for jobs, ``starting`` or ``restarting``, as the sentence says.
            wait_s: Seconds until its result, as estimated; shown when the engine is ready.
        """
        wait = (
            self._texts.render("wait.minutes", record.locale, round(wait_s / 60))
            if wait_s >= 120
            else self._texts.render("wait.seconds", record.locale, wait_s)
        )
        return self._texts.render(
            f"progress.{engine}",
            record.locale,
            tune=self.captions.describe(record, record.locale),
            place=position,
            wait=wait,
        )

    def single_button(self, record: RequestRecord, move: str) -> discord.ui.View:
        """Lay out the only button below a message without a result.

        Args:
            record: The request.
            move: ``cancel`` while it has no outcome, ``remove`` after it was cancelled.
        """
        label = self._texts.render(f"answer.{move}", record.locale)
        return result_buttons(record.button_id, {move: label})

    def progress(self, record: RequestRecord, progress: Progress) -> str:
        """Return a sentence with the stage, a progress bar of ten steps and the percentage.

        Args:
            record: The running request.
            progress: The stage of its job and the share of the job that is done, 0 to 1.
        """
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
        """Build the message with the result.

        Args:
            record: The request.
            receipt: What was made, with its measurements.
            files: The bytes of the audio, picture and score files by format, such as ``mp3``.
        """
        name = file_name(record)
        tune = self.captions.describe(record, record.locale)
        content = self._texts.render("answer.content", record.locale, tune=tune)
        pages = list_pages(files, "png")
        page_count = receipt.pages or len(pages)
        if page_count > MAX_PAGES:
            content += "\n" + self._texts.render(
                "answer.pages", record.locale, shown=MAX_PAGES, pages=page_count
            )
        shown = [name_page("png", number) for number, _ in enumerate(pages[:MAX_PAGES], start=1)]
        embeds = [self._embed(record, receipt)]
        embeds += [discord.Embed(colour=EMBED_COLOR) for _ in shown[1:]]
        for embed, page in zip(embeds, shown, strict=False):
            embed.set_image(url=f"attachment://{name}.{page}")
        # Audio first; the first page before the second.
        sent = [each for format in FORMATS for each in (shown if format == "png" else [format])]
        return ResultMessage(
            content=content,
            embeds=embeds,
            files=[
                discord.File(io.BytesIO(files[suffix]), filename=f"{name}.{suffix}")
                for suffix in sent
                if suffix in files
            ],
            view=self._buttons(record, receipt),
        )

    def comparison(self, record: RequestRecord, files: Mapping[str, bytes]) -> ResultMessage:
        """Build the message with the score and the sound before and after.

        Args:
            record: The private request.
            files: The bytes of the picture, and of the audio unless it is too large, by format.
        """
        key = "answer.compared_sound" if "mp3" in files else "answer.compared"
        text = self._texts.render(
            key, record.locale, tune=self.captions.describe(record, record.locale)
        )
        name = f"{file_name(record)}.compared"
        attached = [
            discord.File(io.BytesIO(content), filename=f"{name}.{format}")
            for format, content in sorted(files.items())
        ]
        return ResultMessage(text, [], attached)

    def style_question(self, upload: Upload, locale: str) -> str:
        """Return the sentence above the list of styles for an upload.

        Args:
            upload: The file, whose name the sentence contains.
            locale: A Discord locale, such as ``en-US``.
        """
        return self._texts.render("choice.content", locale, file=escape(upload.name, MAX_NAME))

    def style_choice_view(self, upload_id: int, percent: int, locale: str) -> discord.ui.View:
        """Lay out a list of the styles above a row of strengths.

        Args:
            upload_id: The upload that is to be changed.
            percent: The current strength, 0 to 100 %; its button is disabled.
            locale: The Discord locale of the user, such as ``en-US``.
        """
        view = style_list(
            upload_id,
            percent,
            [(name, card.title) for name, card in self._styles.items()],
            self._texts.render("choice.style", locale),
        )
        label = self._label("answer.strength", locale)
        return add_number_row(view, "set", str(upload_id), PERCENTS, percent, label, row=1)

    def _buttons(self, record: RequestRecord, receipt: Receipt) -> discord.ui.View:
        """Lay out the moves; for a transfer also strengths, variants, parts and tunes of a book."""
        request, locale = record.request, record.locale
        labels = {
            move: self._texts.render(f"answer.{move}", locale) for move in button_moves(request)
        }
        id = record.button_id
        view = result_buttons(id, labels)
        if not request.strengths:
            return view
        percents = {round(100 * each) for each in request.strengths.values()}
        current = percents.pop() if len(percents) == 1 else None
        label = self._label("answer.strength", locale)
        add_number_row(view, "strength", id, PERCENTS, current, label, row=1)
        first = request.seed if record.first_seed is None else record.first_seed
        seeds = {next_seed(first, number - 1): number for number in VARIANT_NUMBERS}
        label = self._label("answer.variant", locale)
        add_number_row(
            view,
            "variant",
            record.button_id,
            VARIANT_NUMBERS,
            seeds.get(request.seed),
            label,
            row=2,
        )
        self._add_selection(view, record, receipt)
        return view

    def _add_selection(
        self, view: discord.ui.View, record: RequestRecord, receipt: Receipt
    ) -> None:
        """Add a row of the parts that may be the melody, and a list of the tunes of a book."""
        locale = record.locale
        if receipt.candidates:
            names = {number: truncate(name, MAX_PART_NAME) for number, name in receipt.candidates}

            def part_label(number: int) -> str:
                return self._texts.render("answer.part", locale, name=names[number])

            add_number_row(view, "part", record.button_id, names, receipt.track, part_label, row=3)
        if receipt.tunes:
            untitled = self._texts.render("answer.untitled", locale)
            choices = [
                (
                    number,
                    self._texts.render(
                        "answer.tune_choice", locale, number=number, title=title or untitled
                    ),
                )
                for number, title in receipt.tunes
            ]
            placeholder = self._texts.render("answer.tune", locale)
            add_choice_list(
                view, "tune", record.button_id, choices, receipt.tune, placeholder, row=4
            )

    def _label(self, key: str, locale: str) -> Callable[[int], str]:
        return lambda number: self._texts.render(key, locale, number)

    def _embed(self, record: RequestRecord, receipt: Receipt) -> discord.Embed:
        """Lay out what was done: the origins of both sides, the measurements and the options."""
        embed, request = discord.Embed(colour=EMBED_COLOR), record.request
        values: dict[str, object] = {**self.captions.origins(record)}
        if request.sources:
            *_, source = request.sources
            title = receipt.source or PurePath(record.names.get(source, "")).stem
            embed.title = escape(title, MAX_TITLE)
            embed.description = self._warnings(receipt)
        seeded = "again" in button_moves(request)
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
        if seeded:
            values["seed"] = receipt.seed
        for field, value in values.items():
            arguments = value if isinstance(value, tuple) else (value,)
            text = self._texts.render(f"values.{field}", record.locale, *arguments)
            embed.add_field(
                name=self._texts.render(f"fields.{field}", record.locale),
                value=truncate(text, MAX_FIELD),
            )
        footer = "answer.footer" if seeded else "answer.footer_mashup"
        embed.set_footer(text=self._texts.render(footer, record.locale, number=record.id))
        return embed

    def _warnings(self, receipt: Receipt) -> str | None:
        warnings = [escape(text, MAX_WARNING) for text in receipt.warnings[:MAX_WARNINGS]]
        return "\n".join(f"• {text}" for text in warnings) or None


def _strength_fields(request: Request, receipt: Receipt) -> dict[str, object]:
    """Return a transfer's strengths and shares of changed notes, in percent."""
    percents = {side: round(100 * each) for side, each in request.strengths.items()}
    if not percents:
        return {}
    values: dict[str, object] = {}
    if len(set(percents.values())) == 1:
        values["strength"] = next(iter(percents.values()))
    else:
        values["strengths"] = percents["pitch"], percents["rhythm"]
    if "rhythm" in percents and receipt.rhythm_changed is not None:
        values["rhythm_changed"] = round(receipt.rhythm_changed * 100)
    if "pitch" in percents and receipt.pitch_changed is not None:
        values["pitch_changed"] = round(receipt.pitch_changed * 100)
    return values


def _measurement_fields(receipt: Receipt) -> dict[str, object]:
    """Return the measurements of a result: kept repeats, similarity rank, longest shared run."""
    values: dict[str, object] = {}
    if receipt.repeats is not None and receipt.repeats[0]:
        values["repeats"] = receipt.repeats
    if receipt.rank_among is not None:
        values["rank_among"] = receipt.rank_among
    if receipt.longest_shared_run is not None:
        if receipt.p95_shared_run is None:
            values["longest_shared_run"] = receipt.longest_shared_run
        else:
            values["shared_run_and_p95"] = receipt.longest_shared_run, receipt.p95_shared_run
    return values
