"""The files of an import: what lies in folders, in zip archives, or is named alone.

Nothing is unpacked to disk. What an archive says of its sizes is not trusted: reading stops at the
limits of `Bounds`, for one file and for all files of an archive together.
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
from mst_core.reading.formats import SUFFIXES, one_line

DATABASES = (".db", ".sqlite", ".sqlite3")
ACCEPTED = (
    "folders, zip archives and files of ABC, MusicXML and MIDI are accepted, and the Weimar Jazz "
    "Database (wjazzd.db)"
)
LONGEST_NAME = 200
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED = 0x1
_CHUNK = 65_536


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much an import reads."""

    octets: int = 50_000_000
    """Bytes of one file; a book of ABC tunes may be large."""
    unpacked: int = 500_000_000
    """Bytes of all files of one archive."""
    entries: int = 100_000
    """Files of one archive."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """What did not become a line of the corpus, and why."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class Found:
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
            if not _is_ours(source.name):
                raise UnreadableScore(f"{source.name} is of no kind that can be read", ACCEPTED)
            files.append(source)
            continue
        for folder, below, names in os.walk(source):
            below[:] = sorted(name for name in below if not name.startswith("."))
            seen = [name for name in sorted(names) if not name.startswith(".")]
            ours = [name for name in seen if _is_ours(name)]
            files += [Path(folder) / name for name in ours]
            others += len(seen) - len(ours)
    return files, others


def _is_ours(name: str) -> bool:
    return PurePosixPath(name).suffix.lower() in (*SUFFIXES, ".zip", *DATABASES)


def open_file(path: Path, bounds: Bounds) -> Iterator[Found | Refusal]:
    """What one file holds: itself, or, of an archive, each file in it."""
    suffix, shown = path.suffix.lower(), one_line(path.name, LONGEST_NAME)
    if suffix in DATABASES:
        yield Found(shown, database=path)
        return
    try:
        if not path.is_file():
            yield Refusal(shown, "it is not a file")
        elif suffix == ".zip":
            with path.open("rb") as file:
                yield from _unzip(shown, file, bounds)
        else:
            with path.open("rb") as file:
                data = file.read(bounds.octets + 1)
            yield _bounded(shown, data, bounds)
    except OSError as error:
        yield Refusal(shown, (error.strerror or "it cannot be read").lower())


def _bounded(name: str, data: bytes, bounds: Bounds) -> Found | Refusal:
    if len(data) > bounds.octets:
        return Refusal(name, f"it has more than {bounds.octets} bytes")
    return Found(name, data)


def _unzip(name: str, file: IO[bytes], bounds: Bounds) -> Iterator[Found | Refusal]:
    """Every score of an archive, in the order of their names."""
    try:
        archive = zipfile.ZipFile(file)
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        yield Refusal(name, f"the archive is broken ({error})")
        return
    with archive:
        entries = [entry for entry in archive.infolist() if _is_score(entry.filename)]
        if len(archive.infolist()) > bounds.entries:
            yield Refusal(name, f"the archive holds more than {bounds.entries} files")
            return
        left = bounds.unpacked
        for entry in sorted(entries, key=lambda entry: entry.filename):
            shown = f"{name}: {one_line(entry.filename, LONGEST_NAME)}"
            found = _unpack(shown, archive, entry, bounds, left)
            yield found
            if isinstance(found, Found):
                left -= len(found.data)
            if left <= 0:
                yield Refusal(name, f"the archive unpacks to more than {bounds.unpacked} bytes")
                return


def _is_score(name: str) -> bool:
    path = PurePosixPath(name)
    hidden = any(part.startswith((".", "__MACOSX")) for part in path.parts)
    return path.suffix.lower() in (*SUFFIXES, ".zip", *DATABASES) and not hidden


def _unpack(
    shown: str, archive: zipfile.ZipFile, entry: zipfile.ZipInfo, bounds: Bounds, left: int
) -> Found | Refusal:
    suffix = PurePosixPath(entry.filename).suffix.lower()
    if suffix not in SUFFIXES:
        return Refusal(shown, "an archive or database within an archive; unpack it first")
    if entry.flag_bits & _ENCRYPTED or entry.compress_type not in _METHODS:
        return Refusal(shown, "it is locked, or packed in a way of its own")
    most = min(bounds.octets, left)
    content = bytearray()
    try:
        with archive.open(entry) as stream:
            while len(content) <= most and (chunk := stream.read(_CHUNK)):
                content += chunk
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, NotImplementedError) as error:
        return Refusal(shown, f"the archive is broken ({error})")
    if len(content) > most:
        return Refusal(shown, f"it unpacks to more than {most} bytes")
    return Found(shown, bytes(content))
