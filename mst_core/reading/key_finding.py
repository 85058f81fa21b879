"""Estimates the key of notes whose file names none (Krumhansl-Schmuckler algorithm).

Stands alone because the readers of MIDI and MusicXML share it; ABC names its key in K:.
"""

from __future__ import annotations

from collections.abc import Iterable
from statistics import correlation

from mst_core.music import Key, Note

# Probe-tone ratings of the twelve degrees above the tonic (Krumhansl and Kessler 1982).
_PROFILES = {
    "major": (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88),
    "minor": (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17),
}


def find_key(notes: Iterable[Note]) -> Key:
    """Return the key whose profile correlates best with the durations of the pitch classes.

    Args:
        notes: notes of one melody, in any order.

    Returns:
        One of the 24 major and minor keys; C major when all pitch classes last equally long.
    """
    weights = [0.0] * 12
    for note in notes:
        weights[note.pitch % 12] += float(note.duration)
    if max(weights) == min(weights):
        return Key(0)
    return max(
        (Key(tonic, mode) for mode in _PROFILES for tonic in range(12)),
        key=lambda key: correlation(
            weights, [_PROFILES[key.mode][(each - key.tonic) % 12] for each in range(12)]
        ),
    )
