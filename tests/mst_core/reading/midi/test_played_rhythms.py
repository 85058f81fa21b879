"""What players do with note values is taken back: swing, loose ends, ornaments, ringing strings."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

import pytest

from mst_core.music import GraceNotes, Melody, Meter, Note
from mst_core.reading.midi.read import read_midi
from mst_core.reading.parsed_score import ParsedScore
from tests.support.melodies import JIG, REEL, melody, sounding
from tests.support.midi_files import bars_of, midi, notes, performance_of, track

LINE = melody(
    "G4 A4 B4 C5 D5 E5 D5 C5  B4*2 A4 G4 F4 E4 D4*2  "
    "G4 A4 B4 C5 D5 E5 D5 C5  B4*2 A4 G4 F4 E4 D4*2  "
    "C5 B4 A4 G4 A4 B4 C5 D5  E5*2 C5 A4 F4 G4 A4*2  G4 A4 B4 C5 D5 E5 D5 C5  C5*8",
    bars=8,
)
WALTZ = replace(
    melody(
        "C5*2 E5 F5 G5*2  A5*2 G5 F5 E5*2  D5*2 E5 F5 D5*2  C5*4 G4*2  "
        "C5*2 E5 F5 G5*2  A5*2 G5 F5 E5*2  D5 E5 F5 E5 D5 B4  C5*6",
        meter="3/4",
        bars=8,
    ),
    tempo=150.0,
)
PLAIN = melody(
    "G4*2 A4 B4 C5*2 D5*2  E5 D5 C5*2 B4*2 A4*2  G4*4 E4*2 F4*2  G4 A4 B4*2 C5*4 "
    "G4*2 A4 B4 C5*2 D5*2  E5 D5 C5*2 B4*2 A4*2  G4*4 E4*2 F4*2  G4 A4 B4*2 C5*4",
    bars=8,
)


def swung(tune: Melody, share: float, *, seed: int = 1, deviation: float = 0.012) -> list[Note]:
    """The notes as a player swings them to a click."""
    rng = random.Random(seed)

    def at(time: Fraction) -> Fraction:
        beat, part = divmod(time, 1)
        place = float(part)
        bent = place * 2 * share if place <= 0.5 else share + (place - 0.5) * 2 * (1 - share)
        return beat + Fraction(round(bent * 4800), 4800)

    return [
        Note(max(Fraction(0), at(note.onset) + Fraction(rng.gauss(0, deviation))),
             at(note.end) - at(note.onset) - Fraction(1, 20), note.pitch)
        for note in tune.notes
    ]  # fmt: skip


def read(tune: Melody, line: list[Note], *, ticks: int = 480) -> ParsedScore:
    return read_midi(midi(track([*bars_of(tune), *notes(line, ticks=ticks)]), ticks=ticks))


@pytest.mark.parametrize("tune", [LINE, WALTZ])
@pytest.mark.parametrize("share", [0.58, 0.6, 0.63, 0.667, 0.7])
def test_swing_to_a_click_is_written_straight_and_named(tune: Melody, share: float) -> None:
    score = read(tune, swung(tune, share))
    assert [(note.onset, note.pitch) for note in score.melody.notes] == [
        (note.onset, note.pitch) for note in tune.notes
    ]
    assert score.swing == pytest.approx(share, abs=0.03)
    assert any("eighths swing" in warning for warning in score.warnings)
    assert not any("click" in warning or "guess" in warning for warning in score.warnings)


def test_straight_playing_does_not_swing() -> None:
    assert read(LINE, swung(LINE, 0.5)).swing is None


def test_a_laid_back_player_who_swings_is_moved_onto_the_beat() -> None:
    late = [replace(note, onset=note.onset + Fraction(6, 100)) for note in swung(LINE, 0.64)]
    score = read(LINE, late)
    found = {(note.onset, note.pitch) for note in score.melody.notes}
    assert sum((note.onset, note.pitch) in found for note in LINE.notes) >= 0.95 * len(LINE.notes)
    assert not any("click" in warning for warning in score.warnings)


def test_the_parts_that_swing_are_as_straight_as_the_melody() -> None:
    comping = tuple(Note(Fraction(place, 2), Fraction(1, 2), 48 + place % 3) for place in range(64))
    band = swung(replace(LINE, notes=comping), 0.66, seed=2, deviation=0.005)
    file = midi(
        track([*bars_of(LINE), *notes(swung(LINE, 0.66))], name="Melody"),
        track(notes(band, channel=1), name="Piano chords"),
    )
    offbeats = [note.onset % 1 for note in read_midi(file, track=1).parts[0].notes[1::2]]
    assert all(abs(onset - Fraction(1, 2)) < Fraction(1, 15) for onset in offbeats)


def test_a_part_that_plays_straight_against_a_swung_melody_stays() -> None:
    comping = [Note(Fraction(place, 2), Fraction(2, 5), 48 + place % 3) for place in range(64)]
    file = midi(
        track([*bars_of(LINE), *notes(swung(LINE, 0.66))], name="Melody"),
        track(notes(comping, channel=1), name="Piano chords"),
    )
    score = read_midi(file, track=1)
    assert score.swing
    assert [note.onset for note in score.parts[0].notes] == [note.onset for note in comping]


def gates(kind: str) -> Callable[[], float]:
    """Shares of the note values that sound."""
    rng = random.Random(5)
    return {
        "as played": lambda: rng.uniform(0.45, 0.97),
        "nine tenths": lambda: 0.9,
        "by note": lambda: rng.choice((0.6, 0.75, 0.9)),
    }[kind]


@pytest.mark.parametrize("ticks", [96, 120, 192, 384, 480])
@pytest.mark.parametrize("kind", ["as played", "nine tenths", "by note"])
def test_starts_on_the_grid_with_loose_ends_have_plain_values(ticks: int, kind: str) -> None:
    gate = gates(kind)
    loose = [
        replace(note, duration=Fraction(max(1, int(note.duration * ticks * gate())), ticks))
        for note in PLAIN.notes
    ]
    score = read(PLAIN, loose, ticks=ticks)
    read_notes = score.melody.notes
    assert [note.onset for note in read_notes] == [note.onset for note in PLAIN.notes]
    assert all((2 * note.duration).denominator == 1 for note in read_notes)
    full = sum(one.duration == two.duration for one, two in zip(read_notes, PLAIN.notes,
                                                               strict=True))  # fmt: skip
    assert full >= 0.7 * len(PLAIN.notes)


def test_triplets_with_loose_ends_last_to_the_next_triplet() -> None:
    rng = random.Random(2)
    tune = melody("C5*2/3 D5*2/3 E5*2/3 F5*2/3 E5*2/3 D5*2/3 C5*2 G4*2 " * 4, bars=4)
    loose = [
        replace(note, duration=note.duration * Fraction(rng.uniform(0.5, 0.95)))
        for note in tune.notes
    ]
    lengths = {note.duration for note in read(tune, loose).melody.notes}
    assert lengths <= {Fraction(1, 3), Fraction(1, 2), Fraction(1)}


def test_written_rests_stay() -> None:
    tune = melody("C5 z D5 z E5*2 z*2  C5*3 z D5*2 z*2  E5 z*3 F5 z*3  G5*6", bars=4)
    assert sounding(read(tune, list(tune.notes)).melody.notes) == sounding(tune.notes)


def test_grace_notes_are_kept_before_the_notes_that_they_adorn() -> None:
    rng = random.Random(4)
    line = []
    for index, note in enumerate(PLAIN.notes):
        onset = note.onset + 4 + Fraction(rng.randint(-12, 12), 480)
        if index % 2 == 0:
            line.append(Note(onset - Fraction(45, 480), Fraction(40, 480), note.pitch + 2))
        line.append(Note(onset, note.duration - Fraction(1, 8), note.pitch))
    score = read(PLAIN, line)
    assert [(note.onset, note.pitch) for note in score.melody.notes] == [
        (note.onset, note.pitch) for note in PLAIN.notes
    ]
    assert score.melody.grace_notes == tuple(
        GraceNotes(index, (note.pitch + 2,))
        for index, note in enumerate(PLAIN.notes)
        if index % 2 == 0
    )
    assert f"kept as grace notes: {len(score.melody.grace_notes)}" in " ".join(score.warnings)


def test_several_grace_notes_stay_in_their_order() -> None:
    played = performance_of(JIG, seed=5, deviation=0.01, shift=Fraction(6))
    main = played[20]
    run = [
        Note(main.onset - Fraction(3 - place, 10), Fraction(1, 10), main.pitch - 5 + place)
        for place in range(3)
    ]
    score = read(JIG, [*played[:19], *played[20:], *run])
    kept = {each.pitches for each in score.melody.grace_notes}
    assert tuple(note.pitch for note in run) in kept


@pytest.mark.parametrize("kind", ["written", "played"])
def test_no_note_is_lost_in_a_run_too_quick_to_write(kind: str) -> None:
    unsteady = Fraction(0) if kind == "written" else Fraction(1, 97)
    line = [replace(note, onset=note.onset + unsteady * (-1) ** place + 4)
            for place, note in enumerate(REEL.notes)]  # fmt: skip
    start = line[-1].onset + 4
    run = [Note(start + Fraction(place, 31), Fraction(1, 31), 60 + place) for place in range(24)]
    end = Note(start + 1, Fraction(2), 90)
    score = read(REEL, [*line, *run, end])
    kept = len(score.melody.notes) + sum(len(each.pitches) for each in score.melody.grace_notes)
    beside = sum(len(part.notes) for part in score.parts)
    assert kept + beside == len(line) + len(run) + 1


def test_repeated_quick_notes_are_the_music_and_no_ornaments() -> None:
    rng = random.Random(1)
    line = []
    for beat in range(32):
        for place in (0.0, 0.11):
            onset = Fraction(round((beat + place + rng.gauss(0, 0.006)) * 480 + 20), 480)
            line.append(Note(onset, Fraction(1, 12), 72 + beat % 5))
    score = read(PLAIN, line)
    assert len(score.melody.notes) >= 32
    assert sum(len(each.pitches) for each in score.melody.grace_notes) <= 32


def test_a_string_that_rings_on_hides_no_later_note() -> None:
    tune = melody("E5*2 C5 D5 E5*2 G5*2  F5 E5 D5*2 C5*2 B4*2  C5*2 E5 D5 C5*2 A4*2 "
                  "G4*2 C5*2 E5*4", bars=4)  # fmt: skip
    ringing = [replace(note, duration=Fraction(7, 2)) for note in tune.notes]
    score = read(tune, ringing)
    assert [(note.onset, note.pitch) for note in score.melody.notes] == [
        (note.onset, note.pitch) for note in tune.notes
    ]
    assert score.parts == ()


def test_a_held_melody_note_stays_above_its_accompaniment() -> None:
    tune = melody("C6*8  B5*8  A5*8  G5*8", bars=4)
    figure = [
        Note(Fraction(place, 2), Fraction(1, 2), 60 + (0, 4, 7, 4)[place % 4])
        for place in range(32)
    ]
    score = read(tune, [*tune.notes, *figure])
    assert score.melody.pitches == tune.pitches
    assert score.melody.meter == Meter(4, 4)
