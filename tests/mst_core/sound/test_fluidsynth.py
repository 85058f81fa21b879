"""Tests of the synthesizer that uses FluidSynth's library, with a real SoundFont."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from mst_core.errors import BadOption, NoSound, NoSoundFont, TooLong
from mst_core.music import ControlEvent, Key, Melody, Meter, Note
from mst_core.sound.fluidsynth import FluidSynth
from mst_core.sound.performance import Performance, PlayedNote, perform
from mst_core.sound.synth import SAMPLE_RATE
from tests.support.audio import (
    FLUTE,
    PIANO,
    VIBRAPHONE,
    VIOLIN,
    XYLOPHONE,
    find_onsets,
    play_reel,
    render,
)


def test_every_onset_is_at_its_time_in_the_samples(synthesizer: FluidSynth) -> None:
    performance = play_reel(66, swing=2 / 3)
    onsets = find_onsets(render(synthesizer, performance, program=XYLOPHONE))
    played = [note.start for note in performance.notes]
    assert onsets == pytest.approx(np.array(played), abs=0.002)


def test_the_samples_of_a_tune_do_not_depend_on_earlier_or_concurrent_tunes(
    synthesizer: FluidSynth,
) -> None:
    performance = play_reel()
    alone = render(synthesizer, performance, program=VIOLIN)
    render(synthesizer, play_reel(50), program=PIANO)
    assert np.array_equal(render(synthesizer, performance, program=VIOLIN), alone)
    programs = [VIOLIN, PIANO, FLUTE, VIOLIN] * 2
    with ThreadPoolExecutor(4) as threads:
        together = threads.map(
            lambda program: render(synthesizer, performance, program=program), programs
        )
        for program, samples in zip(programs, together, strict=True):
            assert np.array_equal(samples, alone) == (program == VIOLIN)


def test_the_last_note_decays_completely(synthesizer: FluidSynth) -> None:
    samples = render(synthesizer, play_reel(), program=VIBRAPHONE)
    assert samples.dtype == np.float32
    assert np.abs(samples[-100:]).max() < 1e-4 * np.abs(samples).max()


def test_a_pedal_that_is_never_lifted_ends_with_the_tune(synthesizer: FluidSynth) -> None:
    dry = play_reel()
    held = replace(dry, controls=((0.0, ControlEvent(Fraction(0), "control", 64, 127)),))
    lengths = [len(render(synthesizer, each, program=PIANO)) for each in (dry, held)]
    assert lengths[1] - lengths[0] <= 0.5 * SAMPLE_RATE  # it was up to eight seconds


def test_a_repeated_note_sounds_twice(synthesizer: FluidSynth) -> None:
    notes = tuple(Note(Fraction(index), Fraction(1), 72) for index in range(8))
    performance = perform(Melody(notes, Meter(4, 4), Key(0), 120, 2), swing=0.5)
    assert len(find_onsets(render(synthesizer, performance, program=XYLOPHONE))) == 8


def test_a_performance_that_is_too_long_is_an_error_before_rendering(
    synthesizer: FluidSynth,
) -> None:
    long_note, short_note = PlayedNote(0, 1e9, 60, 80), PlayedNote(0, 1, 60, 80)
    for note, seconds in [
        (long_note, 4.0),
        (long_note, 1301.0),
        (short_note, float("inf")),
        (short_note, float("nan")),
    ]:
        with pytest.raises(TooLong):
            render(synthesizer, Performance((note,), seconds, 0, 120, Meter(4, 4)), program=FLUTE)
    with pytest.raises(TooLong, match="1301 seconds, where at most 1300 seconds"):
        render(synthesizer, Performance((short_note,), 1301, 0, 120, Meter(4, 4)), program=FLUTE)


def test_a_tune_without_notes_is_an_error(synthesizer: FluidSynth) -> None:
    with pytest.raises(NoSound):
        render(synthesizer, Performance((), 4, 0, 120, Meter(4, 4)), program=FLUTE)


def test_an_inaudible_tune_is_an_error(synthesizer: FluidSynth) -> None:
    whisper = Performance((PlayedNote(0, 0.1, 60, 1),), 1, 0, 120, Meter(4, 4))
    with pytest.raises(NoSound, match="silence"):
        render(synthesizer, whisper, program=FLUTE)


def test_a_program_outside_general_midi_is_an_error(synthesizer: FluidSynth) -> None:
    with pytest.raises(BadOption, match="program"):
        render(synthesizer, play_reel(), program=128)


def test_rendering_prints_and_logs_nothing(
    soundfont: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        render(FluidSynth(soundfont), play_reel(), program=FLUTE)
    output = capfd.readouterr()
    assert (output.out, output.err, caplog.text) == ("", "", "")


def test_a_truncated_soundfont_is_an_error_with_its_reason_in_the_log(
    soundfont: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    broken = tmp_path / "broken.sf2"
    with soundfont.open("rb") as whole:
        broken.write_bytes(whole.read(100_000))
    with pytest.raises(NoSoundFont, match="cannot read"):
        FluidSynth(broken)
    assert "Failed to load SoundFont" in caplog.text
