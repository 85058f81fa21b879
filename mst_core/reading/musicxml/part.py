"""What one part of a MusicXML score is read into: its notes, measures and instruments."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

from mst_core.music import Key, Meter
from mst_core.reading.musicxml.elements import XmlBarlines
from mst_core.reading.musicxml.instruments import XmlControl

DEFAULT_VELOCITY = 80
"""MIDI velocity of a note without dynamics."""


class XmlNote(NamedTuple):
    """A written note."""

    onset: Fraction
    """Quarter notes from the beginning of its measure, or from the first downbeat of the score."""
    duration: Fraction
    """Quarter notes, above 0."""
    pitch: int
    """MIDI number; a General MIDI drum where ``drum``."""
    voice: tuple[str, str]
    """Staff and voice, as the file numbers them; of a chord, those of its first note."""
    tie_start: bool
    """Whether it is tied to the next note of its pitch."""
    tie_stop: bool
    """Whether the note of its pitch before it is tied to it."""
    drum: bool
    """Whether it is written without a pitch."""
    velocity: int = DEFAULT_VELOCITY
    """MIDI velocity, 1 to 127."""
    graces: tuple[int, ...] = ()
    """MIDI numbers of the grace notes before it."""


@dataclass(frozen=True, slots=True)
class XmlMeasure:
    """The music between two barlines, of all voices of a part."""

    notes: tuple[XmlNote, ...]
    length: Fraction
    """Quarter notes up to the end of its longest voice; 0 where nothing is written."""
    meter: Meter | None
    """The time signature that holds; None for free meter."""
    barlines: XmlBarlines
    implicit: bool
    """Whether it has no number of its own: a pickup, or the rest of a bar that was cut in two."""
    opens_section: bool
    """Whether a rehearsal mark stands at its beginning."""
    tempos: tuple[tuple[Fraction, float], ...]
    """Tempo marks: quarter notes from its beginning, and quarter notes per minute."""
    key: Key | None = None
    """The key that holds; None before the first key signature."""
    chords: tuple[tuple[Fraction, str], ...] = ()
    """Chord symbols: quarter notes from its beginning, and text."""
    controls: tuple[XmlControl, ...] = ()
    """Programs, controllers and pedals."""
    rests: tuple[tuple[tuple[str, str], Fraction, Fraction], ...] = ()
    """Printed rests: staff and voice, onset and end in quarter notes from its beginning."""
    repeats_back: tuple[tuple[str, int], ...] = ()
    """The staff, empty for all, and number of measures back that a repeat sign stands for."""

    @property
    def sounding_length(self) -> Fraction:
        """Quarter notes from its beginning to the end of the last note."""
        return max((note.onset + note.duration for note in self.notes), default=Fraction(0))


@dataclass(frozen=True, slots=True)
class XmlPart:
    """A part with all its measures."""

    name: str
    program: int | None
    """General MIDI program, 0 to 127; None where the file names none."""
    drums: bool
    """Whether it is percussion: on the drum channel, or without any pitch."""
    key: Key | None
    """The first key signature, as it sounds."""
    measures: tuple[XmlMeasure, ...]
    counts: Counter[str]
    """How often the file has what is left out or changed: ``grace``, ``cue``, ``hidden``, ``tab``,
    ``rounded``, ``transposed``, ``unpitched``, ``meters`` (that no music has), ``jump``,
    ``slashes``, ``sung`` (notes with a syllable) and ``modes`` (keys with a mode)."""
    controls: tuple[XmlControl, ...] = ()
    """Controllers from its beginning on."""
    swing: float | None = None
    """Share of the beat of the first of two swung eighths; None where the file names none."""
    tempo_word: tuple[str, float] | None = None
    """The first word that names a tempo, and its usual quarter notes per minute."""

    @property
    def note_count(self) -> int:
        """Number of written notes, with every note of a chord and of a tie."""
        return sum(len(measure.notes) for measure in self.measures)
