"""A worker process whose studio has a fake composer and a fake synthesizer.

Each start adds its process id to the file ``starts`` in the folder of the models. A file called
``crashing``, ``hanging``, ``no_soundfont`` or ``broken`` in that folder makes the start crash,
hang, raise NoSoundFont or raise another error; ``computing`` makes it compute for good, and
``fast`` makes the signs of life come ten times a second.
"""

from __future__ import annotations

import fcntl
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import mst_core.engine.worker
from mst_core.engine.worker import main
from mst_core.errors import NoSoundFont
from mst_core.studio import Studio
from tests.support.fake_composer import FakeComposer

if TYPE_CHECKING:
    from mst_core.sound.performance import Performance
    from mst_core.sound.synth import Samples


class Sine:
    """Renders everything as one long tone."""

    def stream(self, voices: Sequence[Performance]) -> Iterator[Samples]:
        """Yield samples for the length of the performance."""
        import numpy as np  # here, so that the many workers of a test start at once

        from mst_core.sound.synth import SAMPLE_RATE

        time_s = np.arange(int(voices[0].seconds * SAMPLE_RATE)) / SAMPLE_RATE
        tone = 0.2 * np.sin(2 * np.pi * 440 * time_s)
        yield np.stack([tone, tone], axis=1).astype(np.float32)

    def close(self) -> None:
        """Do nothing: there is nothing to close."""


def open_studio(
    models: Path, soundfont: Path | None, device: str, on_stage: Callable[[str], None]
) -> Studio:
    """Open a studio, or fail as the folder says."""
    with (models / "starts").open("a") as starts:
        starts.write(f"{os.getpid()}\n")
    # Held until this process ends, however it ends.
    fcntl.flock(os.open(models / "alive", os.O_RDWR | os.O_CREAT), fcntl.LOCK_EX)
    if (models / "crashing").exists():
        sys.stderr.write("about to die\n")
        os._exit(7)
    mst_core.engine.worker.PROGRESS_S = 0.0  # it composes at once
    if (models / "fast").exists():
        mst_core.engine.worker.BEAT_S = 0.1
    on_stage("the fake composer")
    if (models / "hanging").exists():
        time.sleep(3600)
    while (models / "computing").exists():
        sum(range(10_000))
    if (models / "no_soundfont").exists():
        raise NoSoundFont(soundfont)
    if (models / "broken").exists():
        raise ZeroDivisionError("a bug in the opening")
    return Studio(FakeComposer(models), Sine)


if __name__ == "__main__":
    main(open_studio)
