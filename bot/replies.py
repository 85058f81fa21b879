"""The shape of an answer: what is said while a request waits and runs, and what it ends in."""

from __future__ import annotations

import io
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePath

import discord
from discord.utils import escape_markdown

from bot.buttons import add_strengths, answer_buttons, style_choice
from bot.ledger import Ask, Entry
from bot.texts import Texts
from bot.uploads import Upload
from mst_core.jobs import FORMATS, Progress, Receipt, Restyle
from mst_core.styles import StyleCard

COLOUR = discord.Colour.from_rgb(214, 160, 70)
BAR_STEPS = 10
MOST_REMARKS = 5
LONGEST_REMARK = 250
LONGEST_NAME = 100
LONGEST_TITLE = 256
"""Discord's limits: this for the title of an embed, and those for its other parts."""
LONGEST_FIELD = 1024
LONGEST_DESCRIPTION = 4096
LONGEST_EMBED = 6000
LONGEST_FILE_NAME = 40


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
            tune=self.tune(entry, entry.locale),
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
            tune=self.tune(entry, entry.locale),
            bar="▰" * done + "▱" * (BAR_STEPS - done),
            percent=round(share * 100),
        )

    def answer(self, entry: Entry, receipt: Receipt, files: Mapping[str, bytes]) -> Answer:
        """Shape the result: sound, score and MIDI, what was done, and the buttons."""
        name = file_name(entry, receipt)
        embed = self._embed(entry, receipt)
        if "png" in files:
            embed.set_image(url=f"attachment://{name}.png")
        say = self._texts.say
        view = answer_buttons(
            entry.id, say("answer.again", entry.locale), say("answer.remove", entry.locale)
        )
        if isinstance(entry.request, Restyle):
            now = round(entry.request.strength * 100)
            add_strengths(view, "strength", entry.id, now, lambda n: self._strength(n, entry))
        return Answer(
            content=say("answer.content", entry.locale, tune=self.tune(entry, entry.locale)),
            embed=embed,
            files=[
                discord.File(io.BytesIO(files[suffix]), filename=f"{name}.{suffix}")
                for suffix in sorted(files, key=FORMATS.index)  # the sound first
            ],
            view=view,
        )

    def tune(self, ask: Ask, locale: str) -> str:
        """Say in a few words what was asked for, such as *a new folk tune*."""
        request = ask.request
        if isinstance(request, Restyle):
            key = "tune.given" if request.like is None else "tune.like"
            named = {"file": self._called(ask, request.source), "rhythm": self._rhythm(ask)}
        else:
            key = "tune.one" if request.pitch == request.rhythm else "tune.two"
            named = {"pitch": self.title(request.pitch), "rhythm": self.title(request.rhythm)}
        return self._texts.say(key, locale, **named)

    def title(self, style: str) -> str:
        """Return the title of a style, or its name when its folder has gone."""
        return self._styles[style].title if style in self._styles else style

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

    def _strength(self, percent: int, entry: Entry) -> str:
        return self._texts.say("answer.strength", entry.locale, percent)

    def _called(self, ask: Ask, sha256: str | None) -> str:
        # A stranger's text: none of it shall look like ours.
        return escaped(ask.names.get(sha256 or "", "?"), LONGEST_NAME)

    def _rhythm(self, ask: Ask) -> str:
        request = ask.request
        if isinstance(request, Restyle) and request.rhythm is None:
            return self._called(ask, request.like)
        return self.title(request.rhythm or "")

    def _embed(self, entry: Entry, receipt: Receipt) -> discord.Embed:
        embed = discord.Embed(colour=COLOUR)
        values: dict[str, object] = {"rhythm": self._rhythm(entry)}
        if isinstance(request := entry.request, Restyle):
            if request.like is not None:
                values = {"like": values["rhythm"]}
            title = receipt.source or PurePath(entry.names.get(request.source, "")).stem
            embed.title = escaped(title, LONGEST_TITLE)
            embed.description = self._remarks(receipt)
            values["strength"] = round(request.strength * 100)
            if receipt.changed is not None:
                values["changed"] = round(receipt.changed * 100)
        else:
            values = {"pitch": self.title(receipt.pitch), **values}
        values |= {
            "key": receipt.key,
            "meter": receipt.meter,
            "tempo": round(receipt.tempo),
            "bars": receipt.bars,
        }
        if receipt.form:
            values["form"] = receipt.form
        values["seed"] = receipt.seed
        for field, value in values.items():
            embed.add_field(
                name=self._texts.say(f"fields.{field}", entry.locale),
                value=cut(self._texts.say(f"values.{field}", entry.locale, value), LONGEST_FIELD),
            )
        embed.set_footer(text=self._texts.say("answer.footer", entry.locale, number=entry.id))
        return embed

    def _remarks(self, receipt: Receipt) -> str | None:
        remarks = [escaped(text, LONGEST_REMARK) for text in receipt.remarks[:MOST_REMARKS]]
        return "\n".join(f"• {text}" for text in remarks) or None


def escaped(text: str, most: int) -> str:
    """Write a stranger's text so that none of it is formatting, in at most so many letters."""
    return cut(escape_markdown(text), most)


def cut(text: str, most: int) -> str:
    """Shorten a text with escapes in it to so many letters; no escape is cut in half."""
    if len(text) <= most:
        return text
    kept = text[: most - 1]
    if (len(kept) - len(kept.rstrip("\\"))) % 2:
        kept = kept[:-1]
    return kept + "…"


def whole_lines(lines: Iterable[str], most: int = LONGEST_DESCRIPTION) -> str:
    """Join lines from the first on, as many as fit into so many letters."""
    text = ""
    for line in lines:
        longer = f"{text}\n{line}" if text else line
        if len(longer) > most:
            break
        text = longer
    return text


def file_name(entry: Entry, receipt: Receipt) -> str:
    """Name the files of a result, without suffix: the styles and the seed, or the file's own name.

    A given tune keeps the stem of its name, as far as Discord keeps it too, and gets the strength
    behind it, two decimals, such as ``reel-jazz.0.50``.
    """
    request = entry.request
    if isinstance(request, Restyle):
        stem = _plain(PurePath(entry.names.get(request.source, "")).stem) or "tune"
        rhythm = request.rhythm or "like-" + _plain(
            PurePath(entry.names.get(request.like or "", "")).stem
        )
        return f"{stem}-{rhythm.rstrip('-')}.{request.strength:.2f}"
    styles = (
        receipt.pitch if receipt.pitch == receipt.rhythm else f"{receipt.pitch}-{receipt.rhythm}"
    )
    return f"{styles}-{receipt.seed}"


def _plain(stem: str) -> str:
    """Write a name in the letters that Discord leaves in the name of a file."""
    letters = unicodedata.normalize("NFKD", stem).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9]+", "-", letters)[:LONGEST_FILE_NAME].strip("-")
