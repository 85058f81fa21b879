"""What every reader returns, `ParsedScore`, and how much a file may hold, `Limits`.

Stands alone so that the parent of a parser process can import both without any reader.
"""

from __future__ import annotations

from dataclasses import dataclass

from mst_core.music import Melody, Part


@dataclass(frozen=True, slots=True)
class Limits:
    """Maximum sizes of one file. Readers reject more with `TooLong` before they do the work."""

    file_bytes: int = 5_000_000
    """Bytes of the file as it was sent."""
    unpacked_bytes: int = 20_000_000
    """Bytes of all files in an archive together."""
    tracks: int = 128
    """Tracks of a MIDI file, parts of a MusicXML file, voices of an ABC tune."""
    events: int = 400_000
    """Messages of a MIDI file, elements of an XML file, characters of an ABC file."""
    notes: int = 20_000
    """Notes of all parts together."""
    melody_notes: int = 5_000
    """Notes of the melody."""
    bars: int = 1_000
    """Bars of the melody."""
    seconds: float = 1_200.0
    """Duration at the melody's tempo."""


@dataclass(frozen=True, slots=True)
class ParsedScore:
    """A file that was read: its melody, and all else that sounds in it."""

    title: str
    melody: Melody
    parts: tuple[Part, ...] = ()
    program: int | None = None
    """General MIDI program of the melody, 0 to 127; None where the file names none."""
    tempos: tuple[tuple[float, float], ...] = ()
    """Tempo changes as (onset in quarter notes from the first downbeat, quarter notes a minute)."""
    warnings: tuple[str, ...] = ()
    """Plain sentences about what was chosen, assumed, moved or left out."""
