"""ABC files: encodings, limits, several tunes and voices, and the warnings about them."""

from __future__ import annotations

import pytest

from mst_core.errors import MstError, NoMelody, TooLong, UnreadableScore
from mst_core.reading.abc.read import read_abc_score
from mst_core.reading.parsed_score import Limits

REEL = "X:1\nT:Café\nM:4/4\nL:1/4\nQ:1/4=100\nK:G\n|: GABc | d3 :: e | fgab | g3 :|\n"


def warnings(music: str, *, head: str = "") -> tuple[str, ...]:
    return read_abc_score(f"X:1\nM:4/4\nL:1/4\nQ:1/4=90\n{head}K:C\n{music}\n").warnings


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1", "cp1252", "utf-16"])
def test_a_title_is_read_in_any_usual_encoding(encoding: str) -> None:
    score = read_abc_score(REEL.encode(encoding))
    assert score.title == "Café"
    assert score == read_abc_score(REEL)


def test_a_plain_tune_has_no_warning() -> None:
    score = read_abc_score(REEL)
    assert (score.warnings, score.parts, score.program) == ((), (), None)
    assert [(each.start, each.end) for each in score.melody.repeats] == [(0, 2), (2, 4)]


def test_a_file_may_name_its_instrument() -> None:
    for line in ("%%MIDI program 73", "I:MIDI program 1 73", "%%MIDI program 73 % flute"):
        assert read_abc_score(REEL.replace("M:4/4", f"M:4/4\n{line}")).program == 73
    assert read_abc_score(REEL.replace("M:4/4", "M:4/4\n%%MIDI program 128")).program is None


@pytest.mark.parametrize(
    ("music", "warning"),
    [
        ("ABcd|\n\nX:2\nK:D\nDEFG|", "The file holds 2 tunes; number 1 was taken."),
        ("[Ac]BcA|[K:C]A4|", "Only the top note of each chord was kept."),
        (
            "AB&FGcd|A4|",
            "A second voice that is written into bars, after the sign &, was left out.",
        ),
        ("ABcd|ABc|A4|", "1 bar is longer or shorter than its meter; it has a meter of its own."),
        (
            "ABcd|ABc|AB|c4|",
            "2 bars are longer or shorter than their meter; they have meters of their own.",
        ),
        (
            "|:ABcd|1,2 A4:|3 B4|]",
            "One repeat is more than twice the same with two endings; it is not played again.",
        ),
    ],
)
def test_a_warning_names_what_is_not_in_the_melody(music: str, warning: str) -> None:
    assert warnings(music) == (warning,)


@pytest.mark.parametrize(
    "music", ["ABcd|[M:3/4]ABc|[M:4/4]A4|", "ABcd|[K:D]F4|", "[Q:1/4=80]A4|B4|"]
)
def test_changes_that_are_kept_give_no_warning(music: str) -> None:
    assert warnings(music) == ()


def test_the_tempo_may_come_after_the_key() -> None:
    assert read_abc_score("X:1\nL:1/4\nK:C\nQ:1/4=90\nABcd|\n").melody.tempo == 90


@pytest.mark.parametrize(
    ("data", "limits", "fault"),
    [
        (b"", Limits(), UnreadableScore),
        (b"X:1\nK:C\nAB\0c", Limits(), UnreadableScore),
        (b"MThd\0\0\0\6\0\1", Limits(), UnreadableScore),
        (b"X:1\nK:C\nz4|", Limits(), NoMelody),
        (b"X:1\nK:C\nABcd", Limits(file_bytes=5), TooLong),
        (b"X:1\nK:C\nABcd", Limits(events=5), TooLong),
        (b"X:1\nK:C\nABcd", Limits(melody_notes=3), TooLong),
        (b"X:1\nM:2/4\nL:1/4\nK:C\nAB|cd|AB|", Limits(bars=2), TooLong),
        (b"X:1\nM:4/4\nL:1/4\nQ:60\nK:C\nABcd|", Limits(seconds=3), TooLong),
    ],
)
def test_a_file_that_cannot_be_read_is_rejected_in_one_line(
    data: bytes, limits: Limits, fault: type[MstError]
) -> None:
    with pytest.raises(fault) as raised:
        read_abc_score(data, limits=limits)
    assert "\n" not in str(raised.value)
