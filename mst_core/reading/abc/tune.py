"""One ABC tune as it is written: its notes in order, its measures, its repeats and endings.

A measure is the music between two barlines of any kind. The notes of a tie are kept apart, since a
tie may lead from one ending into another; `merge_ties` joins them once the order of the measures is
settled.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

from mst_core.music import Key, Meter

Place = tuple[int, Fraction]
"""Index of a measure, and quarter notes from its beginning."""


class AbcNote(NamedTuple):
    """A written note or rest."""

    pitch: int | None
    """MIDI number; None for a rest."""
    duration: Fraction
    """Quarter notes, above 0."""
    tied: bool
    """Whether it is tied to the next note."""
    graces: tuple[int, ...] = ()
    """MIDI numbers of the grace notes before it."""
    chord: str = ""
    """The chord symbol above it, in plain form; empty where there is none."""
    below: tuple[int, ...] = ()
    """MIDI numbers of the other notes of a chord, of which ``pitch`` is the top note."""


class AbcEvent(NamedTuple):
    """A note or rest as it sounds: tied notes are one event."""

    pitch: int | None
    """MIDI number; None for a rest."""
    onset: Fraction
    """Quarter notes from the first event."""
    duration: Fraction
    """Quarter notes, above 0."""


@dataclass(frozen=True, slots=True)
class AbcMeasure:
    """The music between two barlines; never empty."""

    notes: tuple[AbcNote, ...]
    length: Fraction
    """The sum of the durations, in quarter notes."""
    meter: Meter | None
    """The M: field that holds at its first note; None for free meter."""
    opens_repeat: bool = False
    closes_repeat: bool = False
    starts_section: bool = False
    """Whether a double bar or a repeat sign precedes it."""
    ends_section: bool = False
    """Whether a double bar or a repeat sign follows it."""
    endings: tuple[int, ...] = ()
    """The passes in which it is played, counted from 1; empty for all."""


@dataclass(frozen=True, slots=True)
class AbcTune:
    """A tune of an ABC file; every measure stands once, in the order of the text."""

    reference_number: str
    """The X: field as it is written."""
    title: str
    rhythm: str | None
    """The R: field, such as ``reel``."""
    meter: Meter | None
    """The M: field of the header; None for free meter."""
    key: Key
    key_name: str
    """Such as ``Gmaj``, ``Ador``; ``HP`` for the Highland pipes."""
    tempo: float | None
    """Quarter notes per minute, from the Q: field."""
    measures: tuple[AbcMeasure, ...]
    names_key: bool = True
    """Whether a K: field names a tonic; else only its signature, if any, is known."""
    declared_voices: int = 0
    """Number of voices that the header declares; the first one is read."""
    tempos: tuple[tuple[Place, float], ...] = ()
    """Each Q: field after the header, in quarter notes per minute."""
    keys: tuple[tuple[Place, Key], ...] = ()
    """Each change of key after the header."""
    voice: str = ""
    """The name of the voice; empty where the tune names none."""
    is_percussion: bool = False
    """Whether the voice has the clef of percussion."""
    syllables: int = 0
    """Syllables of the words below the voice."""
    program: int | None = None
    """General MIDI program of the voice."""
    transposition: int = 0
    """Semitones by which it sounds above what is written; its pitches and keys are as it sounds."""
    warnings: tuple[str, ...] = ()
    """What of the text is not in the tune, in plain sentences."""

    @property
    def unrepeated_measures(self) -> tuple[AbcMeasure, ...]:
        """The measures of one pass through the tune: of several endings the last one only."""
        return _drop_replaced_endings(self.measures)

    @property
    def events(self) -> tuple[AbcEvent, ...]:
        """Notes and rests of `unrepeated_measures`, without a gap; a tied note is one event."""
        return tuple(merge_ties(self.unrepeated_measures))

    @property
    def measure_onsets(self) -> tuple[Fraction, ...]:
        """The onset of each of the `unrepeated_measures`, in quarter notes from the first event."""
        onsets, onset = [], Fraction(0)
        for measure in self.unrepeated_measures:
            onsets.append(onset)
            onset += measure.length
        return tuple(onsets)

    @property
    def pickup(self) -> Fraction:
        """Length of the first measure in quarter notes where it is shorter than a bar, else 0."""
        first = self.unrepeated_measures[0].length
        return first if self.meter and first < self.meter.bar_length else Fraction(0)

    @property
    def meter_changes(self) -> tuple[tuple[Fraction, Meter | None], ...]:
        """Each change of meter: its onset, in quarter notes from the first event, and the meter."""
        changes, current = [], self.meter
        for onset, measure in zip(self.measure_onsets, self.unrepeated_measures, strict=True):
            if measure.meter != current:
                current = measure.meter
                changes.append((onset, current))
        return tuple(changes)

    @property
    def irregular_measures(self) -> tuple[int, ...]:
        """Indices in `unrepeated_measures` of measures that do not fill a bar of their meter.

        A shorter one is regular at both ends of the tune and beside a double bar or repeat sign,
        where a pickup may complete it. In free meter every measure is regular.
        """
        measures = self.unrepeated_measures
        irregular = []
        for index, measure in enumerate(measures):
            if measure.meter is None or measure.length == measure.meter.bar_length:
                continue
            at_edge = index in (0, len(measures) - 1) or measure.ends_section
            # A later ending follows a repeat sign too, but completes the bar before the first one.
            at_edge = at_edge or (measure.starts_section and not measure.endings)
            if measure.length > measure.meter.bar_length or not at_edge:
                irregular.append(index)
        return tuple(irregular)


def merge_ties(measures: Iterable[AbcMeasure]) -> Iterator[AbcEvent]:
    """Join tied notes and neighboring rests of consecutive measures.

    Args:
        measures: Measures in the order in which they sound.

    Yields:
        Events without a gap, the first at onset 0.
    """
    onset = Fraction(0)
    held: AbcEvent | None = None
    tied = False
    for measure in measures:
        for note in measure.notes:
            if held and note.pitch == held.pitch and (tied or note.pitch is None):
                held = held._replace(duration=held.duration + note.duration)
            else:
                if held:
                    yield held
                held = AbcEvent(note.pitch, onset, note.duration)
            tied = note.tied and note.pitch is not None
            onset += note.duration
    if held:
        yield held


def _drop_replaced_endings(measures: tuple[AbcMeasure, ...]) -> tuple[AbcMeasure, ...]:
    """Leave out each ending that is directly followed by a later ending of the same section."""
    kept: list[AbcMeasure] = []
    later: tuple[int, ...] = ()  # the endings of the kept measure that follows
    for measure in reversed(measures):
        replaced = measure.endings and later and measure.endings != later
        if not (replaced and measure.endings[0] < later[0]):
            kept.append(measure)
            later = measure.endings
    return tuple(reversed(kept))
