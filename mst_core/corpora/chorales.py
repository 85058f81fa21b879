"""The chorale corpus: sopranos of Bach's four-part chorales, from the ``music21`` package.

The package ships some 400 of them as compressed MusicXML, without terms of their own; the music is
in the public domain. music21 itself is not imported. Bach set many melodies several times; the
clusters of variants keep them together. A module of its own because nothing else reads these files.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from mst_core.corpora.files import RejectedItem
from mst_core.corpora.folk_books import find_music21_corpus
from mst_core.corpora.jsonl import CorpusLine, check_line, line_from_melody
from mst_core.errors import MstError, UnreadableScore
from mst_core.reading.musicxml.encoding import decode_xml
from mst_core.reading.musicxml.mxl import unpack_score
from mst_core.reading.musicxml.read import read_document
from mst_core.reading.musicxml.tree import XmlElement, parse_xml
from mst_core.reading.parsed_score import Limits

MIN_NOTES = 16
"""A soprano with fewer notes is rejected."""
_VOICES = ("Soprano", "Alto", "Tenor", "Bass")


def read_chorales(corpus: Path | None = None) -> Iterator[CorpusLine | RejectedItem]:
    """Read the soprano of every score for the four voices of a choir.

    Args:
        corpus: folder of music21's scores, by default that of the installed package.

    Raises:
        UnreadableScore: when there are none.
    """
    files = sorted(((corpus or find_music21_corpus()) / "bach").glob("bwv*.mxl"))
    if not files:
        raise UnreadableScore("no chorales were found", "install the package music21")
    for file in files:
        name = "bach-" + re.sub(r"[^a-z0-9]+", "-", file.stem.lower())
        try:
            yield _read_soprano(name, file)
        except MstError as error:
            yield RejectedItem(name, error.arguments[0])


def _read_soprano(name: str, file: Path) -> CorpusLine:
    """Read one chorale; raises UnreadableScore for another number of voices."""
    limits = Limits()
    document, _ = decode_xml(unpack_score(file.read_bytes(), max_bytes=limits.unpacked_bytes))
    score = parse_xml(document, max_elements=limits.events)
    headings = (score.find("part-list") or XmlElement("", {})).find_all("score-part")
    names = [heading.find_text("part-name") for heading in headings]
    voices = [number for number, part in enumerate(names, start=1) if part.startswith(_VOICES)]
    if len(voices) < len(_VOICES):
        raise UnreadableScore("it is not written for four voices", "chorales are accepted")
    soprano = next(n for n, part in enumerate(names, start=1) if part.startswith("Soprano"))
    reading = read_document(score, track=soprano, limits=limits)
    title = re.sub(r"\.(mxl|xml)$", "", reading.title)
    line = line_from_melody(name, "bach", title, reading.melody)
    check_line(line, min_notes=MIN_NOTES)
    return line
