"""Detects the format of a score file by its name, its size and its first bytes.

Loads no reader. The bot calls `detect_format` before it acknowledges a request in public, so the
errors name the file and what is accepted.
"""

from __future__ import annotations

import re
import unicodedata
from enum import StrEnum
from pathlib import PurePosixPath

from mst_core.errors import TooLong, UnreadableScore
from mst_core.reading.other_files import error_by_first_bytes, error_by_suffix
from mst_core.reading.parsed_score import Limits

SNIFFED_BYTES = 2_048
"""How many bytes from the start of a file `detect_format` needs."""
ACCEPTED_FORMATS = (
    "MIDI (.mid, .midi), ABC (.abc) and MusicXML (.musicxml, .xml, .mxl) are accepted"
)
MAX_ARGUMENT_LENGTH = 400
"""Characters of what an error quotes from a file."""
MAX_NAME_LENGTH = 60
"""Characters of a file's name in a sentence, its suffix included."""


class ScoreFormat(StrEnum):
    """The file formats that can be read."""

    MIDI = "MIDI"
    ABC = "ABC"
    MUSICXML = "MusicXML"
    MXL = "compressed MusicXML"


SUFFIXES = {
    ".mid": ScoreFormat.MIDI,
    ".midi": ScoreFormat.MIDI,
    ".kar": ScoreFormat.MIDI,
    ".rmi": ScoreFormat.MIDI,
    ".abc": ScoreFormat.ABC,
    ".musicxml": ScoreFormat.MUSICXML,
    ".xml": ScoreFormat.MUSICXML,
    ".mxl": ScoreFormat.MXL,
}
# Other files that people send by mistake, recognized by their first bytes.
_OTHER_FILE_TYPES = (
    (rb"\x1f\x8b|7z\xbc\xaf|Rar!|BZh|\xfd7zXZ", "an archive of another kind"),
    (rb"(?i)\s*<(!doctype html|html)", "a web page"),
)
_ARCHIVES = (".zip", ".rar", ".7z", ".gz", ".tgz", ".tar", ".xz", ".bz2")
_UNPACK = "unpack it, and send the MIDI, ABC or MusicXML file that is in it"
_SCORE_XML = re.compile(r"\s*<(\?xml|!DOCTYPE score-|score-(partwise|timewise))")
_TUNE_ON_PAGE = re.compile(rb"(?:^|[\n>])[ \t]*X:[ \t]*\d")
_ABC = re.compile(r"(\s*%abc|(.*\n)*?\s*X:\s*\d)")


def detect_format(
    name: str, size: int, first_bytes: bytes | None = None, limits: Limits | None = None
) -> ScoreFormat:
    """Return the format of a file, by its suffix and, once they are known, its first bytes.

    Clear first bytes win over a suffix of another accepted format.

    Args:
        name: the file's name, with or without folders.
        size: of the whole file, in bytes.
        first_bytes: the first `SNIFFED_BYTES` of the file; None before it is downloaded.
        limits: for the largest size.

    Returns:
        The format whose reader is to be used.

    Raises:
        UnreadableScore: when the file is empty or of another type.
        AudioFile, PictureFile, ForeignScore: when it is a recording, a picture, or a file of
            another program.
        TooLong: when it is too large.
    """
    shown = display_name(name)
    suffix = PurePosixPath(shown).suffix.lower()
    by_suffix = SUFFIXES.get(suffix)
    other = error_by_first_bytes(shown, first_bytes) if first_bytes else None
    if by_suffix is None:
        other = other or error_by_suffix(shown)
    if other is not None:
        raise other
    if suffix in _ARCHIVES:
        raise UnreadableScore(f"{shown} is an archive", _UNPACK)
    if by_suffix is None:
        raise UnreadableScore(f"{shown} does not have the ending of a score file", ACCEPTED_FORMATS)
    if size <= 0:
        raise UnreadableScore(f"{shown} is empty", ACCEPTED_FORMATS)
    most = (limits or Limits()).file_bytes
    if size > most:
        found = _megabytes(size)
        more = "more than " if found == _megabytes(most) else ""
        raise TooLong(f"{more}{found}", _megabytes(most))
    return by_suffix if first_bytes is None else _sniff(shown, by_suffix, first_bytes)


def _sniff(shown: str, by_suffix: ScoreFormat, first_bytes: bytes) -> ScoreFormat:
    """The format by the first bytes, or by the suffix where they leave it open."""
    if first_bytes[:4] == b"MThd" or re.match(rb"RIFF....RMID", first_bytes, re.DOTALL):
        return ScoreFormat.MIDI
    # After the header of another program or computer, such as MacBinary.
    if by_suffix is ScoreFormat.MIDI and b"MThd" in first_bytes:
        return ScoreFormat.MIDI
    if first_bytes[:4] == b"PK\x03\x04":
        return ScoreFormat.MXL
    if by_suffix is ScoreFormat.ABC and _TUNE_ON_PAGE.search(first_bytes):
        return ScoreFormat.ABC  # a saved web page with a tune on it
    for pattern, file_type in _OTHER_FILE_TYPES:
        if re.match(pattern, first_bytes, re.DOTALL):
            raise UnreadableScore(
                f"{shown} is {file_type}, whatever its name says", ACCEPTED_FORMATS
            )
    text = decode_text(first_bytes)
    if _SCORE_XML.match(text):
        return ScoreFormat.MUSICXML
    if "\0" not in text and (by_suffix is ScoreFormat.ABC or _ABC.match(text)):
        return ScoreFormat.ABC
    # A comment, blank lines or words of a chat may stand before the XML.
    if by_suffix is ScoreFormat.MUSICXML and ("<?xml" in text or "<score-" in text):
        return by_suffix
    if by_suffix is ScoreFormat.MUSICXML and text.lstrip()[:1] == "<":
        return by_suffix
    raise UnreadableScore(f"{shown} does not begin as a {by_suffix} file does", ACCEPTED_FORMATS)


def decode_text(data: bytes) -> str:
    """Decode a text of unknown encoding; never fails.

    Args:
        data: bytes of a text file, perhaps only its beginning.

    Returns:
        The text in UTF-16 (by a byte order mark or a zero byte beside the first character), else
        in UTF-8, else in Latin-1. Broken UTF-16 and a last character cut off become U+FFFD.
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


def sanitize_line(text: str, max_length: int) -> str:
    """Return untrusted text as one line that is safe to print.

    Args:
        text: anything.
        max_length: characters to keep; the last one of a longer text is an ellipsis.

    Returns:
        The text without control and direction characters, its white space single spaces.
    """
    spaced = " ".join(text.split())
    line = "".join(sign for sign in spaced if unicodedata.category(sign)[0] != "C").strip()
    return line if len(line) <= max_length else line[: max_length - 1] + "…"


def display_name(name: str) -> str:
    """Return the base name of a file as one line for a sentence.

    Args:
        name: a path of any operating system.

    Returns:
        At most `MAX_NAME_LENGTH` characters, never empty; the suffix of a score stays.
    """
    base = name.replace("\\", "/").rstrip("/").rpartition("/")[2]
    suffix = PurePosixPath(base).suffix
    if suffix.lower() not in SUFFIXES:
        return sanitize_line(base, MAX_NAME_LENGTH) or "a file without a name"
    stem = sanitize_line(base.removesuffix(suffix), MAX_NAME_LENGTH - len(suffix))
    return (stem or "…") + suffix


def _megabytes(size: int) -> str:
    return f"{size / 1_000_000:.1f} MB"
