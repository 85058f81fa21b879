"""Renders a melody together with its accompanying parts: each part by itself, then mixed."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import numpy as np

from mst_core.errors import NoSound
from mst_core.sound.performance import Performance
from mst_core.sound.synth import Samples, Synth

log = logging.getLogger(__name__)

ACCOMPANIMENT_LEVEL = 0.45
"""Amplitude of the accompanying parts relative to the melody."""


def render_band(
    synth: Synth, voices: Sequence[Performance], part_level: float = ACCOMPANIMENT_LEVEL
) -> Samples:
    """Render a melody and its parts.

    A part that the synthesizer cannot play, for instance because the SoundFont lacks its
    instrument, is left out and logged.

    Args:
        synth: the synthesizer.
        voices: the performance of the melody, then those of its parts; none begins before second 0.
        part_level: amplitude of each part relative to the melody.

    Returns:
        Audio of shape (frames, 2), as long as the longest part.

    Raises:
        MstError: what ``synth`` raises for the melody.
    """
    rendered = [synth.render(voices[0], program=voices[0].program)]
    for voice in voices[1:]:
        try:
            samples = synth.render(voice, program=voice.program)
        except NoSound as error:
            log.warning("a part is left out of the sound: %s", error)
            continue
        rendered.append(samples * np.float32(part_level))
    mixed = np.zeros((max(len(samples) for samples in rendered), 2), np.float32)
    for samples in rendered:
        mixed[: len(samples)] += samples
    return mixed
