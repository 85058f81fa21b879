"""The ABC reader: pitches, lengths, fields, what is left out, and what is rejected."""

from __future__ import annotations

import contextlib
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mst_core.errors import MstError, NoMelody, TooLong, UnreadableScore
from mst_core.music import Key, Meter, MeterChange
from mst_core.reading.abc.read import read_abc_score, read_tune, split_tunes
from mst_core.reading.abc.tune import AbcTune
from mst_core.reading.parsed_score import Limits

HALF = Fraction(1, 2)


def tune(music: str, *, key: str = "C", meter: str = "4/4", unit: str = "1/8") -> AbcTune:
    return read_tune(f"X:1\nT:A tune\nM:{meter}\nL:{unit}\nK:{key}\n{music}\n")


def pitches(music: str, key: str = "C") -> list[int | None]:
    return [event.pitch for event in tune(music, key=key).events]


def lengths(music: str, meter: str = "4/4", unit: str = "1/4") -> list[Fraction]:
    """Durations in quarter notes; with the unit 1/4, A is one."""
    return [event.duration for event in tune(music, meter=meter, unit=unit).events]


# --- pitch -------------------------------------------------------------------------------------


def test_a_capital_c_is_middle_c_and_marks_move_it_by_octaves() -> None:
    assert pitches("C c c' C, C,,") == [60, 72, 84, 48, 36]


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("C", [65, 67, 69, 71, 72]),
        ("G", [66, 67, 69, 71, 72]),
        ("D", [66, 67, 69, 71, 73]),
        ("Bb", [65, 67, 69, 70, 72]),
        ("Em", [66, 67, 69, 71, 72]),
        ("E minor", [66, 67, 69, 71, 72]),
        ("EM", [66, 67, 69, 71, 72]),  # the standard ignores capitals in a mode
        ("A Mixolydian", [66, 67, 69, 71, 73]),
        ("Ador", [66, 67, 69, 71, 72]),
        ("Hp", [66, 67, 69, 71, 73]),
        ("C#", [66, 68, 70, 72, 73]),
        ("Dmix=f", [65, 67, 69, 71, 72]),
        ("D exp _b ^c", [65, 67, 69, 70, 73]),
        ("none", [65, 67, 69, 71, 72]),
        ("G % two sharps in the book", [66, 67, 69, 71, 72]),
        ("G clef=treble", [66, 67, 69, 71, 72]),
    ],
)
def test_the_key_signature_alters_its_letters(key: str, expected: list[int]) -> None:
    assert pitches("FGABc", key=key) == expected


def test_an_accidental_holds_until_the_barline() -> None:
    assert pitches("=FAGF | F", key="D") == [65, 69, 67, 65, 66]


def test_an_accidental_holds_in_its_octave_only() -> None:
    assert pitches("^C c C") == [61, 72, 61]


def test_a_natural_sign_cancels_a_sharp_within_the_bar() -> None:
    assert pitches("^F =F F ^^F __B") == [66, 65, 65, 67, 69]


def test_a_tie_carries_its_accidental_over_the_barline_but_no_further() -> None:
    assert pitches("^F2- | F2 F2") == [66, 65]
    assert [event.duration for event in tune("^F2- | F2 F2", unit="1/4").events] == [4, 2]


def test_the_key_may_change_inside_the_tune() -> None:
    assert pitches("F | [K:D] F |\nK:F\nB F") == [65, 66, 70, 65]


def test_the_top_note_of_a_chord_is_the_melody() -> None:
    assert pitches("[CEG]2 [cE] +E3A3+") == [67, 72, 69]
    assert lengths("[CEG]2 [c2E2] +E3A3+") == [2, 2, 3]


# --- length ------------------------------------------------------------------------------------


def test_numbers_and_slashes_are_exact_lengths() -> None:
    assert lengths("A2 A3/2 A/ A// A/4 A3/8") == [
        2, Fraction(3, 2), HALF, Fraction(1, 4), Fraction(1, 4), Fraction(3, 8),
    ]  # fmt: skip


def test_the_default_unit_is_an_eighth_or_in_short_meters_a_sixteenth() -> None:
    assert read_tune("X:1\nM:6/8\nK:C\nA B").events[0].duration == HALF
    assert read_tune("X:1\nM:2/4\nK:C\nA B").events[0].duration == Fraction(1, 4)


def test_the_unit_may_change_inside_a_line() -> None:
    assert lengths("A [L:1/8] A") == [1, HALF]


@pytest.mark.parametrize(
    "music",
    ["A>B", "A > B", "A>(B", "(A>B)", "A>.B", "A`>B", "A>{c}B", 'A>"Em"B', "A>!trill!B", "A>|B"],
)
def test_broken_rhythm_is_read_whatever_stands_between_its_notes(music: str) -> None:
    assert lengths(music) == [Fraction(3, 2), HALF]


def test_broken_rhythm_dots_the_note_at_the_open_side_of_its_sign() -> None:
    assert lengths("A<B") == [HALF, Fraction(3, 2)]
    assert lengths("A>>B") == [Fraction(7, 4), Fraction(1, 4)]
    assert lengths("[AC]>[Bd]") == [Fraction(3, 2), HALF]


def test_a_triplet_takes_the_time_of_two() -> None:
    assert lengths("(3ABc (3(def) ((3gab)") == [Fraction(2, 3)] * 9


def test_a_tuplet_plays_p_notes_in_the_time_of_q() -> None:
    assert lengths("(3:2:2A2B c") == [Fraction(4, 3), Fraction(2, 3), 1]
    assert lengths("(6:6ABcdef") == [1] * 6
    assert lengths("(2AB", meter="6/8") == [Fraction(3, 2)] * 2
    assert lengths("(5ABcde", meter="6/8") == [Fraction(3, 5)] * 5
    assert lengths("(5ABcde") == [Fraction(2, 5)] * 5


def test_broken_rhythm_inside_a_triplet_is_both() -> None:
    assert lengths("(3A>BA") == [1, Fraction(1, 3), Fraction(2, 3)]


def test_tied_notes_are_one_and_slurred_notes_are_not() -> None:
    assert lengths("A-A (BB) A-|A c-d") == [2, 1, 1, 2, 1, 1]


def test_rests_are_events_without_a_pitch() -> None:
    assert pitches("A z2 x B | Z2 | A") == [69, None, 71, None, 69]
    assert lengths("A z2 B | Z2 | A") == [1, 2, 1, 8, 1]


# --- what is left out ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "music",
    [
        "HA2B2", "~A2.B2", "TA2uB2", "!trill!A2!fermata!B2", '"Am"A2"_D.C."B2', "{cde}A2{/f}B2",
        "(A2B2)", "A2`B2", "A2B2 % cde", "A2 y2 B2", "A2B2*$", "A2 & c4\n| B2", "A2\\\nB2",
        "A2\nw: do-re mi\nB2", "A2\nN: a note\nB2", '|"Segno"[|]A2|B2"D.C."[|]|]', "A2!\nB2",
    ],
)  # fmt: skip
def test_decorations_and_text_neither_add_nor_remove_a_note(music: str) -> None:
    read = tune(music, unit="1/4").events
    assert [event.pitch for event in read] == [69, 71]
    assert [event.duration for event in read] == [2, 2]


def test_a_note_keeps_its_pitch_with_a_decoration() -> None:
    assert pitches("HF2 ~G2 .A2 TB2", key="G") == [66, 67, 69, 71]


def test_only_the_first_voice_is_the_tune() -> None:
    assert pitches("[V:1] AB|\n[V:2] cd|\n[V:1] GA|") == [69, 71, 67, 69]
    text = "X:1\nV:T1 clef=treble\nV:B1\nK:C\nV:T1\nAB\nV:B1\nK:D\ncd\nV:T1\nFG\n"
    assert [event.pitch for event in read_tune(text).events] == [69, 71, 65, 67]


# --- header ------------------------------------------------------------------------------------


def test_the_header_has_number_title_rhythm_meter_tempo_and_key() -> None:
    text = "X: 12\nT: The Reel % mine\nT:Another name\nR: reel\nM:C|\nQ:1/2=100\nK:F#m\nF2 G2\n"
    read = read_tune(text)
    assert (read.reference_number, read.title, read.rhythm) == ("12", "The Reel", "reel")
    assert (read.meter, read.tempo) == (Meter(2, 2), 200)
    assert (read.key, read.key_name) == (Key(6, "minor"), "F#min")


@pytest.mark.parametrize(
    ("field", "tempo"),
    [("1/4=90", 90), ("3/8=100", 150), ('"Allegro" 1/4=120', 120), ("180", 90), ("0", None)],
)
def test_the_tempo_counts_quarters(field: str, tempo: float | None) -> None:
    assert read_tune(f"X:1\nL:1/8\nQ:{field}\nK:C\nAB\n").tempo == tempo


def test_the_header_of_a_file_holds_for_all_its_tunes() -> None:
    text = "%abc-2.1\nM:3/4\nL:1/4\n\nX:1\nK:G\nGAB|\n\nwords between tunes\n\nX:2\nK:D\nDEF|\n"
    first, second = map(read_tune, split_tunes(text))
    assert first.meter == second.meter == Meter(3, 4)
    assert [event.pitch for event in first.events] == [67, 69, 71]
    assert [event.pitch for event in second.events] == [62, 64, 66]


def test_the_first_tune_of_a_file_becomes_the_melody() -> None:
    assert read_abc_score("X:1\nK:C\nCDE\n\nX:2\nK:C\nGAB\n").melody.pitches == (60, 62, 64)


def test_a_change_of_meter_is_kept() -> None:
    text = "X:1\nM:3/4\nL:1/4\nK:C\nABc|[M:2/4]AB|\n"
    assert read_tune(text).meter_changes == ((Fraction(3), Meter(2, 4)),)
    assert read_abc_score(text).melody.meter_changes == (MeterChange(1, Meter(2, 4)),)


# --- files that are rejected -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", UnreadableScore),
        ("a letter to a friend", UnreadableScore),
        ("X:1\nT:No music\n", UnreadableScore),
        ("X:1\nK:Quite\nABc\n", UnreadableScore),
        ("X:1\nM:4/5\nK:C\nABc\n", UnreadableScore),
        ("X:1\nL:1/7\nK:C\nABc\n", UnreadableScore),
        ("X:1\nK:C\nA0\n", UnreadableScore),
        ("X:1\nK:C\nA1/0\n", UnreadableScore),
        ("X:1\nK:C\nA99999\n", UnreadableScore),
        ("X:1\nK:C\nC,,,,,,,\n", UnreadableScore),
        ("X:1\nK:C\n" + "".join(f"A1/{n}" for n in range(8000, 8100)), UnreadableScore),
        ("X:1\nK:C\n", NoMelody),
        ("X:1\nK:C\nz4|z4|\n", NoMelody),
        ("X:1\nK:C\nA\n", NoMelody),
        ("X:1\nK:C\n" + "A" * 20_001, TooLong),
        ("X:1\nK:C\nZ9999|Z9999|A\n", TooLong),
        ("X:1\nK:C\nAB" + " " * 2_000_000 + "C", TooLong),
    ],
)
def test_a_text_without_a_melody_is_rejected_in_one_short_sentence(
    text: str, fault: type[MstError]
) -> None:
    with pytest.raises(fault) as raised:
        read_abc_score(text)
    assert str(raised.value)
    assert "\n" not in str(raised.value)
    assert len(str(raised.value)) < 200


@pytest.mark.parametrize(
    "part",
    ['"', "{", "[", "[A:", "|", ":", "| ", "!a", "+A", "A> ", "(3", "(3::", "^", '["', "\0", "A-"],
)
def test_a_long_text_is_read_in_linear_time(part: str) -> None:
    # A reader that backtracks would need hours for this.
    text = "X:1\nK:C\nCDE|" + part * (400_000 // len(part))
    limits = Limits(events=500_000, melody_notes=20_000, bars=100_000, seconds=10_000_000)
    with contextlib.suppress(TooLong):
        assert read_abc_score(text, limits=limits).melody.pitches[:3] == (60, 62, 64)


ALPHABET = "ABCabcdefg^_=,'/12340|:[](){}\"!<>-zxZ &%\\\n KMLVQ+.~y\u0660é"


@settings(max_examples=300, deadline=None)
@given(st.text(ALPHABET, max_size=120))
def test_any_text_gives_a_melody_or_an_error_in_one_line(text: str) -> None:
    try:
        read = read_abc_score(f"X:1\nK:C\n{text}").melody
    except MstError as fault:
        assert "\n" not in str(fault)  # noqa: PT017 - either outcome is in order
    else:
        assert len(read.notes) >= 2
