"""The receipt of a job: what was made, in words and figures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mst_core import __version__
from mst_core.composing.composition import Composition
from mst_core.jobs import Compose, Job, Receipt, Rerhythm

if TYPE_CHECKING:
    from mst_core.score.reading import Reading


def decode_readings(job: Job) -> dict[str, Reading]:
    """Take what the parser made of the uploaded files, by SHA-256."""
    from mst_core.score.reading_wire import decode_reading

    return {name: decode_reading(data) for name, data in job.readings.items()}


def title_of(job: Job) -> str:
    """Name the given tune; empty for a new one."""
    request = job.request
    return decode_readings(job)[request.source].title if isinstance(request, Rerhythm) else ""


def make_receipt(job: Job, composition: Composition) -> Receipt:
    """Write the receipt of a finished composition."""
    melody, request = composition.melody, job.request
    return Receipt(
        pitch=request.pitch if isinstance(request, Compose) else "",
        rhythm=request.rhythm or "",
        seed=request.seed,
        key=melody.key.name,
        meter=str(melody.meter),
        tempo=melody.tempo,
        bars=melody.bars,
        notes=len(melody.notes),
        form=composition.form,
        seconds=round(melody.seconds, 2),
        version=__version__,
        source=title_of(job),
        strength=request.strength if isinstance(request, Rerhythm) else None,
        changed=None if composition.changed is None else round(composition.changed, 4),
        remarks=composition.remarks,
    )
