"""What is written is what was composed, note for note: ABC, MIDI and MusicXML."""

from __future__ import annotations

import io
import re
from fractions import Fraction

import pytest
import verovio
from hypothesis import HealthCheck, assume, given, settings
from melodies import JIG, REEL, SWING_LINE, Sounding, melodies, melody, sounding
from mido import MidiFile
from music21 import converter, note, stream

from mst_core.errors import UnwritableRhythm
from mst_core.music import Key, Melody, Meter, Note
from mst_core.score.abc_read import read_abc
from mst_core.score.abc_write import write_abc
from mst_core.score.bars import lay_out
from mst_core.score.midi_write import write_midi
from mst_core.score.musicxml import write_musicxml

QUICK = settings(deadline=None, max_examples=80)
SLOW = settings(deadline=None, max_examples=12, suppress_health_check=[HealthCheck.too_slow])


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
