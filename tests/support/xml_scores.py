"""Writes MusicXML for tests: ``C4 D4*2 z F#4*1/2`` is a quarter, a half, a rest and an eighth.

A quarter has 12 divisions. Signs follow a note: ``+`` adds it to the chord of the note before it,
``g`` makes it a grace note; a tie goes from ``D4~`` to ``~D4``.
"""

from __future__ import annotations

import re
from fractions import Fraction

from mst_core.reading.musicxml.read import read_musicxml
from mst_core.reading.parsed_score import Limits, ParsedScore

DIVISIONS = 12
DOCTYPE = (
    '<!DOCTYPE score-partwise PUBLIC "-//Recordare//DTD MusicXML 4.0 Partwise//EN"'
    ' "http://www.musicxml.org/dtds/partwise.dtd">'
)
HEAD = '<?xml version="1.0" encoding="UTF-8"?>'
_NOTE = re.compile(r"(~?)([A-Gz])([#b]*)(\d?)(?:\*([\d/]+))?([~+g]*)")

FORWARD = '<barline location="left"><repeat direction="forward"/></barline>'
BACKWARD = '<barline location="right"><repeat direction="backward"/></barline>'
DOUBLE = '<barline location="right"><bar-style>light-light</bar-style></barline>'


def notes(text: str, *, voice: str = "1", more: str = "") -> str:
    """Write notes; ``more`` is XML that each of them gets."""
    written: list[str] = []
    for stop, letter, accidentals, octave, length, signs in _NOTE.findall(text):
        alter = accidentals.count("#") - accidentals.count("b")
        pitch = (
            f"<pitch><step>{letter}</step><alter>{alter}</alter><octave>{octave}</octave></pitch>"
        )
        duration = f"<duration>{Fraction(length or 1) * DIVISIONS}</duration>"
        ties = '<tie type="stop"/>' * bool(stop) + '<tie type="start"/>' * ("~" in signs)
        written.append(
            "<note>"
            + ("<grace/>" if "g" in signs else "")
            + ("<chord/>" if "+" in signs else "")
            + ("<rest/>" if letter == "z" else pitch)
            + ("" if "g" in signs else duration)
            + f"{ties}<voice>{voice}</voice>{more}</note>"
        )
    return "".join(written)


def signature(
    *, meter: str = "4/4", fifths: int = 0, mode: str = "major", divisions: int = DIVISIONS
) -> str:
    """Write the attributes of a first measure: divisions, key and meter."""
    beats, kind = meter.split("/")
    return (
        f"<attributes><divisions>{divisions}</divisions>"
        f"<key><fifths>{fifths}</fifths><mode>{mode}</mode></key>"
        f"<time><beats>{beats}</beats><beat-type>{kind}</beat-type></time></attributes>"
    )


def meter(text: str) -> str:
    """Write a change of meter."""
    beats, kind = text.split("/")
    return (
        f"<attributes><time><beats>{beats}</beats><beat-type>{kind}</beat-type></time></attributes>"
    )


def ending(number: str, kind: str = "start") -> str:
    """Write the start of an ending, or where ``kind`` says so its stop."""
    side = "left" if kind == "start" else "right"
    return f'<barline location="{side}"><ending number="{number}" type="{kind}"/></barline>'


def measure(*content: str, implicit: bool = False) -> str:
    """Write a measure of XML, and of notes where a text does not begin with ``<``."""
    body = "".join(text if text.startswith("<") else notes(text) for text in content)
    return f'<measure number="1"{" implicit=" + repr("yes") if implicit else ""}>{body}</measure>'


def part(*measures: str, id: str = "P1") -> str:
    """Write a part; a measure that does not begin with ``<`` has notes."""
    whole = (each if each.startswith("<") else measure(each) for each in measures)
    return f'<part id="{id}">{"".join(whole)}</part>'


def score_part(name: str, *, id: str = "P1", more: str = "") -> str:
    """Write the entry of a part in the part list."""
    return f'<score-part id="{id}"><part-name>{name}</part-name>{more}</score-part>'


def document(parts: str, *, score_parts: str = "", title: str = "A tune") -> str:
    """Write a whole file."""
    part_list = score_parts or score_part("Voice")
    return (
        f"{HEAD}{DOCTYPE}<score-partwise version='4.0'><work><work-title>{title}</work-title>"
        f"</work><part-list>{part_list}</part-list>{parts}</score-partwise>"
    )


def read(*measures: str, limits: Limits = Limits()) -> ParsedScore:
    """Read one part; a first measure without attributes gets those of C major and 4/4."""
    first, *others = measures
    first = first if first.startswith("<") else measure(first)
    if "<attributes>" not in first:
        first = first.replace(">", ">" + signature(), 1)
    return read_musicxml(document(part(first, *others)).encode(), limits=limits)


def melody_notes(score: ParsedScore) -> list[tuple[Fraction | int, Fraction | int, int]]:
    """Onset, duration and pitch of each note of the melody."""
    return [(note.onset, note.duration, note.pitch) for note in score.melody.notes]
