"""Whether a rhythm is natural: as varied as real ones, and nothing that no player writes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import numpy as np

from mst_core.evaluation.rhythm_features import Rhythm

WINDOW_NOTES = 64
"""Entropy counted from few notes is too low; windows of one length are alike in that."""


def entropy(rhythm: Rhythm) -> float | None:
    """Bits of the durations of its notes, mean of windows; None when it is shorter than one."""
    found = [_bits(Counter(n.ticks for n in w.notes)) for w in rhythm.cut(WINDOW_NOTES)]
    return float(np.mean(found)) if found else None


def _bits(counts: Counter[int]) -> float:
    shares = np.array(list(counts.values())) / counts.total()
    return float(-(shares * np.log2(shares)).sum())


class Practice:
    """What players of a style write: each (place, duration) of its real tunes, by kind of bar."""

    def __init__(self, rhythms: Iterable[Rhythm]) -> None:
        self._written = {
            (rhythm.kind, note.place, note.ticks) for rhythm in rhythms for note in rhythm.notes
        }

    def strange(self, rhythm: Rhythm) -> float:
        """Share of the notes that no player of the style writes."""
        unheard = sum((rhythm.kind, n.place, n.ticks) not in self._written for n in rhythm.notes)
        return unheard / max(1, len(rhythm.notes))
