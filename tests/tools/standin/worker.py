"""A worker process of the engine whose jobs take up to 0.2 s and invent their results."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from pathlib import Path

from mst_core.engine.worker import main
from mst_core.generation.composition import Composition
from mst_core.jobs import Job, Progress, Rendition
from mst_core.studio import Studio
from tests.support.fake_composer import FakeComposer
from tests.support.fake_worker import Sine
from tests.support.fakes import make_rendition

STEPS = 5
LONGEST_STEP_S = 0.04


class InstantStudio(Studio):
    """Composes scales and renders a line of text for each file."""

    def compose(self, job: Job, on_progress: Callable[[Progress], None]) -> Composition:
        """Take a moment, so that a kill can meet the job."""
        for step in range(STEPS):
            on_progress(Progress("composing", step / STEPS))
            time.sleep(random.uniform(0, LONGEST_STEP_S))
        return super().compose(job, on_progress)

    def render(
        self, job: Job, composition: Composition, on_progress: Callable[[Progress], None]
    ) -> Rendition:
        """Invent the files."""
        return make_rendition(job)

    def warm(self) -> None:
        """Do nothing: there is nothing to load."""


def open_studio(
    models: Path, soundfont: Path | None, device: str, on_stage: Callable[[str], None]
) -> Studio:
    """Open a studio; every argument but the models is of no importance."""
    return InstantStudio(FakeComposer(models), Sine)


if __name__ == "__main__":
    main(open_studio)
