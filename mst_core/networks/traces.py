"""What a training leaves of its tunes beside the networks: echoes and neighbours."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mst_core.corpora.tunes import CorpusTune
from mst_core.statistics.fingerprints import Echoes
from mst_core.statistics.reference_profiles import Neighbours


def leave_traces(
    folder: Path, training: Sequence[CorpusTune], strangers: Sequence[CorpusTune]
) -> Echoes:
    """Write both into a style's folder; ``strangers`` are real tunes that it was not trained on."""
    echoes = Echoes.of(training, strangers)
    echoes.save(folder)
    Neighbours.of(training).save(folder)
    return echoes
