"""Tests of mixing a melody with its accompanying parts."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from mst_core.errors import NoSound
from mst_core.music import Part, PartNote
from mst_core.sound.band import perform_band, start_at_zero
from mst_core.sound.fluidsynth import FluidSynth
from mst_core.sound.mix import render_band
from mst_core.sound.performance import Performance, perform
from mst_core.sound.soundfont import find_soundfont
from mst_core.sound.synth import SAMPLE_RATE, Samples
from tests.support.melodies import REEL

BASS = Part(
    "bass", 32, False, tuple(PartNote(Fraction(2 * beat), Fraction(2), 38) for beat in range(8))
)
KIT = Part(
    "drums", 0, True, tuple(PartNote(Fraction(beat), Fraction(1, 4), 38) for beat in range(16))
)


def band(*parts: Part) -> tuple[Performance, ...]:
    """The reel with parts, played from second 0 on."""
    return start_at_zero(perform_band(REEL, parts, swing=0.5, program=0))


class Clicks:
    """A synthesizer whose notes are single samples with the program as amplitude."""

    def render(self, performance: Performance, *, program: int) -> Samples:
        if program == 99:
            raise NoSound("the SoundFont has no instrument for program 99")
        samples = np.zeros((round(performance.seconds * SAMPLE_RATE) + SAMPLE_RATE, 2), np.float32)
        for note in performance.notes:
            samples[round(note.start * SAMPLE_RATE)] += 100 if performance.drums else 1 + program
        return samples

    def close(self) -> None:
        """Do nothing."""


def test_parts_are_mixed_at_their_times_and_below_the_melody() -> None:
    performance = perform(REEL, swing=0.5)
    mixed = render_band(Clicks(), band(BASS))
    second = 60 / REEL.tempo * 2
    frame = round((performance.downbeat + second) * SAMPLE_RATE)
    assert mixed[frame, 0] == pytest.approx(1 + 33 * 0.45)


def test_a_part_that_begins_earlier_delays_the_melody() -> None:
    intro = Part("intro", 0, False, (PartNote(Fraction(-8), Fraction(1), 50),))
    performance = perform(REEL, swing=0.5)
    mixed = render_band(Clicks(), band(intro))
    wait = 8 * 60 / REEL.tempo - performance.downbeat
    assert mixed[0, 0] == pytest.approx(0.45)
    first = round((performance.notes[0].start + wait) * SAMPLE_RATE)
    assert mixed[first - 1 : first + 2, 0].max() == pytest.approx(1)


def test_a_part_without_an_instrument_is_omitted_and_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    odd = Part("odd", 99, False, BASS.notes)
    alone = render_band(Clicks(), band())
    mixed = render_band(Clicks(), band(odd))
    np.testing.assert_array_equal(mixed, alone)
    assert "left out" in caplog.text


def test_a_drum_part_has_the_spectrum_of_drums() -> None:
    synthesizer = FluidSynth(find_soundfont(None))

    def brightness(part: Part) -> float:
        """Return the share of a part's energy above 5 kHz, which is high for a snare drum."""
        alone = render_band(synthesizer, band())
        together = render_band(synthesizer, band(part))
        frames = min(len(alone), len(together))
        spectrum = np.abs(np.fft.rfft(together[:frames, 0] - alone[:frames, 0])) ** 2
        return float(spectrum[round(5000 / SAMPLE_RATE * frames) :].sum() / spectrum.sum())

    assert brightness(KIT) > 10 * brightness(Part("piano", 0, False, KIT.notes))
