"""Tempos, keys, chord symbols, controls, swing and dynamics of MusicXML scores."""

from __future__ import annotations

from fractions import Fraction

import pytest

from mst_core.music import ChordSymbol, ControlEvent, Key, KeyChange, TempoChange
from mst_core.reading.musicxml.read import read_musicxml
from mst_core.reading.parsed_score import ParsedScore
from tests.support.xml_scores import (
    document,
    measure,
    notes,
    part,
    read,
    score_part,
    signature,
)


def direction(*content: str) -> str:
    return "<direction>" + "".join(content) + "</direction>"


def kinds(content: str) -> str:
    return f"<direction-type>{content}</direction-type>"


def harmony(root: str, kind: str, *, bass: str = "", alter: int = 0, more: str = "") -> str:
    bass_xml = f"<bass><bass-step>{bass}</bass-step></bass>" if bass else ""
    return (
        f"<harmony><root><root-step>{root}</root-step><root-alter>{alter}</root-alter></root>"
        f"<kind>{kind}</kind>{bass_xml}{more}</harmony>"
    )


def degree(value: int, alter: int, kind: str) -> str:
    return (
        f"<degree><degree-value>{value}</degree-value><degree-alter>{alter}</degree-alter>"
        f"<degree-type>{kind}</degree-type></degree>"
    )


def test_the_tempo_map_is_kept_and_the_tempo_of_most_bars_is_the_main_one() -> None:
    tune = read(
        measure(signature(), '<sound tempo="90"/>', "C4*4"),
        measure("C4*2", direction('<sound tempo="60"/>'), "D4*2"),
        measure('<sound tempo="120"/>', "C4*4"), "D4*4", "C4*4",
    ).melody  # fmt: skip
    assert tune.tempo_changes == (
        TempoChange(Fraction(0), 90.0), TempoChange(Fraction(6), 60.0),
        TempoChange(Fraction(8), 120.0),
    )  # fmt: skip
    assert tune.tempo == 120.0


def test_a_tempo_for_every_beat_has_a_tempo_in_their_middle() -> None:
    beats = "".join(f'<sound tempo="{tempo}"/>{notes("C4")}' for tempo in (96, 101, 99, 93))
    more = "".join(f'<sound tempo="{tempo}"/>{notes("D4")}' for tempo in (97, 103, 98, 60))
    tune = read(measure(signature(), beats), measure(more)).melody
    assert 96 <= tune.tempo <= 99
    assert len(tune.tempo_changes) == 8


def test_the_offset_of_a_tempo_mark_moves_it() -> None:
    mark = direction(kinds("<words>a tempo</words>"), "<offset>24</offset>", '<sound tempo="60"/>')
    tune = read(measure(signature(), '<sound tempo="90"/>', mark, "C4*2 D4*2")).melody
    assert [change.onset for change in tune.tempo_changes] == [0, 2]


def test_one_tempo_is_no_change() -> None:
    tune = read(measure(signature(), '<sound tempo="90"/>', "C4*4"), "D4*4").melody
    assert (tune.tempo, tune.tempo_changes) == (90.0, ())


def key(fifths: int) -> str:
    return f"<attributes><key><fifths>{fifths}</fifths><mode>major</mode></key></attributes>"


def test_changes_of_key_are_kept_by_bar() -> None:
    tune = read("C4*4", measure(key(2), "D4*4"), "E4*4", measure(key(6), "F#4*4")).melody
    assert tune.key == Key.parse("C")
    assert tune.key_changes == (KeyChange(1, Key.parse("D")), KeyChange(3, Key.parse("F#")))


def test_a_key_that_is_announced_at_the_end_of_a_bar_holds_from_the_next() -> None:
    tune = read(measure(signature(), "C4*4", key(-1)), "D4*4").melody
    assert tune.key_changes == (KeyChange(1, Key.parse("F")),)


def test_the_same_key_again_is_no_change() -> None:
    assert read("C4*4", measure(key(0), "D4*4")).melody.key_changes == ()


@pytest.mark.parametrize(
    ("fifths", "name"), [(6, "F♯ major"), (-6, "G♭ major"), (7, "C♯ major"), (-7, "C♭ major")]
)
def test_a_key_keeps_its_signature(fifths: int, name: str) -> None:
    melody = read(measure(signature(fifths=fifths), "F#4*4"), "F#4*4").melody
    assert (melody.key.name, melody.key.fifths) == (name, fifths)


@pytest.mark.parametrize(
    ("written", "symbol"),
    [
        (harmony("C", "major"), "C"),
        (harmony("A", "minor-seventh"), "Am7"),
        (harmony("F", "half-diminished", alter=1, bass="E"), "F#m7b5/E"),
        (harmony("B", "major", alter=-1), "Bb"),
        (harmony("G", "dominant"), "G7"),
        (harmony("G", "dominant", more=degree(9, -1, "add")), "G7b9"),
        (harmony("G", "dominant", more=degree(5, 1, "alter")), "G7#5"),
        (harmony("D", "suspended-fourth", more=degree(7, 0, "add")), "D7sus4"),
        (harmony("C", "major", more=degree(9, 0, "add")), "Cadd9"),
        (harmony("C", "major", more=degree(3, 0, "subtract")), "Cno3"),
        (harmony("E", "major-minor"), "EmMaj7"),
        (harmony("C", "none"), "N.C."),
        (harmony("C", "major").replace("<kind>", '<kind text="">'), "C"),
        (harmony("C", "other").replace("<kind>", '<kind text="7alt">'), "C7alt"),
        (harmony("C", "Tristan"), "C"),
    ],
)
def test_chord_symbols_are_kept_in_plain_form(written: str, symbol: str) -> None:
    tune = read(measure(signature(), written, "C4*4"), "D4*4").melody
    assert tune.chords == (ChordSymbol(Fraction(0), symbol),)


def test_a_chord_symbol_stands_where_its_note_or_its_offset_is() -> None:
    moved = harmony("G", "major", more="<offset>12</offset>")
    tune = read(
        measure(signature(), harmony("C", "major"), "C4*2", harmony("F", "major"), "D4*2"),
        measure(moved, "E4*4"),
    ).melody
    found = [(float(chord.onset), chord.text) for chord in tune.chords]
    assert found == [(0, "C"), (2, "F"), (5, "G")]


def test_a_chord_symbol_without_a_root_is_skipped() -> None:
    numeral = (
        "<harmony><numeral><numeral-root>4</numeral-root></numeral><kind>major</kind></harmony>"
    )
    odd = harmony("H", "major")
    assert read(measure(signature(), numeral, odd, "C4*4"), "D4*4").melody.chords == ()


def test_the_chords_of_a_transposing_instrument_sound_as_its_notes_do() -> None:
    down = "<attributes><transpose><chromatic>-2</chromatic></transpose></attributes>"
    tune = read(measure(signature(fifths=2), down, harmony("D", "major", bass="F"), "D4*4"), "E4*4")
    assert tune.melody.pitches == (60, 62)
    assert tune.melody.chords[0].text == "C/Eb"


def test_the_chords_of_another_part_are_taken_where_the_melody_has_none() -> None:
    song = part(measure(signature(), "C5*2 D5*2"), "E5*4", id="P1")
    guitar = part(
        measure(signature(), harmony("C", "major"), "C3 E3+ G3+ C3 E3+ G3+ C3*2 E3+ G3+"), "z*4",
        id="P2",
    )  # fmt: skip
    names = score_part("Voice") + score_part("Guitar", id="P2")
    score = read_musicxml(document(song + guitar, score_parts=names).encode())
    assert [chord.text for chord in score.melody.chords] == ["C"]


def with_instrument(instrument: str, *measures: str) -> ParsedScore:
    score_parts = score_part(
        "Flute", more=f"<midi-instrument id='I'>{instrument}</midi-instrument>"
    )
    return read_musicxml(document(part(*measures), score_parts=score_parts).encode())


def test_volume_pan_and_program_of_a_part_are_kept() -> None:
    tune = with_instrument(
        "<midi-program>74</midi-program><volume>50</volume><pan>-45</pan>",
        measure(signature(), "C4*4"), "D4*4",
    )  # fmt: skip
    assert tune.program == 73
    assert tune.controls == (
        ControlEvent(Fraction(0), "control", 7, 64),
        ControlEvent(Fraction(0), "control", 10, 32),
    )


@pytest.mark.parametrize(
    "odd",
    ["<volume>x</volume>", "<volume>900</volume>", "<pan>nan</pan>", "<midi-bank>0</midi-bank>"],
)
def test_controls_out_of_range_are_left_out(odd: str) -> None:
    assert with_instrument(odd, measure(signature(), "C4*4"), "D4*4").controls == ()


def test_pedal_and_change_of_program_have_their_time() -> None:
    down, up = (direction(kinds(f'<pedal type="{kind}"/>')) for kind in ("start", "stop"))
    program = (
        "<sound><midi-instrument id='I'><midi-program>41</midi-program></midi-instrument></sound>"
    )
    tune = with_instrument(
        "", measure(signature(), down, "C4*2", up, "D4*2"), measure(program, "E4*4")
    )
    assert tune.controls == (
        ControlEvent(Fraction(0), "control", 64, 127),
        ControlEvent(Fraction(2), "control", 64, 0),
        ControlEvent(Fraction(4), "program", 40, 0),
    )


def test_the_dynamics_of_the_score_are_kept() -> None:
    loud = direction(kinds("<dynamics><f/></dynamics>"), '<sound dynamics="100"/>')
    tune = read(measure(signature(), loud, "C4 E4+ D4"), measure("z*2 E4*2"))
    assert tune.velocity == 90
    assert [note.velocity for note in tune.parts[0].notes] == [90]
    assert read("C4*2 D4*2").velocity is None


def test_the_dynamics_of_a_note_are_kept() -> None:
    soft = notes("C4*2").replace("<note>", '<note dynamics="50.0">')
    odd = notes("D4*2").replace("<note>", '<note dynamics="loud">')
    tune = read(measure(signature(), soft, odd), "E4*4")
    assert tune.velocity == 80
    assert read(measure(signature(), soft, soft), "E4*4").velocity == 45


SWING_MARK = (
    "<metronome>"
    + "<metronome-note><metronome-type>eighth</metronome-type></metronome-note>" * 2
    + "<metronome-relation>equals</metronome-relation>"
    "<metronome-note><metronome-type>quarter</metronome-type><metronome-tuplet type='start'>"
    "<actual-notes>3</actual-notes><normal-notes>2</normal-notes></metronome-tuplet>"
    "</metronome-note><metronome-note><metronome-type>eighth</metronome-type></metronome-note>"
    "</metronome>"
)


@pytest.mark.parametrize(
    ("mark", "share"),
    [
        ("<sound><swing><first>2</first><second>1</second></swing></sound>", 2 / 3),
        ("<sound><swing><first>3</first><second>2</second></swing></sound>", 3 / 5),
        (direction(kinds("<words>Medium Swing</words>")), 2 / 3),
        (direction(kinds(SWING_MARK)), 2 / 3),
        (direction(kinds(SWING_MARK.replace(">3<", ">5<"))), None),
        (direction(kinds("<words>Swing</words>")), 2 / 3),
        (direction(kinds("<words>Swing low, sweet chariot</words>")), None),
        ("<sound><swing><straight/></swing></sound>", None),
        (
            "<sound><swing><first>2</first><second>1</second><swing-type>16th</swing-type></swing></sound>",
            None,
        ),
    ],
)
def test_swing_that_the_file_asks_for_is_kept(mark: str, share: float | None) -> None:
    assert read(measure(signature(), mark, "C4*1/2 D4*1/2 E4*3")).swing == share


@pytest.mark.parametrize(
    ("place", "drum"), [(("F", 4), 36), (("C", 5), 38), (("G", 5), 42), (("G", 9), 38)]
)
def test_a_drum_without_an_instrument_is_found_by_its_line(
    place: tuple[str, int], drum: int
) -> None:
    hit = (
        f"<note><unpitched><display-step>{place[0]}</display-step><display-octave>{place[1]}"
        "</display-octave></unpitched><duration>12</duration></note>"
    )
    both = part(measure(signature(), hit * 4), id="P1") + part(
        measure(signature(), "C5*2 D5*2"), id="P2"
    )
    names = score_part("Drums") + score_part("Flute", id="P2")
    (drums,) = read_musicxml(document(both, score_parts=names).encode()).parts
    assert drums.drums
    assert {note.pitch for note in drums.notes} == {drum}


@pytest.mark.parametrize("odd", ["4/3", "99/4", "4+/4", "0/4"])
def test_a_meter_that_no_music_has_is_ignored_with_a_remark(odd: str) -> None:
    beats, kind = odd.split("/")
    head = signature().replace("<beats>4<", f"<beats>{beats}<")
    head = head.replace("<beat-type>4<", f"<beat-type>{kind}<")
    tune = read(measure(head, "C4*2 D4*2"), "E4*4", "F4*4")
    assert (str(tune.melody.meter), tune.melody.bar_count) == ("4/4", 3)
    assert any("meter that no music has" in text for text in tune.warnings)


@pytest.mark.parametrize(("symbol", "meter"), [("common", "4/4"), ("cut", "2/2")])
def test_a_meter_that_is_a_symbol_only_is_read(symbol: str, meter: str) -> None:
    time = f"<attributes><divisions>12</divisions><time symbol='{symbol}'/></attributes>"
    assert str(read(measure(time, "C4*4"), "D4*4").melody.meter) == meter


def test_a_meter_in_64ths_is_a_meter_in_32nds() -> None:
    head = signature(meter="24/64", divisions=48)
    tune = read(measure(head, "C4*4 D4*2"), "E4*6")
    assert str(tune.melody.meter) == "12/32"


def test_percussion_that_is_written_with_pitches_is_percussion() -> None:
    clef = "<attributes><clef><sign>percussion</sign></clef></attributes>"
    both = part(measure(signature(), clef, "F4 C5 F4 C5"), id="P1") + part(
        measure(signature(), "C5*2 D5*2"), id="P2"
    )
    names = score_part("Kit") + score_part("Flute", id="P2")
    score = read_musicxml(document(both, score_parts=names).encode())
    assert score.melody.pitches == (72, 74)
    assert score.parts[0].drums
    assert [note.pitch for note in score.parts[0].notes] == [36, 38, 36, 38]


def words(text: str) -> str:
    return direction(kinds(f"<words>{text}</words>"))


@pytest.mark.parametrize(
    ("mark", "tempo", "remark"),
    [
        ("Andante cantabile", 88.0, "The file says Andante; 88 quarter notes a minute"),
        ("PRESTO", 192.0, "The file says Presto; 192 quarter notes a minute"),
        ("Refrain", 120.0, "The file names no tempo; 120 quarter notes a minute"),
        ("(♩ = 96)", 96.0, ""),
        ("♩.= ca. 60", 90.0, ""),
        ("Largo ♪ = 80", 40.0, ""),
    ],
)
def test_a_tempo_in_words_is_read(mark: str, tempo: float, remark: str) -> None:
    tune = read(measure(signature(), words(mark), "C4*2 D4*2"))
    assert tune.melody.tempo == tempo
    remarks = [text for text in tune.warnings if "a minute" in text]
    assert [text.startswith(remark) for text in remarks] == [True] * bool(remark)


def test_a_number_in_words_beats_a_word_before_it() -> None:
    tune = read(measure(signature(), words("Adagio"), '<sound tempo="52,5"/>', "C4*2 D4*2"))
    assert tune.melody.tempo == 52.5
