"""Reads the title of a MIDI file and the names of its tracks as letters, in whatever encoding.

Programs write their own words where a title belongs ("untitled", "Seq-1", "Master Parameters");
these are no titles: the name of the file says more.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from mst_core.reading.midi.chunks import MidiFile
from mst_core.reading.midi.messages import (
    INSTRUMENT_NAME,
    LYRIC,
    NOTE_ON,
    TEXT,
    TRACK_NAME,
    MidiMessage,
)
from mst_core.reading.text_encoding import decode_as, find_encoding

_TEXTS = (TRACK_NAME, INSTRUMENT_NAME, TEXT, LYRIC)
_MAX_NAME_LENGTH = 80  # characters
_MAX_TEXT_BYTES = 4_096  # of a text that are decoded
_KARAOKE_TITLE = b"@T"
_NO_TITLE = re.compile(
    r"""(?ix)
    (the[ ])?(un|no[ ]?|ohne[ ]?|sans[ ]|sin[ ]|senza[ ]|без[ ])
        (titled?|named?|title|name|nombre|t[ií]tulo|titre|titel|nom|titolo|имени|названия)
    | nameless | unknown | unbenannt | unbekannt | default | empty | null | none | \(null\)
    | 無題 | 无标题 | 無標題 | 未命名 | 제목[ ]?없음 | コンダクター | 指揮
    | (new[ ])?(midi|smf|standard[ ]midi|s|song|seq|sequence|project)?[ ._-]*
        (track|trk|seq|sequence|sequenz|song|staff|system|channel|ch|part|pattern|file|project|chunk
        |arrangement|section|spur|sp[åa]r|piste|pista|traccia|faixa|partie|voice|line|export
        |трек|дорожка|トラック|音轨|音軌|轨道|軌道|트랙)
        [ ._#:-]*\d*([ ]of[ ]\d+)?
    | (midi|smf)[ ._-]*\d* | midi[ ._-]?out | (midi[ _])?(export|import|master|output)
    | (tempo|time|meter|signature|global|meta|main|header|control|conductor|master|common|timing
        |sys[ -]?ex|gm|gs|xg|system|reset|setup|init|marker|copyright|info|title|click|metronome)
        ([ _&/,-]+(and[ ])?(track|map|tempo|time|meter|signature|parameters?|set-?up|init|reset|data
        |changes?|events?|info|on|header|section))*
    | (.*[ _-])?set[ -]?up([ ](bar|track|data))?
    | (soft[ ])?karaoke | words? | lyrics?
    | winjammer[ ]demo | demo | test | intro | melod(y|ie|ia) | lead | vocals? | solo
    | ((\w+[ ])?(grand|electric|acoustic|upright|bright)[ ])?piano([ ]\(?(right|left)\)?)?
    | drums? | bass | guitar | strings | violin | flute | organ | percussion
    | (right|left)([ ]hand)? | instrument[ ]?\d*
    """
)
_NO_TITLE_INSIDE = re.compile(
    r"(?i)https?:|www\.|\.com\b|\bcopyright\b|©|\(c\) ?\d|all rights|"
    r"\b(sequenced|generated|created|arranged|made|exported|converted) (by|with|from)\b"
)


def encoding_of(file: MidiFile) -> str:
    """Find the encoding of the texts of a file, by all of them together.

    Args:
        file: the messages.

    Returns:
        A codec of Python.
    """
    return find_encoding(
        each.data[:_MAX_TEXT_BYTES]
        for track in file.tracks
        for each in track
        if each.kind in _TEXTS
    )


def find_title(file: MidiFile, encoding: str) -> str:
    """Find the title: of a karaoke file, or else the name of the first track.

    Args:
        file: the messages.
        encoding: of its texts.

    Returns:
        One line; empty where the name is that of a player or of no meaning.
    """
    for track in file.tracks:
        for each in track:
            if each.kind == TEXT and each.data.startswith(_KARAOKE_TITLE):
                title = _line(each.data[len(_KARAOKE_TITLE) :], encoding)
                if _is_title(title):
                    return title
    first = file.tracks[0]
    has_notes = any(message.kind == NOTE_ON for message in first)
    title = _first_text(first, TRACK_NAME, encoding)
    is_player = has_notes and len(file.tracks) > 1
    return title if not is_player and _is_title(title) else ""


def name_of_track(track: Sequence[MidiMessage], encoding: str) -> str:
    """Return the name of a track, or else of its instrument.

    Args:
        track: its messages.
        encoding: of the texts of the file.

    Returns:
        One line; empty where the file names none.
    """
    return _first_text(track, TRACK_NAME, encoding) or _first_text(track, INSTRUMENT_NAME, encoding)


def _is_title(text: str) -> bool:
    """Whether a text may be the title of a piece."""
    letters = [sign for sign in text if sign.isalpha()]
    enough = len(letters) > 2 or any(sign >= "\u0e00" for sign in letters)
    return enough and not _NO_TITLE.fullmatch(text) and not _NO_TITLE_INSIDE.search(text)


def _first_text(track: Sequence[MidiMessage], kind: int, encoding: str) -> str:
    """The first text of a kind that is not blank, as one line."""
    lines = (_line(each.data, encoding) for each in track if each.kind == kind)
    return next((line for line in lines if line), "")


def _line(content: bytes, encoding: str) -> str:
    """A text as one line of printable characters."""
    text = decode_as(content[:_MAX_TEXT_BYTES], encoding)
    text = "".join(each if each.isprintable() else " " for each in text)
    return " ".join(text.split())[:_MAX_NAME_LENGTH].rstrip()
