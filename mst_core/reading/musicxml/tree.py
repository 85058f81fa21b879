"""Parses untrusted XML into a tree: loads no other file, expands no entity, bounds every size.

A document type that only names a public DTD, as MusicXML files have it, is ignored. One that
declares anything is rejected, and so is every entity except the five of XML itself. Why this is not
done by defusedxml: docs/decisions.md#xml-hardening.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction
from xml.parsers import expat

from mst_core.errors import TooLong, UnreadableScore

ACCEPTED = "a MusicXML file (.musicxml, .xml or .mxl) as notation programs export it is accepted"
MAX_DEPTH = 60
"""Levels of nested elements; MusicXML needs about ten."""
MAX_TAG_BYTES = 200_000
"""Largest tag, comment or declaration in bytes."""
MAX_TEXT_LENGTH = 1_000
"""Characters that are kept of the text of an element."""
_CHUNK = 65_536  # bytes given to the parser at a time
_DECIMAL = re.compile(r"([+-]?)(\d{0,9})(?:[.,](\d*))?", re.ASCII)


class XmlElement:
    """An element: its name, attributes and children, and its text where it has no children."""

    __slots__ = ("attributes", "children", "name", "text")

    def __init__(self, name: str, attributes: dict[str, str]) -> None:
        self.name = name
        self.attributes = attributes
        self.children: list[XmlElement] = []
        self.text = ""

    def find_all(self, name: str) -> Iterator[XmlElement]:
        """Yield the children of a name, in order."""
        return (child for child in self.children if child.name == name)

    def find(self, *path: str) -> XmlElement | None:
        """Return the element at the end of a path of names, the first child of each name.

        Returns:
            The element; None where a name of the path is missing.
        """
        element: XmlElement | None = self
        for name in path:
            element = next(element.find_all(name), None) if element else None
        return element

    def find_text(self, *path: str) -> str:
        """Return the text at the end of a path of names.

        Returns:
            The text with single spaces between words; empty where a name is missing.
        """
        element = self.find(*path)
        return " ".join(element.text.split()) if element else ""

    def find_number(self, *path: str) -> Fraction | None:
        """Return the decimal number at the end of a path of names.

        Returns:
            The number, below 10^9, with up to 9 decimal places; None where the text is empty or a
            name is missing.

        Raises:
            UnreadableScore: when the text is no such number.
        """
        words = self.find_text(*path)
        if not words:
            return None
        match = _DECIMAL.fullmatch(words)
        if not match or not (match[2] or match[3]):
            raise UnreadableScore(f"the <{path[-1]}> {words[:30]!r} is no number", ACCEPTED)
        return Fraction(f"{match[1]}{match[2] or 0}.{(match[3] or '0')[:9]}")


def parse_xml(data: bytes, *, max_elements: int) -> XmlElement:
    """Parse a document into its root element.

    Args:
        data: The document in UTF-8, without an XML declaration (`decode_xml`).
        max_elements: Most elements of the document.

    Returns:
        The root element.

    Raises:
        UnreadableScore: when it is not well formed, nested deeper than `MAX_DEPTH`, has a tag
            above `MAX_TAG_BYTES`, or declares or uses an entity.
        TooLong: when it has more than ``max_elements``.
    """
    builder = _TreeBuilder(max_elements)
    parser = expat.ParserCreate("utf-8")
    parser.buffer_text = True
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.add_text
    parser.StartDoctypeDeclHandler = _check_document_type
    parser.EntityDeclHandler = _reject_declaration
    parser.ExternalEntityRefHandler = _reject_entity
    parser.SkippedEntityHandler = _reject_entity
    try:
        for start in range(0, len(data), _CHUNK):
            parser.Parse(data[start : start + _CHUNK], False)
            # expat keeps an incomplete tag and scans it again from its start with every chunk.
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
    return builder.root


class _TreeBuilder:
    """Builds the tree from the events of the parser, within the limits."""

    def __init__(self, max_elements: int) -> None:
        self._document = XmlElement("", {})
        self._open = [self._document]
        self._text: list[str] = []
        self._characters = 0
        self._count = 0
        self._max_elements = max_elements

    @property
    def root(self) -> XmlElement:
        """The root element of a complete document."""
        return self._document.children[0]

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Open an element."""
        self._count += 1
        if self._count > self._max_elements:
            raise TooLong(
                f"more than {self._max_elements} elements of XML", f"{self._max_elements} elements"
            )
        if len(self._open) > MAX_DEPTH:
            raise UnreadableScore(
                f"the XML has more than {MAX_DEPTH} elements within each other", ACCEPTED
            )
        element = XmlElement(name.rpartition(":")[2], attributes)  # without a namespace
        self._open[-1].children.append(element)
        self._open.append(element)
        self._text.clear()
        self._characters = 0

    def end(self, name: str) -> None:
        """Close the innermost element."""
        element = self._open.pop()
        if not element.children:
            element.text = "".join(self._text).strip()

    def add_text(self, text: str) -> None:
        """Collect text; text between the children of an element is dropped when they end."""
        if self._characters < MAX_TEXT_LENGTH:
            self._text.append(text[: MAX_TEXT_LENGTH - self._characters])
            self._characters += len(text)


def _check_document_type(name: str, system: str | None, public: str | None, internal: bool) -> None:
    """Reject a document type with declarations of its own."""
    if internal:
        raise UnreadableScore("the XML has a document type with declarations of its own", ACCEPTED)


def _reject_declaration(name: str, *rest: object) -> None:
    """Reject the declaration of an entity."""
    raise UnreadableScore(f"the XML declares the entity {name[:30]!r}", ACCEPTED)


def _reject_entity(name: str | None, *rest: object) -> int:
    """Reject the use of an entity that XML itself does not define."""
    raise UnreadableScore(f"the XML asks for the entity {str(name)[:30]!r}", ACCEPTED)
