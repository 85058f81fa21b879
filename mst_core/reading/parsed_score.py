"""What a reader makes of a file: a melody, what sounds beside it, and what is worth telling."""

from __future__ import annotations

from dataclasses import dataclass

from mst_core.music import Melody, Part


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a file may hold. Readers refuse more, by name, before they do the work."""

    file_bytes: int = 5_000_000
    """Bytes of the file as it came."""
    unpacked_bytes: int = 20_000_000
    """Bytes of what an archive holds, in all."""
    tracks: int = 128
    events: int = 400_000
    """Messages of a MIDI file, elements of an XML file, characters of an ABC file."""
    notes: int = 20_000
    """Notes of all parts together."""
    melody_notes: int = 5_000
    bars: int = 1_000
    seconds: float = 1_200.0
    """How long the tune lasts at its tempo."""


@dataclass(frozen=True, slots=True)
class ParsedScore:
    """A file that was understood."""

    title: str
    melody: Melody
    parts: tuple[Part, ...] = ()
    program: int | None = None
    """General MIDI program of the melody, where the file names one."""
    tempos: tuple[tuple[float, float], ...] = ()
    """Tempo changes of the file, as (quarter notes from the first downbeat, quarters a minute)."""
    warnings: tuple[str, ...] = ()
    """Plain sentences: which track was taken and why, how many notes were moved to the grid."""
