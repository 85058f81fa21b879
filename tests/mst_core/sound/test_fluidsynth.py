"""Performances become samples: real FluidSynth, the real SoundFont, and midi2audio beside them."""

from __future__ import annotations

import io
import logging
import re
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from pathlib import Path

import mido
import numpy as np
import pytest

from mst_core.errors import BadOption, NoSound, NoSoundFont, TooLong
from mst_core.music import Key, Melody, Meter, Note, Part, PartNote
from mst_core.sound.fluidsynth import FluidSynth
from mst_core.sound.fluidsynth_cli import CommandLineSynth, render_midi
from mst_core.sound.mastering import measure_loudness
from mst_core.sound.performance import Performance, PlayedNote, perform
from mst_core.sound.performance_midi import lead_in_seconds, write_performance_midi
from mst_core.sound.soundfont import find_soundfont
from mst_core.studio import open_synth
from tests.support.audio import FLUTE, PIANO, VIBRAPHONE, VIOLIN, XYLOPHONE, find_onsets, play_reel


@pytest.fixture(scope="module")
def soundfont() -> Path:
    return find_soundfont(None)


@pytest.fixture(scope="module")
def synthesizer(soundfont: Path) -> Iterator[FluidSynth]:
    synthesizer = FluidSynth(soundfont)
    yield synthesizer
    synthesizer.close()


def test_every_onset_is_heard_where_it_was_played(synthesizer: FluidSynth) -> None:
    performance = play_reel(66, swing=2 / 3)
    onsets = find_onsets(synthesizer.render(performance, program=XYLOPHONE))
    played = [stroke.start for stroke in performance.notes]
    assert onsets == pytest.approx(np.array(played), abs=0.002)


def test_the_same_tune_gives_the_same_samples_after_another_and_beside_others(
    synthesizer: FluidSynth,
) -> None:
    performance = play_reel()
    alone = synthesizer.render(performance, program=VIOLIN)
    synthesizer.render(play_reel(50), program=PIANO)
    assert np.array_equal(synthesizer.render(performance, program=VIOLIN), alone)
    programs = [VIOLIN, PIANO, FLUTE, VIOLIN] * 2
    with ThreadPoolExecutor(4) as threads:
        together = threads.map(lambda program: synthesizer.render(performance, program=program),
                               programs)  # fmt: skip
        for program, samples in zip(programs, together, strict=True):
            assert np.array_equal(samples, alone) == (program == VIOLIN)


def test_the_last_note_rings_out(synthesizer: FluidSynth) -> None:
    samples = synthesizer.render(play_reel(), program=VIBRAPHONE)
    assert samples.dtype == np.float32
    assert np.abs(samples[-100:]).max() < 1e-4 * np.abs(samples).max()


def test_a_repeated_note_sounds_twice(synthesizer: FluidSynth) -> None:
    notes = tuple(Note(Fraction(index), Fraction(1), 72) for index in range(8))
    performance = perform(Melody(notes, Meter(4, 4), Key(0), 120, 2), swing=0.5)
    assert len(find_onsets(synthesizer.render(performance, program=XYLOPHONE))) == 8


def test_a_performance_without_end_is_refused_before_it_is_played(
    synthesizer: FluidSynth,
) -> None:
    stroke = PlayedNote(0, 1e9, 60, 80)
    # The note itself is longer than any limit.
    for seconds in (601.0, 4.0, float("inf"), float("nan")):
        endless = Performance((stroke,), seconds, 0, 120, Meter(4, 4))
        with pytest.raises(TooLong):
            synthesizer.render(endless, program=FLUTE)


def test_a_tune_without_notes_is_no_sound(synthesizer: FluidSynth) -> None:
    with pytest.raises(NoSound):
        synthesizer.render(Performance((), 4, 0, 120, Meter(4, 4)), program=FLUTE)


def test_a_tune_below_what_can_be_heard_is_no_sound(synthesizer: FluidSynth) -> None:
    whisper = Performance((PlayedNote(0, 0.1, 60, 1),), 1, 0, 120, Meter(4, 4))
    with pytest.raises(NoSound, match="silence"):
        synthesizer.render(whisper, program=FLUTE)


def test_a_program_outside_general_midi_is_refused(synthesizer: FluidSynth) -> None:
    with pytest.raises(BadOption, match="program"):
        synthesizer.render(play_reel(), program=128)


def test_it_says_nothing_unless_something_is_wrong(
    soundfont: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        FluidSynth(soundfont).render(play_reel(), program=FLUTE)
    said = capfd.readouterr()
    assert (said.out, said.err, caplog.text) == ("", "", "")


# SoundFonts


def test_a_soundfont_that_is_missing_or_none_is_refused(tmp_path: Path) -> None:
    text = tmp_path / "text.sf2"
    text.write_text("not a SoundFont at all")
    for path in (tmp_path / "missing.sf2", text, tmp_path):
        with pytest.raises(NoSoundFont, match=re.escape(str(path))):
            find_soundfont(path)
        with pytest.raises(NoSoundFont):
            FluidSynth(path)


def test_a_broken_soundfont_is_refused_and_the_reason_is_logged(
    soundfont: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    broken = tmp_path / "broken.sf2"
    with soundfont.open("rb") as whole:
        broken.write_bytes(whole.read(100_000))
    with pytest.raises(NoSoundFont, match="cannot read"):
        FluidSynth(broken)
    assert "Failed to load SoundFont" in caplog.text


# The reference


def test_the_synthesizer_agrees_with_midi2audio(synthesizer: FluidSynth, soundfont: Path) -> None:
    reference = CommandLineSynth(soundfont)
    performance = play_reel(66, swing=0.6, pickup=Fraction(1))
    ours = synthesizer.render(performance, program=XYLOPHONE)
    theirs = reference.render(performance, program=XYLOPHONE)
    assert find_onsets(ours) == pytest.approx(find_onsets(theirs), abs=0.005)
    assert measure_loudness(ours) == pytest.approx(measure_loudness(theirs), abs=1)


def test_what_midi2audio_keeps_quiet_about_is_an_error(soundfont: Path, tmp_path: Path) -> None:
    midi = write_performance_midi(play_reel(), program=FLUTE)
    for broken in (midi[:40], midi[: len(midi) // 2], b"no MIDI at all", b""):
        with pytest.raises(NoSound):
            render_midi(broken, soundfont, seconds=5)
    with pytest.raises(NoSoundFont):
        render_midi(midi, tmp_path / "missing.sf2", seconds=5)
    with pytest.raises(NoSound, match="seconds came where 60"):
        render_midi(midi, soundfont, seconds=60)


def test_a_midi_file_without_end_is_given_up(soundfont: Path) -> None:
    track = mido.MidiTrack([mido.Message("note_on", note=60, time=0)])
    track += [mido.Message("note_off", note=60, time=2**28 - 1)] * 20
    file = io.BytesIO()
    mido.MidiFile(tracks=[track], ticks_per_beat=1).save(file=file)
    with pytest.raises(NoSound, match="no end"):
        render_midi(file.getvalue(), soundfont, seconds=5, timeout_s=1)


def test_where_the_library_is_missing_its_command_plays(
    soundfont: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert isinstance(open_synth(soundfont), FluidSynth)
    monkeypatch.setitem(sys.modules, "mst_core.sound.fluidsynth", None)
    assert isinstance(open_synth(soundfont), CommandLineSynth)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(NoSound, match="install"):
        open_synth(soundfont)


def test_a_performed_file_keeps_the_feel_and_the_barlines() -> None:
    performance = play_reel(swing=2 / 3, pickup=Fraction(1))
    file = mido.MidiFile(file=io.BytesIO(write_performance_midi(performance, program=FLUTE)))
    now, starts = 0.0, []
    for message in file:
        now += message.time
        if message.type == "note_on":
            starts.append(now)
    lead = lead_in_seconds(performance)
    assert starts == pytest.approx([lead + stroke.start for stroke in performance.notes],
                                   abs=0.001)  # fmt: skip
    assert lead + performance.downbeat == pytest.approx(4 * 60 / 180)  # a full bar
    assert lead_in_seconds(play_reel()) == 0


def test_a_part_that_begins_earlier_is_performed_too_and_bars_stay_bars() -> None:
    drums = Part(
        "Kit", 0, True, tuple(PartNote(Fraction(n), Fraction(1, 2), 42) for n in range(-6, 4))
    )
    performance = play_reel()
    midi = write_performance_midi(performance, program=FLUTE, parts=(drums,))
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
