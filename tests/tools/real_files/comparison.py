"""What the comparisons of all formats share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from mst_core.reading.parsed_score import ParsedScore

MAX_COMPARED = 2_000
"""Notes of two melodies that are compared: `SequenceMatcher` takes quadratic time."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Agreement of two readers over one file."""

    notes: float | None
    """Share of the pitches of all notes that both have, 0 to 1; None where not compared."""
    melody: float | None
    """Similarity of the melodies' pitch sequences, 0 to 1; None where not compared."""
    bars: bool | None = None
    """Whether both have the same number of bars; None where not compared."""


def all_pitches(score: ParsedScore) -> Counter[int]:
    """Count the MIDI numbers of all notes of a score, grace notes included."""
    found = Counter(score.melody.pitches)
    for grace in score.melody.grace_notes:
        found.update(grace.pitches)
    for part in score.parts:
        found.update(note.pitch for note in part.notes)
    return found


def overlap(ours: Counter[int], theirs: Counter[int]) -> float:
    """Share of both multisets that is common (Dice), 0 to 1."""
    return 2 * (ours & theirs).total() / max(1, ours.total() + theirs.total())


def similarity(ours: Sequence[int], theirs: Sequence[int]) -> float:
    """Similarity of two pitch sequences by their common blocks, 0 to 1."""
    matcher = SequenceMatcher(None, ours[:MAX_COMPARED], theirs[:MAX_COMPARED], autojunk=False)
    return matcher.ratio()
