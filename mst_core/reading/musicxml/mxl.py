"""Reads compressed MusicXML (.mxl): unpacks the score from its zip archive in memory.

Names in the archive are compared and never used as paths. The size in an entry's header is not
trusted: unpacking stops at the limit.
"""

from __future__ import annotations

import zipfile
import zlib
from io import BytesIO

from mst_core.errors import TooLong, UnreadableScore
from mst_core.reading.musicxml.read import read_document
from mst_core.reading.musicxml.tree import parse_xml
from mst_core.reading.parsed_score import Limits, ParsedScore

CONTAINER = "META-INF/container.xml"
ACCEPTED = "a compressed MusicXML file (.mxl) as notation programs export it is accepted"
MAX_ENTRIES = 1_000
MAX_CONTAINER_BYTES = 100_000
"""Largest unpacked size of the XML that names the score."""
_SUFFIXES = (".musicxml", ".xml")
_ENCRYPTED = 0x1
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_CHUNK = 65_536


def read_mxl(data: bytes, *, track: int | None = None, limits: Limits = Limits()) -> ParsedScore:
    """Read a compressed MusicXML file.

    Args:
        data: The zip archive.
        track: Number of the part with the melody, counted from 1; None to choose one.
        limits: Sizes above which a file is rejected, unpacked sizes among them.

    Returns:
        As `read_musicxml`.

    Raises:
        UnreadableScore: when the bytes are no zip archive, break off, or hold no score that can
            be read without a password.
        NoMelody, TooLong, BadOption: as `read_musicxml`.
    """
    if len(data) > limits.file_bytes:
        raise TooLong(f"{len(data)} bytes", f"{limits.file_bytes} bytes")
    score = unpack_score(data, max_bytes=limits.unpacked_bytes)
    return read_document(parse_xml(score, max_elements=limits.events), track=track, limits=limits)


def unpack_score(data: bytes, *, max_bytes: int) -> bytes:
    """Unpack the score of an archive.

    Args:
        data: The zip archive.
        max_bytes: Largest size of all entries together, as their headers say, and of the unpacked
            score.

    Returns:
        The XML of the score.

    Raises:
        UnreadableScore: when it is no zip archive, or holds no score that can be read.
        TooLong: when there are more than `MAX_ENTRIES` entries, or they exceed ``max_bytes``.
    """
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            entries = {entry.filename: entry for entry in archive.infolist()}
            if len(archive.infolist()) > MAX_ENTRIES:
                raise TooLong(
                    f"{len(archive.infolist())} files in the archive", f"{MAX_ENTRIES} files"
                )
            if sum(entry.file_size for entry in entries.values()) > max_bytes:
                raise TooLong("the unpacked archive", f"{max_bytes} bytes")
            return _unpack(archive, _find_score(archive, entries), max_bytes)
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, NotImplementedError) as error:
        raise UnreadableScore(f"the archive is broken: {error}", ACCEPTED) from None


def _find_score(archive: zipfile.ZipFile, entries: dict[str, zipfile.ZipInfo]) -> zipfile.ZipInfo:
    """Find the entry that the container names, else the first XML file in the top folder.

    Some notation programs write a container that is not well formed (an apostrophe in the name of
    the score), or whose name is encoded differently from the archive's.
    """
    if any(name.startswith("/") or ".." in name.split("/") for name in entries):
        raise UnreadableScore("the archive holds names that lead out of it", ACCEPTED)
    named = _read_container(archive, entries.get(CONTAINER))
    if named in entries:
        return entries[named]
    for name, entry in entries.items():
        if "/" not in name and name.lower().endswith(_SUFFIXES):
            return entry
    raise UnreadableScore("the archive holds no MusicXML file", ACCEPTED)


def _read_container(archive: zipfile.ZipFile, container: zipfile.ZipInfo | None) -> str:
    """The name of the first score that the container names, empty where it cannot be read."""
    if container is None:
        return ""
    content = _unpack(archive, container, MAX_CONTAINER_BYTES)
    try:
        file = parse_xml(content, max_elements=MAX_ENTRIES).find("rootfiles", "rootfile")
    except UnreadableScore:
        return ""
    return file.attributes.get("full-path", "") if file else ""


def _unpack(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, max_bytes: int) -> bytes:
    """Unpack one entry, up to the limit whatever size its header has."""
    if entry.flag_bits & _ENCRYPTED:
        raise UnreadableScore("the archive is locked with a password", ACCEPTED)
    if entry.compress_type not in _METHODS:
        raise UnreadableScore(
            f"the archive is packed in a way of its own ({entry.compress_type})", ACCEPTED
        )
    content = bytearray()
    with archive.open(entry) as stream:
        while chunk := stream.read(_CHUNK):
            content += chunk
            if len(content) > max_bytes:
                raise TooLong("the unpacked score", f"{max_bytes} bytes")
    if content[:4] == b"PK\x03\x04":
        raise UnreadableScore("the archive holds another archive", ACCEPTED)
    return bytes(content)
