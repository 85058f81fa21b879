"""What every reader returns, `ParsedScore`, and how much a file may hold, `Limits`.

Stands alone so that the parent of a parser process can import both without any reader.
"""

from __future__ import annotations

from dataclasses import dataclass

from mst_core.music import ControlEvent, Melody, Part


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
    """Messages of a MIDI file, elements of an XML file, characters of a tune in ABC."""
    notes: int = 20_000
    """Notes of all parts together."""
    controls: int = 60_000
    """Programs, controllers and bends of all parts together."""
    tunes: int = 5_000
    """Tunes of a book."""
    melody_notes: int = 5_000
    """Notes of the melody."""
    bars: int = 1_000
    """Bars of the melody."""
    seconds: float = 1_200.0
    """Duration at the melody's tempo."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Which tune of a file is meant, and which of its parts is the melody."""

    track: int | None = None
    """Track of a MIDI file, part of a MusicXML file or voice of an ABC tune, from 1; None finds
    the melody."""
    tune: int | None = None
    """Tune of a book, from 1; None takes the first that can be read."""


@dataclass(frozen=True, slots=True)
class PartCandidate:
    """A part of a file that may be the melody."""

    number: int
    """Its number for ``--track``, from 1."""
    name: str
    notes: int
    """Notes of the part, chords included."""
    score: float
    """Higher is more likely; comparable within a file."""


@dataclass(frozen=True, slots=True)
class ParsedScore:
    """A file that was read: its melody, and all else that sounds in it."""

    title: str
    melody: Melody
    parts: tuple[Part, ...] = ()
    program: int | None = None
    """General MIDI program of the melody, 0 to 127; None where the file names none."""
    controls: tuple[ControlEvent, ...] = ()
    """Programs, controllers and bends of the melody's own part, rising by onset."""
    velocity: int | None = None
    """Median MIDI velocity of the melody in the file, 1 to 127; None where the file has none."""
    swing: float | None = None
    """Share of the beat that the first of two swung eighths lasts in the file, 0.5 to 0.75; the
    melody is written straight. None: it does not swing, or the file is a score."""
    candidates: tuple[PartCandidate, ...] = ()
    """Parts ranked by how likely they are the melody, best first."""
    track: int | None = None
    """Number of the part taken as the melody, from 1."""
    tunes: tuple[str, ...] = ()
    """Titles of all tunes of a book of tunes, in its order."""
    tune: int | None = None
    """Number of the tune that was taken from a book, from 1."""
    warnings: tuple[str, ...] = ()
    """Plain sentences about what was chosen, assumed, moved or left out."""
