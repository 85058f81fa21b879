"""Files of an import: single files, those in folders, and those in zip archives.

Nothing is unpacked to disk. The sizes that an archive declares are not trusted: reading stops at
the limits of `ImportLimits`, for one file and for all files of an archive together.
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
"""Characters of a file name that are shown."""
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED = 0x1  # a flag bit of an archive's member
_CHUNK = 65_536  # bytes


@dataclass(frozen=True, slots=True)
class ImportLimits:
    """How much an import reads."""

    file_bytes: int = 50_000_000
    """Of one file; a book of ABC tunes may be large."""
    archive_bytes: int = 500_000_000
    """Of all files of one archive, unpacked."""
    archive_files: int = 100_000
    """Files of one archive."""


@dataclass(frozen=True, slots=True)
class RejectedItem:
    """A file or tune that did not become a line of the corpus, and the reason."""

    name: str
    reason: str


def list_files(sources: Iterable[Path]) -> tuple[list[Path], int]:
    """List every score, archive and database in the sources, folders recursively in order.

    Links to folders are not followed; hidden files are skipped.

    Returns:
        The files, and how many files of other kinds the folders have.

    Raises:
        UnreadableScore: when a source does not exist, or is a file of a kind that cannot be read.
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
            visible = [name for name in sorted(names) if not name.startswith(".")]
            readable = [name for name in visible if _is_readable(name)]
            files += [Path(folder) / name for name in readable]
            others += len(visible) - len(readable)
    return files, others


def _is_readable(name: str) -> bool:
    """Whether the suffix is that of a score, an archive or a database."""
    return PurePosixPath(name).suffix.lower() in (*SUFFIXES, ".zip", *DATABASE_SUFFIXES)


def open_file(path: Path, limits: ImportLimits) -> Iterator[tuple[str, bytes] | RejectedItem]:
    """Yield the file itself, or each readable file of an archive.

    Args:
        path: a file or a zip archive.
        limits: how many bytes and files are read.

    Yields:
        The name as shown to people (of an archive's member ``archive.zip: member``) and the
        content; or what was rejected.
    """
    suffix, shown = path.suffix.lower(), sanitize_line(path.name, MAX_NAME_LENGTH)
    try:
        if not path.is_file():
            yield RejectedItem(shown, "it is not a file")
        elif suffix == ".zip":
            with path.open("rb") as file:
                yield from _read_archive(shown, file, limits)
        else:
            with path.open("rb") as file:
                data = file.read(limits.file_bytes + 1)
            if len(data) > limits.file_bytes:
                yield RejectedItem(shown, f"it has more than {limits.file_bytes} bytes")
            else:
                yield shown, data
    except OSError as error:
        yield RejectedItem(shown, (error.strerror or "it cannot be read").lower())


def _read_archive(
    name: str, file: IO[bytes], limits: ImportLimits
) -> Iterator[tuple[str, bytes] | RejectedItem]:
    """Yield every score of an archive, in the order of their names."""
    try:
        archive = zipfile.ZipFile(file)
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        yield RejectedItem(name, f"the archive is broken ({error})")
        return
    with archive:
        members = [member for member in archive.infolist() if _is_visible(member.filename)]
        if len(archive.infolist()) > limits.archive_files:
            yield RejectedItem(name, f"the archive holds more than {limits.archive_files} files")
            return
        left = limits.archive_bytes
        for member in sorted(members, key=lambda member: member.filename):
            shown = f"{name}: {sanitize_line(member.filename, MAX_NAME_LENGTH)}"
            found = _read_member(shown, archive, member, min(limits.file_bytes, left))
            yield found
            if isinstance(found, tuple):
                left -= len(found[1])
            if left <= 0:
                yield RejectedItem(
                    name, f"the archive unpacks to more than {limits.archive_bytes} bytes"
                )
                return


def _is_visible(name: str) -> bool:
    """Whether a member is readable, and neither hidden nor a resource fork of macOS."""
    hidden = any(part.startswith((".", "__MACOSX")) for part in PurePosixPath(name).parts)
    return _is_readable(name) and not hidden


def _read_member(
    shown: str, archive: zipfile.ZipFile, member: zipfile.ZipInfo, max_bytes: int
) -> tuple[str, bytes] | RejectedItem:
    """Unpack one member, up to ``max_bytes``."""
    if PurePosixPath(member.filename).suffix.lower() not in SUFFIXES:
        return RejectedItem(shown, "an archive or database within an archive; unpack it first")
    if member.flag_bits & _ENCRYPTED or member.compress_type not in _METHODS:
        return RejectedItem(shown, "it is locked, or packed in a way of its own")
    content = bytearray()
    try:
        with archive.open(member) as stream:
            while len(content) <= max_bytes and (chunk := stream.read(_CHUNK)):
                content += chunk
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, NotImplementedError) as error:
        return RejectedItem(shown, f"the archive is broken ({error})")
    if len(content) > max_bytes:
        return RejectedItem(shown, f"it unpacks to more than {max_bytes} bytes")
    return shown, bytes(content)
