"""Tests of the MIDI file of a performance."""

from __future__ import annotations

import io
from fractions import Fraction

import mido
import pytest

from mst_core.music import Part, PartNote
from mst_core.sound.band import perform_band
from mst_core.sound.performance_midi import lead_in_seconds, write_performance_midi
from tests.support.audio import FLUTE, play_reel
from tests.support.melodies import REEL


def test_the_file_has_the_times_of_the_performance_and_full_bars() -> None:
    performance = play_reel(swing=2 / 3, pickup=Fraction(1))
    file = mido.MidiFile(file=io.BytesIO(write_performance_midi([performance])))
    now, starts = 0.0, []
    for message in file:
        now += message.time
        if message.type == "note_on":
            starts.append(now)
    lead = lead_in_seconds([performance])
    assert starts == pytest.approx(
        [lead + played_note.start for played_note in performance.notes], abs=0.001
    )
    assert lead + performance.downbeat == pytest.approx(4 * 60 / 180)  # a full bar
    assert lead_in_seconds([play_reel()]) == 0


def test_a_part_that_begins_earlier_lengthens_the_lead_in_by_full_bars() -> None:
    drums = Part(
        "Kit", 0, True, tuple(PartNote(Fraction(n), Fraction(1, 2), 42) for n in range(-6, 4))
    )
    midi = write_performance_midi(perform_band(REEL, [drums], swing=0.5, program=FLUTE))
    file = mido.MidiFile(file=io.BytesIO(midi))
    quarter = file.ticks_per_beat
    melody: list[int] = []
    kit: list[int] = []
    for track, onsets in zip(file.tracks, (melody, kit), strict=True):
        now = 0
        for message in track:
            now += message.time
            if message.type == "note_on":
                onsets.append(now)
    assert melody[0] == 8 * quarter  # two bars of 4/4, which the drums open on their third beat
    assert kit == [(2 + beat) * quarter for beat in range(10)]
