"""Compressed MusicXML: which file of an archive is the score, and which archives are rejected."""

from __future__ import annotations

import struct
import zipfile
from io import BytesIO

import pytest

from mst_core.errors import ForeignScore, MstError, TooLong, UnreadableScore
from mst_core.reading.musicxml.mxl import CONTAINER, MAX_ENTRIES, read_mxl, unpack_score
from mst_core.reading.musicxml.read import read_musicxml
from mst_core.reading.parsed_score import Limits, ParsedScore
from tests.support.xml_scores import document, measure, part, signature

SCORE = document(part(measure(signature(), "C4 D4 E4 F4"), "G4*4")).encode()
OTHER = document(part(measure(signature(), "A4*2 B4*2"))).encode()


def container(*names: str) -> bytes:
    files = "".join(f'<rootfile full-path="{name}"/>' for name in names)
    return f"<container><rootfiles>{files}</rootfiles></container>".encode()


def archive(*files: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w", method) as zip_file:
        for name, content in files:
            zip_file.writestr(zipfile.ZipInfo(name), content, method)
    return packed.getvalue()


GOOD = archive((CONTAINER, container("score.xml")), ("other.xml", OTHER), ("score.xml", SCORE))


def test_the_score_that_the_container_names_is_read() -> None:
    assert read_mxl(GOOD) == read_musicxml(SCORE)


def test_the_first_of_several_scores_is_read() -> None:
    named = container("music/a.musicxml", "score.xml")
    data = archive((CONTAINER, named), ("score.xml", OTHER), ("music/a.musicxml", SCORE))
    assert read_mxl(data) == read_musicxml(SCORE)


def test_an_archive_that_is_not_compressed_is_read() -> None:
    data = archive((CONTAINER, container("a.xml")), ("a.xml", SCORE), method=zipfile.ZIP_STORED)
    assert read_mxl(data) == read_musicxml(SCORE)


@pytest.mark.parametrize(
    "wrong",
    [
        b"", b"score.xml", container(), container("nowhere.xml"), container("../../etc/passwd"),
        b"<container><rootfiles><rootfile full-path='I'm Blue.xml'/></rootfiles></container>",
        b"<!DOCTYPE c [<!ENTITY e 'score.xml'>]><container>&e;</container>",
    ],
)  # fmt: skip
def test_without_a_usable_container_the_first_score_in_the_top_folder_is_read(
    wrong: bytes,
) -> None:
    beside = ("META-INF/manifest.xml", b"<x/>"), ("deep/other.xml", OTHER), ("It's.XML", SCORE)
    assert read_mxl(archive((CONTAINER, wrong), *beside)) == read_musicxml(SCORE)
    assert read_mxl(archive(*beside)) == read_musicxml(SCORE)


@pytest.mark.parametrize(
    ("listed", "stored"),
    [
        ("/score.xml", "score.xml"),
        ("./score.xml", "score.xml"),
        ("Music/Score.XML", "music/score.xml"),
        ("music\\score.xml", "music/score.xml"),
        ("music/score.xml", "music\\score.xml"),
        ("my%20score.xml", "my score.xml"),
        ("score.xml", "/score.xml"),
        ("Schäfer.xml", "Schäfer.xml"),
    ],
)
def test_odd_paths_still_name_the_score(listed: str, stored: str) -> None:
    data = archive(("a.xml", OTHER), (CONTAINER, container(listed)), (stored, SCORE))
    assert read_mxl(data) == read_musicxml(SCORE)


def test_without_a_container_a_score_in_a_folder_is_read() -> None:
    data = archive(
        ("__MACOSX/._tune.xml", b"junk"), ("tunes/._tune.xml", b"junk"), ("tunes/tune.xml", SCORE)
    )
    assert read_mxl(data) == read_musicxml(SCORE)


def test_lists_of_files_are_not_taken_for_the_score() -> None:
    data = archive(
        ("container.xml", container("tune.xml")), ("Manifest.xml", b"<manifest/>"),
        ("tunes/tune.xml", SCORE),
    )  # fmt: skip
    assert read_mxl(data) == read_musicxml(SCORE)
    wrong = archive((CONTAINER, container("list.xml")), ("list.xml", b"<a/>"), ("b.xml", SCORE))
    assert read_mxl(wrong) == read_musicxml(SCORE)


def test_a_container_in_other_letters_and_with_other_renditions_names_the_score() -> None:
    named = container("tune.pdf", "tune.mid", "score.xml")
    data = archive(
        ("meta-inf/Container.xml", named), ("a.xml", OTHER), ("tune.pdf", b"%PDF"),
        ("score.xml", SCORE),
    )  # fmt: skip
    assert read_mxl(data) == read_musicxml(SCORE)


@pytest.mark.parametrize(
    ("entry", "program"), [("tune.mscx", "MuseScore"), ("Content/score.gpif", "Guitar Pro")]
)
def test_an_archive_of_another_program_is_named(entry: str, program: str) -> None:
    with pytest.raises(ForeignScore, match=f"is a {program} file"):
        read_mxl(archive((entry, b"<x/>")))


def test_an_archive_without_a_score_is_rejected() -> None:
    for data in (archive(), archive((CONTAINER, container("a.xml"))), archive(("a.txt", SCORE))):
        with pytest.raises(UnreadableScore, match="no MusicXML file"):
            read_mxl(data)


@pytest.mark.parametrize("name", ["../score.xml", "a/../../b.xml", "a\\..\\b.xml"])
def test_names_that_lead_out_of_the_archive_are_rejected(name: str) -> None:
    with pytest.raises(UnreadableScore, match="lead out"):
        read_mxl(archive((name, SCORE), ("score.xml", SCORE)))


def test_an_archive_in_an_archive_is_rejected() -> None:
    with pytest.raises(UnreadableScore, match="another archive"):
        read_mxl(archive(("score.xml", GOOD)))


def test_an_archive_with_a_password_is_rejected() -> None:
    locked = bytearray(GOOD)
    for offset in _entries(GOOD):
        locked[offset + 8] |= 1
    with pytest.raises(UnreadableScore, match="password"):
        read_mxl(bytes(locked))


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_another_compression_method_is_rejected(method: int) -> None:
    with pytest.raises(UnreadableScore, match="packed"):
        read_mxl(archive(("score.xml", SCORE), method=method))


def test_an_archive_that_unpacks_to_too_much_is_not_unpacked() -> None:
    bomb = archive(("score.xml", b" " * 30_000_000))
    assert len(bomb) < 50_000
    with pytest.raises(TooLong, match="20000000 bytes"):
        read_mxl(bomb)


def test_a_wrong_size_in_the_header_of_an_entry_does_not_raise_the_limit() -> None:
    bomb = bytearray(archive(("score.xml", b" " * 1_000_000)))
    for offset in _entries(bytes(bomb)):
        struct.pack_into("<I", bomb, offset + 24, 10)
    with pytest.raises(MstError):
        unpack_score(bytes(bomb), max_bytes=1_000)


def test_too_many_entries_and_too_large_a_file_are_rejected() -> None:
    with pytest.raises(TooLong, match="files"):
        read_mxl(archive(*((f"{n}.xml", b"") for n in range(MAX_ENTRIES + 1))))
    with pytest.raises(TooLong, match="bytes"):
        read_mxl(GOOD, limits=Limits(file_bytes=100))
    with pytest.raises(TooLong, match="elements"):
        read_mxl(GOOD, limits=Limits(events=10))


def test_every_truncated_archive_is_rejected() -> None:
    scores = [_read(GOOD[:end]) for end in range(len(GOOD) + 1)]
    assert scores[:-1] == [None] * len(GOOD)
    assert scores[-1] is not None


def test_every_wrong_byte_gives_a_score_or_an_error() -> None:
    for offset in range(len(GOOD)):
        wrong = (0x00, 0xFF, GOOD[offset] ^ 1)[offset % 3]
        _read(GOOD[:offset] + bytes([wrong]) + GOOD[offset + 1 :])


def _entries(data: bytes) -> list[int]:
    """The offset of each entry in the central directory of an archive."""
    offsets = []
    offset = data.find(b"PK\x01\x02")
    while offset >= 0:
        offsets.append(offset)
        offset = data.find(b"PK\x01\x02", offset + 1)
    return offsets


def _read(data: bytes) -> ParsedScore | None:
    try:
        return read_mxl(data)
    except MstError:
        return None
