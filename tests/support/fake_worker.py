"""An engine process whose studio has a fake composer and a fake player.

The folder of its models says how its opening goes: each opening adds a line to ``births``; a file
called ``dead``, ``deaf``, ``bare`` or ``broken`` there makes it die, hang, refuse or fail.
"""

from __future__ import annotations

import fcntl
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from mst_core.engine.worker import main
from mst_core.errors import NoSoundFont
from mst_core.studio import Studio
from tests.support.fake_composer import FakeComposer

if TYPE_CHECKING:
    from mst_core.sound.performance import Performance
    from mst_core.sound.synth import Samples


class Sine:
    """Plays everything as one long tone."""

    def render(self, performance: Performance, *, program: int) -> Samples:
        """Return as many samples as the performance takes."""
        import numpy as np  # here, so that the many workers of a test start at once

        from mst_core.sound.synth import SAMPLE_RATE

        time_s = np.arange(int(performance.seconds * SAMPLE_RATE)) / SAMPLE_RATE
        tone = 0.2 * np.sin(2 * np.pi * 440 * time_s)
        return np.stack([tone, tone], axis=1).astype(np.float32)

    def close(self) -> None:
        """Nothing to give back."""


def open_studio(models: Path, soundfont: Path | None, device: str) -> Studio:
    """Open in the way that the folder asks for."""
    with (models / "births").open("a") as births:
        births.write(f"{os.getpid()}\n")
    # Held until this process ends, however it ends.
    fcntl.flock(os.open(models / "alive", os.O_RDWR | os.O_CREAT), fcntl.LOCK_EX)
    if (models / "dead").exists():
        sys.stderr.write("about to die\n")
        os._exit(7)
    if (models / "deaf").exists():
        time.sleep(3600)
    if (models / "bare").exists():
        raise NoSoundFont(soundfont)
    if (models / "broken").exists():
        raise ZeroDivisionError("a bug in the opening")
    return Studio(FakeComposer(models), Sine)


if __name__ == "__main__":
    main(open_studio)
