"""Untrusted XML is parsed without loading files or expanding entities, within its limits."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mst_core.errors import MstError, TooLong, UnreadableScore
from mst_core.reading.musicxml.read import read_musicxml
from mst_core.reading.musicxml.tree import MAX_DEPTH, MAX_TAG_BYTES, MAX_TEXT_LENGTH, parse_xml
from mst_core.reading.parsed_score import Limits, ParsedScore
from tests.support.xml_scores import (
    BACKWARD,
    DOCTYPE,
    FORWARD,
    HEAD,
    document,
    measure,
    part,
    signature,
)

TUNE = document(
    part(measure(signature(), FORWARD, "C4 E4+ D4*1/3 E4*1/3 F4*1/3 G4g A4*2~"),
         measure("~A4*2 z*2", BACKWARD)),
    title="Fünf &amp; Sechs ♭",
)  # fmt: skip
WIDE = TUNE.replace("UTF-8", "UTF-16")
LATIN = TUNE.replace("UTF-8", "ISO-8859-1").replace("♭", "b")


def test_a_public_document_type_is_ignored() -> None:
    assert DOCTYPE in TUNE
    assert read_musicxml(TUNE.encode()).title == "Fünf & Sechs ♭"


@pytest.mark.parametrize(
    "data",
    [
        TUNE.encode(), TUNE.encode("utf-8-sig"), WIDE.encode("utf-16"),
        b"\xfe\xff" + WIDE.encode("utf-16-be"), TUNE.replace(HEAD, "").encode(),
    ],
)  # fmt: skip
def test_unicode_is_read_with_and_without_a_byte_order_mark(data: bytes) -> None:
    assert read_musicxml(data) == read_musicxml(TUNE.encode())


def test_older_encodings_are_read_when_they_are_named() -> None:
    assert read_musicxml(LATIN.encode("latin-1")).title == "Fünf & Sechs b"


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (LATIN.replace("ISO-8859-1", "UTF-8").encode("latin-1"), "UTF-8; it was read as Windows"),
        (TUNE.replace("UTF-8", "shift_jis").encode(), "shift_jis; it was read as UTF-8"),
        (TUNE.replace("UTF-8", "unicode_escape").encode(), "unicode_escape; it was read as UTF-8"),
        (TUNE.replace("UTF-8", "UTF-16").encode(), "UTF-16; it was read as UTF-8"),
        (TUNE.replace("UTF-8", "latin1").encode(), "latin1; it was read as UTF-8"),
    ],
)
def test_a_wrongly_declared_encoding_is_mended_with_a_remark(data: bytes, found: str) -> None:
    score = read_musicxml(data)
    assert score.title.startswith("Fünf & Sechs")
    assert [f"The file says that it is in {found}" in text for text in score.warnings].count(True)


def test_utf_16_is_read_without_a_byte_order_mark() -> None:
    assert read_musicxml(TUNE.encode("utf-16")[2:]) == read_musicxml(TUNE.encode())
    with pytest.raises(UnreadableScore):
        read_musicxml(WIDE.encode("utf-16")[:-1])


@pytest.mark.parametrize(
    "slip",
    [
        lambda text: "\n\n" + text,
        lambda text: "\ufeff \n" + text,
        lambda text: text.replace("UTF-8", "utf8"),
        lambda text: text.replace('.dtd">', '.dtd" [ ]>'),
        lambda text: "<!-- made by hand -->\n" + text,
        lambda text: "look at this:\n```xml\n" + text + "\n```\nnice, isn't it?",
        lambda text: text + "\0\0\0",
        lambda text: text.replace("&amp;", "&"),
        lambda text: text.replace("<duration>", "<duration>\x0b", 1),
        lambda text: text.replace("Sechs", "Sechs&#11;"),
    ],
)
def test_slips_around_and_within_the_xml_change_no_note(slip: Callable[[str], str]) -> None:
    plain = read_musicxml(TUNE.encode())
    mended = read_musicxml(slip(TUNE).encode())
    assert (mended.title, mended.melody) == (plain.title, plain.melody)


def test_blank_lines_before_the_declaration_are_skipped_with_a_remark() -> None:
    assert (
        "Blank space before the XML declaration was skipped."
        in read_musicxml(("\n" + TUNE).encode()).warnings
    )


LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))


@pytest.mark.parametrize(
    ("declared", "used"),
    [
        (f'[<!ENTITY l0 "ha">{LAUGHS}]', "&l9;"),
        (f'[<!ENTITY a "{"ha" * 1_000}">]', "&a;" * 1_000),
        ('[<!ENTITY secret SYSTEM "file:///etc/hostname">]', "&secret;"),
        ('[<!ENTITY % more SYSTEM "http://localhost/more.dtd"> %more;]', ""),
        ('[<!ATTLIST note dynamics CDATA "90">]', ""),
        ('PUBLIC "-//Recordare//DTD MusicXML 4.0 Partwise//EN" "partwise.dtd"', "&secret;"),
        ('SYSTEM "http://localhost/partwise.dtd"', "&nbsp;"),
        ("", "&nbsp;"),
    ],
)
def test_entities_and_declarations_are_rejected(declared: str, used: str) -> None:
    text = TUNE.replace(DOCTYPE, f"<!DOCTYPE score-partwise {declared}>" if declared else "")
    with pytest.raises(UnreadableScore):
        read_musicxml(text.replace("Sechs", used).encode())


def test_deeply_nested_elements_are_rejected() -> None:
    assert parse_xml(b"<a>" * MAX_DEPTH + b"</a>" * MAX_DEPTH, max_elements=1_000).name == "a"
    with pytest.raises(UnreadableScore, match="within each other"):
        parse_xml(b"<a>" * 100_000, max_elements=1_000_000)


def test_more_elements_than_the_limit_are_rejected() -> None:
    assert len(parse_xml(b"<a>" + b"<b/>" * 99 + b"</a>", max_elements=100).children) == 99
    with pytest.raises(TooLong, match="100 elements"):
        parse_xml(b"<a>" + b"<b/>" * 100 + b"</a>", max_elements=100)


@pytest.mark.parametrize(
    "endless",
    [
        b'<a b="' + b"x" * 9_000_000,
        b"<a " + b'b="" ' * 9_000,
        b"<!--" + b"x" * 9_000_000,
        b"<" * 99,
    ],
)
def test_an_endless_tag_is_rejected(endless: bytes) -> None:
    with pytest.raises(UnreadableScore):
        parse_xml(endless, max_elements=100)


def test_a_tag_with_too_many_attributes_is_rejected_for_its_size() -> None:
    names = b" ".join(b'a%d=""' % number for number in range(MAX_TAG_BYTES // 5))
    with pytest.raises(UnreadableScore, match="tag of more than"):
        parse_xml(b"<a " + names + b"/>", max_elements=100)


def test_only_the_beginning_of_a_long_text_is_kept() -> None:
    root = parse_xml(
        b"<a><b>" + b"x" * 5_000_000 + b"</b>\n" + b" " * 5_000_000 + b"</a>", max_elements=9
    )
    assert root.find_text("b") == "x" * MAX_TEXT_LENGTH


@pytest.mark.parametrize(
    "text",
    ["", "<", "<html><body>404</body></html>", "<museScore/>", "<score-partwise/>", "<opus/>",
     "MThd", "\0", "<score-partwise><part/></score-partwise>",
     "<score-timewise><measure/></score-timewise>",
     "<score-partwise><part><measure/></part></score-partwise>"],
)  # fmt: skip
def test_xml_that_is_no_score_is_rejected(text: str) -> None:
    with pytest.raises(MstError):
        read_musicxml(text.encode())


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("<duration>12<", "<duration>999999999<"), ("<duration>12<", "<duration>0.000000001<"),
        ("<divisions>12<", "<divisions>0.000000001<"), ("<divisions>12<", "<divisions>999999999<"),
        ("<fifths>0<", "<fifths>999999999<"), ("<alter>0<", "<alter>999999999<"),
        ("<alter>0<", "<alter>-0.999999999<"), ("<beats>4<", "<beats>32<"),
        ("<octave>4<", "<octave>999999999<"), ("<octave>4<", "<octave>4.5<"),
    ],
)  # fmt: skip
def test_a_huge_number_gives_a_score_or_an_error(right: str, wrong: str) -> None:
    assert right in TUNE
    _read(TUNE.replace(right, wrong).encode())
    _read(TUNE.replace(right, wrong, 1).encode())


def test_note_lengths_without_a_common_beat_are_rounded() -> None:
    bar = "".join(
        f"<attributes><divisions>{number}</divisions></attributes>"
        "<forward><duration>1</duration></forward>"
        for number in range(10_001, 10_101, 2)
    )
    score = read_musicxml(TUNE.replace("<note>", bar + "<note>", 1).encode())
    assert score.melody.pitches[:5] == read_musicxml(TUNE.encode()).melody.pitches
    assert any("nearest step of 1/24" in text for text in score.warnings)


def test_every_truncated_file_gives_a_score_or_an_error() -> None:
    data = TUNE.encode()
    scores = [_read(data[:end]) for end in range(len(data) + 1)]
    assert [score is not None for score in scores[-2:]] == [False, True]


@settings(max_examples=100, deadline=None)
@given(
    offset=st.integers(0, len(TUNE)),
    cut=st.integers(0, 30),
    put=st.text("<>/&;0-9.\"' az", max_size=9),
)
def test_a_damaged_file_gives_a_score_or_an_error(offset: int, cut: int, put: str) -> None:
    _read((TUNE[:offset] + put + TUNE[offset + cut :]).encode())


def _read(data: bytes) -> ParsedScore | None:
    try:
        return read_musicxml(data, limits=Limits(file_bytes=100_000))
    except MstError:
        return None
