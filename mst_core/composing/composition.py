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
    changed: float | None = None
    """Share of the given tune's notes that were changed; None for a new tune."""
    parts: tuple[Part, ...] = ()
    """What sounds beside it in the given file."""
    remarks: tuple[str, ...] = ()
