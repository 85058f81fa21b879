"""The encoding of a few short words is found."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mst_core.reading.text_encoding import decode_as, find_encoding


@pytest.mark.parametrize(("encoding", "texts"), [
    ("cp932", ["さくら さくら", "メロディ"]), ("cp932", ["天地人", "ベース", "ドラム"]),
    ("cp932", ["月光"]), ("cp932", ["紅"]), ("cp932", ["上を向いて歩こう"]), ("cp932", ["千本桜"]),
    ("euc_jp", ["さくら さくら"]), ("euc_jp", ["千本桜"]),
    ("gbk", ["旋律"]), ("gbk", ["钢琴", "鼓"]), ("gbk", ["茉莉花"]), ("gbk", ["二泉映月"]),
    ("big5", ["旋律"]), ("big5", ["鄧麗君", "主旋律", "鋼琴"]), ("big5", ["望春風"]),
    ("cp949", ["사랑"]), ("cp949", ["아리랑"]), ("cp949", ["보컬"]), ("cp949", ["기타"]),
    ("cp1251", ["Мелодия"]), ("cp1251", ["ВАЛЬС"]), ("cp1251", ["БАС", "Соло", "Ударные"]),
    ("koi8_r", ["Подмосковные вечера"]), ("cp866", ["Катюша"]), ("cp1253", ["Ζορμπάς"]),
    ("cp1252", ["Frère Jacques"]), ("cp1252", ["Glück"]), ("cp1252", ["Spår 1"]),
    ("cp1252", ["Canção do Mar"]), ("cp1252", ["Año nuevo, ¡olé!"]), ("cp1252", ["Così fan tutte"]),
    ("cp1252", ["Don’t"]), ("cp1252", ["song…"]), ("cp1252", ["© 1997 Someone"]),
    ("cp1252", ["Bjørn"]), ("cp1252", ["ÉTÉ"]), ("cp1252", ["GROSSE FUGE Ö"]),
    ("cp437", ["Flöte"]), ("cp437", ["Señorita"]), ("mac_roman", ["Señorita", "corazón"]),
    ("mac_roman", ["Frère Jacques"]), ("cp1250", ["Dvořák", "Písnička"]), ("cp1250", ["Łódź"]),
    ("big5", ["甜蜜蜜"]), ("cp850", ["Canção"]), ("cp1254", ["Yağmur"]),
    ("cp1254", ["Işık Doğudan"]), ("utf-8", ["さくら", "Flöte"]),
])  # fmt: skip
def test_words_come_back_as_they_were_written(encoding: str, texts: list[str]) -> None:
    written = [text.encode(encoding) for text in texts]
    found = find_encoding(written)
    assert [decode_as(text, found) for text in written] == texts


def test_tone_marks_of_vietnamese_are_joined_to_their_letters() -> None:
    written = [b"NH\xdd C\xd5N M\xddA \xd0\xc2\xccU MU\xccA", b"CA\xccO CA\xccO LA\xec TRE"]
    found = find_encoding(written)
    assert [decode_as(text, found) for text in written] == ["NHƯ CƠN MƯA ĐẦU MÙA", "CÀO CÀO LÁ TRE"]


@pytest.mark.parametrize("text", [
    "さくら".encode("utf-16"), "さくら".encode("utf-8-sig"), "さくら".encode("iso2022_jp"),
])  # fmt: skip
def test_a_text_that_names_its_own_encoding_is_believed(text: bytes) -> None:
    assert decode_as(text, "cp1252") == "さくら"


def test_utf_16_without_a_mark_is_seen_by_its_zeros() -> None:
    assert decode_as("Melody".encode("utf-16-le"), "cp1252") == "Melody"
    assert decode_as("Melody".encode("utf-16-be"), "cp1252") == "Melody"


def test_a_text_cut_off_in_a_letter_keeps_the_others() -> None:
    written = ["さくらさくら".encode()[:-1], "ä".encode()]
    assert decode_as(written[0], find_encoding(written)) == "さくらさく"


def test_rare_characters_of_three_bytes_are_decoded() -> None:
    written = [b"\x8f\xb0\xa1\xa4\xab"]
    assert decode_as(written[0], "euc_jp")[-1] == "か"
    assert isinstance(find_encoding(written), str)


@given(st.lists(st.binary(max_size=60), max_size=8))
def test_any_bytes_are_decoded(texts: list[bytes]) -> None:
    encoding = find_encoding(texts)
    for text in texts:
        assert isinstance(decode_as(text, encoding), str)
