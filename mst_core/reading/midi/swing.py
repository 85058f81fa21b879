"""Recognizes swing, and writes swung music straight: the melody, and the parts that swing with it.

A swung beat has two eighths of which the first is longer, up to a triplet's 2:1 and a little more.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import median

from mst_core.reading.midi.notes import MidiNote

_SWING_RANGE = (0.57, 0.72)
"""Share of the beat that a swung first eighth lasts."""
_MIN_SWUNG_BEATS = 8
_STEADY_SHARE = 0.7
"""Of the swung beats that must be like most of them."""
_TRIPLET = (0.25, 0.42)
"""Share of a beat at which an onset makes it a triplet, which no swing explains."""
_NEAR_SWING, _NEAR_HALF = 0.07, 0.04
"""Shares of a beat around the swung and the straight second eighth."""


def find_swing(beats: Sequence[Sequence[float]]) -> float | None:
    """Find the swing of a melody.

    Args:
        beats: for each quarter, its onsets as shares of it, rising.

    Returns:
        Share of the beat that the first of two eighths lasts; None unless most beats swing alike.
    """
    shares = [beat[1] for beat in beats if len(beat) == 2 and beat[0] < 0.1]
    shares = [each for each in shares if 0.4 < each < 0.85]
    if len(shares) < _MIN_SWUNG_BEATS:
        return None
    swing = median(shares)
    steady = sum(abs(each - swing) < 0.1 for each in shares)
    is_steady = steady > _STEADY_SHARE * len(shares)
    return swing if is_steady and _SWING_RANGE[0] <= swing <= _SWING_RANGE[1] else None


def straighten(share: float, swing: float) -> float:
    """Map a place in a swung beat to the same beat played straight.

    Args:
        share: of the beat, 0 to 1.
        swing: share of the beat that its first eighth lasts.
    """
    return share / swing / 2 if share < swing else 1 - (1 - share) / (1 - swing) / 2


def straighten_notes(
    notes: Sequence[MidiNote], swing: float, ticks_per_quarter: int
) -> Iterator[MidiNote]:
    """Yield the notes of a part that plays with a swung melody: straight where they swing too.

    Beats with triplets stay, and so does a part that plays straight eighths against the melody.

    Args:
        notes: of the part.
        swing: of the melody, as a share of the beat.
        ticks_per_quarter: of the file.
    """
    shares = [note.onset % ticks_per_quarter / ticks_per_quarter for note in notes]
    swung = sum(abs(share - swing) < _NEAR_SWING for share in shares)
    halves = sum(abs(share - 0.5) < _NEAR_HALF for share in shares)
    if swung <= halves:
        yield from notes
        return
    triplets = {
        note.onset // ticks_per_quarter
        for note, share in zip(notes, shares, strict=True)
        if _TRIPLET[0] < share < _TRIPLET[1]
    }

    def move(tick: int) -> int:
        beat, rest = divmod(tick, ticks_per_quarter)
        if beat in triplets:
            return tick
        share = straighten(rest / ticks_per_quarter, swing)
        return beat * ticks_per_quarter + round(share * ticks_per_quarter)

    for note in notes:
        onset = move(note.onset)
        yield note._replace(onset=onset, end=max(onset + 1, move(note.end)))
