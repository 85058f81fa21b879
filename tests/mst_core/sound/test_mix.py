"""Tests of mixing a melody with its accompanying parts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from numpy.typing import NDArray

from mst_core.errors import NoSound
from mst_core.music import ControlEvent, Part, PartNote
from mst_core.sound.band import perform_band, start_at_zero
from mst_core.sound.fluidsynth import FluidSynth
from mst_core.sound.loudness import measure_loudness
from mst_core.sound.mix import DEFAULT_CONFIG, render_band
from mst_core.sound.performance import Performance
from mst_core.sound.synth import SAMPLE_RATE, Samples, Synth
from tests.support.audio import FLUTE, record
from tests.support.melodies import REEL

BASS = Part(
    "bass", 32, False, tuple(PartNote(Fraction(2 * beat), Fraction(2), 38) for beat in range(8))
)
KIT = Part(
    "drums", 0, True, tuple(PartNote(Fraction(beat), Fraction(1, 4), 38) for beat in range(16))
)


def band(*parts: Part, velocity: int | None = None) -> tuple[Performance, ...]:
    """The reel with parts, played from second 0 on."""
    voices = perform_band(REEL, parts, swing=0.5, program=FLUTE, velocity=velocity)
    return start_at_zero(voices)


def mixed(synth: Synth, voices: Sequence[Performance]) -> Samples:
    with render_band(synth, voices) as sound:
        return sound.read(0, sound.frames)


class Clicks:
    """A synthesizer whose notes are single samples: 1 for the flute and 33 for all others."""

    def stream(self, voices: Sequence[Performance]) -> Iterator[Samples]:
        if any(voice.program == 99 for voice in voices):
            raise NoSound("the SoundFont has no instrument for program 99")
        samples = np.zeros((round(voices[0].seconds * SAMPLE_RATE) + SAMPLE_RATE, 2), np.float32)
        for voice in voices:
            for note in voice.notes:
                samples[round(note.start * SAMPLE_RATE)] += 1 if voice.program == FLUTE else 33
        yield samples[:1000]
        yield samples[1000:]

    def close(self) -> None:
        """Do nothing."""


def test_parts_are_mixed_at_their_times() -> None:
    voices = band(BASS)
    sound = mixed(Clicks(), voices)
    alone = mixed(Clicks(), voices[:1])
    frames = [round(note.start * SAMPLE_RATE) for note in voices[1].notes]
    assert sorted(np.flatnonzero(sound[:, 0] - alone[:, 0])) == frames


def test_a_part_that_begins_earlier_delays_the_melody() -> None:
    intro = Part("intro", 0, False, (PartNote(Fraction(-8), Fraction(1), 50),))
    voices = band(intro)
    sound = mixed(Clicks(), voices)
    wait = 8 * 60 / REEL.tempo
    assert sound[0, 0] > 0
    assert np.flatnonzero(sound[:, 0])[1] == round(wait * SAMPLE_RATE)


def test_parts_without_an_instrument_are_omitted_and_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    np.testing.assert_array_equal(
        mixed(Clicks(), band(replace(BASS, program=99))), mixed(Clicks(), band())
    )
    assert "left out" in caplog.text


def test_a_band_that_drowns_the_melody_is_softened_and_another_stays(
    synthesizer: FluidSynth,
) -> None:
    balance = Balance(synthesizer)
    organ = Part(
        "Organ", 19, False, tuple(PartNote(Fraction(0), Fraction(60), p, 127) for p in (48, 55, 60))
    )
    voices = band(organ, velocity=40)
    lead = balance.lead(voices)
    assert lead < 0  # as the file has it
    assert balance.lead_in_mix(voices) == pytest.approx(DEFAULT_CONFIG.min_melody_lead, abs=0.2)
    soft = band(replace(organ, controls=(ControlEvent(Fraction(-9), "control", 7, 45),)))
    lead = balance.lead(soft)
    assert DEFAULT_CONFIG.min_melody_lead < lead < DEFAULT_CONFIG.max_melody_lead
    assert balance.lead_in_mix(soft) == pytest.approx(lead, abs=0.2)


class Balance:
    """FluidSynth, and how much louder than its band a melody is."""

    def __init__(self, synth: FluidSynth) -> None:
        self.synth = synth

    def loudness(self, voices: Sequence[Performance]) -> float:
        return measure_loudness(record(np.concatenate(list(self.synth.stream(voices)))))

    def lead(self, voices: Sequence[Performance]) -> float:
        """LU of the melody above the band, each by itself."""
        return self.loudness(voices[:1]) - self.loudness(voices[1:])

    def lead_in_mix(self, voices: Sequence[Performance]) -> float:
        """LU of the melody above all else in the mixture."""
        alone = np.concatenate(list(self.synth.stream(voices[:1])))
        rest = mixed(self.synth, voices).copy()
        rest[: len(alone)] -= alone
        return self.loudness(voices[:1]) - measure_loudness(record(rest))


def strike(*drums: bool) -> Iterator[Part]:
    """Parts of one snare hit or one low piano note each, at the same time."""
    for number, is_drums in enumerate(drums):
        yield Part(f"{number}", 0, is_drums, (PartNote(Fraction(number), Fraction(1, 2), 38),))


def test_all_of_forty_parts_are_heard(synthesizer: FluidSynth) -> None:
    """One note a part, each on a beat of its own, the drums last."""
    voices = band(*strike(*[False] * 39, True))[1:]
    sound = np.abs(np.concatenate(list(synthesizer.stream(voices)))).max(axis=1)
    beat = 60 / REEL.tempo
    for number in range(40):
        start = round(number * beat * SAMPLE_RATE)
        quiet = sound[max(0, start - 400) : start].max(initial=0)
        assert sound[start : start + 2000].max() > 2 * quiet + 1e-4, number


def test_a_part_obeys_its_volume_pan_and_program(synthesizer: FluidSynth) -> None:
    def heard(*controls: ControlEvent) -> NDArray[np.float32]:
        voices = band(replace(BASS, controls=controls))
        samples = np.concatenate(list(synthesizer.stream(voices[1:])))
        return np.array([np.abs(samples[:, side]).max() for side in (0, 1)], np.float32)

    start = Fraction(-100)
    plain = heard()
    assert heard(ControlEvent(start, "control", 7, 50)).max() < plain.max() / 2
    left = heard(ControlEvent(start, "control", 10, 0))
    assert left[0] > 5 * left[1]
    assert not np.array_equal(heard(ControlEvent(start, "program", 40)), plain)
    assert not np.array_equal(heard(ControlEvent(Fraction(1), "bend", 0, 8191)), plain)


def test_an_instrument_that_the_soundfont_lacks_is_played_on_the_nearest(
    synthesizer: FluidSynth, caplog: pytest.LogCaptureFixture
) -> None:
    def sound(part: Part) -> Samples:
        return np.concatenate(list(synthesizer.stream(band(part)[1:])))

    start = Fraction(-100)
    bank = (ControlEvent(start, "control", 0, 77), ControlEvent(start, "program", 32))
    assert np.array_equal(sound(replace(BASS, controls=bank)), sound(BASS))
    assert np.array_equal(sound(replace(KIT, program=5)), sound(KIT))
    assert not caplog.text


def test_a_drum_part_has_the_spectrum_of_drums(synthesizer: FluidSynth) -> None:
    def brightness(part: Part) -> float:
        """Return the share of a part's energy above 5 kHz, which is high for a snare drum."""
        samples = np.concatenate(list(synthesizer.stream(band(part)[1:])))[:, 0]
        spectrum = np.abs(np.fft.rfft(samples)) ** 2
        return float(spectrum[round(5000 / SAMPLE_RATE * len(samples)) :].sum() / spectrum.sum())

    assert brightness(KIT) > 10 * brightness(Part("piano", 0, False, KIT.notes))
