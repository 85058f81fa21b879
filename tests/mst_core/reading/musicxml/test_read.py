"""The MusicXML reader: notes, keys, tempos, the choice of the part, and what is rejected."""

from __future__ import annotations

import re
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import assume, given, settings

from mst_core.errors import BadOption, NoMelody, TooLong, UnreadableScore
from mst_core.music import Key, Melody, TempoChange
from mst_core.notation.musicxml import write_musicxml
from mst_core.reading.key_finding import share_outside
from mst_core.reading.musicxml.read import read_musicxml
from mst_core.reading.parsed_score import Limits
from tests.support.melodies import JIG, REEL, SWING_LINE, melodies
from tests.support.xml_scores import (
    document,
    measure,
    melody_notes,
    notes,
    part,
    read,
    score_part,
    signature,
)

HALF = Fraction(1, 2)


def lengths(*measures: str) -> list[Fraction]:
    return [note.duration for note in read(*measures).melody.notes]


def pitches(*measures: str) -> tuple[int, ...]:
    return read(*measures).melody.pitches


def test_notes_have_their_written_onsets_and_rests_are_gaps() -> None:
    tune = read("C4 z D4*1/2 E4*3/2", "z*2 F4*2")
    assert melody_notes(tune) == [
        (0, 1, 60), (2, HALF, 62), (Fraction(5, 2), Fraction(3, 2), 64), (6, 2, 65),
    ]  # fmt: skip
    assert tune.melody.bar_count == 2
    assert tune.title == "A tune"


def test_triplets_are_exact() -> None:
    assert lengths("C4*1/3 D4*1/3 E4*1/3 F4*2/3 G4*1/3 A4*2") == [
        Fraction(1, 3), Fraction(1, 3), Fraction(1, 3), Fraction(2, 3), Fraction(1, 3), 2,
    ]  # fmt: skip


def test_a_triplet_that_the_divisions_cannot_express_is_read_from_its_note_value() -> None:
    shape = (
        "<type>eighth</type><time-modification><actual-notes>3</actual-notes>"
        "<normal-notes>2</normal-notes></time-modification>"
    )
    triplet = "".join(
        notes("C4", more=shape).replace("<duration>12<", f"<duration>{written}<")
        for written in (85, 85, 86)
    )
    bar = measure(signature(divisions=256), triplet, notes("D4").replace(">12<", ">768<"))
    assert lengths(bar, "E4*256/12") == [Fraction(1, 3)] * 3 + [3, Fraction(1)]


def test_the_divisions_may_change() -> None:
    finer = "<attributes><divisions>24</divisions></attributes>"
    assert lengths("C4 D4*3", measure(finer, "C4 D4*7")) == [1, 3, HALF, Fraction(7, 2)]


def test_tied_notes_are_one_note_and_untied_equal_notes_are_two() -> None:
    assert melody_notes(read("C4*2 D4*2~", "~D4~ ~D4 D4*2", "D4*4")) == [
        (0, 2, 60), (2, 4, 62), (6, 2, 62), (8, 4, 62),
    ]  # fmt: skip


def test_a_chord_gives_its_top_note_and_its_other_notes_are_in_a_part() -> None:
    tune = read("C4 E4+ G4+ A4 C4+ z*2")
    assert tune.melody.pitches == (67, 69)
    assert [note.onset for note in tune.parts[0].notes] == [0, 0, 1]
    assert [note.pitch for note in tune.parts[0].notes] == [60, 64, 60]
    assert "2 chords gave their top notes." in tune.warnings


def test_cue_and_hidden_notes_are_left_out_but_keep_their_time() -> None:
    tune = read(
        measure(
            signature(), "C4", notes("D4", more="<cue/>"),
            notes("E4").replace("<note>", '<note print-object="no">'), "G4",
        )
    )  # fmt: skip
    assert melody_notes(tune) == [(0, 1, 60), (3, 1, 67)]
    assert {f"1 {kind} note was left out." for kind in ("cue", "hidden")} <= set(tune.warnings)


def test_small_notes_of_a_keyboard_part_are_played() -> None:
    staves = "<attributes><staves>2</staves></attributes>"
    tune = read(measure(signature(), staves, "C4", notes("D4 E4 F4", more="<cue/>")))
    assert tune.melody.pitches == (60, 62, 64, 65)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("<step>C<", "<step>c<"), ("<duration>12<", "<duration>12.0<"),
        ("<duration>12<", "<duration>12,0<"), ("<fifths>0<", "<fifths>+0<"),
        ("<beats>4<", "<beats> 4 <"), ("<octave>4<", "<octave>4.<"),
    ],
)  # fmt: skip
def test_numbers_and_letters_are_read_in_the_forms_that_programs_write(
    right: str, wrong: str
) -> None:
    text = document(part(measure(signature(), "C4 D4 E4 F4")))
    assert right in text
    assert read_musicxml(text.replace(right, wrong).encode()) == read_musicxml(text.encode())


@pytest.mark.parametrize(("accidental", "pitch"), [("sharp", 61), ("flat", 59), ("natural", 60)])
def test_a_printed_accidental_counts_where_no_alteration_is_named(
    accidental: str, pitch: int
) -> None:
    bare = notes("C4", more=f"<accidental>{accidental}</accidental>")
    bare = bare.replace("<alter>0</alter>", "")
    tune = read(measure(signature(), bare, notes("C4", more="<accidental>sharp</accidental>")))
    assert tune.melody.pitches == (pitch, 60)


def test_a_score_within_another_element_and_with_a_namespace_is_read() -> None:
    plain = document(part(measure(signature(), "C4 D4 E4 F4")))
    body = plain[plain.index("<score-partwise") :]
    wrapped = f"<opus>{body}</opus>"
    named = re.sub(r"<(/?)(?=[a-z])", r"<\1m:", body).replace(
        "<m:score-partwise", "<m:score-partwise xmlns:m='http://example.org'", 1
    )
    for text in (wrapped, named):
        assert read_musicxml(text.encode()) == read_musicxml(plain.encode())


CREDITS = (
    "<credit page='1'><credit-words font-size='9' justify='center'>A folk song</credit-words>"
    "</credit><credit page='1'><credit-words font-size='22' justify='center'>Big Title"
    "</credit-words></credit><credit page='1'><credit-words font-size='30' justify='right'>NN"
    "</credit-words></credit>"
)


@pytest.mark.parametrize(
    ("credits", "title"),
    [
        (CREDITS, "Big Title"),
        (CREDITS + "<credit><credit-type>title</credit-type><credit-words>Named</credit-words>"
         "</credit>", "Named"),
        ("<credit><credit-words font-size='x' justify='center'>A</credit-words></credit>", ""),
        ("", ""),
    ],
)  # fmt: skip
def test_without_a_title_of_the_work_the_printed_one_is_read(credits: str, title: str) -> None:
    text = document(part(measure(signature(), "C4 D4 E4 F4")), title="")
    text = text.replace("<part-list>", credits + "<part-list>")
    assert read_musicxml(text.encode()).title == title


def test_the_first_voice_is_the_melody_and_the_second_is_in_a_part() -> None:
    back = "<backup><duration>48</duration></backup>"
    skip = "<forward><duration>24</duration></forward>"
    bar = measure(signature(), notes("C3*2 D3*2", voice="2"), back, skip, notes("E4*2", voice="1"))
    tune = read(bar, "F4*4")
    assert melody_notes(tune) == [(2, 2, 64), (4, 4, 65)]
    assert [note.pitch for note in tune.parts[0].notes] == [48, 50]
    assert "The part has 2 voices; the first one is the melody." in tune.warnings


def test_a_note_ends_where_the_next_note_of_its_voice_begins() -> None:
    back = "<backup><duration>24</duration></backup>"
    tune = read(measure(signature(), "C4*4", back, "D4*2"))
    assert melody_notes(tune) == [(0, 2, 60), (2, 2, 62)]


def test_a_whole_measure_of_rest_is_a_bar_and_so_is_an_empty_one() -> None:
    rest = '<note><rest measure="yes"/><duration>48</duration></note>'
    assert [
        onset for onset, *_ in melody_notes(read("C4*4", measure(rest), "<measure/>", "D4*4"))
    ] == [
        0,
        12,
    ]


@pytest.mark.parametrize(
    ("fifths", "mode", "expected"),
    [
        (0, "major", "C"), (2, "major", "D"), (-3, "minor", "Cm"), (1, "dorian", "Ador"),
        (-2, "none", "Bb"), (1, "aeolian", "Em"),
    ],
)  # fmt: skip
def test_the_key_has_its_mode(fifths: int, mode: str, expected: str) -> None:
    tune = read(measure(signature(fifths=fifths, mode=mode), "C4*2 D4*2"))
    assert tune.melody.key == Key.parse(expected)


def test_without_a_key_the_notes_suggest_one() -> None:
    bare = "<attributes><divisions>12</divisions></attributes>"
    tune = read(measure(bare, "G4 A4 B4 C5"), "D5 C5 B4 A4", "G4 F#4 G4*2")
    assert tune.melody.key == Key.parse("G")
    assert "The file names no key; its notes suggest G major." in tune.warnings


def test_a_transposing_instrument_is_read_as_it_sounds() -> None:
    clarinet = signature(fifths=2).replace(
        "</attributes>",
        "<transpose><diatonic>-1</diatonic><chromatic>-2</chromatic></transpose></attributes>",
    )
    tune = read(measure(clarinet, "D4*2 E4*2"))
    assert tune.melody.pitches == (60, 62)
    assert tune.melody.key == Key.parse("C")
    octaves = clarinet.replace("</transpose>", "<octave-change>-1</octave-change></transpose>")
    assert read(measure(octaves, "D4*2 E4*2")).melody.pitches == (48, 50)


def test_a_pitch_between_the_semitones_is_rounded_with_a_warning() -> None:
    tune = read(measure(signature(), "C4*2 F#4*2").replace(">1</alter>", ">0.5</alter>"))
    assert tune.melody.pitches == (60, 66)
    assert "1 pitch was rounded to a semitone." in tune.warnings


@pytest.mark.parametrize(
    ("mark", "tempo"),
    [
        ('<sound tempo="96"/>', 96.0),
        ('<direction><sound tempo="100.005"/></direction>', 100.0),
        ("<beat-unit>quarter</beat-unit><per-minute>c. 132</per-minute>", 132.0),
        ("<beat-unit>half</beat-unit><per-minute>80-84</per-minute>", 160.0),
        ("<beat-unit>quarter</beat-unit><beat-unit-dot/><per-minute>66.67</per-minute>", 100.0),
    ],
)
def test_the_tempo_counts_quarter_notes(mark: str, tempo: float) -> None:
    if mark.startswith("<beat-unit>"):
        mark = f"<metronome>{mark}</metronome>"
        mark = f"<direction><direction-type>{mark}</direction-type></direction>"
    tune = read(measure(signature(), mark, "C4*2 D4*2"), measure('<sound tempo="60"/>', "E4*4"))
    assert tune.melody.tempo == tempo
    assert tune.melody.tempo_changes == (
        TempoChange(Fraction(0), tempo),
        TempoChange(Fraction(4), 60.0),
    )


def test_without_a_tempo_120_is_assumed_with_a_warning() -> None:
    tune = read("C4*2 D4*2")
    assert tune.melody.tempo == 120.0
    assert "The file names no tempo; 120 quarter notes a minute are assumed." in tune.warnings


def test_chord_symbols_directions_and_lyrics_are_skipped() -> None:
    harmony = (
        "<harmony><root><root-step>C</root-step></root><kind>major</kind></harmony>"
        "<direction><direction-type><words>Swing</words></direction-type></direction>"
    )
    lyric = "<lyric><syllabic>single</syllabic><text>la</text></lyric>"
    tune = read(measure(signature(), harmony, notes("C4*2", more=lyric), harmony, "D4*2"))
    assert melody_notes(tune) == [(0, 2, 60), (2, 2, 62)]


PIANO = part(measure(signature(), "C3 E3+ G3+ C3 E3+ G3+ C3*2 E3+ G3+"), "C3*4 E3+", id="P1")
SONG = part(measure(signature(), "C5*2 D5*2"), "E5*4", id="P2")
PROGRAM = "<midi-instrument><midi-program>41</midi-program></midi-instrument>"


@pytest.mark.parametrize("name", ["Voice", "Melody", "Soprano", "Violin", ""])
def test_the_melody_is_the_part_that_is_a_single_line(name: str) -> None:
    score_parts = score_part("Piano") + score_part(name, id="P2", more=PROGRAM)
    tune = read_musicxml(document(PIANO + SONG, score_parts=score_parts).encode())
    assert tune.melody.pitches == (72, 74, 76)
    assert tune.program == 40
    assert [each.name for each in tune.parts] == ["Piano"]
    assert len(tune.parts[0].notes) == 11
    assert any("Part 2 of 2" in warning for warning in tune.warnings)


def test_another_part_is_read_when_it_is_asked_for() -> None:
    both = document(
        PIANO + SONG, score_parts=score_part("Piano") + score_part("Voice", id="P2")
    ).encode()
    assert read_musicxml(both, track=1).melody.pitches == (55, 55, 55, 52)
    with pytest.raises(BadOption, match="parts 1 to 2"):
        read_musicxml(both, track=3)


def test_drums_are_no_melody_but_accompany_one() -> None:
    hit = "<note><unpitched/><duration>12</duration><instrument id='I1'/></note>"
    kit = "<midi-instrument id='I1'><midi-unpitched>37</midi-unpitched></midi-instrument>"
    drums = part(measure(signature(), hit * 4), id="P1")
    with pytest.raises(NoMelody, match="percussion"):
        read_musicxml(document(drums, score_parts=score_part("Drums", more=kit)).encode())
    score_parts = score_part("Drums", more=kit) + score_part("Flute", id="P2")
    tune = read_musicxml(document(drums + SONG, score_parts=score_parts).encode())
    assert tune.melody.pitches == (72, 74, 76)
    assert tune.parts[0].drums
    assert [note.pitch for note in tune.parts[0].notes] == [36] * 4


@pytest.mark.parametrize("drums", [("<unpitched/>",), ("<unpitched/>", "<unpitched/>"), ()])
def test_notes_of_one_each_are_not_called_percussion(drums: tuple[str, ...]) -> None:
    hits = "".join(f"<note>{drum}<duration>12</duration></note>" for drum in drums)
    parts = (measure(signature(), "C4*4"), measure(signature(), "E4*4"), measure(hits))
    body = "".join(part(each, id=f"P{number}") for number, each in enumerate(parts))
    score_parts = "".join(score_part("", id=f"P{number}") for number in range(3))
    with pytest.raises(NoMelody) as rejection:
        read_musicxml(document(body, score_parts=score_parts).encode())
    assert str(rejection.value) == (
        "there is no melody in this MusicXML file; it needs at least two notes"
    )


def test_a_timewise_score_is_read_as_the_partwise_one() -> None:
    first, second = (text.split("<measure")[1:] for text in (PIANO, SONG))
    timewise = "".join(
        "<measure number='1'>"
        + "".join(
            f'<part id="{id}">{text[text.index(">") + 1 : text.index("</measure>")]}</part>'
            for id, text in zip(("P1", "P2"), both, strict=True)
        )
        + "</measure>"
        for both in zip(first, second, strict=True)
    )
    score_parts = score_part("Piano") + score_part("Voice", id="P2")
    partwise = document(PIANO + SONG, score_parts=score_parts)
    turned = document(timewise, score_parts=score_parts).replace("score-partwise", "score-timewise")
    assert read_musicxml(turned.encode()) == read_musicxml(partwise.encode())


@pytest.mark.parametrize(
    ("limits", "what"),
    [
        (Limits(melody_notes=3), "notes"), (Limits(notes=3), "notes"), (Limits(bars=3), "bars"),
        (Limits(seconds=7), "seconds"), (Limits(events=40), "elements"),
        (Limits(file_bytes=900), "bytes"), (Limits(tracks=0), "parts"),
    ],
)  # fmt: skip
def test_a_score_beyond_a_limit_is_rejected_by_name(limits: Limits, what: str) -> None:
    with pytest.raises(TooLong, match=what):
        read("C4*4", "D4*4", "E4*4", "F4*4", limits=limits)


def test_one_note_is_no_melody() -> None:
    with pytest.raises(NoMelody):
        read("C4*4~", "~C4*4")


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("<octave>4<", "<octave>44<"), ("<octave>4<", "<octave>x<"), ("<step>C<", "<step>H<"),
        ("<duration>12<", "<duration>1e9<"), ("<duration>12<", "<duration>-<"),
        ("<duration>12</duration>", ""), ("<divisions>12<", "<divisions>0<"),
    ],
)  # fmt: skip
def test_numbers_out_of_range_are_rejected(right: str, wrong: str) -> None:
    text = document(part(measure(signature(), "C4 D4 E4 F4")))
    assert read_musicxml(text.encode()).melody.bar_count == 1
    with pytest.raises(UnreadableScore):
        read_musicxml(text.replace(right, wrong).encode())


@settings(max_examples=15, deadline=None)
@given(tune=melodies(most_bars=3, changes=True, repeats=True))
def test_a_melody_that_is_written_as_musicxml_is_read_as_the_same_melody(tune: Melody) -> None:
    assume(len(tune.notes) >= 2)
    score = read_musicxml(write_musicxml(tune, title="A tune"))
    # A key that the notes clearly contradict is not believed.
    fits = share_outside(tune.key, tune.notes) <= 0.25
    assert (score.melody if fits else replace(score.melody, key=tune.key)) == tune
    assert score.title == "A tune"


@pytest.mark.parametrize("tune", [REEL, JIG, SWING_LINE])
def test_the_example_tunes_are_read_as_they_were_written(tune: Melody) -> None:
    assert read_musicxml(write_musicxml(tune)).melody == tune


A_MINOR = ("A4*2 B4 C5", "E5*2 D5 C5", "B4*2 A4 E4", "A4*4")
E_DORIAN = ("E4*2 F#4 G4", "B4*2 C#5 B4", "A4 G4 F#4*2", "E4*4")


def bars(fifths: int, texts: tuple[str, ...], mode: str) -> list[str]:
    first = signature(fifths=fifths, mode=mode)
    return [measure(first * (not index) + notes(text)) for index, text in enumerate(texts)]


@pytest.mark.parametrize(
    ("fifths", "texts", "key"), [(0, A_MINOR, "Am"), (2, E_DORIAN, "E dorian")]
)
def test_a_signature_without_a_mode_gets_it_from_the_notes(
    fifths: int, texts: tuple[str, ...], key: str
) -> None:
    assert read(*bars(fifths, texts, mode="")).melody.key == Key.parse(key)
    stated = read(*bars(fifths, texts, mode="major"))
    assert stated.melody.key == Key.from_fifths(fifths)


def test_a_signature_that_the_notes_clearly_contradict_is_named_and_not_kept() -> None:
    assert read(*bars(-5, A_MINOR, mode="major")).melody.key == Key.parse("Db")
    wrong = read(*bars(-5, A_MINOR, mode=""))
    assert wrong.melody.key.fifths == 0
    assert (
        f"The file states D♭ major, but its notes are those of {wrong.melody.key.name}."
        in wrong.warnings
    )
