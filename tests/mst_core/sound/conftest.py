"""Fixtures of the sound tests: one synthesizer with the default SoundFont, and one recording."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from mst_core.sound.fluidsynth import FluidSynth
from mst_core.sound.mastering import master
from mst_core.sound.recording import Recording
from mst_core.sound.sample_file import SampleFile
from mst_core.sound.soundfont import find_soundfont
from tests.support.audio import FLUTE, play_reel, render


@pytest.fixture(scope="session")
def soundfont() -> Path:
    """The default SoundFont."""
    return find_soundfont(None)


@pytest.fixture(scope="session")
def synthesizer(soundfont: Path) -> Iterator[FluidSynth]:
    """A synthesizer; it keeps no state between tunes."""
    synthesizer = FluidSynth(soundfont)
    yield synthesizer
    synthesizer.close()


@pytest.fixture(scope="session")
def recording(synthesizer: FluidSynth) -> Iterator[Recording]:
    """A mastered reel."""
    with SampleFile.of([render(synthesizer, play_reel(), program=FLUTE)]) as samples:
        yield master(samples)
