"""Captions: names a request in a sentence, in a list and as a file, and chooses its buttons.

The only module of the bot that distinguishes the kinds of request (new tune, transfer, mashup):
docs/decisions.md#kinds-of-request. Text of other users, such as file names, is escaped and
truncated before it is shown.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from pathlib import PurePath

from discord.utils import escape_markdown

from bot.requests.record import NewRequest
from bot.texts import Texts
from mst_core.requests import Compose, Mashup, Request, Transfer
from mst_core.styles import StyleCard

MAX_NAME = 100
"""Characters of a file name in a sentence."""
MAX_DESCRIPTION = 4096
"""Characters that Discord allows in the description of an embed."""
MAX_FILE_NAME = 40
"""Characters of an uploaded file's stem in the file names of its results."""


class Captions:
    """Describes requests in the language of the reader."""

    def __init__(self, texts: Texts, styles: Mapping[str, StyleCard]) -> None:
        self._texts = texts
        self._styles = styles

    def style_title(self, style: str) -> str:
        """Return the title of a style, or its name when its folder no longer exists."""
        return self._styles[style].title if style in self._styles else style

    def describe(self, record: NewRequest, locale: str) -> str:
        """Return a phrase for the requested tune, such as *a new folk tune*.

        Args:
            record: The request, with the user's names of its files.
            locale: A Discord locale, such as ``en-US``.

        Returns:
            The phrase, with file names escaped for Markdown.
        """
        render = self._texts.render
        match record.request:
            case Compose(pitch=pitch, rhythm=rhythm):
                key = "tune.one" if pitch == rhythm else "tune.two"
                titles = self._phrase_title(pitch), self._phrase_title(rhythm)
                return render(key, locale, pitch=titles[0], rhythm=titles[1])
            case Mashup(source=a, like=b):
                names = self._display_name(record, a), self._display_name(record, b)
                return render("tune.mashup", locale, a=names[0], b=names[1])
            case Transfer(source=source):
                sides = " ".join(
                    render(f"sides.{key}", locale, value)
                    for key, value in self._origins(record, self._phrase_title).items()
                )
                file = self._display_name(record, source)
                return render("tune.given", locale, file=file, sides=sides)

    def origins(self, record: NewRequest) -> dict[str, str]:
        """Return the style or tune that each requested side comes from.

        Returns:
            ``pitch`` and ``rhythm`` with the title of a style, ``pitch_like`` and ``rhythm_like``
            with the name of a file; a side that a transfer keeps has no entry.
        """
        return self._origins(record, self.style_title)

    def _origins(self, record: NewRequest, describe_style: Callable[[str], str]) -> dict[str, str]:
        """Return the origin of each requested side, with a style in the words of a function."""
        origins = {}
        for name, side in record.request.sides.items():
            if side.style is not None:
                origins[str(name)] = describe_style(side.style)
            else:
                origins[f"{name}_like"] = self._display_name(record, side.like)
        return origins

    def describe_amount(self, record: NewRequest, locale: str) -> str:
        """Return the number of bars of a new tune, or the strengths of a transfer in percent.

        Args:
            record: The request.
            locale: A Discord locale, such as ``en-US``.

        Returns:
            The phrase; for a mashup, which has neither, an empty string.
        """
        match record.request:
            case Compose(bars=bars):
                return self._texts.render("history.new", locale, bars=bars)
            case request:
                percents = dict.fromkeys(round(100 * each) for each in request.strengths.values())
                return " / ".join(
                    self._texts.render("history.given", locale, percent=each) for each in percents
                )

    def _phrase_title(self, style: str) -> str:
        """Return the title for the middle of a sentence: without the capital that only it has."""
        title = self.style_title(style)
        return style if title.casefold() == style.casefold() else title

    def _display_name(self, record: NewRequest, sha256: str | None) -> str:
        return escape(record.names.get(sha256 or "", "?"), MAX_NAME)


def button_moves(request: Request) -> tuple[str, ...]:
    """Return the moves that have a button below the result of a request, from left to right.

    A request whose result depends on the seed has ``again``.
    """
    match request:
        case Compose():
            return "again", "remove"
        case Transfer():
            return "again", "compare", "remove"
        case Mashup():
            return "swap", "remove"


def file_name(record: NewRequest) -> str:
    """Return the name of a result's files, without suffix.

    Returns:
        For a new tune its styles and seed, such as ``jazz-folk-7``. For a transfer the stem of the
        uploaded file, the targets and the strength of the rhythm, such as ``reel-jazz.0.50``; a
        different strength of the pitches follows, such as ``reel-jazz-folk.0.50.p1.00``. For a
        mashup both stems, such as ``reel-x-waltz``.
    """
    match record.request:
        case Compose(pitch=pitch, rhythm=rhythm, seed=seed):
            return f"{pitch if pitch == rhythm else f'{pitch}-{rhythm}'}-{seed}"
        case Mashup(source=a, like=b):
            return f"{_stem(record, a) or 'tune'}-x-{_stem(record, b) or 'tune'}"
        case Transfer(source=source) as request:
            targets = [
                f"like-{_stem(record, side.like)}".rstrip("-") if side.like else side.style
                for side in request.sides.values()
            ]
            stem = _stem(record, source) or "tune"
            name = "-".join([stem, *dict.fromkeys(target for target in targets if target)])
            strengths = request.strengths
            differs = len(set(strengths.values())) > 1
            pitch_part = f".p{strengths['pitch']:.2f}" if differs else ""
            rhythm_strength = strengths.get("rhythm", strengths.get("pitch", 1.0))
            return f"{name}.{rhythm_strength:.2f}{pitch_part}"


def escape(text: str, max_length: int) -> str:
    """Escape the Markdown in a user's text, and truncate it to ``max_length`` characters.

    Args:
        text: Text as a user wrote it.
        max_length: Characters of the escaped text, at least 1.

    Returns:
        The escaped text; "…" is its last character when it was truncated.
    """
    return truncate(escape_markdown(text), max_length)


def truncate(text: str, max_length: int) -> str:
    """Truncate an escaped text to ``max_length`` characters, never in the middle of an escape.

    Args:
        text: Text whose Markdown is escaped.
        max_length: Characters to keep at most, at least 1.

    Returns:
        The text; "…" is its last character when it was truncated.
    """
    if len(text) <= max_length:
        return text
    kept = text[: max_length - 1]
    if (len(kept) - len(kept.rstrip("\\"))) % 2:
        kept = kept[:-1]
    return kept + "…"


def join_lines(lines: Iterable[str], max_length: int = MAX_DESCRIPTION) -> str:
    """Join the first lines, as many whole ones as fit into ``max_length`` characters.

    Args:
        lines: The lines, without line breaks.
        max_length: Characters of the result, line breaks included.

    Returns:
        The lines with a line break between them; an empty string when not even the first fits.
    """
    text = ""
    for line in lines:
        longer = f"{text}\n{line}" if text else line
        if len(longer) > max_length:
            break
        text = longer
    return text


def _stem(record: NewRequest, sha256: str) -> str:
    """Return the stem of an uploaded file's name in characters that Discord keeps."""
    stem = PurePath(record.names.get(sha256, "")).stem
    letters = unicodedata.normalize("NFKD", stem).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9]+", "-", letters)[:MAX_FILE_NAME].strip("-")
