"""How the melodies of a corpus move: which interval follows which, on which degrees of the key."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

from mst_core.corpora.tunes import CorpusTune
from mst_core.corpora.vocabulary import interval_token

Steps = tuple[tuple[int, int, int], ...]
"""(interval token, next interval token, how often)."""


def observe_steps(tunes: Sequence[CorpusTune], fewest: int) -> Steps:
    """Count pairs of intervals in a row, rests left out; what is rarer than ``fewest`` too."""
    counts: Counter[tuple[int, int]] = Counter()
    for tune in tunes:
        pitches = [event.pitch for event in tune.events if event.pitch is not None]
        tokens = [interval_token(after - before) for before, after in pairwise(pitches)]
        counts.update(pairwise(tokens))
    return tuple((*step, count) for step, count in sorted(counts.items()) if count >= fewest)


def observe_degrees(tunes: Sequence[CorpusTune]) -> dict[str, tuple[int, ...]]:
    """Count pitches by semitones above the tonic, in keys with a major and with a minor third."""
    counts = {"major": [0] * 12, "minor": [0] * 12}
    for tune in tunes:
        if tune.key is None:
            continue
        row = counts["minor" if tune.key.minor else "major"]
        for event in tune.events:
            if event.pitch is not None:
                row[(event.pitch - tune.key.tonic) % 12] += 1
    return {mode: tuple(row) for mode, row in counts.items() if any(row)}
