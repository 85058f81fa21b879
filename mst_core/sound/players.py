"""Who plays: the synthesizer in the process, or else the one behind a command."""

from __future__ import annotations

import logging
from pathlib import Path

from mst_core.sound.synth import Instrument

log = logging.getLogger(__name__)


def open_instrument(soundfont: Path) -> Instrument:
    """Open FluidSynth in the process; where its library is missing, behind midi2audio.

    Raises:
        NoSoundFont: when the SoundFont is missing or cannot be read.
        NoSound: when neither the library nor the command is installed.
    """
    try:
        from mst_core.sound.fluidsynth import Synthesizer
    except (ImportError, OSError, AttributeError) as error:
        log.warning("the FluidSynth library cannot be loaded (%s); its command plays", error)
    else:
        return Synthesizer(soundfont)
    from mst_core.sound.fluidsynth_cli import ReferenceSynthesizer

    return ReferenceSynthesizer(soundfont)
