"""What a new tune draws from its style: tempo and breaths, and how its mode is named."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from mst_core.composing.new_tune import draw_tempo, name_mode, raise_leading_notes
from mst_core.corpora.tunes import TuneEvent
from mst_core.generation.form import FormSpan
from mst_core.generation.meter_model import MeterModel
from mst_core.generation.rhythm_lattice import Lattice
from mst_core.music import Key, Melody, Meter, Note
from mst_core.statistics.style_statistics import DurationBigram, MeterStatistics, RhythmCount
from mst_core.styles import StyleMeter
from tests.mst_core.generation.test_melody_writer import constraints

FOLK_KEYS = ("D major", "E minor", "A dorian", "D mixolydian")


def in_key(key: Key, *pitches: int) -> Melody:
    notes = tuple(Note(Fraction(index), Fraction(1), pitch) for index, pitch in enumerate(pitches))
    return Melody(notes, Meter(4, 4), key, 120.0, len(pitches))


def test_tempos_are_drawn_by_the_seed_in_whole_beats_from_the_range_of_the_style() -> None:
    jig = StyleMeter(weight=1.0, tempo=165.0, tempo_range=(147.0, 180.0))
    tempos = [draw_tempo(jig, "6/8", seed) for seed in range(40)]
    assert tempos == [draw_tempo(jig, "6/8", seed) for seed in range(40)]
    assert len(set(tempos)) > 10
    assert all(147 <= tempo <= 180 and tempo % 1.5 == 0 for tempo in tempos)


def test_a_style_without_a_range_keeps_its_tempo() -> None:
    assert draw_tempo(StyleMeter(weight=1.0, tempo=165.0), "6/8", 3) == 165.0


def test_a_tune_that_was_to_be_mixolydian_but_has_the_leading_note_is_named_major() -> None:
    raised = in_key(Key(2, "mixolydian"), 62, 66, 69, 73, 74)
    lowered = in_key(Key(2, "mixolydian"), 62, 66, 69, 72, 74)
    assert name_mode(raised, FOLK_KEYS) == Key(2, "major")
    assert name_mode(lowered, FOLK_KEYS) == Key(2, "mixolydian")


def test_a_minor_tune_with_a_raised_sixth_is_dorian_where_the_style_knows_it() -> None:
    tune = in_key(Key(4, "minor"), 64, 67, 71, 73, 74, 76)
    assert name_mode(tune, FOLK_KEYS) == Key(4, "dorian")
    assert name_mode(tune, ("E minor", "G major")) == Key(4, "minor")


def test_a_hymn_in_minor_raises_the_seventh_that_steps_up_to_the_tonic_of_a_cadence() -> None:
    def ending(*pitches: int) -> list[int | None]:
        events = [TuneEvent(pitch, 24 * index, 24) for index, pitch in enumerate(pitches)]
        wanted = constraints(FormSpan(0, 2, cadence=True, final=True))
        return [event.pitch for event in raise_leading_notes(events, 9, wanted)]

    assert ending(69, 71, 67, 69) == [69, 71, 68, 69]
    assert ending(69, 67, 71, 69) == [69, 67, 71, 69]  # from above
    assert ending(69, 65, 67, 69) == [69, 65, 67, 69]  # F to G sharp is no step
    assert ending(62, 62, 65, 67) == [62, 62, 65, 67]  # a cadence on another note


def test_a_breath_is_a_note_that_the_style_has_before_a_rest_and_leaves_room_for_it() -> None:
    statistics = MeterStatistics(
        10,
        160,
        tuple(RhythmCount(place, 12, 100, 20) for place in range(0, 96, 12)),
        {84: 5},
        (4, 4, 4),
        duration_bigrams=(
            DurationBigram(24, 24, False, 48, True, 30),
            DurationBigram(84, 12, False, 12, True, 30),  # no room for a rest in its bar
            DurationBigram(0, 12, True, 12, False, 10),
        ),
    )
    model = MeterModel(
        Meter(4, 4), statistics, Lattice.from_statistics(statistics, 96), final_onset=84
    )
    drawn = [model.draw_breath(np.random.default_rng(seed)) for seed in range(30)]
    assert {(breath.onset, breath.duration) for breath in drawn if breath} == {(24, 24)}
    assert {breath.lead for breath in drawn if breath} == {0, 12}
    last = model.draw_breath(np.random.default_rng(0), last=True)
    assert last is not None
    assert last.lead == 0
