"""How much work a job will be: the CPU seconds that it takes, estimated before it begins.

A linear model of what is known before: the bars of a new tune, the notes, the parts and the seconds
of a given one. Its constants were fitted to measured jobs (docs/decisions.md#job-cost); it orders a
queue and says how long others wait, so that a factor of two does no harm.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mst_core.requests import Compose, Mashup, Request

LONG_JOB_S = 10.0
"""CPU seconds from which a job counts as long: it lets shorter ones go first."""


@dataclass(frozen=True, slots=True)
class JobCostModel:
    """CPU seconds of one core for each kind of work, with the pictures, the sound and the MIDI."""

    base: float = 0.16
    """Of any job."""
    bar: float = 0.079
    """Of a bar of a new tune, with its sound and its picture."""
    second_style: float = 0.066
    """Of the same in addition, where its rhythm is transferred to another style."""
    rhythm_note: float = 0.0122
    """Of a note of a tune whose rhythm changes."""
    pitch_note: float = 0.0041
    """Of a note of a tune whose pitches change."""
    music_second: float = 0.0219
    """Of a second of a given tune: synthesis, mastering, encoding and engraving."""
    part_second: float = 0.0028
    """Of a second of each other part that sounds with it."""


DEFAULT_MODEL = JobCostModel()


def estimate_seconds(
    request: Request,
    sizes: Mapping[str, tuple[float, float, float]],
    model: JobCostModel = DEFAULT_MODEL,
) -> float:
    """Return the CPU seconds that a job with sound, picture and MIDI file is expected to take.

    Args:
        request: what is asked for.
        sizes: melody notes, seconds and other parts of each given tune by SHA-256; one that is
            missing counts nothing.
        model: the constants.
    """
    if isinstance(request, Compose):
        per_bar = model.bar + model.second_style * (request.pitch != request.rhythm)
        return model.base + per_bar * request.bars
    notes, seconds, parts = sizes.get(request.source, (0.0, 0.0, 0.0))
    work = model.base + seconds * (model.music_second + model.part_second * parts)
    if isinstance(request, Mashup):
        return work
    if request.rhythm is not None:
        work += model.rhythm_note * notes
    if request.pitch is not None:
        work += model.pitch_note * notes
    return work
