"""A performance is quantized to the tune it was played from, and warnings say how far."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest

from mst_core.music import Melody, Note
from mst_core.reading.midi.read import read_midi
from mst_core.reading.parsed_score import ParsedScore
from tests.support.melodies import JIG, REEL, SWING_LINE, melody, sounding
from tests.support.midi_files import bars_of, midi, notes, performance_of, track


def performed(tune: Melody, *, seconds: float, seed: int = 1, ticks: int = 480) -> ParsedScore:
    """Read a performance of a tune, a bar late, whose onsets deviate by ``seconds`` (std. dev.)."""
    shift = tune.meter.bar_length * (2 if tune.pickup else 1)
    performance = performance_of(tune, seed=seed, deviation=seconds * tune.tempo / 60, shift=shift)
    return read_midi(midi(track([*bars_of(tune), *notes(performance, ticks=ticks)]), ticks=ticks))


def share_found(tune: Melody, score: ParsedScore) -> float:
    """Share of the tune's notes that are read at their onset and pitch."""
    read = {(note.onset, note.pitch) for note in score.melody.notes}
    return sum((note.onset, note.pitch) in read for note in tune.notes) / len(tune.notes)


@pytest.mark.parametrize("tune", [REEL, JIG, SWING_LINE])
@pytest.mark.parametrize(("seconds", "share"), [(0.005, 0.97), (0.01, 0.95), (0.02, 0.88)])
def test_most_notes_of_a_performance_are_quantized_to_their_onset(
    tune: Melody, seconds: float, share: float
) -> None:
    assert share_found(tune, performed(tune, seconds=seconds)) >= share


@pytest.mark.parametrize("ticks", [24, 48, 96, 120, 384, 1000, 10080])
def test_a_performance_is_recognized_at_any_ticks_per_quarter(ticks: int) -> None:
    score = performed(REEL, seconds=0.01, ticks=ticks)
    assert any(warning.startswith("It was played") for warning in score.warnings)
    assert share_found(REEL, score) > 0.85


def test_a_warning_says_how_many_notes_were_moved_and_how_far() -> None:
    unsteady = [
        replace(note, onset=note.onset + Fraction((-1) ** index * 3, 96))
        for index, note in enumerate(REEL.notes[1:])
    ]
    score = read_midi(midi(track([*bars_of(REEL), *notes(unsteady)])))
    assert sounding(score.melody.notes[:40]) == sounding(REEL.notes[1:41])
    assert (
        "It was played, not written: 116 of 116 notes (100 %) were moved to a sixteenth or a "
        "triplet, by 0.03 of a quarter note at most. The beats are those of the file."
    ) in score.warnings


def test_straight_and_triplet_beats_are_distinguished() -> None:
    tune = melody(
        "C5 D5 E5 F5 G5*2/3 A5*2/3 B5*2/3 C6*2  C5*2/3 D5*2/3 E5*2/3 F5*1/2 G5*1/2 A5*1/2 B5*1/2 "
        "C6*2/3 B5*2/3 A5*2/3 G5*2",
        bars=2,
    )
    score = performed(tune, seconds=0.008)
    assert [note.onset for note in score.melody.notes] == [note.onset for note in tune.notes]


def test_swung_eighths_are_written_straight() -> None:
    late = Fraction(14, 100)
    swung = []
    for note in REEL.notes:
        off_beat = note.onset % 1 == Fraction(1, 2)
        onset = note.onset + (late if off_beat else 0)
        swung.append(Note(onset, note.duration - (late if off_beat else 0), note.pitch))
    performance = performance_of(
        replace(REEL, notes=tuple(swung)), seed=3, deviation=0.01, shift=Fraction(4)
    )
    score = read_midi(midi(track([*bars_of(REEL), *notes(performance)])))
    assert share_found(REEL, score) > 0.95
    assert any("swing (64 % of the beat" in warning for warning in score.warnings)


def test_notes_that_fit_no_beat_give_a_warning() -> None:
    free = [replace(note, onset=4 + note.onset * Fraction(1373, 1000)) for note in REEL.notes]
    score = read_midi(midi(track([*bars_of(REEL), *notes(free)])))
    assert any("recorded without a click" in warning for warning in score.warnings)
    assert len(score.melody.notes) > 100


def test_small_gaps_are_filled_and_large_ones_are_rests() -> None:
    tune = melody("C5*2 D5*2 E5*2 z*2  C5*2 D5*2 E5*2 z*2  F5*2 E5*2 D5*2 z*2  C5*8", bars=4)
    score = performed(tune, seconds=0.01)
    assert score.melody.notes == tune.notes


def test_an_ornament_too_quick_to_notate_is_left_out() -> None:
    ornaments = [
        Note(note.onset - Fraction(1, 50), Fraction(1, 50), note.pitch + 2)
        for note in JIG.notes[10:40:10]
    ]
    performance = performance_of(JIG, seed=5, deviation=0.01, shift=Fraction(6))
    moved = [replace(note, onset=note.onset + 6) for note in ornaments]
    score = read_midi(midi(track([*bars_of(JIG), *notes([*performance, *moved])])))
    assert share_found(JIG, score) > 0.95
    assert any("too quick to be written" in warning for warning in score.warnings)


def test_arpeggiated_chords_of_a_performance_are_chords() -> None:
    performance = performance_of(REEL, seed=2, deviation=0.02, shift=Fraction(4))
    rolled = [
        Note(
            max(Fraction(0), note.onset - Fraction(step, 60)), note.duration, note.pitch - 4 * step
        )
        for note in performance
        for step in (0, 1, 2)
    ]
    score = read_midi(midi(track([*bars_of(REEL), *notes(rolled)])))
    assert share_found(REEL, score) > 0.95
    assert score.parts[0].name.endswith("below the melody")


def test_a_quintuplet_is_moved_and_the_notes_around_it_stay() -> None:
    five = [Note(Fraction(20 + place, 5), Fraction(1, 5), 72 + place) for place in range(5)]
    around = [note for note in REEL.notes if not 4 <= note.onset < 5]
    score = read_midi(midi(track([*bars_of(REEL), *notes([*around, *five])])))
    kept = [note for note in score.melody.notes if not 4 <= note.onset < 5]
    assert sounding(tuple(kept)) == sounding(tuple(around))
    assert any(warning.startswith("4 of 120 notes") for warning in score.warnings)


@pytest.mark.parametrize(
    ("moved", "sentence"), [(1, "1 of 120 notes was"), (3, "3 of 120 notes were")]
)
def test_the_remark_on_moved_notes_counts_as_people_do(moved: int, sentence: str) -> None:
    five = [Note(Fraction(20 + place, 5), Fraction(1, 5), 72 + place) for place in range(1 + moved)]
    rest = [note for note in REEL.notes if not 4 <= note.onset < 5]
    score = read_midi(midi(track([*bars_of(REEL), *notes([*rest, *five])])))
    count = len(rest) + len(five)
    wanted = sentence.replace("120", str(count)) + " moved to the nearest place that can be written"
    assert any(warning.startswith(wanted) for warning in score.warnings)
