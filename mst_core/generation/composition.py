"""A finished tune, new or given another rhythm, and how it wants to be played."""

from __future__ import annotations

from dataclasses import dataclass

from mst_core.music import Melody, Part


@dataclass(frozen=True, slots=True)
class Composition:
    """A melody and how it wants to be played."""

    melody: Melody
    form: str
    """Such as AABB; empty for a given tune."""
    swing: float
    program: int
    before: Melody | None = None
    """The given tune, of the same length in bars; None for a new tune."""
    changed: float | None = None
    """Share of the given tune's notes whose rhythm was changed; None for a new tune."""
    closeness: float | None = None
    """Of its rhythm to the target's: 1 is alike."""
    pitch_closeness: float | None = None
    repitched: float | None = None
    """Share of them whose pitch was changed."""
    repeats: tuple[int, int] | None = None
    """Bars of the given tune that come again note for note, and how many of them still do."""
    closer_than: tuple[int, int] | None = None
    """Nearer to the target than so many of so many other tunes."""
    longest_copy: int | None = None
    """Notes in a row that it shares with a tune of the style, or with the target tune."""
    usual_copy: int | None = None
    """What two unrelated tunes of the style share at the most, nineteen times in twenty."""
    parts: tuple[Part, ...] = ()
    """What sounds beside it in the given file."""
    remarks: tuple[str, ...] = ()
