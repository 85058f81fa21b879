"""Hostile archives: zip bombs, false sizes, paths that lead out of the archive."""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Iterator
from io import BytesIO
from warnings import catch_warnings

from tests.tools.hostile import musicxml as hostile_musicxml

_DATE = (2020, 1, 1, 0, 0, 0)
_CONTAINER = "META-INF/container.xml"


def container(*paths: str, kind: str = "application/vnd.recordare.musicxml+xml") -> bytes:
    files = "".join(f'<rootfile full-path="{path}" media-type="{kind}"/>' for path in paths)
    return f'<?xml version="1.0"?><container><rootfiles>{files}</rootfiles></container>'.encode()


def archive(*members: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Zip (name, bytes) in this order; names may repeat and may be any path."""
    file = BytesIO()
    with catch_warnings(action="ignore"), zipfile.ZipFile(file, "w") as packed:
        for name, data in members:
            info = zipfile.ZipInfo(name, _DATE)
            info.compress_type = method
            packed.writestr(info, data)
    return file.getvalue()


_SCORE = ("score.xml", hostile_musicxml.GOOD)
GOOD = archive((_CONTAINER, container("score.xml")), _SCORE)


def files() -> Iterator[tuple[str, bytes]]:
    """Yield the name and bytes of each file."""
    for name, data in (*_bombs(), *_lies(), *_paths(), *_methods()):
        yield f"mxl-{name}.mxl", data


def _bombs() -> Iterator[tuple[str, bytes]]:
    head = (_CONTAINER, container("score.xml"))
    yield "zip-bomb", archive(head, ("score.xml", bytes(200_000_000)))
    spaces = hostile_musicxml.GOOD.replace(b"<work>", b" " * 60_000_000 + b"<work>")
    yield "bomb-of-spaces", archive(head, ("score.xml", spaces))
    notes = hostile_musicxml.score(
        *[hostile_musicxml.measure(hostile_musicxml.note() * 4)] * 40_000
    )
    yield "bomb-of-notes", archive(head, ("score.xml", notes.encode()))
    yield "container-bomb", archive((_CONTAINER, bytes(100_000_000)), _SCORE)
    nested = GOOD
    for _ in range(20):
        nested = archive(head, ("score.xml", nested))
    yield "zip-in-zip-in-zip", nested
    laughs = dict(hostile_musicxml.files())["xml-entity-billion-laughs-title.musicxml"]
    yield "billion-laughs", archive(head, ("score.xml", laughs))
    yield "container-billion-laughs", archive((_CONTAINER, laughs), _SCORE)
    yield "20000-members", archive(head, _SCORE, *((f"{n}.xml", b"") for n in range(20_000)))
    yield "many-bombs", archive(*((f"{n}.xml", bytes(2_000_000)) for n in range(100)), head, _SCORE)


def _lies() -> Iterator[tuple[str, bytes]]:
    central = GOOD.rindex(b"PK\x01\x02")
    end = GOOD.rindex(b"PK\x05\x06")
    for name, place, form, value in (
        ("says-unpacked-0", central + 24, "<I", 0),
        ("says-unpacked-4-gb", central + 24, "<I", 0xFFFFFFFE),
        ("says-packed-0", central + 20, "<I", 0),
        ("says-packed-4-gb", central + 20, "<I", 0xFFFFFFFE),
        ("says-zip64", central + 24, "<I", 0xFFFFFFFF),
        ("wrong-sum", central + 16, "<I", 1),
        ("encrypted", central + 8, "<H", 1),
        ("method-99", central + 10, "<H", 99),
        ("wrong-place", central + 42, "<I", 0),
        ("far-place", central + 42, "<I", 0xFFFFFFF0),
        ("name-too-long", central + 28, "<H", 0xFFFF),
        ("extra-too-long", central + 30, "<H", 0xFFFF),
        ("disk-7", central + 34, "<H", 7),
        ("no-members", end + 10, "<H", 0),
        ("60000-members", end + 10, "<H", 60_000),
        ("directory-too-long", end + 12, "<I", 0x7FFFFFFF),
        ("directory-far", end + 16, "<I", 0x7FFFFFFF),
        ("comment-too-long", end + 20, "<H", 0xFFFF),
    ):
        lie = bytearray(GOOD)
        struct.pack_into(form, lie, place, value)
        yield name, bytes(lie)
    yield "no-directory", GOOD[:central]
    yield "only-an-end", b"PK\x03\x04" + GOOD[end:]
    yield "magic-only", b"PK\x03\x04"
    yield "members-that-overlap", _overlapping()


def _overlapping() -> bytes:
    """A central directory of 5,000 names for one body of a megabyte (Fifield 2019, overlapping)."""
    packer = zlib.compressobj(9, wbits=-15)
    body = packer.compress(bytes(1_000_000)) + packer.flush()
    sums = struct.pack("<IIIHH", zlib.crc32(bytes(1_000_000)), len(body), 1_000_000, 5, 0)
    first = b"PK\x03\x04" + struct.pack("<HHHHH", 20, 0, 8, 0, 0x5021) + sums + b"1.xml" + body
    entry = b"PK\x01\x02" + struct.pack("<HHHHHH", 20, 20, 0, 8, 0, 0x5021) + sums
    directory = (entry + struct.pack("<HHHII", 0, 0, 0, 0, 0) + b"1.xml") * 5_000
    end = struct.pack("<HHHHIIH", 0, 0, 5_000, 5_000, len(directory), len(first), 0)
    return first + directory + b"PK\x05\x06" + end


def _paths() -> Iterator[tuple[str, bytes]]:
    for number, path in enumerate(
        ("../../../../etc/passwd", "/etc/passwd", "C:\\windows\\win.ini", "..\\score.xml",
         "nowhere.xml", "", ".", _CONTAINER, "score.xml\0.png", "file:///etc/passwd", "a" * 60_000)
    ):  # fmt: skip
        shown = path.replace("\0", "&#0;")
        yield f"points-{number}", archive((_CONTAINER, container(shown)), _SCORE)
        if path:
            data = (path, hostile_musicxml.GOOD)
            yield f"holds-{number}", archive((_CONTAINER, container(shown)), data)
    link = zipfile.ZipInfo("score.xml", _DATE)
    link.external_attr = 0o120777 << 16
    file = BytesIO()
    with zipfile.ZipFile(file, "w") as packed:
        packed.writestr(_CONTAINER, container("score.xml"))
        packed.writestr(link, "/etc/passwd")
    yield "link", file.getvalue()
    yield "no-container", archive(_SCORE)
    yield "no-score", archive((_CONTAINER, container("score.xml")))
    yield "nothing", archive()
    yield "container-empty", archive((_CONTAINER, b""), _SCORE)
    yield "container-not-xml", archive((_CONTAINER, b"score.xml"), _SCORE)
    yield "container-of-thousands", archive((_CONTAINER, container(*["x.xml"] * 999)), _SCORE)
    yield (
        "container-of-a-picture",
        archive((_CONTAINER, container("score.xml", kind="image/png")), _SCORE),
    )
    yield (
        "container-in-utf-16",
        archive((_CONTAINER, container("score.xml").decode().encode("utf-16")), _SCORE),
    )
    yield "score-is-midi", archive((_CONTAINER, container("score.xml")), ("score.xml", b"MThd"))
    yield "twice", archive((_CONTAINER, container("score.xml")), ("score.xml", b"<other/>"), _SCORE)


def _methods() -> Iterator[tuple[str, bytes]]:
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        yield (
            f"method-{method}",
            archive((_CONTAINER, container("score.xml")), _SCORE, method=method),
        )
    yield "behind-a-shell-script", b"#!/bin/sh\nexit\n" + GOOD
    yield "with-a-comment", GOOD[:-2] + struct.pack("<H", 5) + b"hello"
