"""The files of an import: what lies in folders, in zip archives, or is named alone.

Nothing is unpacked to disk. What an archive says of its sizes is not trusted: reading stops at the
limits of `ImportLimits`, for one file and for all files of an archive together.
"""

from __future__ import annotations

import os
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from mst_core.errors import UnreadableScore
from mst_core.reading.formats import SUFFIXES, sanitize_line

DATABASE_SUFFIXES = (".db", ".sqlite", ".sqlite3")
ACCEPTED = (
    "folders, zip archives and files of ABC, MusicXML and MIDI are accepted, and the Weimar Jazz "
    "Database (wjazzd.db)"
)
MAX_NAME_LENGTH = 200
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED = 0x1
_CHUNK = 65_536


@dataclass(frozen=True, slots=True)
class ImportLimits:
    """How much an import reads."""

    file_bytes: int = 50_000_000
    """Bytes of one file; a book of ABC tunes may be large."""
    archive_bytes: int = 500_000_000
    """Bytes of all files of one archive."""
    archive_files: int = 100_000
    """Files of one archive."""


@dataclass(frozen=True, slots=True)
class RejectedItem:
    """What did not become a line of the corpus, and why."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file: its name as people know it, and what it holds; a database stays where it is."""

    name: str
    data: bytes = b""
    database: Path | None = None


def list_files(sources: Iterable[Path]) -> tuple[list[Path], int]:
    """Every score, archive and database, folders looked through in order; and how many others.

    Links to folders are not followed, hidden files are not looked at.

    Raises:
        UnreadableScore: when a source is not there, or a file of a kind that cannot be read.
    """
    files: list[Path] = []
    others = 0
    for source in sources:
        if not source.exists():
            raise UnreadableScore(f"{source.name or source} is not there", ACCEPTED)
        if not source.is_dir():
            if not _is_readable(source.name):
                raise UnreadableScore(f"{source.name} is of no kind that can be read", ACCEPTED)
            files.append(source)
            continue
        for folder, below, names in os.walk(source):
            below[:] = sorted(name for name in below if not name.startswith("."))
            seen = [name for name in sorted(names) if not name.startswith(".")]
            ours = [name for name in seen if _is_readable(name)]
            files += [Path(folder) / name for name in ours]
            others += len(seen) - len(ours)
    return files, others


def _is_readable(name: str) -> bool:
    return PurePosixPath(name).suffix.lower() in (*SUFFIXES, ".zip", *DATABASE_SUFFIXES)


def open_file(path: Path, limits: ImportLimits) -> Iterator[SourceFile | RejectedItem]:
    """What one file holds: itself, or, of an archive, each file in it."""
    suffix, shown = path.suffix.lower(), sanitize_line(path.name, MAX_NAME_LENGTH)
    if suffix in DATABASE_SUFFIXES:
        yield SourceFile(shown, database=path)
        return
    try:
        if not path.is_file():
            yield RejectedItem(shown, "it is not a file")
        elif suffix == ".zip":
            with path.open("rb") as file:
                yield from _read_archive(shown, file, limits)
        else:
            with path.open("rb") as file:
                data = file.read(limits.file_bytes + 1)
            yield _within_limits(shown, data, limits)
    except OSError as error:
        yield RejectedItem(shown, (error.strerror or "it cannot be read").lower())


def _within_limits(name: str, data: bytes, bounds: ImportLimits) -> SourceFile | RejectedItem:
    if len(data) > bounds.file_bytes:
        return RejectedItem(name, f"it has more than {bounds.file_bytes} bytes")
    return SourceFile(name, data)


def _read_archive(
    name: str, file: IO[bytes], bounds: ImportLimits
) -> Iterator[SourceFile | RejectedItem]:
    """Every score of an archive, in the order of their names."""
    try:
        archive = zipfile.ZipFile(file)
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        yield RejectedItem(name, f"the archive is broken ({error})")
        return
    with archive:
        entries = [entry for entry in archive.infolist() if _is_score(entry.filename)]
        if len(archive.infolist()) > bounds.archive_files:
            yield RejectedItem(name, f"the archive holds more than {bounds.archive_files} files")
            return
        left = bounds.archive_bytes
        for entry in sorted(entries, key=lambda entry: entry.filename):
            shown = f"{name}: {sanitize_line(entry.filename, MAX_NAME_LENGTH)}"
            found = _read_member(shown, archive, entry, bounds, left)
            yield found
            if isinstance(found, SourceFile):
                left -= len(found.data)
            if left <= 0:
                yield RejectedItem(
                    name, f"the archive unpacks to more than {bounds.archive_bytes} bytes"
                )
                return


def _is_score(name: str) -> bool:
    path = PurePosixPath(name)
    hidden = any(part.startswith((".", "__MACOSX")) for part in path.parts)
    return path.suffix.lower() in (*SUFFIXES, ".zip", *DATABASE_SUFFIXES) and not hidden


def _read_member(
    shown: str, archive: zipfile.ZipFile, entry: zipfile.ZipInfo, bounds: ImportLimits, left: int
) -> SourceFile | RejectedItem:
    suffix = PurePosixPath(entry.filename).suffix.lower()
    if suffix not in SUFFIXES:
        return RejectedItem(shown, "an archive or database within an archive; unpack it first")
    if entry.flag_bits & _ENCRYPTED or entry.compress_type not in _METHODS:
        return RejectedItem(shown, "it is locked, or packed in a way of its own")
    most = min(bounds.file_bytes, left)
    content = bytearray()
    try:
        with archive.open(entry) as stream:
            while len(content) <= most and (chunk := stream.read(_CHUNK)):
                content += chunk
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, NotImplementedError) as error:
        return RejectedItem(shown, f"the archive is broken ({error})")
    if len(content) > most:
        return RejectedItem(shown, f"it unpacks to more than {most} bytes")
    return SourceFile(shown, bytes(content))
