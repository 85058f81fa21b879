"""The receipt of a job: what was made, in words and figures."""

from __future__ import annotations

from mst_core import __version__
from mst_core.generation.composition import Composition
from mst_core.jobs import Compose, Job, Mashup, Receipt


def title_of(job: Job) -> str:
    """Name the given tune, or the two that were joined; empty for a new one."""
    request = job.request
    if isinstance(request, Compose):
        return ""
    if isinstance(request, Mashup):
        return f"{job.scores[request.source].title} x {job.scores[request.like].title}"
    return job.scores[request.source].title


def make_receipt(job: Job, composition: Composition) -> Receipt:
    """Write the receipt of a finished composition."""
    melody, request = composition.melody, job.request
    rhythm, pitch, measured = composition.rhythm, composition.pitch, composition.measured_side
    return Receipt(
        pitch=request.styles.get("pitch", ""),
        rhythm=request.styles.get("rhythm", ""),
        seed=request.seed,
        key=melody.key.name,
        meter=str(melody.meter),
        tempo=melody.tempo,
        bars=melody.bar_count,
        notes=len(melody.notes),
        form=composition.form,
        seconds=round(melody.seconds, 2),
        version=__version__,
        source=title_of(job),
        rhythm_strength=request.strengths.get("rhythm"),
        rhythm_changed=_rounded(rhythm.changed if rhythm else None),
        pitch_strength=request.strengths.get("pitch"),
        rhythm_similarity=_rounded(rhythm.similarity if rhythm else None),
        pitch_similarity=_rounded(pitch.similarity if pitch else None),
        pitch_changed=_rounded(pitch.changed if pitch else None),
        repeats=composition.repeats,
        rank_among=measured.rank_among if measured else None,
        longest_shared_run=measured.longest_shared_run if measured else None,
        p95_shared_run=measured.p95_shared_run if measured else None,
        remarks=composition.remarks,
    )


def _rounded(share: float | None) -> float | None:
    return None if share is None else round(share, 4)
