"""What is written is what was composed: bars, ABC, MIDI and MusicXML."""

from __future__ import annotations

import io
import re
from fractions import Fraction
from itertools import pairwise

import pytest
import verovio
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from melodies import JIG, METERS, REEL, SWING_LINE, line, melodies
from mido import MidiFile
from music21 import converter, note, stream

from mst_core.errors import UnwritableRhythm
from mst_core.music import MODES, Key, Melody, Meter, Note
from mst_core.score.abc_read import read_abc
from mst_core.score.abc_write import write_abc
from mst_core.score.bars import Bar, lay_out
from mst_core.score.midi_write import write_midi
from mst_core.score.musicxml import write_musicxml
from mst_core.score.pulse import Pulse
from mst_core.score.spelling import signature, spell

Sounding = tuple[Fraction, Fraction, int]  # onset, duration, pitch

QUICK = settings(deadline=None, max_examples=80)
SLOW = settings(deadline=None, max_examples=12, suppress_health_check=[HealthCheck.too_slow])


def melody(text: str, *, key: str = "C", meter: str = "4/4", bars: int = 1) -> Melody:
    return Melody(line(text), Meter.parse(meter), Key.parse(key), 120.0, bars)


def sounding(notes: tuple[Note, ...]) -> list[Sounding]:
    return [(each.onset, each.duration, each.pitch) for each in notes]


def heard(bars: tuple[Bar, ...], meter: Meter) -> list[Sounding]:
    """Read the notes back from laid out bars, tied pieces as one."""
    notes: list[Sounding] = []
    for bar in bars:
        for piece in bar.pieces:
            if piece.spelling is None:
                continue
            onset = (bar.number - 1) * meter.bar + piece.onset
            if piece.continues:
                begun, duration, pitch = notes.pop()
                assert begun + duration == onset
                assert pitch == piece.spelling.pitch
                notes.append((begun, duration + piece.duration, pitch))
            else:
                notes.append((onset, piece.duration, piece.spelling.pitch))
    return notes


def shape(tune: Melody) -> str:
    """The written values of a one-bar tune: ``4 8~ 8 z4``, ties as ~, triplets as t."""
    return " ".join(
        f"{'z' * (piece.spelling is None)}{piece.value.kind}{'.' * piece.value.dots}"
        f"{'t' * (piece.triplet is not None)}{'~' * piece.tied}"
        for bar in lay_out(tune)
        for piece in bar.pieces
    )


# Bars


@QUICK
@given(melodies())
def test_bars_hold_every_note_and_last_exactly_as_long_as_the_meter_says(tune: Melody) -> None:
    bars = lay_out(tune)
    assert heard(bars, tune.meter) == sounding(tune.notes)
    full = [bar for bar in bars if bar.number > 0]
    assert [bar.length for bar in full] == [tune.meter.bar] * tune.bars
    assert [bar.number for bar in full if bar.opens_section] == [
        section + 1 for section in tune.sections if section or not tune.pickup
    ]
    assert bars[-1].closing == "final"


@QUICK
@given(melodies())
def test_every_sign_shows_the_time_it_takes(tune: Melody) -> None:
    for bar in lay_out(tune):
        for before, after in pairwise(bar.pieces):
            assert before.onset + before.duration == after.onset
        for piece in bar.pieces:
            shown = Fraction(4, piece.value.kind) * (1 + Fraction(piece.value.dots, 2))
            assert piece.duration == shown * (1 if piece.triplet is None else Fraction(2, 3))
        for number in {piece.triplet for piece in bar.pieces} - {None}:
            inside = sum(piece.duration for piece in bar.pieces if piece.triplet == number)
            assert inside in [Fraction(2) / 2**halving for halving in range(5)]


@given(st.sampled_from(METERS))
def test_the_groups_of_a_bar_begin_inside_it(meter: str) -> None:
    pulse = Pulse.of(Meter.parse(meter))
    assert pulse.groups[0] == 0
    assert pulse.strong <= {0, *pulse.groups}
    assert max(pulse.groups) < pulse.bar


@pytest.mark.parametrize(
    ("text", "meter", "written"),
    [
        ("C4*2 D4*4 E4*2", "4/4", "4 2 4"),
        ("C4 D4*2 E4*2 F4*2 G4", "4/4", "8 4 8~ 8 4 8"),
        ("C4*3 D4*5", "4/4", "4. 8~ 2"),
        ("C4*2 D4*3 E4*3", "4/4", "4 4~ 8 4."),
        ("C4 D4*3 E4*4", "4/4", "8 4. 2"),
        ("C4*5/2 D4*3/2 E4*4", "4/4", "4~ 16 8. 2"),
        ("C4*2 z*4 D4*2", "4/4", "4 z4 z4 4"),
        ("C4 z*2 D4 z*4", "4/4", "8 z8 z8 8 z2"),
        ("C4*4 z*2", "3/4", "2 z4"),
        ("C4 D4*3 E4*2", "3/4", "8 8~ 4 4"),
        ("C4*2 D4*2 E4*2", "6/8", "4 8~ 8 4"),
        ("C4 D4*2 z*3", "6/8", "8 4 z4."),
        ("C4*6 D4*3", "9/8", "2. 4."),
        ("C4*2/3 D4*2/3 E4*2/3 F4*6", "4/4", "8t 8t 8t 2."),
        ("C4*4/3 D4*2/3 E4*6", "4/4", "4t 8t 2."),
        ("C4*4/3 D4*4/3 E4*4/3 F4*4", "4/4", "4t 4t 4t 2"),
        ("C4 D4*1/3 E4*1/3 F4*1/3 G4*6", "4/4", "8 16t 16t 16t 2."),
        ("C4*2/3 z*4/3 D4*6", "4/4", "8t z4t 2."),
        ("C4*1/3 D4*1/3 E4*1/3 F4*2 G4*3", "6/8", "16t 16t 16t 4 4."),
    ],
)
def test_values_show_the_pulse_as_a_musician_would(text: str, meter: str, written: str) -> None:
    assert shape(melody(text, meter=meter)) == written


def test_a_note_off_the_grid_is_refused_with_its_place() -> None:
    fifth = (Note(Fraction(0), Fraction(1), 60), Note(Fraction(4), Fraction(1, 5), 62))
    tune = Melody(fifth, Meter(4, 4), Key(0), 120.0, bars=2)
    with pytest.raises(UnwritableRhythm, match=r"bar 2 .* 1/5 quarters after the barline"):
        lay_out(tune)


# Spelling


@given(st.lists(st.integers(0, 127), max_size=20), st.integers(0, 11), st.sampled_from([*MODES]))
def test_a_spelled_pitch_sounds_as_it_should(pitches: list[int], tonic: int, mode: str) -> None:
    key = Key(tonic, mode)
    spelled = spell(pitches, key)
    assert [spelling.pitch for spelling in spelled] == pitches
    for spelling in spelled:
        if spelling.pitch % 12 in key.scale:
            assert signature(key)[spelling.letter] == spelling.alteration
        assert abs(spelling.alteration) <= 1


@pytest.mark.parametrize(
    ("key", "text", "names"),
    [
        ("C", "C4 C#4 D4 D#4 E4", "C C# D D# E"),
        ("C", "E4 Eb4 D4 Db4 C4", "E Eb D Db C"),
        ("C", "C4 Bb4 G4 A4", "C Bb G A"),
        ("D", "B4 C5 D5", "B C D"),
        ("Am", "A4 Ab4 G4 F#4 E4", "A G# G F# E"),
        ("Gm", "D4 F#4 G4", "D F# G"),
        ("F#m", "E#4 F#4", "E# F#"),
        ("Bb", "Ab4 G4 E4 F4", "Ab G E F"),
        ("C", "G4 Ab4 Ab4 G4", "G Ab Ab G"),
    ],
)
def test_notes_outside_the_scale_are_raised_going_up_and_lowered_going_down(
    key: str, text: str, names: str
) -> None:
    pitches = [each.pitch for each in line(text)]
    spelled = spell(pitches, Key.parse(key))
    signs = {-1: "b", 0: "", 1: "#"}
    assert " ".join(each.letter + signs[each.alteration] for each in spelled) == names


# ABC


def test_a_reel_is_pleasant_to_read() -> None:
    assert write_abc(REEL, title="The Grey Cat") == (
        "X:1\nT:The Grey Cat\nM:4/4\nL:1/8\nQ:1/4=200\nK:D\n"
        "dAFA defd | ecAc efge | f2df afdf | edcB AFGA |\n"
        "dAFA defd | ecAc efge | (3fga fd Bgec | d2dc d4 ||\n"
        "a2fa dafa | b2gb ebgb | afdf agfe | dcBc ABcd |\n"
        "a2fa dafa | b2gb ebgb | agfe dBge | cABc d4 |]\n"
    )


def test_a_jig_goes_in_threes_and_begins_with_its_pickup() -> None:
    music = write_abc(JIG).splitlines()[4:]
    assert music[:3] == ["Q:3/8=120", "K:G", "d | BGG ABc | BGB A2B | cec BdB | ABA D2d |"]


@pytest.mark.parametrize(
    ("key", "text", "written"),
    [
        ("C", "F#4 F#4 G4 F4 G4*4", "^FFG=F G4"),
        ("D", "F4 F#4 C5 C#5 D5*4", "=F^F=c^c d4"),
        ("C", "F#4 G4 F5 E5 F#4*4", "^FG=fe ^F4"),
        ("Bb", "B4 C5 E4 F4 C3*2 C6*2", "=Bc=EF C,2c'2"),
    ],
)
def test_accidentals_stand_only_where_a_reader_needs_them(
    key: str, text: str, written: str
) -> None:
    assert f"\n{written} |]\n" in write_abc(melody(text, key=key))


def test_an_accidental_is_written_again_behind_a_barline() -> None:
    tune = melody("C5*6 F#4*4 F#4 G4*5", bars=2)
    assert "\nc6 ^F2- | ^F2FG- G4 |]\n" in write_abc(tune)


def test_a_title_stays_on_its_line() -> None:
    assert "\nT:Up \\% down K:C\nM:" in write_abc(REEL, title=" Up %\ndown\nK:C")


@QUICK
@given(melodies())
def test_every_abc_bar_sums_exactly(tune: Melody) -> None:
    text = write_abc(tune)
    unit = Fraction(re.search(r"^L:(.*)$", text, re.M)[1])  # type: ignore[index]
    bars = re.split(r"\|[|\]]?", text.split("\nK:", 1)[1].split("\n", 1)[1])[:-1]
    lengths = []
    for bar in bars:
        length, left, factor = Fraction(0), 0, Fraction(1)
        for three, count, sign, numerator, slash, denominator in re.findall(
            r"(\(3(?::2:(\d+))?)|([A-Ga-gz])[,']*(\d*)(/?)(\d*)", bar
        ):
            if three:
                left, factor = int(count or 3), Fraction(2, 3)
                continue
            assert sign
            written = Fraction(int(numerator or 1), int(denominator or (2 if slash else 1)))
            length += written * unit * 4 * (factor if left > 0 else 1)
            left -= 1
        lengths.append(length)
    assert lengths == [bar.length for bar in lay_out(tune)]


@QUICK
@given(melodies())
def test_what_is_written_as_abc_is_read_back_note_for_note(tune: Melody) -> None:
    bars = lay_out(tune)
    # A reader knows a pickup by its short bar, and wants a melody of two notes at least.
    assume(len(tune.notes) > 1 and (bars[0].number > 0 or bars[0].length < tune.meter.bar))
    again = read_abc(write_abc(tune))
    assert sounding(again.notes) == sounding(tune.notes)
    assert (again.meter, again.key, again.tempo) == (tune.meter, tune.key, tune.tempo)
    if not bars[-1].empty:
        assert (again.bars, again.sections) == (tune.bars, tune.sections)


# MIDI


def played(data: bytes) -> tuple[list[tuple[int, int, int]], int]:
    """Read onsets, durations and pitches in ticks, and where the track ends."""
    file = MidiFile(file=io.BytesIO(data))
    assert file.ticks_per_beat == 480
    now = 0
    notes: list[tuple[int, int, int]] = []
    begun: dict[int, int] = {}
    for message in file.tracks[0]:
        now += message.time
        if message.type == "note_on":
            begun[message.note] = now
        elif message.type == "note_off":
            start = begun.pop(message.note)
            notes.append((start, now - start, message.note))
    return notes, now


@QUICK
@given(melodies())
def test_what_is_written_as_midi_is_read_back_note_for_note(tune: Melody) -> None:
    notes, end = played(write_midi(tune, program=73, title="A tune"))
    padding = -(-tune.pickup // tune.meter.bar) * tune.meter.bar
    assert notes == [
        (int((onset + padding) * 480), int(duration * 480), pitch)
        for onset, duration, pitch in sounding(tune.notes)
    ]
    assert end == (tune.length + padding) * 480


def test_a_midi_file_names_tune_tempo_meter_key_and_instrument() -> None:
    data = write_midi(JIG, program=21, title="Zoë’s ♩ jig")
    file = MidiFile(file=io.BytesIO(data), charset="utf-8")
    said = {message.type: message for message in file.tracks[0]}
    assert said["track_name"].name == "Zoë’s ♩ jig"
    assert said["set_tempo"].tempo == 333_333
    assert (said["time_signature"].numerator, said["time_signature"].denominator) == (6, 8)
    assert said["key_signature"].key == "G"
    assert said["program_change"].program == 21
    assert {m.velocity for m in file.tracks[0] if m.type == "note_on"} == {80}


def test_midi_names_a_modal_key_by_its_signature() -> None:
    for text, name in {"Ador": "Em", "Amix": "D", "Ebm": "Ebm", "Gb": "Gb", "B": "B"}.items():
        file = MidiFile(file=io.BytesIO(write_midi(melody("A4*8", key=text), program=0)))
        assert next(m.key for m in file.tracks[0] if m.type == "key_signature") == name


def test_midi_refuses_what_falls_between_two_ticks() -> None:
    tune = Melody((Note(Fraction(0), Fraction(1, 7), 60),), Meter(4, 4), Key(0), 120.0, bars=1)
    with pytest.raises(UnwritableRhythm):
        write_midi(tune, program=0)


# MusicXML


def parsed(tune: Melody) -> stream.Score:
    score = converter.parse(write_musicxml(tune, title="A tune"), format="musicxml")
    assert isinstance(score, stream.Score)
    return score


@SLOW
@given(melodies(most_bars=3))
def test_what_is_written_as_musicxml_is_read_back_note_for_note(tune: Melody) -> None:
    score = parsed(tune)
    part = score.parts[0]
    notes: list[Sounding] = []
    start = Fraction(0)
    for measure, bar in zip(part.getElementsByClass(stream.Measure), lay_out(tune), strict=True):
        assert measure.number == bar.number
        start = (bar.number - 1) * tune.meter.bar
        if bar.number < 1:
            start += tune.meter.bar - bar.length
        inside = Fraction(0)
        for each in measure.notesAndRests:
            length = Fraction(each.quarterLength).limit_denominator(24)
            if isinstance(each, note.Note):
                if each.tie and each.tie.type in ("stop", "continue"):
                    begun, duration, pitch = notes.pop()
                    assert pitch == each.pitch.midi
                    notes.append((begun, duration + length, pitch))
                else:
                    notes.append((start + inside, length, each.pitch.midi))
            inside += length
        assert inside == bar.length
    assert notes == sounding(tune.notes)


def test_musicxml_says_key_meter_tempo_and_barlines() -> None:
    text = write_musicxml(SWING_LINE, title="After <Nine>").decode()
    assert "<fifths>-2</fifths>" in text
    assert "<mode>major</mode>" in text
    assert "<beats>4</beats>" in text
    assert "<per-minute>168</per-minute>" in text
    assert "<work-title>After &lt;Nine&gt;</work-title>" in text
    assert text.count("<bar-style>light-light</bar-style>") == 1
    assert text.count("<bar-style>light-heavy</bar-style>") == 1
    assert len(re.findall('<tuplet [^>]*type="start"', text)) == 3
    assert len(re.findall('<tuplet [^>]*type="stop"', text)) == 3


def test_the_pickup_of_musicxml_is_measure_0() -> None:
    text = write_musicxml(JIG).decode()
    assert '<measure implicit="yes" number="0">' in text
    assert text.count("<measure ") == 17


@pytest.mark.parametrize("tune", [REEL, JIG, SWING_LINE])
def test_an_engraver_loads_our_musicxml(tune: Melody) -> None:
    engraver = verovio.toolkit()
    engraver.setOptions({"pageHeight": 60000})
    assert engraver.loadData(write_musicxml(tune).decode())
    heads = engraver.renderToSVG(1).count('class="notehead"')
    pieces = [piece for bar in lay_out(tune) for piece in bar.pieces]
    assert heads == sum(1 for piece in pieces if piece.spelling)
