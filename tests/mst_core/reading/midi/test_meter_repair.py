"""Bars that are none are gathered, and a missing meter is looked for."""

from __future__ import annotations

from fractions import Fraction

import pytest
from mido import MetaMessage

from mst_core.music import Meter, Note
from mst_core.reading.midi.read import read_midi
from tests.support.melodies import melody
from tests.support.midi_files import meta, midi, notes, track
from tests.support.performances import accompaniment_of, make_tune


def file_in(meter: str | None, tune_meter: str, *, seed: int = 1, lead: int = 0) -> bytes:
    """A tune with accompaniment whose file names another meter than it has, or none."""
    tune = make_tune(seed, tune_meter, bars=16)
    moved = [Note(note.onset + lead, note.duration, note.pitch) for note in tune.notes]
    band = [Note(note.onset + lead, note.duration, note.pitch) for note in accompaniment_of(tune)]
    head = []
    if meter:
        top, bottom = map(int, meter.split("/"))
        head = [meta("time_signature", numerator=top, denominator=bottom)]
    return midi(
        track(head), track(notes(moved), name="Melody"), track(notes(band, channel=1), name="Piano")
    )


@pytest.mark.parametrize(("tune_meter", "seed"), [("4/4", 1), ("4/4", 2), ("3/4", 1), ("3/4", 2)])
def test_bars_of_a_quarter_are_gathered(tune_meter: str, seed: int) -> None:
    score = read_midi(file_in("1/4", tune_meter, seed=seed))
    assert (str(score.melody.meter), score.melody.bar_count) == (tune_meter, 16)
    assert (
        f"The file makes each beat a bar of 1/4; they were gathered into bars of {tune_meter}."
    ) in score.warnings


@pytest.mark.parametrize("meter", ["3/4", "6/8", "4/4"])
def test_bars_of_an_eighth_are_gathered(meter: str) -> None:
    score = read_midi(file_in("1/8", meter))
    assert (str(score.melody.meter), score.melody.bar_count) == (meter, 16)


def test_gathered_bars_begin_with_the_music() -> None:
    score = read_midi(file_in("1/4", "4/4", lead=2))
    assert score.melody.notes[0].onset == 0
    assert score.melody.meter_changes == ()


@pytest.mark.parametrize("meter", ["3/4", "6/8"])
def test_a_file_that_names_no_meter_is_read_in_that_of_its_notes(meter: str) -> None:
    score = read_midi(file_in(None, meter))
    assert str(score.melody.meter) == meter
    assert f"The file names no meter; its notes fall into bars of {meter}." in score.warnings


def test_a_file_that_names_no_meter_is_in_common_time_unless_its_notes_are_clearly_not() -> None:
    for seed in range(3):
        assert read_midi(file_in(None, "4/4", seed=seed)).melody.meter == Meter(4, 4)


def test_a_single_bar_of_a_quarter_stays() -> None:
    tune = melody("C5*8  D5*2  E5*4 F5*4  C5 D5 E5 F5 G5 A5 B5 C6  G5*2 E5*2 C5*4 "
                  "C5 D5 E5 F5 G5 A5 B5 C6  C5*8", bars=7)  # fmt: skip
    meters = [
        meta("time_signature", numerator=4, denominator=4),
        (4 * 480, MetaMessage("time_signature", numerator=1, denominator=4)),
        (5 * 480, MetaMessage("time_signature", numerator=4, denominator=4)),
    ]
    score = read_midi(midi(track([*meters, *notes(tune.notes)])))
    assert score.melody.meter_at(1) == Meter(1, 4)
    assert score.melody.barlines[2] == Fraction(5)
