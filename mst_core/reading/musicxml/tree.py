"""XML from strangers as a small tree: nothing is loaded, nothing expanded, everything bounded.

A document type that only names a public DTD, as MusicXML files do, is passed over. One that
declares anything is refused, and so is every entity but the five of XML itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction
from xml.parsers import expat

from mst_core.errors import TooLong, UnreadableScore

ACCEPTED = "a MusicXML file (.musicxml, .xml or .mxl) in UTF-8 or UTF-16 is accepted"
MAX_DEPTH = 60
"""Elements within each other; MusicXML needs about ten."""
MAX_TAG_BYTES = 200_000
"""Bytes of a tag, comment or declaration."""
MAX_TEXT_LENGTH = 1_000
"""Characters kept of the text of an element."""
_ENCODINGS = re.compile(
    r"utf-?8|utf-16|(us-)?ascii|iso-8859-(1|2|15)|windows-125[0-2]|macintosh", re.IGNORECASE
)
_CHUNK = 65_536  # bytes given to the parser at a time
_DECIMAL = re.compile(r"([+-]?)(\d{0,9})(?:\.(\d*))?", re.ASCII)


class XmlElement:
    """A tag with its attributes and, where it holds no other elements, its text without margins."""

    __slots__ = ("attributes", "children", "name", "text")

    def __init__(self, name: str, attributes: dict[str, str]) -> None:
        self.name = name
        self.attributes = attributes
        self.children: list[XmlElement] = []
        self.text = ""

    def find_all(self, name: str) -> Iterator[XmlElement]:
        """Yield its children of that name."""
        return (child for child in self.children if child.name == name)

    def find(self, *path: str) -> XmlElement | None:
        """Follow the first child of each name; None where there is none."""
        element: XmlElement | None = self
        for name in path:
            element = next(element.find_all(name), None) if element else None
        return element

    def find_text(self, *path: str) -> str:
        """Give the text at the end of a `first` path, "" where there is none; spaces are single."""
        element = self.find(*path)
        return " ".join(element.text.split()) if element else ""

    def find_number(self, *path: str) -> Fraction | None:
        """Give the decimal number at the end of a `first` path.

        Raises:
            UnreadableScore: when something else stands there.
        """
        words = self.find_text(*path)
        if not words:
            return None
        match = _DECIMAL.fullmatch(words)
        if not match or not (match[2] or match[3]):
            raise UnreadableScore(f"the <{path[-1]}> {words[:30]!r} is no number", ACCEPTED)
        return Fraction(f"{match[1]}{match[2] or 0}.{(match[3] or '0')[:9]}")


def parse_xml(data: bytes, *, max_elements: int) -> XmlElement:
    """Read a document into its root element.

    Raises:
        UnreadableScore: when it is not well formed or not in an encoding we take, and when it
            declares entities or anything else.
        TooLong: when it has more than that many elements.
    """
    tree = _TreeBuilder(max_elements)
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = tree.start
    parser.EndElementHandler = tree.end
    parser.CharacterDataHandler = tree.add_text
    parser.XmlDeclHandler = _check_encoding
    parser.StartDoctypeDeclHandler = _check_document_type
    parser.EntityDeclHandler = _refuse_declaration
    parser.ExternalEntityRefHandler = _refuse_entity
    parser.SkippedEntityHandler = _refuse_entity
    try:
        for start in range(0, len(data), _CHUNK):
            parser.Parse(data[start : start + _CHUNK], False)
            # What expat has not passed yet, it keeps, and reads again with every chunk.
            if start + _CHUNK - parser.CurrentByteIndex > MAX_TAG_BYTES + _CHUNK:
                raise UnreadableScore(
                    f"the XML has a tag of more than {MAX_TAG_BYTES} bytes", ACCEPTED
                )
        parser.Parse(b"", True)
    except expat.ExpatError as error:
        fault = expat.ErrorString(error.code)
        raise UnreadableScore(
            f"the XML is broken in line {error.lineno}: {fault}", ACCEPTED
        ) from None
    return tree.root


class _TreeBuilder:
    """Grows the tree while the parser reads."""

    def __init__(self, most: int) -> None:
        self._document = XmlElement("", {})
        self._open = [self._document]
        self._text: list[str] = []
        self._characters = 0
        self._count = 0
        self._max_elements = most

    @property
    def root(self) -> XmlElement:
        return self._document.children[0]

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._count += 1
        if self._count > self._max_elements:
            raise TooLong(
                f"more than {self._max_elements} elements of XML", f"{self._max_elements} elements"
            )
        if len(self._open) > MAX_DEPTH:
            raise UnreadableScore(
                f"the XML has more than {MAX_DEPTH} elements within each other", ACCEPTED
            )
        element = XmlElement(name, attributes)
        self._open[-1].children.append(element)
        self._open.append(element)
        self._text.clear()
        self._characters = 0

    def end(self, name: str) -> None:
        element = self._open.pop()
        if not element.children:
            element.text = "".join(self._text).strip()

    def add_text(self, text: str) -> None:
        """Keep text; what stands between the elements within another is never asked for."""
        if self._characters < MAX_TEXT_LENGTH:
            self._text.append(text[: MAX_TEXT_LENGTH - self._characters])
            self._characters += len(text)


def _check_encoding(version: str, encoding: str | None, standalone: int) -> None:
    if encoding is not None and not _ENCODINGS.fullmatch(encoding):
        raise UnreadableScore(f"the XML is encoded in {encoding[:30]!r}", ACCEPTED)


def _check_document_type(name: str, system: str | None, public: str | None, internal: bool) -> None:
    if internal:
        raise UnreadableScore("the XML has a document type with declarations of its own", ACCEPTED)


def _refuse_declaration(name: str, *rest: object) -> None:
    raise UnreadableScore(f"the XML declares the entity {name[:30]!r}", ACCEPTED)


def _refuse_entity(name: str | None, *rest: object) -> int:
    raise UnreadableScore(f"the XML asks for the entity {str(name)[:30]!r}", ACCEPTED)
