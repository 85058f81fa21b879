"""MIDI files: notes, bars, key, tempo and the other parts are read as they are written."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import assume, given, settings
from mido import Message, MetaMessage

from mst_core.errors import NoMelody
from mst_core.music import Key, Melody, Meter, MeterChange, Note
from mst_core.notation.midi import write_midi
from mst_core.reading.key_finding import share_outside
from mst_core.reading.midi.read import read_midi
from tests.support.melodies import JIG, REEL, SWING_LINE, melodies, melody
from tests.support.midi_files import bars_of, chords, meta, midi, notes, raw, track

TUNE = melody("C5 D5 E5 F5 G5 A5 B5 C6  G5*2 E5*2 C5*4", bars=2)


def times_from_the_first_note(tune: Melody) -> list[tuple[Fraction, Fraction, int]]:
    first = tune.notes[0].onset
    return [(note.onset - first, note.duration, note.pitch) for note in tune.notes]


def is_late_as_a_whole(tune: Melody) -> bool:
    """Whether two fifths of the onsets are off the usual places of a beat: read as a delay."""
    usual = sum((note.onset * 4).denominator == 1 or (note.onset * 6).denominator == 1
                for note in tune.notes)  # fmt: skip
    return usual <= 0.6 * len(tune.notes)


@pytest.mark.parametrize("tune", [REEL, JIG, SWING_LINE])
def test_a_written_tune_is_read_back(tune: Melody) -> None:
    score = read_midi(write_midi(tune, program=73, title="The Grey Cat"))
    assert replace(score.melody, sections=tune.sections) == tune
    assert (score.title, score.program, score.parts) == ("The Grey Cat", 73, ())
    assert score.warnings == ()


@settings(deadline=None, max_examples=60)
@given(melodies())
def test_writing_and_reading_is_the_identity(tune: Melody) -> None:
    assume(len(tune.notes) > 1)
    assume(not is_late_as_a_whole(tune))
    read = read_midi(write_midi(tune, program=0)).melody
    assert times_from_the_first_note(read) == times_from_the_first_note(tune)
    assert (read.meter, read.tempo) == (tune.meter, tune.tempo)
    if tune.key.fifths and share_outside(tune.key, tune.notes) < 0.25:
        # C major may be a default, and a key that the notes contradict is doubted.
        assert read.key.fifths == tune.key.fifths
    # MIDI has no negative time: a marker says whether the first note is a pickup.
    assert read.notes == tune.notes
    assert read.bar_count == tune.bar_count


@settings(deadline=None, max_examples=40)
@given(
    melodies(changes=True, pickups=False, wild=False, meters=("4/4", "3/4", "6/8", "5/4", "2/4"))
)
def test_changes_of_meter_are_read_back(tune: Melody) -> None:
    assume(len(tune.notes) > 1)
    assume(not is_late_as_a_whole(tune))
    # A shorter first bar is read as a pickup, as most programs write one.
    assume(
        tune.meter.bar_length >= tune.meter_at(1).bar_length or tune.meter_at(1) != tune.meter_at(2)
    )
    read = read_midi(write_midi(tune, program=0)).melody
    assert (read.notes, read.meter, read.bar_count) == (tune.notes, tune.meter, tune.bar_count)
    assert read.barlines == tune.barlines
    assert [read.meter_at(bar) for bar in range(read.bar_count)] == [
        tune.meter_at(bar) for bar in range(tune.bar_count)
    ]


def test_a_triplet_is_exact_where_the_ticks_per_quarter_are_no_multiple_of_three() -> None:
    tune = melody("C5*2/3 D5*2/3 E5*2/3 F5*2 G5*4/3 A5*4/3 B5*4/3", bars=1)
    file = midi(track([*bars_of(tune), *notes(tune.notes, ticks=1024)]), ticks=1024)
    assert read_midi(file).melody.notes == tune.notes


@pytest.mark.parametrize("ticks", [1, 2, 24, 96, 100, 120, 192, 220, 480, 960, 1000, 10080, 32767])
def test_any_number_of_ticks_per_quarter_is_read(ticks: int) -> None:
    tune = melody("C5*2 D5*2 E5*4  G5*4 C5*4", bars=2)
    file = midi(track([*bars_of(tune), *notes(tune.notes, ticks=ticks)]), ticks=ticks)
    assert read_midi(file).melody.notes == tune.notes


def test_notes_that_end_a_little_early_last_to_the_next() -> None:
    clipped = [replace(note, duration=note.duration * Fraction(11, 12)) for note in REEL.notes]
    assert read_midi(midi(track([*bars_of(REEL), *notes(clipped)]))).melody.notes == REEL.notes


def test_a_note_that_ends_a_tick_early_gets_its_full_duration() -> None:
    early = [replace(note, duration=note.duration - Fraction(1, 480)) for note in TUNE.notes]
    assert read_midi(midi(track(notes(early)))).melody.notes == TUNE.notes


def test_without_meter_key_and_tempo_the_warnings_name_what_was_assumed() -> None:
    score = read_midi(midi(track(notes(TUNE.notes))))
    assert (score.melody.meter, score.melody.key) == (Meter(4, 4), Key(0))
    assert (score.melody.tempo, score.melody.tempo_changes) == (120.0, ())
    assert score.warnings == (
        "The file names no meter; 4/4 was assumed.",
        "The file names no key; its notes are those of C major.",
        "The file names no tempo; 120 quarter notes a minute were assumed.",
    )


@pytest.mark.parametrize(("text", "key"), [
    ("D4 F#4 A4 D5 C#5 B4 A4 G4 F#4*2 E4*2 D4*4", "D"),
    ("E4 G4 B4 E5 D#5 E5 F#5 G5 F#5*2 B4*2 E4*4", "Em"),
    ("Bb4 D5 F5 Bb5 A5 G5 F5 Eb5 D5*2 C5*2 Bb4*4", "Bb"),
])  # fmt: skip
def test_a_key_that_is_not_named_is_estimated(text: str, key: str) -> None:
    assert read_midi(midi(track(notes(melody(text, bars=2).notes)))).melody.key == Key.parse(key)


def test_silent_bars_before_the_melody_are_left_out() -> None:
    late = [replace(note, onset=note.onset + 12) for note in TUNE.notes]
    score = read_midi(midi(track([*bars_of(TUNE), *notes(late)])))
    assert score.melody.notes == TUNE.notes
    assert "The melody begins after 3 silent bars, which were left out." in score.warnings
    assert score.melody.tempo_changes == ()


def test_silent_bars_that_were_written_are_read_back() -> None:
    late = replace(
        TUNE,
        notes=tuple(replace(note, onset=note.onset + 12) for note in TUNE.notes),
        bar_count=TUNE.bar_count + 3,
    )
    assert read_midi(write_midi(late, program=0)).melody.notes == late.notes


def read_unmarked(text: str, bars: int) -> Melody:
    """A tune in 4/4 as another program writes it, without our marker of the first bar."""
    tune = melody(text, bars=bars)
    return read_midi(midi(track([*bars_of(tune), *notes(tune.notes)]))).melody


BAR = "C5 D5 E5 F5 G5 A5 B5 C6"


def test_a_short_silence_before_whole_phrases_is_a_rest() -> None:
    # Three beats of sound are more than a pickup; half a bar is one where phrases need it.
    assert read_unmarked(f"z*2 E5*2 F5*2 G5*2 {BAR} {BAR} C5*8", 4).pickup == 0
    assert read_unmarked(f"z*4 E5*2 F5*2 {BAR} {BAR} C5*8", 4).pickup == 0
    assert read_unmarked(f"z*4 E5*2 F5*2 {BAR} {BAR} {BAR} C5*8", 5).pickup == 2
    assert read_unmarked(f"z*6 G5*2 {BAR} {BAR} {BAR} C5*6", 5).pickup == 1


def test_a_bar_with_a_rest_that_comes_again_is_no_pickup() -> None:
    head = "z*4 E5*2 F5*2"
    assert read_unmarked(f"{head} {BAR} {head} C5*8 {BAR}", 5).pickup == 0
    assert read_unmarked(f"{head} {BAR} z*2 E5*2 F5*2 z*2 C5*8 {BAR}", 5).pickup == 2


def test_a_last_bar_that_lacks_the_first_one_is_believed_before_the_number_of_bars() -> None:
    assert read_unmarked(f"z*6 G5*2 {BAR} {BAR} C5*6 z*2", 4).pickup == 1


def test_a_short_first_bar_is_a_pickup() -> None:
    meters = [
        meta("time_signature", numerator=1, denominator=8),
        (240, MetaMessage("time_signature", numerator=6, denominator=8)),
    ]
    moved = [replace(note, onset=note.onset + Fraction(1, 2)) for note in JIG.notes]
    read = read_midi(midi(track([*meters, *notes(moved)]))).melody
    assert (read.notes, read.meter, read.bar_count, read.meter_changes) == (
        JIG.notes,
        JIG.meter,
        16,
        (),
    )


def test_a_first_bar_before_a_single_longer_one_is_no_pickup() -> None:
    tune = melody("C5*8  D5*8 E5*2  E5*8  C5*8", bars=5)
    meters = [
        meta("time_signature", numerator=4, denominator=4),
        (1920, MetaMessage("time_signature", numerator=5, denominator=4)),
        (1920 + 2400, MetaMessage("time_signature", numerator=4, denominator=4)),
    ]
    read = read_midi(midi(track([*meters, *notes(tune.notes)]))).melody
    assert read.pickup == 0
    assert read.bar_count == 4
    assert read.meter_changes == (MeterChange(1, Meter(5, 4)), MeterChange(2, Meter(4, 4)))


def test_a_single_bar_of_another_length_is_two_meter_changes() -> None:
    tune = melody("C5*8  D5*4  E5*8  C5*8", bars=4)
    meters = [
        meta("time_signature", numerator=4, denominator=4),
        (1920, MetaMessage("time_signature", numerator=2, denominator=4)),
        (2880, MetaMessage("time_signature", numerator=4, denominator=4)),
    ]
    read = read_midi(midi(track([*meters, *notes(tune.notes)]))).melody
    assert read.meter_changes == (MeterChange(1, Meter(2, 4)), MeterChange(2, Meter(4, 4)))
    assert [int(line) for line in read.barlines] == [0, 4, 6, 10, 14]


def test_a_meter_that_begins_inside_a_bar_cuts_the_bar_short() -> None:
    tune = melody("C5*8  D5*3  E5*6 F5*6", bars=4)
    meters = [
        meta("time_signature", numerator=4, denominator=4),
        (1920 + 720, MetaMessage("time_signature", numerator=6, denominator=8)),
    ]
    read = read_midi(midi(track([*meters, *notes(tune.notes)]))).melody
    assert read.meter_changes == (MeterChange(1, Meter(3, 8)), MeterChange(2, Meter(6, 8)))


def test_a_meter_that_begins_off_the_note_values_is_moved_to_the_nearest_barline() -> None:
    meters = [
        meta("time_signature", numerator=4, denominator=4),
        (1913, MetaMessage("time_signature", numerator=2, denominator=4)),
    ]
    tune = melody("C5*8  D5*4  E5*4", bars=3)
    score = read_midi(midi(track([*meters, *notes(tune.notes)])))
    assert score.melody.meter_changes == (MeterChange(1, Meter(2, 4)),)
    assert any("nearest barline" in warning for warning in score.warnings)


def test_the_tempo_that_holds_longest_is_the_tempo() -> None:
    tempos = [
        meta("set_tempo", tempo=1_000_000),
        (480, MetaMessage("set_tempo", tempo=357_143)),
        (3600, MetaMessage("set_tempo", tempo=750_000)),
    ]
    score = read_midi(midi(track([*tempos, *notes(TUNE.notes)])))
    assert score.melody.tempo == 168.0
    assert [(change.onset, change.tempo) for change in score.melody.tempo_changes] == [
        (0, 60.0),
        (1, pytest.approx(168.0, abs=1e-3)),
        (Fraction(15, 2), 80.0),
    ]


def test_other_tracks_stay_at_their_exact_times() -> None:
    drums = [Note(Fraction(place, 7), Fraction(1, 14), 36) for place in range(12)]
    file = midi(
        track(bars_of(TUNE), name="Two Bars"),
        track(notes(TUNE.notes), name="Flute"),
        track([*notes(chords([48, 43], bar=Fraction(4)), channel=1),
               (0, Message("program_change", channel=1, program=24))], name="Guitar"),
        track(notes(drums, channel=9, ticks=480), name="Kit"),
    )  # fmt: skip
    score = read_midi(file)
    guitar, kit = score.parts
    assert score.title == "Two Bars"
    assert score.melody.notes == TUNE.notes
    assert (guitar.name, guitar.program, guitar.drums) == ("Guitar", 24, False)
    assert [(int(each.onset), int(each.duration), each.pitch) for each in guitar.notes] == [
        (onset, 4, root + step) for onset, root in ((0, 48), (4, 43)) for step in (0, 4, 7)
    ]
    assert kit.drums
    assert kit.notes[1].onset == Fraction(69, 480)


def test_parts_may_begin_before_the_melody() -> None:
    late = [replace(note, onset=note.onset + 8) for note in TUNE.notes]
    bass = [Note(Fraction(4 * bar), Fraction(4), 36) for bar in range(4)]
    score = read_midi(midi(track(notes(late), name="Flute"), track(notes(bass), name="Bass")))
    assert score.melody.notes == TUNE.notes
    assert [each.onset for each in score.parts[0].notes] == [-8, -4, 0, 4]


def test_a_note_on_of_velocity_0_in_running_status_ends_a_note() -> None:
    file = raw(bytes([0, 0x90, 60, 80, 96, 60, 0, 0, 64, 80, 96, 64, 0]))
    assert read_midi(file).melody.notes == (
        Note(Fraction(0), Fraction(1), 60),
        Note(Fraction(1), Fraction(1), 64),
    )


def test_notes_without_an_end_last_to_the_next() -> None:
    begun = [each for each in notes(TUNE.notes) if each[1].type == "note_on"]
    score = read_midi(midi(track(begun)))
    assert score.melody.pitches == TUNE.pitches
    assert score.melody.notes[:-1] == TUNE.notes[:-1]
    assert "11 endless notes were cut at the next note." in score.warnings


def test_one_lost_end_does_not_shift_the_others() -> None:
    repeated = melody("C5*2 C5*2 D5*2 C5*2  C5*4 C5*4", bars=2)
    lost = [each for each in notes(repeated.notes) if (each[0], each[1].type) != (480, "note_off")]
    assert read_midi(midi(track(lost))).melody.notes == repeated.notes


def test_doubled_notes_are_one() -> None:
    file = midi(track([*notes(TUNE.notes), *notes(TUNE.notes)]))
    assert read_midi(file).melody.notes == TUNE.notes


def test_ornaments_without_length_are_left_out() -> None:
    grace = Note(Fraction(1), Fraction(0), 90)
    score = read_midi(midi(track([*notes(TUNE.notes), *notes([grace])])))
    assert score.melody.notes == TUNE.notes
    assert any("without length" in warning for warning in score.warnings)


@pytest.mark.parametrize("line", ["", "C5*8"])
def test_less_than_two_notes_are_no_melody(line: str) -> None:
    with pytest.raises(NoMelody):
        read_midi(midi(track(notes(melody(line).notes))))


def test_the_remark_on_chords_is_a_sentence_whatever_the_part_is_called() -> None:
    low = [replace(note, pitch=note.pitch - 12) for note in TUNE.notes]
    warnings = read_midi(midi(track(notes([*TUNE.notes, *low]), name="back vocal"))).warnings
    assert (
        'The part "back vocal" plays chords: its top line, 11 of 22 notes, is the melody; the '
        "other notes are kept beside it."
    ) in warnings
