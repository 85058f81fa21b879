"""The time-warp between meters: barlines stay barlines, and a beat lasts as long as before."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import assume, given

from mst_core.music import (
    ChordSymbol,
    ControlEvent,
    Key,
    Melody,
    Meter,
    MeterChange,
    Note,
    Part,
    PartNote,
    TempoChange,
)
from mst_core.transfer.time_warp import TimeWarp
from tests.support.melodies import melodies

BALLAD = Melody(
    tuple(Note(Fraction(beat * 3, 2), Fraction(3, 2), 67) for beat in range(24)),
    Meter(12, 8),
    Key(7),
    tempo=120.0,
    bar_count=6,
)


def changed(melody: Melody, meter: str) -> Melody:
    """The melody's bars in another meter throughout, without its notes."""
    return replace(melody, notes=(), meter=Meter.parse(meter), meter_changes=())


def retimed(melody: Melody, meter: str) -> Melody:
    after = changed(melody, meter)
    return TimeWarp.between(melody, after).retime(melody, after)


@pytest.mark.parametrize(
    ("old", "new", "tempo"),
    [
        ("12/8", "4/4", 80.0),  # a quarter lasts as long as the dotted quarter did
        ("9/8", "3/4", 80.0),
        ("6/8", "4/4", 160.0),  # two quarters do
        ("4/4", "12/8", 180.0),
        ("2/4", "4/4", 240.0),
        ("3/4", "4/4", 120.0),  # a fourth beat comes: beats stay, bars are longer
        ("4/4", "3/4", 120.0),
    ],
)
def test_a_beat_is_as_long_in_the_new_meter(old: str, new: str, tempo: float) -> None:
    melody = replace(BALLAD, notes=(), meter=Meter.parse(old))
    assert retimed(melody, new).tempo == tempo


def test_a_ballad_in_twelve_eight_lasts_as_long_in_common_time() -> None:
    result = retimed(BALLAD, "4/4")
    assert BALLAD.seconds_at(BALLAD.length) == result.seconds_at(result.length) == 18.0


@given(melodies(changes=True))
def test_a_tempo_map_keeps_each_bar_as_long(melody: Melody) -> None:
    melody = replace(
        melody,
        tempo_changes=tuple(
            TempoChange(line, 60.0 + 15 * (bar % 3))
            for bar, line in enumerate(melody.barlines[:-1])
        ),
    )
    warp = TimeWarp.between(melody, after := changed(melody, "4/4"))
    result = warp.retime(melody, after)
    # Where a bar gains or loses a beat it cannot last as long.
    assume(not any({m.bar_length / m.beat_length for m in each} == {3, 4} for each in warp.meters))
    for bar, (old, new) in enumerate(zip(melody.barlines, result.barlines, strict=True)):
        assert result.seconds_at(new) == pytest.approx(melody.seconds_at(old), rel=1e-9), bar


def test_a_compound_passage_gets_a_tempo_of_its_own() -> None:
    song = replace(
        BALLAD,
        notes=(),
        meter=Meter(4, 4),
        meter_changes=(MeterChange(2, Meter(6, 8)), MeterChange(4, Meter(4, 4))),
    )
    assert retimed(song, "4/4").tempo_changes == (
        TempoChange(Fraction(0), 120.0),
        TempoChange(Fraction(8), 160.0),
        TempoChange(Fraction(16), 120.0),
    )


def test_parts_chords_and_controllers_move_with_the_bars() -> None:
    bass = Part(
        "Bass",
        32,
        drums=False,
        notes=(
            PartNote(Fraction(3, 2), Fraction(3, 2), 40),
            PartNote(Fraction(6), Fraction(6), 43),
        ),
        controls=(ControlEvent(Fraction(6), "control", 7, 90),),
    )
    song = replace(BALLAD, chords=(ChordSymbol(Fraction(0), "G"), ChordSymbol(Fraction(9), "D7")))
    warp = TimeWarp.between(song, after := changed(song, "4/4"))
    (moved,) = warp.move_parts([bass])
    assert [str(note.onset) for note in moved.notes] == ["1", "4"]
    assert [str(note.duration) for note in moved.notes] == ["1", "4"]
    assert [str(event.onset) for event in moved.controls] == ["4"]
    chords = warp.retime(song, after).chords
    assert [f"{chord.onset} {chord.text}" for chord in chords] == ["0 G", "6 D7"]


def test_an_unchanged_meter_keeps_the_tempo_map() -> None:
    song = replace(BALLAD, tempo_changes=(TempoChange(Fraction(0), 60.0),))
    assert TimeWarp.between(song, song).retime(song, song) is song
