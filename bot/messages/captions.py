"""What a request is called: in a sentence, in a list, and as a file. Files keep strangers' names.

A stranger's text is shown as text: none of it is formatting, and none is longer than it may be.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from pathlib import PurePath

from discord.utils import escape_markdown

from bot.requests.store import NewRequest
from bot.texts import Texts
from mst_core.jobs import Compose, Mashup
from mst_core.styles import StyleCard

MAX_NAME = 100
MAX_DESCRIPTION = 4096
MAX_FILE_NAME = 40


class Captions:
    """Words requests in the language of whoever reads."""

    def __init__(self, texts: Texts, styles: Mapping[str, StyleCard]) -> None:
        self._texts = texts
        self._styles = styles

    def style_title(self, style: str) -> str:
        """Return the title of a style, or its name when its folder has gone."""
        return self._styles[style].title if style in self._styles else style

    def describe(self, record: NewRequest, locale: str) -> str:
        """Say in a few words what was asked for, such as *a new folk tune*."""
        request, say = record.request, self._texts.render
        if isinstance(request, Compose):
            key = "tune.one" if request.pitch == request.rhythm else "tune.two"
            pitch, rhythm = self.style_title(request.pitch), self.style_title(request.rhythm)
            return say(key, locale, pitch=pitch, rhythm=rhythm)
        if isinstance(request, Mashup):
            a, b = (
                self._display_name(record, request.source),
                self._display_name(record, request.like),
            )
            return say("tune.mashup", locale, a=a, b=b)
        sides = " ".join(
            say(f"sides.{key}", locale, value) for key, value in self.origins(record).items()
        )
        return say(
            "tune.given", locale, file=self._display_name(record, request.source), sides=sides
        )

    def origins(self, record: NewRequest) -> dict[str, str]:
        """Say where each side comes from: of a style, or ``_like`` one tune; what stays is out."""
        origins = {}
        for name, side in record.request.sides.items():
            if side.style is not None:
                origins[str(name)] = self.style_title(side.style)
            else:
                origins[f"{name}_like"] = self._display_name(record, side.like)
        return origins

    def describe_amount(self, record: NewRequest, locale: str) -> str:
        """Say briefly how much was asked for: the bars of a new tune, the strength of a change."""
        request, say = record.request, self._texts.render
        if isinstance(request, Compose):
            return say("history.new", locale, bars=request.bars)
        if isinstance(request, Mashup):
            return ""
        percents = dict.fromkeys(round(100 * each) for each in request.strengths.values())
        return " / ".join(say("history.given", locale, percent=each) for each in percents)

    def _display_name(self, record: NewRequest, sha256: str | None) -> str:
        return escape(record.names.get(sha256 or "", "?"), MAX_NAME)


def file_name(record: NewRequest) -> str:
    """Name the files of a result, without suffix: the styles and the seed, or the file's own name.

    A given tune keeps the stem of its name, as far as Discord keeps it too, and gets the strength
    behind it, two decimals, such as ``reel-jazz.0.50``; and ``reel-jazz-folk.0.50.p1.00`` where the
    pitches go another way than the rhythm.
    """
    request = record.request
    if isinstance(request, Compose):
        pitch, rhythm = request.pitch, request.rhythm
        return f"{pitch if pitch == rhythm else f'{pitch}-{rhythm}'}-{request.seed}"
    stem = _stem(record, request.source) or "tune"
    if isinstance(request, Mashup):
        return f"{stem}-x-{_stem(record, request.like) or 'tune'}"
    parts = [
        f"like-{_stem(record, side.like)}".rstrip("-") if side.like else side.style
        for side in request.sides.values()
    ]
    name = "-".join([stem, *dict.fromkeys(part for part in parts if part)])
    far = request.strengths
    apart = f".p{far['pitch']:.2f}" if len(set(far.values())) > 1 else ""
    return f"{name}.{far.get('rhythm', far.get('pitch', 1.0)):.2f}{apart}"


def escape(text: str, max_length: int) -> str:
    """Write a stranger's text so that none of it is formatting, in at most so many letters."""
    return truncate(escape_markdown(text), max_length)


def truncate(text: str, max_length: int) -> str:
    """Shorten a text with escapes in it to so many letters; no escape is cut in half."""
    if len(text) <= max_length:
        return text
    kept = text[: max_length - 1]
    if (len(kept) - len(kept.rstrip("\\"))) % 2:
        kept = kept[:-1]
    return kept + "…"


def join_lines(lines: Iterable[str], max_length: int = MAX_DESCRIPTION) -> str:
    """Join lines from the first on, as many as fit into so many letters."""
    text = ""
    for line in lines:
        longer = f"{text}\n{line}" if text else line
        if len(longer) > max_length:
            break
        text = longer
    return text


def _stem(record: NewRequest, sha256: str) -> str:
    """Write the name of a file in the letters that Discord leaves in one."""
    stem = PurePath(record.names.get(sha256, "")).stem
    letters = unicodedata.normalize("NFKD", stem).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9]+", "-", letters)[:MAX_FILE_NAME].strip("-")
