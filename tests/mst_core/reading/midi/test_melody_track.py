"""The melody is found among many tracks, and a warning names the track and the reasons."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from mido import Message, MetaMessage

from mst_core.errors import BadOption, NoMelody
from mst_core.music import Melody, Note
from mst_core.notation.midi import write_midi
from mst_core.reading.midi.read import read_midi
from tests.support.melodies import REEL, melody
from tests.support.midi_files import Timed, bars_of, chords, meta, midi, notes, track

STRUMMED = [
    note
    for bar in range(16)
    for note in chords([50 if bar % 2 else 45], bar=Fraction(4))
    for note in [replace(note, onset=note.onset + 4 * bar)]
]
BASS = [Note(Fraction(2 * half), Fraction(2), 38 + half % 5) for half in range(32)]
BEAT = [Note(Fraction(place, 2), Fraction(1, 8), 42) for place in range(128)]


def lowered(tune: Melody, semitones: int) -> list[Note]:
    return [replace(note, pitch=note.pitch - semitones) for note in tune.notes]


def program(number: int, channel: int = 0) -> Timed:
    return 0, Message("program_change", channel=channel, program=number)


def test_a_tune_is_found_among_chords_bass_and_drums() -> None:
    file = midi(
        track([*bars_of(REEL), *notes(BEAT, channel=9)], name="Kit"),
        track([program(33, 2), *notes(BASS, channel=2)], name="Track 2"),
        track([program(0, 1), *notes(STRUMMED, channel=1)], name="Track 3"),
        track([program(73), *notes(REEL.notes)], name="Track 4"),
    )
    score = read_midi(file)
    assert score.melody.notes == REEL.notes
    assert score.program == 73
    assert [(part.name, part.drums) for part in score.parts] == [
        ("Kit", True),
        ("Track 2", False),
        ("Track 3", False),
    ]
    assert score.warnings[0] == (
        "Track 4 of 4 (Track 4) was taken as the melody: it lies on top, its instrument sings, "
        "its rhythm varies."
    )


def test_the_ranking_counts_tracks_as_the_option_does() -> None:
    file = midi(
        track([*bars_of(REEL), *notes(BEAT, channel=9)], name="Kit"),
        track([program(33, 2), *notes(BASS, channel=2)], name="Low"),
        track([program(73), *notes(REEL.notes)]),
    )
    score = read_midi(file)
    assert [(each.number, each.name) for each in score.candidates] == [(3, "Flute"), (2, "Low")]
    assert score.track == 3
    asked = read_midi(file, track=2)
    assert asked.track == 2
    assert asked.candidates == score.candidates


def test_a_nameless_fiddle_is_no_accompaniment_and_its_family_is_not_told_as_its_name() -> None:
    for number in (40, 105, 110, 81):
        file = midi(
            track([*bars_of(REEL), program(24, 1), *notes(STRUMMED, channel=1)]),
            track([program(number), *notes(REEL.notes)]),
        )
        score = read_midi(file)
        assert score.track == 2
        assert not any("name says so" in warning for warning in score.warnings)


def test_the_title_of_a_file_of_one_track_is_no_name_of_its_channels() -> None:
    events = [
        *bars_of(REEL), program(0, 1), program(71),
        *notes(STRUMMED, channel=1), *notes(REEL.notes),
    ]  # fmt: skip
    score = read_midi(midi(track(events, name="Solo Vocals of the Band")))
    assert score.melody.notes == REEL.notes
    assert not any("name says so" in warning for warning in score.warnings)


def test_the_channel_that_is_sung_is_the_melody_in_one_track_and_in_several() -> None:
    figure = [Note(Fraction(2 * place, 3), Fraction(2, 3), 86 + place % 3) for place in range(96)]
    words = [(round(note.onset * 480), MetaMessage("lyrics", text="la ")) for note in REEL.notes]
    flute = [program(73, 1), *notes(figure, channel=1)]
    low = [program(0), *notes(lowered(REEL, 12))]
    for file in (
        midi(track([*bars_of(REEL), *words, *flute, *low], name="Song")),
        midi(track([*bars_of(REEL), *words]), track(flute), track(low)),
        midi(track(bars_of(REEL)), track(flute), track([*words, *low])),
    ):
        score = read_midi(file)
        assert score.melody.pitches == tuple(note.pitch for note in lowered(REEL, 12))
        assert "the words go with it" in score.warnings[0]


def test_a_melody_that_moves_to_another_track_is_told() -> None:
    half = len(REEL.notes) // 2
    file = midi(
        track([*bars_of(REEL), program(73), *notes(REEL.notes[:half])], name="Flute"),
        track([program(68, 1), *notes(REEL.notes[half:], channel=1)], name="Oboe"),
        track([program(0, 2), *notes(STRUMMED, channel=2)], name="Piano"),
    )
    score = read_midi(file)
    assert any(
        "Where the melody rests, track" in warning and "may go on with it" in warning
        for warning in score.warnings
    )


def test_a_file_of_one_track_is_divided_by_channels() -> None:
    events = [
        *bars_of(REEL), program(32, 1), program(56),
        *notes(BASS, channel=1), *notes(REEL.notes), *notes(BEAT, channel=9),
    ]  # fmt: skip
    score = read_midi(midi(track(events, name="Reel")))
    assert score.melody.notes == REEL.notes
    assert [part.name for part in score.parts] == ["Acoustic bass", "Drums"]


def test_a_name_counts_more_than_a_register() -> None:
    counter = [replace(note, pitch=note.pitch + 12) for note in REEL.notes]
    file = midi(
        track(bars_of(REEL)),
        track(notes(counter), name="Descant strings"),
        track(notes(REEL.notes), name="Lead Vocal"),
    )
    read = read_midi(file)
    assert read.melody.pitches == REEL.pitches
    assert "its name says so" in read.warnings[0]


def test_of_four_unnamed_voices_the_highest_is_the_melody() -> None:
    voices = [
        track(notes(lowered(REEL, semitones), channel=number), name=f"Staff {number + 1}")
        for number, semitones in enumerate((24, 12, 5, 0))
    ]
    assert read_midi(midi(track(bars_of(REEL)), *voices)).melody.notes == REEL.notes


def test_channels_of_one_instrument_are_one_player() -> None:
    strings = [program(25, channel) for channel in range(6)]
    for number, note in enumerate(REEL.notes):
        strings += notes([note], channel=number % 6)
    score = read_midi(midi(track(bars_of(REEL)), track(strings, name="Guitar")))
    assert score.melody.notes == REEL.notes
    assert score.parts == ()


def test_a_track_can_be_asked_for() -> None:
    file = midi(
        track(notes(REEL.notes), name="Flute"),
        track(notes(BASS, channel=1), name="Bass"),
        track(notes(BEAT, channel=9), name="Kit"),
    )
    score = read_midi(file, track=2)
    assert score.melody.pitches == tuple(note.pitch for note in BASS)
    assert [part.name for part in score.parts] == ["Flute", "Kit"]
    assert not any("taken" in warning for warning in score.warnings)


@pytest.mark.parametrize("wrong", [0, -1, 3, 4, 1000])
def test_a_track_that_is_not_there_or_drums_is_rejected(wrong: int) -> None:
    file = midi(
        track(notes(REEL.notes), name="Flute"),
        track(notes(BASS, channel=1), name="Bass"),
        track(notes(BEAT, channel=9), name="Kit"),
    )
    with pytest.raises(BadOption, match="1 Flute, 2 Bass, 3 Kit"):
        read_midi(file, track=wrong)


def test_a_file_of_drums_has_no_melody() -> None:
    with pytest.raises(NoMelody, match="1 Kit"):
        read_midi(midi(track(notes(BEAT, channel=9), name="Kit")))


def test_chords_give_their_top_note_and_keep_the_others() -> None:
    thirds = lowered(REEL, 4)
    score = read_midi(midi(track([*bars_of(REEL), *notes([*thirds, *REEL.notes])])))
    assert score.melody.notes == REEL.notes
    (lower,) = score.parts
    assert [each.pitch for each in lower.notes] == [note.pitch for note in thirds]


def test_two_hands_in_one_track_give_the_upper_hand() -> None:
    score = read_midi(midi(track([*bars_of(REEL), *notes([*REEL.notes, *STRUMMED])])))
    assert score.melody.notes == REEL.notes
    assert score.parts[0].name == "Piano, below the melody"
    assert len(score.parts[0].notes) == len(STRUMMED)


def test_a_bass_in_the_rests_of_the_melody_is_not_the_melody() -> None:
    tune = melody(" ".join(["C5 D5 E5*2 z*4", "G5 F5 E5*2 z*4"] * 4), bars=8)
    low = [Note(Fraction(4 * bar + 2), Fraction(2), 40) for bar in range(8)]
    held = [Note(Fraction(4 * bar), Fraction(2), 48) for bar in range(8)]
    score = read_midi(midi(track(notes([*tune.notes, *low, *held]))))
    assert score.melody.notes == tune.notes


def test_legato_notes_end_where_the_next_begins() -> None:
    legato = [replace(note, duration=note.duration + Fraction(1, 6)) for note in REEL.notes]
    score = read_midi(midi(track([*bars_of(REEL), *notes(legato)])))
    assert score.melody.notes[:-1] == REEL.notes[:-1]
    assert score.parts == ()


def test_a_score_that_is_written_and_read_again_is_the_same() -> None:
    late = [replace(note, onset=note.onset + 8) for note in REEL.notes]
    file = midi(
        track([*bars_of(REEL), meta("key_signature", key="D")], name="The Grey Cat"),
        track([program(33, 2), *notes(BASS, channel=2)], name="Bass"),
        track([program(73), *notes(late)], name="Flute"),
        track(notes(BEAT, channel=9), name="Kit"),
    )
    first = read_midi(file)
    assert first.program is not None
    written = write_midi(
        first.melody,
        program=first.program,
        title=first.title,
        parts=first.parts,
    )
    again = read_midi(written)
    assert again.melody == first.melody
    assert again.title == "The Grey Cat"
    assert [part.notes for part in again.parts] == [part.notes for part in first.parts]
    assert [part.program for part in again.parts] == [33, 0]
    assert again.parts[0].notes[0].onset == -8


def test_a_name_in_any_letters_is_kept_on_one_line() -> None:
    name = "Fl\u00f6te \x00\n 1" + "x" * 200
    file = midi(track(notes(REEL.notes), name=name), track(notes(BASS, channel=1)))
    read = read_midi(file, track=2)
    assert read.parts[0].name == ("Flöte 1" + "x" * 200)[:80]
