"""Tests of the synthesizer that runs midi2audio, and comparisons with FluidSynth's library."""

from __future__ import annotations

import io
import sys
from fractions import Fraction
from pathlib import Path

import mido
import pytest

from mst_core.errors import NoSound, NoSoundFont
from mst_core.sound.fluidsynth import FluidSynth
from mst_core.sound.fluidsynth_cli import CommandLineSynth, render_midi
from mst_core.sound.loudness import measure_loudness
from mst_core.sound.performance_midi import write_performance_midi
from mst_core.studio import open_synth
from tests.support.audio import XYLOPHONE, find_onsets, play_reel, record, render


def test_both_synthesizers_agree_on_onsets_and_loudness(
    synthesizer: FluidSynth, soundfont: Path
) -> None:
    reference = CommandLineSynth(soundfont)
    performance = play_reel(66, swing=0.6, pickup=Fraction(1))
    ours = render(synthesizer, performance, program=XYLOPHONE)
    theirs = render(reference, performance, program=XYLOPHONE)
    assert find_onsets(ours) == pytest.approx(find_onsets(theirs), abs=0.005)
    assert measure_loudness(record(ours)) == pytest.approx(measure_loudness(record(theirs)), abs=1)


def test_failures_that_midi2audio_ignores_are_errors(soundfont: Path, tmp_path: Path) -> None:
    midi, sound = write_performance_midi([play_reel()]), tmp_path / "tune.wav"
    for broken in (midi[:40], midi[: len(midi) // 2], b"no MIDI at all", b""):
        with pytest.raises(NoSound):
            render_midi(broken, soundfont, sound, seconds=5)
    with pytest.raises(NoSoundFont):
        render_midi(midi, tmp_path / "missing.sf2", sound, seconds=5)
    with pytest.raises(NoSound, match="seconds instead of 60"):
        render_midi(midi, soundfont, sound, seconds=60)


def test_a_midi_file_that_never_ends_exceeds_the_time_limit(
    soundfont: Path, tmp_path: Path
) -> None:
    track = mido.MidiTrack([mido.Message("note_on", note=60, time=0)])
    track += [mido.Message("note_off", note=60, time=2**28 - 1)] * 20
    file = io.BytesIO()
    mido.MidiFile(tracks=[track], ticks_per_beat=1).save(file=file)
    with pytest.raises(NoSound, match="not finished after 1 seconds"):
        render_midi(file.getvalue(), soundfont, tmp_path / "tune.wav", seconds=5, timeout_s=1)


def test_without_the_library_the_command_is_used(
    soundfont: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert isinstance(open_synth(soundfont), FluidSynth)
    monkeypatch.setitem(sys.modules, "mst_core.sound.fluidsynth", None)
    assert isinstance(open_synth(soundfont), CommandLineSynth)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(NoSound, match="install"):
        open_synth(soundfont)
