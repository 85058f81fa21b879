"""Titles and names of parts come out as letters, and only where they are titles and names."""

from __future__ import annotations

import pytest

from mst_core.reading.midi.parts import MidiScore, read_midi_parts
from mst_core.reading.parsed_score import Limits
from tests.support.midi_files import END, SIMPLE, raw
from tests.tools.hostile.midi import meta, scale


def score(title: bytes, *names: bytes) -> MidiScore:
    """A file with a title and named tracks."""
    tracks = [meta(3, name) + SIMPLE + END for name in names or (b"",)]
    return read_midi_parts(raw(meta(3, title) + END, *tracks, form=1), Limits())


@pytest.mark.parametrize(("encoding", "title", "name"), [
    ("shift_jis", "さくら さくら", "メロディ"),
    ("big5", "小城故事", "旋律"),
    ("gbk", "月亮代表我的心", "主旋律"),
    ("euc_kr", "고향의 봄", "멜로디"),
    ("cp1251", "Подмосковные вечера", "Мелодия"),
    ("utf-8", "さくら", "Gesäng"),
    ("utf-16", "さくら", "Мелодия"),
    ("cp437", "Für Elise", "Flöte"),
    ("cp1252", "“Don’t stop” – live", "Gesang für Flöte"),
    ("cp1258", "Tình ca", "Violin"),
])  # fmt: skip
def test_names_of_many_encodings_are_letters(encoding: str, title: str, name: str) -> None:
    def write(text: str) -> bytes:
        # Vietnamese writes some of its tone marks as letters of their own.
        return (
            text.replace("ì", "i\u0300").encode(encoding)
            if encoding == "cp1258"
            else text.encode(encoding)
        )

    found = score(write(title), write(name))
    assert (found.title, found.parts[0].own_name) == (title, name)


def test_half_width_kana_become_full_width() -> None:
    found = score("ﾋﾟｱﾉ ｷｮｸ".encode("cp932"), "ﾒﾛﾃﾞｨ".encode("cp932"))
    assert (found.title, found.parts[0].own_name) == ("ピアノ キョク", "メロディ")


def test_one_encoding_is_found_for_all_names_of_a_file() -> None:
    # The title alone would be good Russian.
    found = score("月亮".encode("gbk"), "小提琴".encode("gbk"), "钢琴".encode("gbk"))
    assert [found.title, *(part.name for part in found.parts)] == ["月亮", "小提琴", "钢琴"]


@pytest.mark.parametrize("title", [
    "untitled", "Untitled", "-", "- -", "A", "Seq-1", "Sequence 3", "Master Parameters", "Track 1",
    "M-Live Setup", "WinJammer Demo", "tempo", "Tempo track", "Conductor Track", "nameless", "50",
    "New Song", "Unnamed", "no name", "control track", "SetUp", "Set-up", "Spår 1", "midi_export",
    "Soft Karaoke", "Words", "Piano", "http://example.com", "Copyright 1997 by me", "(null)",
    "Sequenced by someone", "Grand Piano", "",
])  # fmt: skip
def test_what_programs_write_is_no_title(title: str) -> None:
    assert score(title.encode()).title == ""


@pytest.mark.parametrize("title", [
    "Song of the Sea", "Piano Concerto", "Control Yourself", "Testament", "The Tempest",
    "99 Luftballons", "Lead Me On", "Words of Love", "Track Star", "愛", "Time After Time",
    "Intro to Life", "Unknown Pleasures",
])  # fmt: skip
def test_titles_that_resemble_such_words_are_kept(title: str) -> None:
    assert score(title.encode()).title == title


def test_the_title_of_a_karaoke_file_is_its_first_fact() -> None:
    facts = meta(1, b"@KMIDI KARAOKE FILE") + meta(1, b"@TSumertime") + meta(1, b"@TSomeone")
    data = raw(meta(3, b"Soft karaoke") + facts + END, SIMPLE, form=1)
    assert read_midi_parts(data, Limits()).title == "Sumertime"


def test_players_of_a_band_in_one_track_are_named_by_their_instruments() -> None:
    setup = b"".join(bytes((0, 0xC0 | channel, 27)) for channel in (0, 1)) + b"\0\xc2\x49"
    band = meta(3, b"The Song") + setup + b"".join(scale(4, channel) for channel in (0, 1, 2, 9))
    found = read_midi_parts(raw(band), Limits())
    assert found.title == "The Song"
    names = [part.name for part in found.parts]
    assert names == ["Clean guitar", "Clean guitar 2", "Flute", "Drums"]
    assert {part.own_name for part in found.parts} == {""}


def test_parts_without_a_name_are_numbered_by_instrument() -> None:
    guitar = b"\0\xc0\x1b" + scale(4)
    found = read_midi_parts(raw(guitar, meta(3, b"Solo") + guitar, guitar, form=1), Limits())
    assert [part.name for part in found.parts] == ["Clean guitar", "Solo", "Clean guitar 2"]
