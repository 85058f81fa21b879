"""One ABC tune as it is written: its notes in order, its measures, and its lines made of both.

A measure is what stands between two barlines of any kind. Written notes are kept as they stand,
each part of a tie by itself, so that repeats can be played in any order; ties are merged last.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

from mst_core.music import Key, Meter

MAX_PASSES = 9
"""How often a strain can be played: endings beyond the ninth are never reached."""


class AbcNote(NamedTuple):
    """A note or rest on the page; ``duration`` in quarter notes."""

    pitch: int | None
    duration: Fraction
    tied: bool
    """Whether it is tied to the note behind it."""


class AbcEvent(NamedTuple):
    """A note, or a rest with pitch None. Times in quarter notes, from the first event."""

    pitch: int | None
    onset: Fraction
    duration: Fraction


@dataclass(frozen=True, slots=True)
class AbcMeasure:
    """The music between two barlines; never empty."""

    notes: tuple[AbcNote, ...]
    length: Fraction
    """The sum of their durations, in quarter notes."""
    meter: Meter | None
    opens: bool = False
    """Whether a repeat begins with it."""
    closes: bool = False
    """Whether a repeat ends with it."""
    starts_section: bool = False
    """Whether a double bar or a repeat sign stands before it."""
    ends_section: bool = False
    """Whether a double bar or a repeat sign stands behind it."""
    endings: tuple[int, ...] = ()
    """The passes in which it is played; empty for all."""


class RepeatedSection(NamedTuple):
    """Measures that are played twice, by their numbers from 0."""

    start: int
    end: int
    """The measure behind the repeat sign."""
    first_ending: int | None
    """The first measure of the first ending, which goes up to ``end``."""
    second_ending_end: int | None
    """The measure behind the second ending, which begins with ``end``."""


@dataclass(frozen=True, slots=True)
class AbcTune:
    """A tune of an ABC file, repeats written once. Times in quarter notes from the first note."""

    reference_number: str
    """The X: field as it is written."""
    title: str
    rhythm: str | None
    """The R: field, such as ``reel``."""
    meter: Meter | None
    """None for free meter."""
    key: Key
    key_name: str
    """Such as ``Gmaj``, ``Ador``; ``HP`` for the pipes."""
    tempo: float | None
    """Quarter notes per minute, from the Q: field."""
    measures: tuple[AbcMeasure, ...]
    declared_voices: int = 0
    """How many voices its heading declares; the first one is read."""
    warnings: tuple[str, ...] = ()
    """What of the page is not in here, in plain sentences."""

    @property
    def unrepeated_measures(self) -> tuple[AbcMeasure, ...]:
        """The measures of the tune gone through once: each strain with its last ending only."""
        return drop_replaced_endings(self.measures)

    @property
    def events(self) -> tuple[AbcEvent, ...]:
        """Notes and rests of the line, contiguous; a tied note is one event."""
        return tuple(merge_ties(self.unrepeated_measures))

    @property
    def measure_onsets(self) -> tuple[Fraction, ...]:
        """The onset of each measure of the line."""
        starts, place = [], Fraction(0)
        for measure in self.unrepeated_measures:
            starts.append(place)
            place += measure.length
        return tuple(starts)

    @property
    def pickup(self) -> Fraction:
        """Length of the first measure where it is no full bar, else 0."""
        first = self.unrepeated_measures[0].length
        return first if self.meter and first < self.meter.bar_length else Fraction(0)

    @property
    def meter_changes(self) -> tuple[tuple[Fraction, Meter | None], ...]:
        """Where another meter begins than the one before, and which."""
        changes, current = [], self.meter
        for start, measure in zip(self.measure_onsets, self.unrepeated_measures, strict=True):
            if measure.meter != current:
                current = measure.meter
                changes.append((start, current))
        return tuple(changes)

    @property
    def irregular_measures(self) -> tuple[int, ...]:
        """Places in the line, counted from 0, of measures that do not fill a bar of their meter.

        A shorter one is in order at both ends of the tune and beside a double bar or repeat sign,
        where a pickup may complete it. In free meter none is uneven.
        """
        line = self.unrepeated_measures
        uneven = []
        for number, measure in enumerate(line):
            if measure.meter is None or measure.length == measure.meter.bar_length:
                continue
            at_edge = number in (0, len(line) - 1) or measure.ends_section
            # An ending stands behind a repeat sign too, but goes on in the bar before it.
            at_edge = at_edge or (measure.starts_section and not measure.endings)
            if measure.length > measure.meter.bar_length or not at_edge:
                uneven.append(number)
        return tuple(uneven)


def merge_ties(measures: Iterable[AbcMeasure]) -> Iterator[AbcEvent]:
    """Yield the events of some measures in a row, the first at onset 0."""
    place = Fraction(0)
    held: AbcEvent | None = None
    tied = False
    for measure in measures:
        for note in measure.notes:
            if held and note.pitch == held.pitch and (tied or note.pitch is None):
                held = held._replace(duration=held.duration + note.duration)
            else:
                if held:
                    yield held
                held = AbcEvent(note.pitch, place, note.duration)
            tied = note.tied and note.pitch is not None
            place += note.duration
    if held:
        yield held


def drop_replaced_endings(measures: tuple[AbcMeasure, ...]) -> tuple[AbcMeasure, ...]:
    """Leave out each ending that a later ending of the same strain replaces."""
    kept: list[AbcMeasure] = []
    later: tuple[int, ...] = ()  # the ending that follows the measure, without a break
    for measure in reversed(measures):
        replaced = measure.endings and later and measure.endings != later
        if not (replaced and measure.endings[0] < later[0]):
            kept.append(measure)
            later = measure.endings
    return tuple(reversed(kept))


def find_repeated_sections(measures: tuple[AbcMeasure, ...]) -> tuple[RepeatedSection, ...]:
    """Find what is played twice. What is played oftener is left out.

    A repeat sign with no beginning goes back to the end of the repeat before it.
    """
    strains: list[RepeatedSection] = []
    start = place = 0
    while place < len(measures):
        if measures[place].opens:
            start = place
        place += 1
        if not measures[place - 1].closes:
            continue
        ending = next((n for n in range(start, place) if measures[n].endings), None)
        behind = place
        while behind < len(measures) and measures[behind].endings:
            behind += 1
            if measures[behind - 1].ends_section and not measures[behind - 1].closes:
                break
        first = {
            measure.endings for measure in measures[start if ending is None else ending : place]
        }
        second = {measure.endings for measure in measures[place:behind]}
        if first == ({()} if ending is None else {(1,)}) and second in (
            (set(),) if ending is None else (set(), {(2,)})
        ):
            strains.append(RepeatedSection(start, place, ending, behind if second else None))
        start = place = behind
    return tuple(strains)
