"""The format of a file by its name and content, and the limits on every score."""

from __future__ import annotations

import random
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mst_core.errors import MstError, NoMelody, TooLong, UnreadableScore
from mst_core.music import ChordSymbol, Part, TempoChange
from mst_core.reading.formats import (
    MAX_NAME_LENGTH,
    ScoreFormat,
    decode_text,
    detect_format,
    display_name,
)
from mst_core.reading.load import load_score
from mst_core.reading.parsed_score import Limits, ParsedScore
from tests.support.melodies import JIG, REEL
from tests.tools.hostile.files import GOOD, flip


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.mid", ScoreFormat.MIDI),
        ("a.MIDI", ScoreFormat.MIDI),
        ("song.kar", ScoreFormat.MIDI),
        ("song.rmi", ScoreFormat.MIDI),
        ("a.abc", ScoreFormat.ABC),
        ("a.xml", ScoreFormat.MUSICXML),
        ("a.MusicXML", ScoreFormat.MUSICXML),
        ("C:\\music\\a.mxl", ScoreFormat.MXL),
        ("/x.y/ä ö.mid", ScoreFormat.MIDI),
    ],
)
def test_before_the_download_the_suffix_decides_the_format(name: str, kind: ScoreFormat) -> None:
    assert detect_format(name, 1_000) is kind


@pytest.mark.parametrize("name", ["a", "a.txt", ".mid", "mid", "a.mid.exe", "", "a/", "a."])
def test_another_suffix_is_rejected_with_what_is_accepted(name: str) -> None:
    with pytest.raises(UnreadableScore, match=r"\.mid, \.midi.* are accepted"):
        detect_format(name, 1_000)


def test_the_size_is_checked_before_the_download() -> None:
    with pytest.raises(UnreadableScore, match=r"a\.mid is empty"):
        detect_format("a.mid", 0)
    with pytest.raises(TooLong, match=r"7\.3 MB, where at most 5\.0 MB"):
        detect_format("a.mid", 7_300_000)
    assert detect_format("a.mid", 7_300_000, limits=Limits(file_bytes=8_000_000))


@pytest.mark.parametrize("real", GOOD)
@pytest.mark.parametrize("suffix", GOOD)
def test_the_first_bytes_win_over_a_wrong_suffix(real: str, suffix: str) -> None:
    assert load_score(f"a.{suffix}", GOOD[real]) == load_score(f"a.{real}", GOOD[real])


def test_a_tune_on_a_saved_web_page_is_read() -> None:
    tune = "X:1\nT:Reel\nM:4/4\nL:1/4\nK:C\nC&gt;D EF|GABc|]\n"
    page = f"<!DOCTYPE html><html><body><pre>\n{tune}</pre></body></html>"
    assert load_score("a.abc", page.encode()).melody.pitches[:3] == (60, 62, 64)


@pytest.mark.parametrize("suffix", ["mid", "abc", "musicxml", "mxl"])
@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"\x1f\x8b\x08" + bytes(20), "an archive"),
        (b"<!DOCTYPE html><html>", "a web page"),
        (bytes(999), "does not begin as"),
    ],
)
def test_what_people_send_by_mistake_is_named(suffix: str, data: bytes, words: str) -> None:
    with pytest.raises(UnreadableScore, match=words):
        load_score(f"a.{suffix}", data)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "latin-1"])
def test_text_is_read_in_the_encodings_that_programs_write(encoding: str) -> None:
    text = "X:1\nT:Lied für Bär\nK:C\nABcd|\n"
    assert decode_text(text.encode(encoding)) == text
    assert load_score("a.abc", text.encode(encoding)).title == "Lied für Bär"


def test_names_are_shown_as_one_short_line_without_their_folders() -> None:
    assert display_name("../../etc/a\n\x1b[31mb\u202ec.mid") == "a [31mbc.mid"
    assert display_name("C:\\tunes\\reel.mid") == "reel.mid"
    assert display_name("") == display_name("///") == "a file without a name"
    long = display_name("n" * 999 + ".musicxml")
    assert len(long) == MAX_NAME_LENGTH
    assert long.endswith("….musicxml")


@given(st.text())
def test_no_name_breaks_a_sentence(name: str) -> None:
    shown = display_name(name)
    assert shown
    assert shown.isprintable()
    assert len(shown) <= MAX_NAME_LENGTH


def load(
    monkeypatch: pytest.MonkeyPatch, score: ParsedScore, limits: Limits | None = None
) -> ParsedScore:
    """Load a file whose reader returns this score."""
    monkeypatch.setattr("mst_core.reading.midi.read.read_midi", lambda *_, **__: score)
    return load_score("a.mid", GOOD["mid"], limits=limits)


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        (Limits(melody_notes=100), "notes in the melody, where at most 100"),
        (Limits(notes=150), "notes, where at most 150 notes"),
        (Limits(bars=15), "16 bars, where at most 15 bars"),
        (Limits(seconds=10), "19 seconds, where at most 10 seconds"),
        (Limits(tracks=1), "2 tracks, where at most 1 tracks"),
    ],
)
def test_every_score_is_checked_against_the_limits(
    limits: Limits, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    part = Part("la", 0, drums=False, notes=())
    score = ParsedScore("", REEL, parts=(part,))
    assert load(monkeypatch, score) == score
    if limits.notes == 150:
        limits = replace(limits, notes=len(REEL.notes) - 1, melody_notes=9_999)
        words = "notes, where at most"
    with pytest.raises(TooLong, match=words):
        load(monkeypatch, score, limits)


def test_more_chord_symbols_than_a_score_may_have_notes_are_too_many(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    chords = tuple(ChordSymbol(Fraction(number, 24), "Am7") for number in range(200))
    score = ParsedScore("", replace(REEL, chords=chords))
    assert load(monkeypatch, score) == score
    with pytest.raises(TooLong, match="200 chord symbols, where at most 199"):
        load(monkeypatch, score, Limits(notes=199))


def test_one_note_is_no_melody(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(NoMelody, match=r"a\.mid"):
        load(monkeypatch, ParsedScore("", replace(REEL, notes=REEL.notes[:1])))


@pytest.mark.parametrize("tempo", [0.5, 60_000_000.0, float("inf"), float("nan")])
def test_a_tempo_out_of_range_is_rejected(tempo: float, monkeypatch: pytest.MonkeyPatch) -> None:
    changes = (TempoChange(Fraction(4), tempo),)
    score = ParsedScore("", replace(JIG, tempo_changes=changes))
    with pytest.raises(MstError, match=r"quarter notes a minute|seconds"):
        load(monkeypatch, score)


def test_times_with_huge_denominators_are_rejected(monkeypatch: pytest.MonkeyPatch) -> None:
    first = replace(REEL.notes[0], duration=Fraction(1, 2**40))
    with pytest.raises(UnreadableScore, match="too finely"):
        load(monkeypatch, ParsedScore("", replace(REEL, notes=(first, *REEL.notes[1:]))))


def test_titles_names_and_warnings_become_single_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    part = Part("a\nb", 0, drums=False, notes=())
    score = ParsedScore("x\0y\r\nz" + "l" * 999, JIG, (part,), warnings=("one\ntwo",) * 99)
    loaded = load(monkeypatch, score)
    assert loaded.title.startswith("xy zll")
    assert len(loaded.title) == 200
    assert (loaded.parts[0].name, loaded.warnings[0], len(loaded.warnings)) == (
        "a b",
        "one two",
        30,
    )


files = st.one_of(
    st.binary(max_size=200),
    st.builds(
        lambda kind, seed: flip(GOOD[kind], seed), st.sampled_from([*GOOD]), st.integers(0, 99)
    ),
    st.builds(
        lambda kind, start, cut, more: GOOD[kind][:start] + more + GOOD[kind][start + cut :],
        st.sampled_from([*GOOD]),
        st.integers(0, 400),
        st.integers(0, 40),
        st.binary(max_size=40),
    ),
    st.builds(
        lambda kind, seed: bytes(random.Random(seed).choices(GOOD[kind], k=300)),
        st.sampled_from([*GOOD]),
        st.integers(0, 999),
    ),
)


@settings(deadline=None, max_examples=150)
@given(st.sampled_from([*GOOD]), files)
def test_any_bytes_give_a_score_or_a_reason(suffix: str, data: bytes) -> None:
    sentence = "la"
    try:
        assert len(load_score(f"a.{suffix}", data).melody.notes) >= 2
    except MstError as error:
        sentence = str(error)
    assert sentence.isprintable()
