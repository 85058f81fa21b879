"""Books of ABC tunes, and what a tune keeps besides its notes: chords, ornaments, keys."""

from __future__ import annotations

from fractions import Fraction

import pytest

from mst_core.errors import BadOption, UnreadableScore
from mst_core.music import Key
from mst_core.reading.abc.read import read_abc_score
from tests.support.abc_tunes import HEAD, SCALE, pitches, read

# --- books -------------------------------------------------------------------------------------

TUNE = f"{HEAD}K:C\nCDEF|GABc|]\n\n".replace("Probe", "The tune")


@pytest.mark.parametrize(
    "first",
    [
        "X:0\nT:The book of tunes\n%%text collected here\n\n",
        "X:0\nT:Index\nW:The tune .... 1\nW:Cage a bee ... 2\n\n",
        "T:The book of tunes\nC:Ed\n\n",
        "%%vskip 2cm\n%%center A book\n\n",
    ],
)
def test_a_title_page_is_no_tune(first: str) -> None:
    score = read_abc_score(first + TUNE)
    assert (score.title, score.melody.pitches) == ("The tune", SCALE)
    assert (score.tunes, score.tune) == ((), None)


@pytest.mark.parametrize(
    "first",
    [
        "X:9\nT:Rests\nM:4/4\nL:1/4\nK:C\nz4|z4|]\n\n",
        "X:9\nT:Rests\nM:4/4\nL:1/4\nK:Quite\nCDEF|]\n\n",
        "X:9\nT:Rests\nM:4/5\nL:1/4\nK:C\nCDEF|]\n\n",
    ],
)
def test_the_first_tune_that_can_be_read_is_taken(first: str) -> None:
    score = read_abc_score(first + TUNE + TUNE.replace("The tune", "The last"))
    assert (score.title, score.melody.pitches) == ("The tune", SCALE)
    assert (score.tunes, score.tune) == (("Rests", "The tune", "The last"), 2)
    assert score.warnings[0] == 'The file holds 3 tunes; number 2, "The tune", was taken.'
    assert score.warnings[1].startswith('Number 1, "Rests", was left out, since it cannot be read')


def test_a_tune_of_a_book_can_be_chosen() -> None:
    book = TUNE + TUNE.replace("The tune", "The last").replace("CDEF", "cdef")
    score = read_abc_score(book, tune=2)
    assert (score.title, score.tune) == ("The last", 2)
    assert score.melody.pitches[:4] == (72, 74, 76, 77)
    assert score.warnings == ()
    for number in (0, 3):
        with pytest.raises(BadOption, match="tunes 1 to 2"):
            read_abc_score(book, tune=number)


def test_the_chosen_tune_must_be_readable() -> None:
    with pytest.raises(UnreadableScore, match="the meter"):
        read_abc_score("X:9\nM:4/5\nK:C\nCDEF|]\n\n" + TUNE, tune=1)


def test_tunes_without_numbers_are_told_apart_by_their_titles() -> None:
    tune = TUNE.removeprefix("X:1\n")
    score = read_abc_score(tune + tune.replace("The tune", "The last"))
    assert score.tunes == ("The tune", "The last")
    assert score.melody.pitches == SCALE


# --- chord symbols, grace notes and what else the melody keeps ---------------------------------


def test_chord_symbols_are_kept_where_they_stand() -> None:
    score = read('"Am7"CD"^slow"EF|"G/B"G2 "<("z2|"(Em)"A4-|"N.C."A4|]')
    assert [(float(chord.onset), chord.text) for chord in score.melody.chords] == [
        (0, "Am7"), (4, "G/B"), (8, "Em"), (12, "N.C."),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "text", ["Fine", "D.C.", "D.S.", "^A", "_Em", "Chorus", "1.", "Segno", "@1,2 A"]
)
def test_a_text_above_the_staff_is_no_chord(text: str) -> None:
    assert read(f'"{text}"CDEF|').melody.chords == ()


def test_h_is_b_in_a_german_song_book() -> None:
    score = read('"H7"CD"B"EF|"Em/H"GABc|]')
    assert [chord.text for chord in score.melody.chords] == ["B7", "Bb", "Em/B"]


def test_chord_symbols_may_stand_in_another_voice() -> None:
    score = read('[V:1]CDEF|GABc|\n[V:2]"Am"A,4|"G"G,4|')
    assert [(float(chord.onset), chord.text) for chord in score.melody.chords] == [
        (0, "Am"),
        (4, "G"),
    ]


def test_grace_notes_are_kept_before_their_note() -> None:
    melody = read("{B}C D {/de}E F|G2-{a}G2|{gab}c4|]", key="G").melody
    assert [(each.note, each.pitches) for each in melody.grace_notes] == [
        (0, (71,)), (2, (74, 76)), (5, (79, 81, 83)),
    ]  # fmt: skip
    assert melody.pitches == (60, 62, 64, 66, 67, 72)


def test_an_accidental_of_a_grace_note_holds_in_its_bar() -> None:
    assert pitches("{^c}d c|c2|") == (74, 73, 72)


def test_changes_of_key_are_kept() -> None:
    melody = read("CDEF|[K:Ador]F4|\nK:D\nF4|]").melody
    assert melody.key == Key(0)
    assert [(change.bar, change.key) for change in melody.key_changes] == [
        (1, Key(9, "dorian")),
        (2, Key(2)),
    ]


@pytest.mark.parametrize(
    ("key", "music", "expected"),
    [
        ("C", "D2^FA|d2^c2|A^FED|^F2D2|", Key(2)),  # the signature is not that of the notes
        ("none", "A2ce|aedc|BAG^G|A4|", Key(9, "minor")),
        ("G", "GABc|dBGB|c2A2|G4|", Key(7)),
        ("Dmix", "D2FA|d2cB|A2FE|D4|", Key(2, "mixolydian")),
        ("Em", "E2GB|e2dB|A2GF|E4|", Key(4, "minor")),
    ],
)
def test_the_stated_key_is_kept_unless_the_notes_are_clearly_in_another(
    key: str, music: str, expected: Key
) -> None:
    assert read(music, key=key).melody.key == expected


def test_the_mode_of_a_tune_without_a_key_comes_from_its_notes() -> None:
    assert read_abc_score(f"{HEAD}A2ce|aedc|BAGE|A4|\n").melody.key == Key(9, "minor")


def test_a_change_of_mode_within_a_signature_is_a_change_of_key() -> None:
    melody = read("DEFA|[K:Bm]BcdB|[K:Edor]e4|[K:Edor]E4|]", key="D").melody
    assert [(change.bar, change.key) for change in melody.key_changes] == [
        (1, Key(11, "minor")),
        (2, Key(4, "dorian")),
    ]


def test_a_key_that_is_written_again_is_no_change() -> None:
    assert read("CDEF|[K:C]G4|]").melody.key_changes == ()


# --- rhythm off the grid -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "music",
    [
        "(5:4:5C/4D/4E/4F/4G/4 A B c|", "C/16D/16E/8F/4G/2 A B c|", "(7:4:7CDEFGAB|",
        "(11:8:11" + "C/" * 11 + "|", "(3:2:5(3:2:3C/D/E/F G|A B c d|",
        "C/32" * 32 + "|D4|", "(5CDEFG|A2|",
    ],
)  # fmt: skip
def test_notes_off_the_grid_are_moved_to_it_with_one_remark(music: str) -> None:
    score = read(music)
    assert all(24 % note.onset.denominator == 0 for note in score.melody.notes)
    assert all(24 % note.duration.denominator == 0 for note in score.melody.notes)
    remarks = [text for text in score.warnings if "moved slightly" in text]
    assert len(remarks) == 1


def test_a_tuplet_in_a_tuplet_is_as_short_as_both_say() -> None:
    notes = read("(3:2:5(3:2:3C/D/E/F G A B|c d e f|").melody.notes
    onsets = [note.onset for note in notes]
    assert [onsets[0], *onsets[3:7]] == [0, Fraction(2, 3), Fraction(4, 3), 2, 3]
