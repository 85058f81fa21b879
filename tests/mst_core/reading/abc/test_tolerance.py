"""ABC as it comes from old programs, web pages, mails and phones: what a player plays, we read."""

from __future__ import annotations

from fractions import Fraction
from time import process_time

import pytest

from mst_core.errors import NoMelody, UnreadableScore
from mst_core.music import Key, Meter
from mst_core.reading.abc.read import read_abc_score
from tests.support.abc_tunes import HEAD, SCALE, UP_AND_DOWN, lengths, pitches, read

# --- empty lines, words and blocks of text -----------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        f"{HEAD}K:C\nCDEF|GABc||\n\ncBAG|FEDC|]\n",
        f"{HEAD}K:C\nCDEF|GABc||\n   \t\ncBAG|FEDC|]\n",
        f"{HEAD}K:C\nCDEF|GABc||\n\x0ccBAG|FEDC|]\n",
        f"{HEAD}K:C\nCDEF|GABc||\n\nW:Words of the song\n\nP:B\ncBAG|FEDC|]\n",
        f"{HEAD}K:C\nCDEF|GABc|\ncBAG|FEDC|]\n".replace("\n", "\r\r\n"),
        f"{HEAD}K:C\nCDEF|GABc|\ncBAG|FEDC|]\n".replace("\n", "\n\n"),
    ],
)
def test_a_tune_goes_on_after_an_empty_line(text: str) -> None:
    score = read_abc_score(text)
    assert score.melody.pitches == UP_AND_DOWN
    assert "The tune goes on after an empty line, and all of it was read." in score.warnings


@pytest.mark.parametrize(
    "words",
    [
        "I learned this tune from my grandfather, who played it at weddings.",
        "Add a bag of beads", "Source: www.example.org | page 7", "* * *", "(c) 2003 A. B. Cade",
        "W:Fade, fade, each gad", "Chords: see above",
    ],
)  # fmt: skip
def test_words_after_the_tune_are_no_music(words: str) -> None:
    score = read_abc_score(f"{HEAD}K:C\nCDEF|GABc|]\n\n{words}\n")
    assert score.melody.pitches == SCALE
    assert score.warnings == ()


def test_words_between_lines_of_music_are_left_out_with_a_remark() -> None:
    score = read("CDEF|\nNow comes the second strain\nGABc|]")
    assert score.melody.pitches == SCALE
    assert score.warnings == ("1 line of words was found between the notes and left out.",)


@pytest.mark.parametrize("kind", ["text", "ps", "svg", "ml", "js", "text justify"])
@pytest.mark.parametrize("mark", ["%%", "%% ", "I:"])
def test_a_block_of_text_is_no_music(kind: str, mark: str) -> None:
    block = f"{mark}begin{kind}\nA bad egg | a bead\n{mark}end{kind.split()[0]}"
    assert pitches(f"{block}\nCDEF|GABc|]") == SCALE
    assert pitches(f"CDEF|\n{block}\nGABc|]") == SCALE
    assert read_abc_score(f"{block}\n{HEAD}K:C\nCDEF|GABc|]\n").melody.pitches == SCALE


def test_a_block_that_is_never_ended_ends_before_the_music() -> None:
    assert pitches("%%begintext\nA fine old tune, begged and bagged.\nCDEF|GABc|]") == SCALE


def test_a_block_that_is_not_ended_does_not_swallow_the_next_tunes() -> None:
    text = f"{HEAD}K:C\n%%begintext\nWords\nCDEF|GABc|]\n\n"
    book = text + text.replace("X:1", "X:2").replace("Words\n", "Words\n%%endtext\n")
    assert len(read_abc_score(book).tunes) == 2


def test_a_chord_or_a_chord_symbol_may_go_on_in_the_next_line() -> None:
    assert pitches("+CE\nG+ FGA|c4|]") == (67, 65, 67, 69, 72)
    assert pitches('"C\nmaj7"CDEF|GABc|]') == SCALE


def test_a_line_may_be_broken_within_a_note() -> None:
    text = "|: c2 d3\n/2 e/ f2|[CE\nG]4 B,\n,4 c\n'2|"
    melody = read(text).melody
    assert melody.pitches == (72, 74, 76, 77, 67, 47, 84)
    assert [note.duration for note in melody.notes[1:3]] == [Fraction(3, 2), Fraction(1, 2)]


def test_comments_may_be_written_as_in_other_languages() -> None:
    text = (
        "X:1  # number\nT:Probe\nM:4/4  # meter\nL:1/4  # unit\nQ:1/4=100  # tempo\nK:C  # key\n"
        "# Here the notes begin: a bed\nCDEF|GABc|]\n"
    )
    score = read_abc_score(text)
    assert (score.melody.pitches, score.melody.meter, score.warnings) == (SCALE, Meter(4, 4), ())


def test_a_bracket_alone_ends_an_ending() -> None:
    (first, second) = read("|:C4|1 D4:|2 E4 ]\nF4|G4:|").melody.repeats
    assert (first.end, first.second_ending, second.start, second.end) == (2, 3, 3, 5)


def test_a_short_note_that_is_halved_twice_is_as_long_as_its_bar_needs() -> None:
    score = read("ccc>B/|c4|")
    assert [note.duration for note in score.melody.notes[2:4]] == [Fraction(3, 2), Fraction(1, 2)]
    assert any("written short twice" in text for text in score.warnings)
    assert lengths("cc>B/ c3/4|c4|")[1:3] == [Fraction(3, 2), Fraction(1, 4)]


def test_an_accidental_ends_with_its_bar_where_there_are_no_barlines() -> None:
    assert pitches("C^FGF GFED CFGA") == (60, 66, 67, 66, 67, 65, 64, 62, 60, 65, 67, 69)
    assert pitches("C^FGA GFED CFGA|") == (60, 66, 67, 69, 67, 66, 64, 62, 60, 66, 67, 69)
    assert pitches("%%MIDI nobarlines\nC^FGA GFED") == (60, 66, 67, 69, 67, 65, 64, 62)


def test_a_bar_that_is_full_ends_with_its_line_though_the_barline_is_missing() -> None:
    melody = read("CDEF|_BABc\nBAGF|B4|]").melody
    assert (melody.bar_count, melody.meter_changes) == (4, ())
    assert (melody.pitches[8], melody.pitches[12]) == (70, 71)  # the flat holds to the barline


def test_a_barline_may_be_missing_within_a_line() -> None:
    score = read("|:CDEF GAB:|:c2BA|GFED:|")
    assert [repeat.end for repeat in score.melody.repeats] == [2, 4]
    assert score.melody.meter_changes == ()
    assert "A barline is missing within a line, and was added." in score.warnings
    # A beat too many is a long bar, and a note over the place of the barline keeps it whole.
    assert read("CDEFG|CDEF|").melody.meter_at(0) == Meter(5, 4)
    assert read("CDEFGA|CDEF|").melody.meter_at(0) == Meter(6, 4)
    assert read("CDE F2 GA|CDEF|").melody.meter_at(0) == Meter(7, 4)


def test_a_repeat_sign_may_be_missing_between_two_endings() -> None:
    for music in ("|:CDEF|[1 G4|[2 c4|]", "|:CDEF|1 G4|2 c4||"):
        score = read(music)
        (repeat,) = score.melody.repeats
        assert (repeat.start, repeat.first_ending, repeat.end, repeat.second_ending) == (0, 1, 2, 3)
        assert "The repeat sign between a first and a second ending is missing, and was added." in (
            score.warnings
        )
    assert read("|:CDEF|1 G4:|2 c4|]").warnings == ()


def test_a_tie_may_be_written_after_its_barline() -> None:
    assert lengths("c4|-c2 d2|") == [6, 2]
    assert pitches("^c4|-c2 c2|") == (73, 72)


def test_a_triplet_may_have_lost_its_bracket() -> None:
    assert lengths("c2 3def|g4|") == [2, Fraction(2, 3), Fraction(2, 3), Fraction(2, 3), 4]
    assert lengths("c2|3 d2|") == [2, 2]  # the number of an ending


# --- fields that are missing or odd ------------------------------------------------------------


@pytest.mark.parametrize("left_out", ["X:1\n", "T:Probe\n", "X:1\nT:Probe\n"])
def test_the_number_and_the_title_may_be_missing(left_out: str) -> None:
    score = read_abc_score(f"{HEAD}K:C\nCDEF|GABc|]\n".replace(left_out, ""))
    assert score.melody.pitches == SCALE
    assert score.warnings == ()


@pytest.mark.parametrize("text", [f"{HEAD}CDEF|GABc|]\n", f"{HEAD}\n|:CDEF|GABc:|\n"])
def test_a_missing_key_is_c_major_with_a_remark(text: str) -> None:
    score = read_abc_score(text)
    assert score.melody.pitches == SCALE
    assert score.melody.key == Key(0)
    assert score.warnings == (
        "The tune has no K: line, which names the key; no sharps or flats were assumed.",
    )


def test_bare_notes_without_any_field_are_read() -> None:
    assert read_abc_score("CDEF GABc|cBAG FEDC|\n").melody.pitches == UP_AND_DOWN


@pytest.mark.parametrize("text", ["Dear Abe, a bad cab faced Ed.\n", "<p>Bad | gateway</p>", "..."])
def test_a_text_without_notes_is_refused(text: str) -> None:
    with pytest.raises((UnreadableScore, NoMelody)):
        read_abc_score(text)


def test_fields_may_be_indented_or_written_in_small_letters() -> None:
    indented = "".join(f"{' ' * 14}{line}\n" for line in f"{HEAD}K:C\nCDEF|GABc|]".split("\n"))
    small = f"{HEAD}K:C\nCDEF|GABc|]\n".replace("T:", "t:").replace("L:", "l:").replace("K:", "k:")
    for text in (indented, small, f"{HEAD}K:C\nCDEF|GABc|]\n".replace("K:", "K :")):
        assert read_abc_score(text).melody.pitches == SCALE
        assert read_abc_score(text).title == "Probe"


def test_bars_have_the_meters_that_the_tune_names_in_turn() -> None:
    text = f"{HEAD}K:C\nCD|EFG|AB|cBA|]\n".replace("M:4/4", "M:2/4 3/4")
    melody = read_abc_score(text).melody
    assert [str(melody.meter_at(bar)) for bar in range(4)] == ["2/4", "3/4", "2/4", "3/4"]
    assert melody.pitches == (60, 62, 64, 65, 67, 69, 71, 72, 71, 69)


def test_a_single_number_is_a_meter_of_quarters() -> None:
    melody = read_abc_score(f"{HEAD}K:C\nCDE|FGA|]\n".replace("M:4/4", "M:3")).melody
    assert (melody.meter, melody.bar_count) == (Meter(3, 4), 2)


# --- decorations and old chords ----------------------------------------------------------------


@pytest.mark.parametrize(
    "mark",
    [
        "+fermata+", "+accent+", "+f+", "+mf+", "+ff+", "+trill+", "+segno+", "+coda+", "+D.C.+",
        "+fine+", "+breath+", "+slide+", "+arpeggio+", "+crescendo(+", "+crescendo)+", "+>+",
        "!D.C. al Fine!", "!D.S. al Coda!", "!To Coda!", "!al coda!", "!dal segno!", "!a tempo!",
        "!fermata!", "!crescendo(!", "!<(!", "!5!",
    ],
)  # fmt: skip
def test_a_decoration_is_no_note(mark: str) -> None:
    score = read(f"CD{mark}EF|{mark}GABc{mark}|]")
    assert score.melody.pitches == SCALE
    assert score.warnings == ()


def test_plus_signs_around_notes_are_chords() -> None:
    assert pitches("+CEG+ +BD+2 +^c_e+|") == (67, 71, 75)
    assert lengths("+C2 E2+ G2|+E2 G2 +c2|") == [2, 2, 2, 2]
    assert pitches("+C2 E2+ G2|+E2 G2 +c2|") == (64, 67, 67, 72)
    assert lengths("+CEG +2 c2|") == [2, 2]
    assert lengths("+E3 c3 +c|") == [3, 1]
    assert pitches('+"C"CEG+ c3|') == (67, 72)


def test_a_defined_sign_may_stand_for_a_decoration() -> None:
    assert pitches("TCDEF|GABTc|]", head="U: T = +trill+\n") == SCALE


def test_a_lone_exclamation_mark_is_a_line_break() -> None:
    assert pitches("CDEF|!GABc!") == SCALE
    assert pitches("CDEF!\nGABc!") == SCALE
    assert pitches("CDEF!|GA B c!|]") == SCALE
    assert pitches("CDE!F|GAB!c|]") == SCALE


# --- octave and transposition ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("head", "key", "music", "shift"),
    [
        ("", "C octave=-1", "CDEF|GABc|]", -12),
        ("", "C clef=treble-8", "CDEF|GABc|]", -12),
        ("", "C treble+8", "CDEF|GABc|]", 12),
        ("V:1 transpose=-2\n", "C", "[V:1]CDEF|GABc|]", -2),
        ("V:1 octave=1\n", "C", "V:1\nCDEF|GABc|]", 12),
        ("V:1 octave=1\n", "C octave=-1", "V:1\nCDEF|GABc|]", 12),
        ("", "C", "%%MIDI transpose -12\nCDEF|GABc|]", -12),
        ("%%MIDI transpose -12\n", "C", "CDEF|GABc|]", -12),
        ("", "C", "I:MIDI transpose 3\nCDEF|GABc|]", 3),
        ("", "C", "[I:transpose 2]CDEF|GABc|]", 2),
        ("", "C bass-8", "CDEF|GABc|]", -12),
        ("V:1 shift=CD\n", "C", "[V:1]CDEF|GABc|]", 2),
        ("", "C middle=d stafflines=4", "CDEF|GABc|]", 0),
        ("", "C clef=bass", "CDEF|GABc|]", 0),
        ("V:1 score=Bc\n", "C", "[V:1]CDEF|GABc|]", 0),
    ],
)
def test_notes_are_read_as_they_sound(head: str, key: str, music: str, shift: int) -> None:
    assert pitches(music, key=key, head=head) == tuple(pitch + shift for pitch in SCALE)


def test_an_octave_may_change_on_the_way() -> None:
    assert pitches("CDEF|[K:C octave=-1]GABc|]") == (*SCALE[:4], 55, 57, 59, 60)
    assert pitches("[V:1]CDEF|[V:1 octave=1]GABc|]") == (*SCALE[:4], 79, 81, 83, 84)


def test_the_key_and_the_chords_of_a_transposing_instrument_sound_too() -> None:
    score = read('"C"CDEF|"G7/B"GABc|]', head="V:1 transpose=-2\n", key="C")
    assert score.melody.key == Key(10)
    assert [chord.text for chord in score.melody.chords] == ["Bb", "F7/A"]


# --- accidentals -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("head", "music", "expected"),
    [
        ("I:propagate-accidentals not\n", "^FFGG|^ccBA|]", (66, 65, 67, 67, 73, 72, 71, 69)),
        ("%%propagate-accidentals not\n", "^FFGG|^ccBA|]", (66, 65, 67, 67, 73, 72, 71, 69)),
        ("", "[I:propagate-accidentals not]^FFGG|", (66, 65, 67, 67)),
        ("I:propagate-accidentals octave\n", "^F f G g|", (66, 77, 67, 79)),
        ("I:propagate-accidentals pitch\n", "^F f G g|", (66, 78, 67, 79)),
        ("", "^F f G g|", (66, 77, 67, 79)),
    ],
)
def test_an_accidental_holds_as_far_as_the_file_says(
    head: str, music: str, expected: tuple[int, ...]
) -> None:
    assert pitches(music, head=head) == expected


@pytest.mark.parametrize(
    ("key", "music", "expected"),
    [
        ("D", "=cG EC|c|", (72, 67, 64, 60, 73)),  # a chord of C major
        ("A", "=g2 G2|", (79, 67)),
        ("A", "=gG ^g g|", (79, 67, 80, 80)),
        ("Am", "A^GA g|", (69, 68, 69, 79)),  # a leading note, then the scale
        ("Bb", "c=Bc b|", (72, 71, 72, 82)),
    ],
)
def test_a_note_below_its_key_is_meant_in_every_octave_of_the_bar(
    key: str, music: str, expected: tuple[int, ...]
) -> None:
    assert pitches(music, key=key) == expected
    head = "I:propagate-accidentals octave\n"
    assert pitches("=cG EC|", key="D", head=head) == (72, 67, 64, 61)


@pytest.mark.parametrize(("version", "fifth_f"), [("2.0", 77), ("2.1", 78), ("2.2", 78)])
def test_from_version_2_1_on_an_accidental_holds_in_every_octave(
    version: str, fifth_f: int
) -> None:
    score = read_abc_score(f"%abc-{version}\n{HEAD}K:C\n^F f G g|c4|]\n")
    assert score.melody.pitches == (66, fifth_f, 67, 79, 72)


# --- text from pages, mails and phones ---------------------------------------------------------


def test_escaped_signs_of_a_web_page_are_read_as_the_signs() -> None:
    for music in (
        "A&gt;B c2|c&lt;B A2|]",
        "A&amp;gt;B c2|c&amp;lt;B A2|]",
        "A&#62;B c2|c&#x3c;B A2|]",
    ):
        score = read(music)
        assert [(note.pitch, note.duration) for note in score.melody.notes] == [
            (69, Fraction(3, 2)), (71, Fraction(1, 2)), (72, 2),
            (72, Fraction(1, 2)), (71, Fraction(3, 2)), (69, 2),
        ]  # fmt: skip
        assert score.warnings == ()


@pytest.mark.parametrize(
    "music",
    [
        "“Am”CDEF|“G”GABc|]", "„Am“CDEF|GABc|]", "«Am»CDEF|GABc|]", "&quot;Am&quot;CDEF|GABc|]",
        '"Am CDEF|GABc|]', "CDEF｜GABc｜]", "CDEF|\u200bGA\u00a0Bc|]",
    ],
)  # fmt: skip
def test_letters_in_any_quotation_marks_are_no_notes(music: str) -> None:
    assert pitches(music) == SCALE


def test_typographic_signs_stand_for_those_of_a_typewriter() -> None:
    assert pitches("C’ c′ |C4|") == (72, 84, 60)
    assert lengths("C2 –|C2 D2|") == [4, 2]
    assert pitches("♯F ♭B ♮F c|") == (66, 70, 65, 72)


@pytest.mark.parametrize("mark", ["> ", ">", "> > "])
def test_a_quoted_mail_is_read(mark: str) -> None:
    text = "".join(f"{mark}{line}\n" for line in f"{HEAD}K:C\nCDEF|GABc|]".split("\n"))
    score = read_abc_score("On Monday Ed wrote:\n" + text)
    assert (score.title, score.melody.pitches) == ("Probe", SCALE)


def test_a_pasted_page_is_read_without_its_tags() -> None:
    body = f"{HEAD}K:C\nCDEF|GABc|]"
    for page in (
        "<pre>\n" + body + "\n</pre>",
        body.replace("\n", "<br>\n"),
        '<div class="abc">' + body.replace("\n", "<br/>") + "</div>",
        "<p>" + body.replace("\n", "</p><p>") + "</p>",
        "```abc\n" + body + "\n```",
    ):
        score = read_abc_score(page)
        assert (score.title, score.melody.pitches) == ("Probe", SCALE), page


def test_broken_rhythm_is_not_taken_for_a_tag() -> None:
    assert pitches("A<a b>c|d<T c>A|c<p>B|") == (69, 81, 83, 72, 74, 72, 69, 72, 71)


@pytest.mark.parametrize(
    ("charset", "line"),
    [
        ("utf-8", ""), ("cp1252", ""), ("latin-1", "%%abc-charset iso-8859-1\n"),
        ("cp1250", "%%abc-charset windows-1250\n"), ("mac-roman", "I:abc-charset mac-roman\n"),
        ("iso-8859-2", "%%encoding ISO-8859-2\n"),
    ],
)  # fmt: skip
def test_a_title_is_read_in_the_character_set_of_the_file(charset: str, line: str) -> None:
    text = f"{line}{HEAD}K:C\nCDEF|GABc|]\n".replace("Probe", "Polka für Böhmen")
    assert read_abc_score(text.encode(charset)).title == "Polka für Böhmen"


@pytest.mark.parametrize(
    ("charset", "title"),
    [
        ("cp1251", "Польская песня о любви"), ("shift_jis", "さくらさくら"), ("big5", "茉莉花民謠"),
        ("cp1250", "Žežulička kuká v háji"),
    ],
)  # fmt: skip
def test_a_title_of_another_country_comes_out_as_letters(charset: str, title: str) -> None:
    text = f"{HEAD}K:C\nCDEF|GABc|]\n".replace("Probe", title).encode(charset)
    score = read_abc_score(text)
    assert (score.title, score.melody.pitches) == (title, SCALE)


def test_a_book_may_hold_several_encodings_and_end_in_padding() -> None:
    text = f"{HEAD}K:C\nCDEF|GABc|]\n\n"
    book = text.replace("Probe", "Café").encode() + text.replace("Probe", "Señor").encode("cp1252")
    assert read_abc_score(book + b"\x1a" + bytes(100)).tunes == ("Café", "Señor")


def test_windows_quotes_are_quotes() -> None:
    text = f"{HEAD}K:C\n“Am”CDEF|GABc|]\n".replace("Probe", "Ed’s Reel").encode("cp1252")
    score = read_abc_score(text)
    assert (score.title, score.melody.pitches) == ("Ed’s Reel", SCALE)


@pytest.mark.parametrize(
    ("written", "title"),
    [
        (r"100\% Proof", "100% Proof"), (r"Caf\'e", "Café"), ("Caf&eacute;", "Café"),
        (r"Caf\u00e9", "Café"), (r"\"Uber \ss", "Über ß"), (r"\`A la \cc", "À la ç"),
        (r"\AAse", "Åse"), ("Reel % a comment", "Reel"), ('The "Best" Reel', 'The "Best" Reel'),
    ],
)  # fmt: skip
def test_escapes_of_a_title_are_resolved(written: str, title: str) -> None:
    assert read_abc_score(f"X:1\nT:{written}\nK:C\nCDEF|\n").title == title


def test_a_percent_sign_in_an_annotation_begins_no_comment() -> None:
    assert pitches(r'"^50\% slower"CDEF|GABc|]') == SCALE
    assert pitches('"^50% slower"CDEF|GABc|]') == SCALE
    assert pitches("CDEF|GABc|] % cde") == SCALE
    assert pitches("CDEF|GABc|]\nw:one\\% two % three") == SCALE


@pytest.mark.parametrize(
    "text",
    [
        "\nT:\n" * 20_000,
        "\n" + "[Q:" + "1/1   " * 60 + "]a" + " [Q:" + "1/1   " * 30_000 + "]a",
        "\n" + "[M:" + "1  1  " * 30_000 + "/4]a",
    ],
)
def test_the_time_grows_with_the_length_of_a_hostile_text(text: str) -> None:
    start = process_time()
    assert read("CDEF|GABc|\n" + text).melody.pitches[:8] == SCALE
    assert process_time() - start < 3  # up to a minute, where lines or blanks are read repeatedly
