"""Which kind of score a file is, by its name and its first bytes; nothing else is read or loaded.

The bot asks here before its public answer, so the sentences name the file and what is accepted.
"""

from __future__ import annotations

import re
import unicodedata
from enum import StrEnum
from pathlib import PurePosixPath

from mst_core.errors import TooLong, UnreadableScore
from mst_core.reading.parsed_score import Limits

SNIFFED_BYTES = 2_048
"""How much of a file is enough for `detect_format`."""
ACCEPTED_FORMATS = (
    "MIDI (.mid, .midi), ABC (.abc) and MusicXML (.musicxml, .xml, .mxl) are accepted"
)
MAX_NAME_LENGTH = 60


class ScoreFormat(StrEnum):
    """The kinds of score that there are readers for."""

    MIDI = "MIDI"
    ABC = "ABC"
    MUSICXML = "MusicXML"
    MXL = "compressed MusicXML"


SUFFIXES = {
    ".mid": ScoreFormat.MIDI,
    ".midi": ScoreFormat.MIDI,
    ".abc": ScoreFormat.ABC,
    ".musicxml": ScoreFormat.MUSICXML,
    ".xml": ScoreFormat.MUSICXML,
    ".mxl": ScoreFormat.MXL,
}
_OTHER_FILE_TYPES = (
    # what people send by mistake, by its first bytes
    (rb"ID3|\xff[\xe2-\xfb]", "an MP3 sound"),
    (rb"OggS", "an Ogg sound"),
    (rb"fLaC", "a FLAC sound"),
    (rb"RIFF....WAVE", "a WAV sound"),
    (rb"....ftyp", "a sound or a film"),
    (rb"\x89PNG|\xff\xd8\xff|GIF8|RIFF....WEBP", "a picture"),
    (rb"%PDF", "a PDF document"),
    (rb"\x1f\x8b|7z\xbc\xaf|Rar!|BZh|\xfd7zXZ", "an archive of another kind"),
    (rb"(?i)\s*<(!doctype html|html)", "a web page"),
)
_SCORE_XML = re.compile(r"\s*<(\?xml|!DOCTYPE score-|score-(partwise|timewise))")
_ABC = re.compile(r"(\s*%abc|(.*\n)*?\s*X:\s*\d)")


def detect_format(
    name: str, size: int, first_bytes: bytes | None = None, limits: Limits | None = None
) -> ScoreFormat:
    """Tell the kind of a file of ``size`` bytes; before it is there, by its name alone.

    What its first bytes clearly are decides against a wrong suffix among the accepted ones.

    Raises:
        UnreadableScore: when it is empty or none of the kinds.
        TooLong: when it is too large.
    """
    shown = display_name(name)
    kind = SUFFIXES.get(PurePosixPath(shown).suffix.lower())
    if kind is None:
        raise UnreadableScore(
            f"{shown} has the ending of no kind of score that can be read", ACCEPTED_FORMATS
        )
    if size <= 0:
        raise UnreadableScore(f"{shown} is empty", ACCEPTED_FORMATS)
    most = (limits or Limits()).file_bytes
    if size > most:
        found = _megabytes(size)
        more = "more than " if found == _megabytes(most) else ""
        raise TooLong(f"{more}{found}", _megabytes(most))
    return kind if first_bytes is None else _sniff(shown, kind, first_bytes)


def _sniff(shown: str, kind: ScoreFormat, first_bytes: bytes) -> ScoreFormat:
    if first_bytes[:4] == b"MThd" or re.match(rb"RIFF....RMID", first_bytes, re.DOTALL):
        return ScoreFormat.MIDI
    if first_bytes[:4] == b"PK\x03\x04":
        return ScoreFormat.MXL
    for pattern, foreign in _OTHER_FILE_TYPES:
        if re.match(pattern, first_bytes, re.DOTALL):
            raise UnreadableScore(f"{shown} is {foreign}, whatever its name says", ACCEPTED_FORMATS)
    text = decode_text(first_bytes)
    if _SCORE_XML.match(text):
        return ScoreFormat.MUSICXML
    if "\0" not in text and (kind is ScoreFormat.ABC or _ABC.match(text)):
        return ScoreFormat.ABC
    if kind is ScoreFormat.MUSICXML and text.lstrip()[:1] == "<":
        return kind
    raise UnreadableScore(f"{shown} does not begin as a {kind} file does", ACCEPTED_FORMATS)


def decode_text(data: bytes) -> str:
    """Decode a text by its byte order mark, else as UTF-8, else as Latin-1, which never fails.

    A character that is cut off at the end, or broken in UTF-16, becomes U+FFFD.
    """
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", errors="replace")
    if data[1:2] == b"\0" and data[:1] in b"<X%":
        return data.decode("utf-16-le", errors="replace")
    if data[:1] == b"\0" and data[1:2] in b"<X%":
        return data.decode("utf-16-be", errors="replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if error.start >= len(data) - 3 and error.reason == "unexpected end of data":
            return data.decode("utf-8-sig", errors="replace")
        return data.decode("latin-1")


def sanitize_line(text: str, most: int) -> str:
    """Make a stranger's text fit for a sentence: no control or direction signs, ``most`` long."""
    spaced = " ".join(text.split())
    kept = "".join(sign for sign in spaced if unicodedata.category(sign)[0] != "C").strip()
    return kept if len(kept) <= most else kept[: most - 1] + "…"


def display_name(name: str) -> str:
    """Give the base name of a path from any system as one line, its ending kept."""
    base = name.replace("\\", "/").rstrip("/").rpartition("/")[2]
    suffix = PurePosixPath(base).suffix
    if suffix.lower() not in SUFFIXES:
        return sanitize_line(base, MAX_NAME_LENGTH) or "a file without a name"
    stem = sanitize_line(base.removesuffix(suffix), MAX_NAME_LENGTH - len(suffix))
    return (stem or "…") + suffix


def _megabytes(size: int) -> str:
    return f"{size / 1_000_000:.1f} MB"
