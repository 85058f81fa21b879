"""The key of a MusicXML score: its signatures, and by the notes the mode it does not name."""

from __future__ import annotations

import pytest

from mst_core.music import Key, KeyChange
from mst_core.reading.parsed_score import ParsedScore
from tests.support.xml_scores import measure, read, signature

A_MINOR = ("A4 C5 E5 C5", "D5 B4 G#4 B4", "A4 C5 E5 A5", "E5*2 A4*2")
C_MAJOR = ("C5 E5 G5 E5", "F5 D5 B4 D5", "C5 E5 G5 C5", "G4*2 C5*2")


def read_with(head: str, *bars: str) -> ParsedScore:
    return read(measure(head, bars[0]), *bars[1:])


def change(fifths: int) -> str:
    return f"<attributes><key><fifths>{fifths}</fifths></key></attributes>"


def test_a_signature_without_a_mode_has_the_mode_of_the_notes() -> None:
    bare = signature().replace("<mode>major</mode>", "")
    minor = read_with(bare, *A_MINOR)
    assert minor.melody.key == Key.parse("Am")
    major = read_with(bare, *C_MAJOR)
    assert major.melody.key == Key.parse("C")
    assert not any("key" in text for text in major.warnings)


@pytest.mark.parametrize("mode", ["major", "Major", "dorian"])
def test_a_mode_that_is_named_is_kept(mode: str) -> None:
    key = read_with(signature(mode=mode), *A_MINOR).melody.key
    assert (key.fifths, key.mode) == (0, mode.lower())


def test_a_default_signature_that_the_notes_contradict_is_not_believed() -> None:
    bare = signature().replace("<mode>major</mode>", "")
    tune = read_with(bare, "E5 G#5 B5 G#5", "A5 F#5 D#5 F#5", "E5 G#5 B5 C#5", "B4*2 E5*2")
    assert tune.melody.key == Key.parse("E")
    remark = "The file states C major, but its notes are those of E major."
    assert remark in tune.warnings


def test_the_mode_of_a_later_key_is_that_of_its_own_notes() -> None:
    bare = signature(fifths=3).replace("<mode>major</mode>", "")
    up = [bar.replace("C5", "C#5").replace("F5", "F#5").replace("G5", "G#5") for bar in A_MINOR]
    tune = read(measure(bare, up[0]), *up[1:], measure(change(0), A_MINOR[0]), *A_MINOR[1:]).melody
    assert tune.key == Key.parse("A")
    assert tune.key_changes == (KeyChange(4, Key.parse("Am")),)
