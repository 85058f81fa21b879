"""Played files are brought onto their beats: delays, tempos without a click, bars found."""

from __future__ import annotations

import random
from dataclasses import replace
from fractions import Fraction

import pytest

from mst_core.music import Melody, Meter, Note
from mst_core.reading.midi.read import read_midi
from mst_core.reading.parsed_score import ParsedScore
from tests.support.melodies import JIG, REEL, melody, sounding
from tests.support.midi_files import bars_of, meta, midi, notes, performance_of, track
from tests.support.performances import Player, accompaniment_of, make_tune, onset_f1, play

TUNE = melody(
    "G4*2 A4 B4 C5*2 D5*2  E5 D5 C5*2 B4*2 A4*2  G4*4 E4*2 F4*2  G4 A4 B4*2 C5*4 "
    "G4*2 A4 B4 C5*2 D5*2  E5 D5 C5*2 B4*2 A4*2  G4*4 E4*2 F4*2  G4 A4 B4*2 C5*4",
    bars=8,
)


def late(line: tuple[Note, ...], quarters: Fraction) -> list[Note]:
    return [replace(note, onset=note.onset + quarters) for note in line]


def remarks(score: ParsedScore, *words: str) -> list[str]:
    """The remarks of a score in which one of these words occurs."""
    return [text for text in score.warnings if any(word in text for word in words)]


@pytest.mark.parametrize("ticks", [5, 20, 33, 60])
@pytest.mark.parametrize("sign", [1, -1])
def test_a_constant_delay_is_taken_out_with_one_remark(ticks: int, sign: int) -> None:
    delay = Fraction(sign * ticks, 480)
    score = read_midi(midi(track([*bars_of(TUNE), *notes(late(TUNE.notes, delay + 4))])))
    assert sounding(score.melody.notes) == sounding(TUNE.notes)
    word = "late" if sign > 0 else "early"
    assert remarks(score, "late", "early", "played") == [
        f"All notes come {word} by {ticks / 480 * 500:.0f} milliseconds; they were moved onto the "
        "beats."
    ]


@pytest.mark.parametrize("ticks", [96, 192, 960])
def test_a_delay_is_found_at_any_ticks_per_quarter(ticks: int) -> None:
    moved = late(TUNE.notes, Fraction(1, 24))
    file = midi(track([*bars_of(TUNE), *notes(moved, ticks=ticks)]), ticks=ticks)
    assert sounding(read_midi(file).melody.notes) == sounding(TUNE.notes)


def test_a_melody_that_is_late_against_its_band_is_moved_alone() -> None:
    tune = make_tune(3, "4/4", bars=8)
    band = track(notes(accompaniment_of(tune), channel=1), name="Piano chords")
    moved = late(tune.notes, Fraction(20, 480))
    score = read_midi(midi(track([*bars_of(tune)]), track(notes(moved), name="Melody"), band))
    assert sounding(score.melody.notes) == sounding(tune.notes)
    assert [note.onset for note in score.parts[0].notes[:4]] == [0, 1, 1, 1]
    assert len(remarks(score, "The notes of the melody come late by")) == 1


def test_the_band_that_is_late_with_the_melody_is_moved_with_it() -> None:
    tune = make_tune(3, "4/4", bars=8)
    delay = Fraction(20, 480)
    band = [replace(note, onset=note.onset + delay) for note in accompaniment_of(tune)]
    score = read_midi(
        midi(track([*bars_of(tune)]), track(notes(late(tune.notes, delay)), name="Melody"),
             track(notes(band, channel=1), name="Piano chords"))
    )  # fmt: skip
    assert sounding(score.melody.notes) == sounding(tune.notes)
    assert [note.onset for note in score.parts[0].notes[:4]] == [0, 1, 1, 1]


@pytest.mark.parametrize("seconds", [0.1, 0.25, 0.4, 1.3])
def test_a_tune_played_to_a_click_may_begin_anywhere(seconds: float) -> None:
    shift = Fraction(round(seconds * 960), 480)
    played = performance_of(TUNE, seed=4, deviation=0.024, shift=shift)
    score = read_midi(midi(track([*bars_of(TUNE), *notes(played)])))
    assert onset_f1(TUNE, score.melody) > 0.95
    assert remarks(score, "without a click", "guess") == []


@pytest.mark.parametrize("meter", ["4/4", "3/4", "6/8", "2/4"])
@pytest.mark.parametrize("accompanied", [True, False])
def test_a_performance_without_a_click_has_the_bars_of_its_player(
    meter: str, accompanied: bool
) -> None:
    figures = []
    for seed in range(3):
        tune = make_tune(seed, meter, tempo=(150.0 if meter == "6/8" else 104.0) + 9 * seed)
        file = play(
            tune,
            Player(seed, lead_in=0.3 + 0.4 * seed),
            accompaniment=accompaniment_of(tune) if accompanied else (),
            named_tempo=tune.tempo,
        )
        figures.append(onset_f1(tune, read_midi(file, track=1).melody))
    assert sum(figures) / len(figures) >= 0.95, figures


def test_the_tempo_of_the_player_is_kept() -> None:
    tune = make_tune(2, "4/4", tempo=110.0)
    player = Player(5, jitter=0.01)
    score = read_midi(play(tune, player, accompaniment=accompaniment_of(tune), named_tempo=110.0))
    clock = player.clock(tune)
    for bar in range(2, tune.bar_count, 5):
        expected = clock(Fraction(4 * bar)) - clock(Fraction(0))
        read = score.melody.seconds_at(Fraction(4 * bar))
        assert read == pytest.approx(expected, abs=0.06)
    assert score.melody.tempo == pytest.approx(110, rel=0.03)
    assert len(remarks(score, "recorded without a click")) == 1
    assert remarks(score, "beats are those of the file", "The tempo changes") == []


def test_the_parts_follow_the_beats_of_the_player() -> None:
    tune = make_tune(2, "3/4", tempo=120.0)
    band = accompaniment_of(tune)
    score = read_midi(play(tune, Player(6, jitter=0.005), accompaniment=band, named_tempo=120.0))
    onsets = sorted(float(note.onset) for note in score.parts[0].notes)
    wanted = sorted(float(note.onset) for note in band)
    assert max(abs(one - other) for one, other in zip(onsets, wanted, strict=True)) < 0.15


def test_without_a_named_meter_a_waltz_is_found_in_a_performance() -> None:
    tune = make_tune(1, "3/4", tempo=132.0)
    file = play(
        tune, Player(2), accompaniment=accompaniment_of(tune), names_meter=False, named_tempo=None
    )
    assert read_midi(file).melody.meter == Meter(3, 4)


def test_beats_that_divide_into_three_make_a_compound_meter() -> None:
    tune = make_tune(1, "6/8", tempo=165.0)
    file = play(tune, Player(2), names_meter=False, accompaniment=accompaniment_of(tune))
    score = read_midi(file)
    assert score.melody.meter == Meter(6, 8)
    assert onset_f1(tune, score.melody) > 0.95


@pytest.mark.parametrize("tune", [REEL, JIG])
def test_playing_to_the_click_keeps_the_beats_of_the_file(tune: Melody) -> None:
    shift = tune.meter.bar_length * (2 if tune.pickup else 1)
    played = performance_of(tune, seed=9, deviation=0.03, shift=shift)
    score = read_midi(midi(track([*bars_of(tune), *notes(played)])))
    assert score.melody.tempo_changes == ()
    assert remarks(score, "without a click") == []


def test_a_written_file_with_a_loose_part_beside_it_is_never_tracked() -> None:
    tune = make_tune(4, "4/4", bars=16)
    free = [replace(note, onset=note.onset * Fraction(1037, 1000)) for note in tune.notes]
    band = notes(accompaniment_of(tune), channel=1)
    score = read_midi(
        midi(track(bars_of(tune)), track(notes(free), name="Melody"), track(band, name="Piano"))
    )
    assert score.melody.tempo_changes == ()
    assert [note.onset for note in score.parts[0].notes[:4]] == [0, 1, 1, 1]


def test_few_notes_are_never_tracked() -> None:
    rng = random.Random(3)
    few = [
        Note(Fraction(rng.randrange(7680), 480), Fraction(1, 4), 60 + place) for place in range(9)
    ]
    score = read_midi(
        midi(track([meta("time_signature", numerator=4, denominator=4), *notes(few)]))
    )
    assert score.melody.tempo_changes == ()


def test_a_long_piece_for_full_hands_is_tracked() -> None:
    rng = random.Random(5)
    free: list[Note] = []
    now = 0.0
    for _ in range(1500):
        now += rng.choice((0.17, 0.31)) * rng.uniform(0.9, 1.1)
        free.extend(
            Note(Fraction(round(now * 960), 480), Fraction(1, 4), pitch)
            for pitch in (48, 55, 64, 67, 72)
        )
    score = read_midi(midi(track(notes(free))))
    assert len(score.melody.notes) > 1200
