"""A band plays by the clock of its melody: tempo map, swing, controllers, ornaments."""

from __future__ import annotations

import io
from dataclasses import replace
from fractions import Fraction
from statistics import median

import mido
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mst_core.music import (
    ControlEvent,
    GraceNotes,
    Key,
    Melody,
    Meter,
    Note,
    Part,
    PartNote,
    TempoChange,
)
from mst_core.sound.band import perform_band, perform_beginning, start_at_zero
from mst_core.sound.performance import Performance, perform
from mst_core.sound.performance_midi import write_performance_midi
from tests.support.melodies import melodies

HALF = Fraction(1, 2)
EIGHTHS = Melody(
    tuple(Note(n * HALF, HALF, 60 + n % 5) for n in range(32)), Meter(4, 4), Key(0), 120.0, 4
)
SLOW_THEN_FAST = (TempoChange(Fraction(0), 60.0), TempoChange(Fraction(8), 180.0))


def part(*onsets: Fraction | float, drums: bool = False) -> Part:
    notes = tuple(PartNote(Fraction(onset), Fraction(1, 4), 50) for onset in onsets)
    return Part("Piano", 0, drums, notes)


def starts(performance: Performance) -> list[float]:
    return [note.start for note in performance.notes]


def test_a_tempo_map_is_played_by_melody_and_parts() -> None:
    song = replace(EIGHTHS, tempo_changes=SLOW_THEN_FAST)
    melody, piano = perform_band(song, [part(0, 4, 8, 11)], swing=0.5, program=0)
    assert melody.seconds == pytest.approx(8 + 8 / 3)
    assert starts(piano) == pytest.approx([0, 4, 8, 9])
    assert starts(melody)[16:18] == pytest.approx([8, 8 + 1 / 6])


def test_the_first_tempo_holds_in_the_pickup_and_before() -> None:
    early = Note(Fraction(-1), Fraction(1), 60)
    song = replace(EIGHTHS, notes=(early, *EIGHTHS.notes), tempo_changes=SLOW_THEN_FAST)
    melody, intro = perform_band(song, [part(-3)], swing=0.5, program=0)
    assert melody.downbeat == 1.0
    assert starts(intro) == [-2.0]
    assert starts(start_at_zero([melody, intro])[0])[0] == 2.0


@given(melodies(changes=True), st.floats(1 / 3, 0.8), st.lists(st.integers(40, 300), max_size=5))
def test_barlines_fall_where_the_tempo_map_puts_them(
    melody: Melody, swing: float, tempos: list[int]
) -> None:
    changes = tuple(
        TempoChange(Fraction(onset) - 2, float(tempo)) for onset, tempo in enumerate(tempos)
    )
    melody = replace(melody, tempo_changes=changes)
    performance = perform(melody, swing=swing)
    downbeat = performance.downbeat
    assert performance.seconds - downbeat == pytest.approx(melody.seconds_at(melody.length))
    onsets = [note.onset for note in melody.notes]
    for line in melody.barlines:
        if line in onsets:
            start = performance.notes[onsets.index(line)].start
            assert start - downbeat == pytest.approx(melody.seconds_at(line))


@pytest.mark.parametrize("drums", [False, True])
def test_the_band_swings_with_its_melody(drums: bool) -> None:
    band = [part(0, 0.5, 1, 1.5, 4.5, drums=drums)]
    melody, piano = perform_band(EIGHTHS, band, swing=0.64, program=0)
    assert starts(piano) == pytest.approx([starts(melody)[n] for n in (0, 1, 2, 3, 9)])
    assert starts(piano)[1] == pytest.approx(0.32)


def test_a_part_that_swings_already_and_one_in_sixteenths_stay_as_they_are() -> None:
    swung = [0.0, 0.64, 1.0, 1.64]
    sixteenths = [0.0, 0.25, 0.5, 0.75]
    _, piano, hat = perform_band(EIGHTHS, [part(*swung), part(*sixteenths)], swing=0.64, program=0)
    assert starts(piano) == pytest.approx([onset / 2 for onset in swung])
    assert starts(hat) == pytest.approx([onset / 2 for onset in sixteenths])


def test_a_part_swings_against_the_triplets_of_the_melody() -> None:
    third = Fraction(1, 3)
    triplets = tuple(Note(n * third, third, 60) for n in range(3))
    song = replace(EIGHTHS, notes=(*triplets, *EIGHTHS.notes[2:]))
    melody, piano = perform_band(song, [part(0, 0.5, 1, 1.5)], swing=0.64, program=0)
    assert starts(melody)[:3] == pytest.approx([0, 1 / 6, 1 / 3])
    assert starts(piano) == pytest.approx([0, 0.32, 0.5, 0.82])


def test_an_introduction_swings_too_and_straight_music_does_not() -> None:
    intro = part(-2, -1.5)
    _, played = perform_band(EIGHTHS, [intro], swing=0.6, program=0)
    assert starts(played) == pytest.approx([-1.0, -0.7])
    _, played = perform_band(EIGHTHS, [intro], swing=0.5, program=0)
    assert starts(played) == pytest.approx([-1.0, -0.75])


def test_a_note_that_is_struck_again_ends_first() -> None:
    bell = Part("Bell", 14, False, tuple(PartNote(Fraction(n), Fraction(4), 70) for n in range(3)))
    _, played = perform_band(EIGHTHS, [bell], swing=0.5, program=0)
    assert [note.duration for note in played.notes] == pytest.approx([0.5, 0.5, 2.0])


def test_the_melody_is_as_loud_as_its_file_says_when_others_play() -> None:
    alone = perform_band(EIGHTHS, swing=0.5, program=0, velocity=50)[0]
    beside = perform_band(EIGHTHS, [part(0)], swing=0.5, program=0, velocity=50)[0]
    assert alone.notes == perform(EIGHTHS, swing=0.5).notes
    assert median(note.velocity for note in beside.notes) == pytest.approx(50, abs=1)


def test_grace_notes_are_short_and_end_where_their_note_begins() -> None:
    song = replace(
        EIGHTHS,
        grace_notes=(GraceNotes(0, (71,)), GraceNotes(4, (72, 74)), GraceNotes(5, (60,) * 9)),
    )
    performance = perform(song, swing=0.5)
    plain = perform(EIGHTHS, swing=0.5)
    assert starts(performance) == starts(plain)
    first, low, high, *crowd = performance.grace_notes
    assert (first.start, first.end) == pytest.approx((-0.06, 0))
    assert (low.start, high.start, high.end) == pytest.approx((0.88, 0.94, 1.0))
    assert performance.notes[3].end <= low.start + 1e-9  # the note before them makes room
    assert crowd[0].start >= performance.notes[4].start + 0.12  # at most half of it
    assert [note.pitch for note in performance.grace_notes[:3]] == [71, 72, 74]


def test_the_file_of_a_performance_has_the_tempo_map_and_the_band() -> None:
    song = replace(EIGHTHS, tempo_changes=SLOW_THEN_FAST, grace_notes=(GraceNotes(2, (72,)),))
    volume = ControlEvent(Fraction(8), "control", 7, 90)
    piano = replace(part(0, 8, 9), controls=(volume,))
    voices = perform_band(song, [piano], swing=0.5, program=3, controls=[volume])
    file = mido.MidiFile(file=io.BytesIO(write_performance_midi(voices, title="Song")))
    assert [track.name for track in file.tracks] == ["Song", "Song, grace notes", "Piano"]
    assert file.length == pytest.approx(8 + 8 / 3, abs=0.01)
    now, found = 0.0, []
    for message in file:
        now += message.time
        if message.type == "control_change" and (message.control, message.value) == (7, 90):
            found.append((round(now, 2), message.channel))
    assert found == [(8.0, 0), (8.0, 2)]


@pytest.mark.parametrize(("tempo", "seconds"), [(120, 4), (12, 40), (5, 90), (2, 90)])
def test_the_beginning_is_two_bars_long_or_as_many_seconds_as_a_message_takes(
    tempo: float, seconds: float
) -> None:
    song = replace(EIGHTHS, tempo=float(tempo))
    voices = perform_band(song, [part(0, 15)], swing=0.5, program=0)
    for bars in (2, 99) if seconds == 90 else (2,):  # a tune may also be whole, and too long
        for voice in perform_beginning(song, voices, 0.5, bars):
            assert voice.seconds == pytest.approx(seconds)
            assert max(note.end for note in voice.notes) <= seconds
