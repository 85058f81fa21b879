"""A worker process of the engine with real networks and sound, made cheap to run many jobs.

`train_tiny_styles` trains its networks on made-up dances, 8 units wide. Two candidates are sampled
instead of twelve, and most jobs make no more than the MIDI file; one in `FULL_EVERY` makes all
files, with FluidSynth and the engraver.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from msgspec import structs

from mst_core.composing.composer import Composer
from mst_core.engine.worker import main
from mst_core.generation.composition import Composition
from mst_core.generation.config import GenerationConfig
from mst_core.jobs import Job, Progress, Rendition
from mst_core.networks.model import ModelConfig
from mst_core.sound.soundfont import find_soundfont
from mst_core.studio import Studio, open_synth
from mst_core.training.loop import TrainConfig
from mst_core.training.train_style import train_style
from tests.support.corpus import DANCES

FULL_EVERY = 20
CANDIDATES = GenerationConfig(candidate_count=2)
TINY = ModelConfig(embedding=8, hidden=8, projection=8)
STYLES = ("folk", "jazz")


class ThriftyStudio(Studio):
    """Makes only the MIDI file of most jobs."""

    def render(
        self, job: Job, composition: Composition, on_progress: Callable[[Progress], None]
    ) -> Rendition:
        """Make the files of a job, fewer unless its number is a multiple of `FULL_EVERY`."""
        if job.id.isdecimal() and int(job.id) % FULL_EVERY:
            job = structs.replace(job, formats=("mid",))
        return super().render(job, composition, on_progress)


def train_tiny_styles(models: Path, checkpoints: Path) -> None:
    """Train the styles folk and jazz on the same tunes, in seconds.

    Args:
        models: Where their folders are made.
        checkpoints: Where the training keeps its state.
    """
    for style in STYLES:
        train_style(
            style, DANCES, models, checkpoints, config=TrainConfig(epochs=1), model_config=TINY
        )


def open_studio(
    models: Path, soundfont: Path | None, device: str, on_stage: Callable[[str], None]
) -> Studio:
    """Open the studio.

    Args:
        models: The styles.
        soundfont: The SoundFont; None finds one of the system.
        device: Where the networks run.
        on_stage: Gets the name of each stage of the start.
    """
    composer = Composer.open(models, device, CANDIDATES, on_stage=on_stage)
    return ThriftyStudio(composer, lambda: open_synth(find_soundfont(soundfont)))


if __name__ == "__main__":
    main(open_studio)
