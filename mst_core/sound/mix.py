"""Renders a melody together with its accompanying parts, each as loud as in its file.

The melody must stay audible: where the band is louder than the melody allows, all of the band is
made softer by as much. All voices are rendered piece by piece into temporary files.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from mst_core.errors import NoSound
from mst_core.sound.loudness import measure_loudness
from mst_core.sound.performance import Performance
from mst_core.sound.recording import Recording
from mst_core.sound.sample_file import SampleFile
from mst_core.sound.synth import MAX_SECONDS, Synth

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class MixConfig:
    """Constants of the balance between a melody and its band."""

    min_melody_lead: float = 1.0
    """LU by which the melody alone is at least louder than the band alone."""
    max_melody_lead: float = 12.0
    """LU by which it is at most louder: a band that came along must be audible."""


DEFAULT_CONFIG = MixConfig()


def render_band(
    synth: Synth,
    voices: Sequence[Performance],
    config: MixConfig = DEFAULT_CONFIG,
    on_step: Callable[[], None] = lambda: None,
) -> SampleFile:
    """Render a melody and its parts.

    Args:
        synth: the synthesizer.
        voices: the performance of the melody, then those of its parts; none begins before second 0.
        config: the balance.
        on_step: called at each piece that is rendered, and at each that is read from the result.

    Returns:
        The audio, as long as the longest of them. Whoever gets it closes it.

    Raises:
        MstError: what ``synth`` raises for the melody.
    """
    melody = SampleFile.of(synth.stream(voices[:1]), on_step)
    try:
        Recording.of(melody).require_sound(min_seconds=voices[0].seconds)
        parts = [each for voice in voices[1:] if (each := _within_limit(voice)).notes]
        if parts:
            try:
                with SampleFile.of(synth.stream(parts), on_step) as band:
                    melody.mix(band, _band_level(melody, band, config))
            except NoSound as error:
                log.warning("the parts are left out of the sound: %s", error)
    except BaseException:
        melody.close()
        raise
    return melody


def _within_limit(voice: Performance) -> Performance:
    """Return a part without notes that end after the longest performance that is rendered."""
    return replace(voice, notes=tuple(note for note in voice.notes if note.end <= MAX_SECONDS))


def _band_level(melody: SampleFile, band: SampleFile, config: MixConfig) -> float:
    """Return the amplitude of the band with which the melody stands out."""
    lead = measure_loudness(Recording.of(melody)) - measure_loudness(Recording.of(band))
    if not np.isfinite(lead):
        return 1.0
    wanted = min(config.max_melody_lead, max(config.min_melody_lead, lead))
    return float(10 ** ((lead - wanted) / 20))
