"""Tests of the performance: times, swing, accents, articulation."""

from __future__ import annotations

import io
from dataclasses import replace
from fractions import Fraction
from itertools import accumulate, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mido import MidiFile

from mst_core.errors import BadOption
from mst_core.music import Key, Melody, Meter, MeterChange, Note, Repeat
from mst_core.sound.performance import Performance, PerformanceConfig, perform
from mst_core.sound.performance_midi import write_performance_midi
from tests.support.melodies import melodies

HALF = Fraction(1, 2)
COMMON = Meter(4, 4)
TRIPLET = 2 / 3


def tune(
    *durations: Fraction | int | float,
    meter: Meter = COMMON,
    tempo: float = 120,
    pickup: Fraction | int = 0,
    pitches: tuple[int, ...] = (60, 64, 67, 72),
) -> Melody:
    """Return a melody of notes one after the other; a negative duration is a rest."""
    notes: list[Note] = []
    now = -Fraction(pickup)
    for index, duration in enumerate(Fraction(duration) for duration in durations):
        if duration > 0:
            notes.append(Note(now, duration, pitches[index % len(pitches)]))
        now += abs(duration)
    return Melody(tuple(notes), meter, Key(0), tempo, max(1, -(-now // meter.bar_length)))


swings = st.floats(1 / 3, 0.8)


def starts(performance: Performance) -> list[float]:
    return [each.start for each in performance.notes]


@given(melodies(changes=True), swings)
def test_swing_keeps_the_order_of_notes_and_never_makes_them_overlap(
    melody: Melody, swing: float
) -> None:
    played_notes = perform(melody, swing=swing).notes
    assert all(first.start < first.end <= second.start for first, second in pairwise(played_notes))
    assert [played_note.pitch for played_note in played_notes] == list(melody.pitches)


@given(melodies(), swings)
def test_barlines_and_beats_stay_where_the_tempo_puts_them(melody: Melody, swing: float) -> None:
    played = perform(melody, swing=swing)
    quarter = 60 / melody.tempo
    for note, played_note in zip(melody.notes, played.notes, strict=True):
        if note.onset % melody.meter.bar_length == 0 or note.onset.denominator == 1:
            assert played_note.start - played.downbeat == pytest.approx(float(note.onset) * quarter)
    barline = played.downbeat + float(melody.length) * quarter
    assert played.seconds == pytest.approx(barline)


@given(melodies())
def test_without_swing_onsets_are_as_written(melody: Melody) -> None:
    quarter = 60 / melody.tempo
    written = [float(note.onset + melody.pickup) * quarter for note in melody.notes]
    assert starts(perform(melody, swing=0.5)) == pytest.approx(written)


@given(melodies(), swings)
def test_every_note_has_an_audible_duration_and_velocity(melody: Melody, swing: float) -> None:
    played_notes = perform(melody, swing=swing).notes
    assert all(40 <= played_note.velocity <= 127 for played_note in played_notes)
    lengths = [float(note.duration) * 60 / melody.tempo for note in melody.notes]
    played = zip(played_notes, lengths, strict=True)
    assert all(played_note.duration >= 0.25 * length for played_note, length in played)


@given(melodies(), swings)
def test_a_performance_is_deterministic(melody: Melody, swing: float) -> None:
    assert perform(melody, swing=swing) == perform(melody, swing=swing)


def test_swung_eighths_are_two_thirds_and_one_third() -> None:
    played = perform(tune(HALF, HALF, HALF, HALF, 2), swing=TRIPLET)
    assert starts(played) == pytest.approx([0, 1 / 3, 0.5, 0.5 + 1 / 3, 1])


def test_a_note_that_ends_on_the_offbeat_ends_where_the_swung_one_begins() -> None:
    played = perform(tune(1, HALF, -HALF, 2), swing=TRIPLET)
    assert played.notes[1].end == pytest.approx(0.5 + 1 / 3)


def test_a_dotted_quarter_ends_at_the_swung_eighth() -> None:
    played = perform(tune(Fraction(3, 2), HALF, 2), swing=TRIPLET)
    assert starts(played) == pytest.approx([0, 0.5 + 1 / 3, 1])


def test_a_beat_of_triplets_is_straight_next_to_a_swung_beat() -> None:
    third = Fraction(1, 3)
    played = perform(tune(third, third, third, HALF, HALF, 2), swing=TRIPLET)
    assert starts(played) == pytest.approx([0, 1 / 6, 1 / 3, 0.5, 0.5 + 1 / 3, 1])


def test_sixteenths_do_not_swing() -> None:
    quarter = Fraction(1, 4)
    played = perform(tune(HALF, quarter, quarter, 3), swing=TRIPLET)
    assert starts(played) == pytest.approx([0, 0.25, 0.375, 0.5])


def test_a_jig_does_not_swing() -> None:
    jig = tune(*[HALF] * 6, meter=Meter(6, 8))
    assert starts(perform(jig, swing=TRIPLET)) == starts(perform(jig, swing=0.5))


def test_a_fast_tune_swings_less() -> None:
    fast = perform(tune(HALF, HALF, 3, tempo=300), swing=TRIPLET)
    assert fast.notes[2].start - fast.notes[1].start == pytest.approx(0.08)


def test_a_swing_out_of_range_is_an_error() -> None:
    with pytest.raises(BadOption, match="swing"):
        perform(tune(1), swing=1.0)


def test_a_pickup_begins_at_0_and_swings() -> None:
    played = perform(tune(HALF, 4, pickup=HALF), swing=TRIPLET)
    assert starts(played) == pytest.approx([0, 0.5 / 3])
    assert played.downbeat == pytest.approx(0.5 / 3)
    straight = perform(tune(HALF, 4, pickup=HALF), swing=0.5)
    assert starts(straight) == pytest.approx([0, 0.25])


def test_a_rest_at_the_start_is_kept() -> None:
    assert starts(perform(tune(-1, 1, 2), swing=0.5)) == pytest.approx([0.5, 1])


def test_a_downbeat_is_stronger_than_a_beat_and_a_beat_than_an_offbeat() -> None:
    played = perform(tune(*[HALF] * 8, pitches=(60,)), swing=0.5)
    downbeat, off, beat, *_ = (each.velocity for each in played.notes)
    assert downbeat > beat > off


def test_a_swung_offbeat_has_a_small_accent() -> None:
    line = tune(*[HALF] * 8, pitches=(60,))
    straight, swung = (perform(line, swing=swing).notes for swing in (0.5, TRIPLET))
    assert 0 < swung[1].velocity - straight[1].velocity < 12


def test_a_jig_accents_its_two_beats() -> None:
    played = perform(tune(*[HALF] * 6, meter=Meter(6, 8), pitches=(60,)), swing=0.5)
    strong = sorted(range(6), key=lambda index: -played.notes[index].velocity)
    assert strong[:2] == [0, 3]


def test_the_gap_before_a_repeated_pitch_is_longer() -> None:
    step, same, _ = perform(tune(1, 1, 1, pitches=(60, 62, 62)), swing=0.5).notes
    assert 0.5 - same.duration > 2 * (0.5 - step.duration) > 0


def test_a_long_note_keeps_most_of_its_duration() -> None:
    first, _ = perform(tune(3, 1), swing=0.5).notes
    assert first.duration / 1.5 > 0.98


def test_the_gap_at_the_end_of_a_phrase_is_longer() -> None:
    played = perform(tune(*[1] * 32), swing=0.5)
    gaps = [second.start - first.end for first, second in pairwise(played.notes)]
    assert gaps[15] == max(gaps) == pytest.approx(0.12)
    assert gaps.count(max(gaps)) == 1


def test_the_last_note_keeps_its_full_duration() -> None:
    assert perform(tune(1, 3), swing=0.5).notes[-1].end == pytest.approx(2)


# Meters that change


def changing(*changes: MeterChange, bars: int, eighths: int) -> Melody:
    """Return eighths from the first downbeat, in 4/4 and then in other meters."""
    notes = tuple(Note(HALF * n, HALF, 60) for n in range(eighths))
    return Melody(notes, COMMON, Key(0), 120.0, bars, meter_changes=changes)


def test_each_bar_accents_the_beats_of_its_own_meter() -> None:
    line = changing(MeterChange(1, Meter(6, 8)), MeterChange(2, Meter(3, 4)), bars=3, eighths=20)
    velocity = [each.velocity for each in perform(line, swing=0.5).notes]
    jig, waltz = velocity[8:14], velocity[14:20]
    assert sorted(sorted(range(6), key=lambda index: -jig[index])[:2]) == [0, 3]
    assert sorted(sorted(range(6), key=lambda index: -waltz[index])[:3]) == [0, 2, 4]


def test_only_bars_in_simple_meters_swing() -> None:
    line = changing(MeterChange(1, Meter(6, 8)), MeterChange(2, COMMON), bars=3, eighths=22)
    gaps = [b - a for a, b in pairwise(starts(perform(line, swing=TRIPLET)))]
    assert gaps[6:8] == pytest.approx([1 / 3, 1 / 6])
    assert gaps[8:14] == pytest.approx([0.25] * 6)
    assert gaps[14:16] == pytest.approx([1 / 3, 1 / 6])


def test_swing_begins_at_the_barline_after_an_irregular_bar() -> None:
    line = changing(MeterChange(1, Meter(7, 8)), MeterChange(2, COMMON), bars=3, eighths=23)
    gaps = [b - a for a, b in pairwise(starts(perform(line, swing=TRIPLET)))]
    assert gaps[8:15] == pytest.approx([0.25] * 7)
    assert gaps[15:19] == pytest.approx([1 / 3, 1 / 6] * 2)


def test_phrases_are_counted_in_bars_of_any_meter() -> None:
    waltz = MeterChange(2, Meter(3, 4))
    notes = tuple(Note(Fraction(n), Fraction(1), 60 + n % 2) for n in range(26))
    played = perform(Melody(notes, COMMON, Key(0), 120.0, 8, meter_changes=(waltz,)), swing=0.5)
    gaps = [second.start - first.end for first, second in pairwise(played.notes)]
    assert gaps.index(max(gaps)) == 13  # two bars of four and two of three


def test_a_performance_contains_its_meter_changes_in_seconds() -> None:
    line = changing(MeterChange(1, Meter(6, 8)), MeterChange(2, COMMON), bars=3, eighths=22)
    played = perform(line, swing=TRIPLET)
    assert played.meter_changes == ((2.0, Meter(6, 8)), (3.5, COMMON))
    written = MidiFile(file=io.BytesIO(write_performance_midi([played])))
    ticks = accumulate(message.time for message in written.tracks[0])
    meters = [
        (tick, message.numerator)
        for tick, message in zip(ticks, written.tracks[0], strict=True)
        if message.type == "time_signature"
    ]
    assert meters == [(0, 4), (4 * 1920, 6), (7 * 1920, 4)]


def test_repeats_are_played_once() -> None:
    line = changing(bars=2, eighths=16)
    repeated = replace(line, repeats=(Repeat(0, 1), Repeat(1, 2)))
    assert perform(repeated, swing=TRIPLET) == perform(line, swing=TRIPLET)


def test_a_config_changes_accents_and_gaps() -> None:
    melody = tune(1, 1, 1, 1, pitches=(60,))
    config = PerformanceConfig(downbeat_accent=30, repeated_note_gap=(0.0, 0.0), variation=0)
    played = perform(melody, swing=0.5, config=config).notes
    assert [each.velocity for each in played] == [110, 84, 87, 84]
    assert [each.duration for each in played] == [0.5, 0.5, 0.5, 0.5]
