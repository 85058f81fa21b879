"""Finds the tunes in the text of an ABC file, and the header and the music of each.

The standard ends a tune at an empty line and demands the fields X: and K:. Files from the wild
follow neither rule, so here a tune goes on after an empty line while music comes, and either field
may be missing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mst_core.errors import TooLong
from mst_core.reading.abc.text import (
    clean_lines,
    is_music,
    plain_music,
    plain_text,
    without_comment,
)
from mst_core.reading.abc.tokens import FieldToken

MAX_CHARACTERS = 5_000_000
MAX_FIELD_LENGTH = 500
"""Characters that are kept of a header field such as the title."""
_MAX_HEADER_LINES = 40  # in which a title without X: must be followed by its K:
_CLEAR_PROSE = 0.35
_WORD = re.compile(r"[^\W\d_]{3,}")
MAX_JOINED = 2_000
"""Characters of lines of music that are joined, from which on no more are."""
_WRAPPED = re.compile(r"/|[',]+[\w|(\[ ]|\d[\d/]*[A-Ga-g|(\[]")
_NOTE_SIGNS = frozenset("ABCDEFGabcdefgz',/0123456789")
_FIELD = re.compile(r"([A-Za-z]|[XTMLKQRV]\s):(?![|:])(.*)")
_DIRECTIVE = re.compile(r"%%\s*((?:MIDI|propagate-accidentals|transpose)\b.*)", re.IGNORECASE)
_VERSION = re.compile(r"%abc-(\d)\.(\d)")
_BODY_FIELDS = frozenset("IKLMmNPQRrsTUVWwZBCDFGHOS")
_FILE_FIELDS = ("L:", "M:", "R:", "Q:", "I:", "%%", "%abc-")


@dataclass(frozen=True, slots=True)
class AbcSource:
    """The text of a tune, divided into its header and its music."""

    header: dict[str, list[str]]
    """The fields up to the first K:, by letter; ``I`` holds instructions and directives."""
    key: str | None
    """The first K: field; None where the tune has none."""
    body: tuple[str, ...]
    """Lines of music and fields after it, without comments and without words."""
    warnings: tuple[str, ...] = ()
    """What was repaired, in plain sentences."""


def split_tunes(text: str, *, max_characters: int = MAX_CHARACTERS) -> Iterator[str]:
    """Split a file into tunes, and put the fields of its own header before each.

    Args:
        text: A whole ABC file. A tune begins at an X: line, and after an empty line at a title
            that is followed by a K: field; without any the file is one tune.
        max_characters: Longest text.

    Yields:
        The text of each tune.

    Raises:
        TooLong: when the text is longer than ``max_characters``.
    """
    if len(text) > max_characters:
        raise TooLong(f"{len(text)} characters", f"{max_characters} characters")
    lines = clean_lines(text)
    starts = _starts(lines)
    if not starts:
        if any(lines):
            yield "\n".join(lines)
        return
    header = [line for line in lines[: starts[0]] if line.startswith(_FILE_FIELDS)]
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        yield "\n".join(header + lines[start:end])


def split_header(text: str) -> AbcSource:
    """Divide the text of a tune into its header and its music.

    Args:
        text: One tune, as `split_tunes` yields it.
    """
    lines = clean_lines(text)
    header: dict[str, list[str]] = {}
    for number, line in enumerate(lines):
        field = read_field_line(line)
        if field is None:
            if _begins_music(line, has_fields=bool(header)):
                break
            continue
        value = field.text[:MAX_FIELD_LENGTH]
        if field.letter == "K":
            body, warnings = _body(lines[number + 1 :])
            return AbcSource(header, value, body, warnings)
        header.setdefault(field.letter, []).append(value)
    else:
        return AbcSource(header, None, ())
    body, warnings = _body(lines[number:])
    return AbcSource(header, None, body, warnings)


def holds_music(text: str) -> bool:
    """Whether an entry of a file is a tune, not a title page or an index.

    Args:
        text: One tune, as `split_tunes` yields it.
    """
    return any(_begins_music(line, has_fields=True) for line in text.splitlines())


def find_title(text: str) -> str:
    """Return the first title of a tune that is not empty, without reading its music.

    Args:
        text: One tune, as `split_tunes` yields it.
    """
    titles = (
        without_comment(line[2:])[:MAX_FIELD_LENGTH]
        for line in text.splitlines()
        if line.startswith("T:")
    )
    return next((plain_text(title) for title in titles if title), "")


def read_title(header: dict[str, list[str]]) -> str:
    """Return the first title of a header that is not empty, with its escapes resolved."""
    return next((plain_text(title) for title in header.get("T", ()) if title), "")


def read_field_line(line: str, letters: frozenset[str] | None = None) -> FieldToken | None:
    """Parse a line that is a field or a directive; ``G:|`` is a note and a barline.

    Args:
        line: The whole line.
        letters: The fields that are looked for; None for all.

    Returns:
        The field without its comment; a directive that matters is an I: field.
    """
    if line.startswith("%"):
        directive = _DIRECTIVE.match(line)
        if directive:
            return FieldToken("I", without_comment(directive[1]))
        version = _VERSION.match(line)
        return FieldToken("I", f"abc-version {version[1]}.{version[2]}") if version else None
    match = _FIELD.match(line)
    if not match or (letters is not None and match[1] not in letters):
        return None
    text = match[2].lstrip()
    if text[:1] in ("|", ":") and match[1] in "ABCDEFGabcdefgxyzZ":
        return None
    return FieldToken(match[1].strip(), without_comment(text))


def read_body_line(line: str) -> FieldToken | None:
    """Parse a line after the header that is a field; None for a line of music."""
    return read_field_line(line, _BODY_FIELDS)


def _starts(lines: Sequence[str]) -> list[int]:
    """The numbers of the lines at which tunes begin."""
    starts: list[int] = []
    has_music, is_gap, has_key = False, True, False
    precede_keys = _precede_keys(lines)
    for number, line in enumerate(lines):
        unnumbered = has_music and is_gap and line.startswith("T:") and precede_keys[number]
        if unnumbered or line.startswith("X:"):
            starts.append(number)
            has_music = has_key = False
        elif line.startswith("K:"):
            has_key = True
        elif has_key and not has_music and _begins_music(line, has_fields=True):
            has_music = True
            starts = starts or [0]
        is_gap = not line
    return starts


def _precede_keys(lines: Sequence[str]) -> list[bool]:
    """Whether each line begins a run of fields, not too long, that contains a K: field."""
    precede: list[bool] = []
    distance = _MAX_HEADER_LINES
    for line in reversed(lines):
        if line.startswith("K:"):
            distance = 0
        elif line and not line.startswith("%") and read_field_line(line) is None:
            distance = _MAX_HEADER_LINES
        else:
            distance += 1
        precede.append(distance < _MAX_HEADER_LINES)
    return precede[::-1]


def _begins_music(line: str, *, has_fields: bool) -> bool:
    """Whether a line before any K: field is music; without any field it needs a barline."""
    if not line or line.startswith("%") or read_field_line(line):
        return False
    return is_music(line) and (has_fields or ("|" in line and len(line) > 4))


def _body(lines: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The lines of music and fields, and remarks on what was repaired."""
    body: list[str] = []
    has_music = after_gap = goes_on = False
    words = 0
    for line in lines:
        if not line:
            after_gap = has_music
            continue
        # The continuation of a field such as lyrics, or a comment as other languages write it.
        if line.startswith(("+:", "#")):
            continue
        if line.startswith("%") or read_body_line(line):
            body.append(line)
            continue
        music = plain_music(_without_comment_sign(line))
        if not music:
            continue
        if after_gap:
            if "|" not in music or not is_music(music):
                continue  # words between tunes
            goes_on = True
        elif _is_prose(music):
            words += 1
            continue
        has_music = True
        body.append(music)
    warnings = []
    if goes_on:
        warnings.append("The tune goes on after an empty line, and all of it was read.")
    if words:
        lines_were = "1 line of words was" if words == 1 else f"{words} lines of words were"
        warnings.append(f"{lines_were} found between the notes and left out.")
    return tuple(_join_open(body)), tuple(warnings)


def _is_prose(line: str) -> bool:
    """Whether a line without an empty line before it is clearly no music."""
    if "|" in line or is_music(line, most_prose=_CLEAR_PROSE):
        return False
    words = _WORD.findall(line)
    return len(words) > 1 and sum(not is_music(word) for word in words) > len(words) / 2


def _without_comment_sign(line: str) -> str:
    """Cut off a comment; a percent sign inside quotation marks begins none."""
    music = without_comment(line)
    if music.count('"') % 2 and line[len(music) :].count('"') % 2:
        return line
    return music


def _join_open(lines: Sequence[str]) -> Iterator[str]:
    """Join two lines of music of which the first ends inside a note, a chord or quotation marks."""
    held = ""
    for line in lines:
        is_field = line.startswith("%") or read_body_line(line) is not None
        if held and not is_field and len(held) < MAX_JOINED:
            if _WRAPPED.match(line) and held[-1] in _NOTE_SIGNS:
                held += line  # a mail program broke the line within a note
                continue
            if _closes(held, line):
                held += " " + line
                continue
        if held:
            yield held
        held = "" if is_field else line.rstrip("\\").rstrip()
        if is_field:
            yield line
    if held:
        yield held


def _closes(line: str, after: str) -> bool:
    """Whether the second line ends what the first one leaves open."""
    odd = any(line.count(sign) % 2 and after.count(sign) % 2 for sign in '"+')
    open_chord = line.rfind("[") > line.rfind("]")
    return odd or (open_chord and 0 <= after.find("]") < (after + "[").find("["))
