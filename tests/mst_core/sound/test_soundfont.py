"""Tests of finding and checking SoundFonts."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mst_core.errors import NoSoundFont
from mst_core.sound.fluidsynth import FluidSynth
from mst_core.sound.soundfont import find_soundfont


def test_a_missing_or_invalid_soundfont_is_an_error(tmp_path: Path) -> None:
    text = tmp_path / "text.sf2"
    text.write_text("not a SoundFont at all")
    for path in (tmp_path / "missing.sf2", text, tmp_path):
        with pytest.raises(NoSoundFont, match=re.escape(str(path))):
            find_soundfont(path)
        with pytest.raises(NoSoundFont):
            FluidSynth(path)
