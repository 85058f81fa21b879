"""Lays the measures of an ABC tune into bars and makes a melody of them.

Measures that a repeat sign cuts in two become one bar again. At a repeat sign, and at the end of
the tune, a measure shorter than its meter is filled with silence, since nobody writes those rests.
Any other measure that does not fit its meter becomes a bar of its own meter, and no time is added.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise

from mst_core.errors import NoMelody
from mst_core.music import Melody, Meter, MeterChange, Note, Repeat
from mst_core.reading.abc.tune import (
    AbcMeasure,
    AbcTune,
    find_repeated_sections,
    merge_ties,
)

DEFAULT_TEMPO = 110.0
"""Quarter notes per minute of a tune without a Q: field."""
DEFAULT_METER = Meter(4, 4)
MAX_FREE_BAR = 8
"""Longest bar that free meter is given, in quarter notes."""
_DENOMINATORS = (4, 8, 16, 32, 2, 1)


def build_melody(tune: AbcTune) -> Melody:
    """Lay the measures of a tune into bars, every written note once and the repeats marked.

    Args:
        tune: A tune with at least one measure.

    Returns:
        The melody, in quarter notes from the first downbeat.

    Raises:
        NoMelody: when it has fewer than two notes.
    """
    layout = _BarLayout(tune.measures, find_repeated_sections(tune.measures))
    notes = _notes(tune.measures, layout.onsets)
    if len(notes) < 2:
        raise NoMelody("this ABC tune")
    return Melody(
        notes=tuple(notes),
        meter=layout.first_meter,
        key=tune.key,
        tempo=tune.tempo or DEFAULT_TEMPO,
        bar_count=len(layout.meters),
        sections=layout.sections(),
        meter_changes=layout.changes(),
        repeats=tuple(layout.repeats(notes[0].onset)),
    )


def _meter_of_length(length: Fraction, like: Meter) -> Meter | None:
    """Find the meter whose bar has a length in quarter notes; in the beat of ``like`` if it can."""
    for denominator in (like.denominator, *_DENOMINATORS):
        beats = length * denominator / 4
        if beats.denominator == 1 and 1 <= beats <= 32:
            return Meter(int(beats), denominator)
    return None


class _BarLayout:
    """Places measures into bars, one after the other. Measures are named by their index."""

    def __init__(self, measures: tuple[AbcMeasure, ...], repeated: tuple[Repeat, ...]) -> None:
        self.measures = measures
        self.repeated = repeated
        self.onsets: list[Fraction] = []
        """Of each measure, in quarter notes from the first downbeat."""
        self.meters: list[Meter] = []
        """Of each full bar."""
        self._starts = {section.start for section in repeated} - {0}
        self._ends = {section.end - 1 for section in repeated} | {len(measures) - 1}
        self._default_meter = _most_common_meter(measures)
        self._pickup_meter = self._meter_of(0)
        self._barlines = [Fraction(0)]  # the last one ends the bar that is being filled
        self._position = -self._pickup_length()
        for index in range(len(measures)):
            self._place_measure(index)

    @property
    def first_meter(self) -> Meter:
        """The meter that the melody begins with: that of its pickup, else of its first bar."""
        return self._pickup_meter if self.onsets[0] < 0 else self.meters[0]

    def changes(self) -> tuple[MeterChange, ...]:
        """The bars in which another meter begins."""
        meters = pairwise([self.first_meter, *self.meters])
        return tuple(MeterChange(bar, new) for bar, (old, new) in enumerate(meters) if new != old)

    def sections(self) -> tuple[int, ...]:
        """The first full bar of each section: after a double bar or repeat sign, and bar 0."""
        sections = {0}
        for measure, onset in zip(self.measures, self.onsets, strict=True):
            if measure.starts_section and not measure.endings:
                sections.add(self._bar_from(onset))
        return tuple(sorted(bar for bar in sections if bar < len(self.meters)))

    def repeats(self, first_note: Fraction) -> Iterator[Repeat]:
        """The repeated sections as bars; one shorter than a bar is left out."""
        for section in self.repeated:
            # A rest before the pickup is no part of a melody.
            start = max(self.onsets[section.start], min(first_note, Fraction(0)))
            end = self._onset_or_end(section.end)
            first, last = self._bar_from(start), self._bar_from(end)
            if first >= last:
                continue
            ending = second = None
            if section.first_ending is not None:
                ending = self._bar_from(self.onsets[section.first_ending])
            if section.second_ending is not None:
                second = self._bar_from(self._onset_or_end(section.second_ending))
            yield Repeat(
                first,
                last,
                ending,
                second,
                lead_in=self._barlines[first] - start,
                lead_out=self._barlines[last] - end,
            )

    def _bar_from(self, onset: Fraction) -> int:
        """The first bar that begins at an onset or after it."""
        return bisect_left(self._barlines, onset)

    def _onset_or_end(self, index: int) -> Fraction:
        """Where the measure before ``index`` ends; there may be none at ``index``."""
        return self.onsets[index - 1] + self.measures[index - 1].length

    def _meter_of(self, index: int) -> Meter:
        """The meter of a measure, also in free meter."""
        return self.measures[index].meter or self._default_meter

    def _pickup_length(self) -> Fraction:
        """Length of the measures before the first downbeat that make no full bar, else 0."""
        pickup = Fraction(0)
        for index, measure in enumerate(self.measures):
            full = pickup + measure.length > self._pickup_meter.bar_length
            if full or self._meter_of(index) != self._pickup_meter:
                return pickup % self._pickup_meter.bar_length
            pickup += measure.length
        return Fraction(0)  # shorter than one bar: it begins on the downbeat

    def _place_measure(self, index: int) -> None:
        """Find the onset of a measure, and open the bars that it needs."""
        length = self.measures[index].length
        room = self._barlines[-1] - self._position
        if not self._fits(index, room):
            self._position += room
            self._open_bars(index)
            room = self._barlines[-1] - self._position
        pickup = index in self._starts and index not in self._ends
        if pickup and length < room and not self._is_completed(index):
            self._position += room - length  # a pickup ends at the barline
        self.onsets.append(self._position)
        self._position += length

    def _open_bars(self, index: int) -> None:
        """Open bars for a measure: of its meter, or one whose meter has the measure's length."""
        meter, length = self._meter_of(index), self.measures[index].length
        full, rest = divmod(length, meter.bar_length)
        own = None
        if rest and (full or not self._may_be_short(index)):
            own = _meter_of_length(length if full == 1 else rest, meter)
        meters = [meter] * int(full + bool(rest))
        if own:
            meters = [own] if full <= 1 else [*meters[:-1], own]
        for opened in meters:
            self.meters.append(opened)
            self._barlines.append(self._barlines[-1] + opened.bar_length)

    def _fits(self, index: int, room: Fraction) -> bool:
        """Whether a measure goes into the ``room`` that is left in the bar, in quarter notes."""
        meter = self.meters[-1] if self.meters else self._pickup_meter
        return (
            self.measures[index].length <= room
            and self._meter_of(index) == meter
            and not (index and self._begins_ending(index))
        )

    def _may_be_short(self, index: int) -> bool:
        """Whether a measure shorter than a bar is filled with silence."""
        return index in self._ends or index in self._starts or self._is_completed(index)

    def _is_completed(self, index: int) -> bool:
        """Whether a measure and the next one make a bar together."""
        after = index + 1
        if after == len(self.measures) or self._begins_ending(after):
            return False
        meter = self._meter_of(index)
        together = self.measures[index].length + self.measures[after].length
        return together == meter.bar_length and self._meter_of(after) == meter

    def _begins_ending(self, index: int) -> bool:
        """Whether an ending begins with a measure."""
        return self.measures[index].endings not in ((), self.measures[index - 1].endings)


def _most_common_meter(measures: tuple[AbcMeasure, ...]) -> Meter:
    """The meter for measures in free meter: that of their most common length."""
    lengths = Counter(measure.length for measure in measures if measure.meter is None)
    for length, _ in lengths.most_common(1):
        return (length <= MAX_FREE_BAR and _meter_of_length(length, DEFAULT_METER)) or DEFAULT_METER
    return DEFAULT_METER


def _notes(measures: tuple[AbcMeasure, ...], onsets: list[Fraction]) -> list[Note]:
    """The notes of measures at their onsets; a tie holds only if no silence was put in between."""
    notes: list[Note] = []
    run: list[AbcMeasure] = []  # measures without silence between them
    start = end = Fraction(0)
    for measure, onset in zip(measures, onsets, strict=True):
        if run and onset != end:
            notes.extend(_notes_of_run(run, start))
            run = []
        if not run:
            start = end = onset
        run.append(measure)
        end += measure.length
    notes.extend(_notes_of_run(run, start))
    return notes


def _notes_of_run(run: list[AbcMeasure], start: Fraction) -> list[Note]:
    """The notes of consecutive measures of which the first begins at ``start``."""
    return [
        Note(start + event.onset, event.duration, event.pitch)
        for event in merge_ties(run)
        if event.pitch is not None
    ]
