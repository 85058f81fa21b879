"""The result of composing or transfer, before it is rendered to audio and files.

A module of its own because the studio and the report read it without loading a network.
"""

from __future__ import annotations

from dataclasses import dataclass

from mst_core.music import ControlEvent, Melody, Part


@dataclass(frozen=True, slots=True)
class SideResult:
    """What became of one side, rhythm or pitch, of a transferred tune.

    The same value from the change path to the report, which writes it under the receipt's keys.
    """

    changed: float
    """Share of the notes whose rhythm (or pitch) differs from the original, 0 to 1."""
    similarity: float | None = None
    """Similarity to the target, 0 to 1; None when the side stays as it is."""
    rank_among: tuple[int, int] | None = None
    """(tunes that are farther from the target than this one, tunes compared)."""
    longest_shared_run: int | None = None
    """Notes in a row shared with a tune of the target style, or with the target tune."""
    p95_shared_run: int | None = None
    """Notes: 95 of 100 pairs of unrelated tunes of the style share no longer run."""


@dataclass(frozen=True, slots=True)
class Composition:
    """A finished melody with all that rendering and the receipt need."""

    melody: Melody
    form: str
    """A letter for each section as it is played, such as AABB; empty for a transferred tune."""
    swing: float
    """Share of a swung beat that its first half takes, 0.5 (straight) to 0.75."""
    program: int
    """General MIDI program of the melody, 0 to 127."""
    original: Melody | None = None
    """The given tune, with the same number of bars; None for a new tune."""
    rhythm: SideResult | None = None
    """None when the rhythm is not transferred."""
    pitch: SideResult | None = None
    """None when the pitches are not transferred."""
    repeats: tuple[int, int] | None = None
    """(bars of the given tune that repeat an earlier bar, how many of them still do)."""
    parts: tuple[Part, ...] = ()
    """The other parts of the given file."""
    controls: tuple[ControlEvent, ...] = ()
    """Programs, controllers and bends of the melody."""
    velocity: int | None = None
    """Median MIDI velocity of the melody beside its parts, 1 to 127; None for the usual one."""
    warnings: tuple[str, ...] = ()
    """Sentences about the given file and what was done, for the receipt."""

    @property
    def measured_side(self) -> SideResult | None:
        """The side that the receipt reports on: the rhythm if any of it changed, else the pitch."""
        return self.rhythm if self.rhythm is not None and self.rhythm.changed else self.pitch
