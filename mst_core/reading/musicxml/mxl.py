"""Reads compressed MusicXML (.mxl): unpacks the score from its zip archive in memory.

Names in the archive are compared and never used as paths. The size in an entry's header is not
trusted: unpacking stops at the limit.
"""

from __future__ import annotations

import zipfile
import zlib
from io import BytesIO
from urllib.parse import unquote

from mst_core.errors import TooLong, UnreadableScore
from mst_core.reading.formats import SNIFFED_BYTES
from mst_core.reading.musicxml.encoding import decode_xml
from mst_core.reading.musicxml.read import read_document
from mst_core.reading.musicxml.tree import parse_xml
from mst_core.reading.other_files import error_by_entry
from mst_core.reading.parsed_score import Limits, ParsedScore

CONTAINER = "META-INF/container.xml"
ACCEPTED = "a compressed MusicXML file (.mxl) as notation programs export it is accepted"
MAX_ENTRIES = 1_000
MAX_CONTAINER_BYTES = 100_000
"""Largest unpacked size of the XML that names the score."""
_SUFFIXES = (".musicxml", ".xml")
_OTHER_SUFFIXES = (".pdf", ".png", ".jpg", ".mid", ".mp3", ".ogg", ".wav")
"""Of other renditions of the score that a container may name."""
_SYSTEM_FOLDERS = ("meta-inf/", "__macosx/")
_SCORE_MARKS = (b"<score-", b"<!DOCTYPE score-", b":score-")
_MAX_CANDIDATES = 20  # entries whose beginning is looked at
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
        ForeignScore: when it holds the score of another program.
        NoMelody, TooLong, BadOption: as `read_musicxml`.
    """
    if len(data) > limits.file_bytes:
        raise TooLong(f"{len(data)} bytes", f"{limits.file_bytes} bytes")
    score = unpack_score(data, max_bytes=limits.unpacked_bytes)
    document, repairs = decode_xml(score)
    root = parse_xml(document, max_elements=limits.events)
    return read_document(root, track=track, limits=limits, repairs=repairs)


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
    """Find the entry that the container names, else the first XML file nearest the top folder.

    Some notation programs write a container that is not well formed (an apostrophe in the name of
    the score), or whose name is encoded differently from the archive's, or none at all.
    """
    if any(".." in name.replace("\\", "/").split("/") for name in entries):
        raise UnreadableScore("the archive holds names that lead out of it", ACCEPTED)
    by_name = {_plain_name(name): entry for name, entry in entries.items()}
    named = [
        name
        for name in _read_container(archive, by_name.get(_plain_name(CONTAINER)))
        if name in by_name and not name.endswith(_OTHER_SUFFIXES)
    ]
    others = [
        name
        for name in by_name
        if name.endswith(_SUFFIXES)
        and not name.startswith(_SYSTEM_FOLDERS)
        and not name.rpartition("/")[2].startswith(".")
    ]
    scores = [*named, *sorted(others, key=lambda name: name.count("/"))][:_MAX_CANDIDATES]
    for name in scores:
        if _looks_like_score(archive, by_name[name]):
            return by_name[name]
    if scores:
        return by_name[scores[0]]
    for error in map(error_by_entry, by_name):
        if error is not None:
            raise error
    raise UnreadableScore("the archive holds no MusicXML file", ACCEPTED)


def _looks_like_score(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bool:
    """Whether the beginning of an entry is that of a score; else it may be a list of files."""
    if entry.flag_bits & _ENCRYPTED or entry.compress_type not in _METHODS:
        return False
    with archive.open(entry) as stream:
        beginning, _ = decode_xml(stream.read(SNIFFED_BYTES))
    return any(mark in beginning for mark in _SCORE_MARKS)


def _plain_name(name: str) -> str:
    """A name as it is compared: in small letters, with slashes, from the top folder on."""
    return unquote(name).replace("\\", "/").removeprefix(".").lstrip("/").casefold()


def _read_container(archive: zipfile.ZipFile, container: zipfile.ZipInfo | None) -> list[str]:
    """The names of the scores that the container names, empty where it cannot be read."""
    if container is None:
        return []
    content, _ = decode_xml(_unpack(archive, container, MAX_CONTAINER_BYTES))
    try:
        files = parse_xml(content, max_elements=MAX_ENTRIES).find("rootfiles")
    except UnreadableScore:
        return []
    return [
        _plain_name(file.attributes.get("full-path", ""))
        for file in (files.find_all("rootfile") if files else ())
    ]


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
