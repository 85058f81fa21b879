"""From an ABC tune to a melody: the written measures become bars.

Measures that a repeat sign cuts in two meet again in one bar. Beside a repeat sign a measure too
short for the meter is filled with silence, which nobody has to write, and so is the last one. Any
other measure that does not fit the meter is a bar of its own meter: no time is added.
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
    RepeatedSection,
    find_repeated_sections,
    merge_ties,
)

DEFAULT_TEMPO = 110.0
DEFAULT_METER = Meter(4, 4)
MAX_FREE_BAR = 8
"""Quarter notes of a measure that free meter may be read from."""
_DENOMINATORS = (4, 8, 16, 32, 2, 1)


def build_melody(tune: AbcTune) -> Melody:
    """Lay the measures of a tune into bars, every written note once and the repeats marked.

    Raises:
        NoMelody: when fewer than two notes sound.
    """
    page = _BarLayout(tune.measures, find_repeated_sections(tune.measures))
    melody = _notes(tune.measures, page.onsets)
    if len(melody) < 2:
        raise NoMelody("this ABC tune")
    return Melody(
        notes=tuple(melody),
        meter=page.first_meter,
        key=tune.key,
        tempo=tune.tempo or DEFAULT_TEMPO,
        bar_count=len(page.meters),
        sections=page.sections(),
        meter_changes=page.changes(),
        repeats=tuple(page.repeats(melody[0].onset)),
    )


def meter_of_length(length: Fraction, like: Meter) -> Meter | None:
    """Return a meter whose bar has this length; None where no meter says it."""
    for denominator in (like.denominator, *_DENOMINATORS):
        beats = length * denominator / 4
        if beats.denominator == 1 and 1 <= beats <= 32:
            return Meter(int(beats), denominator)
    return None


class _BarLayout:
    """Lays measures into bars, one after the other. ``places`` are their onsets."""

    def __init__(
        self, measures: tuple[AbcMeasure, ...], strains: tuple[RepeatedSection, ...]
    ) -> None:
        self.measures = measures
        self.repeated = strains
        self.onsets: list[Fraction] = []
        self.meters: list[Meter] = []
        """One for each full bar."""
        self._starts = {strain.start for strain in strains} - {0}
        self._ends = {strain.end - 1 for strain in strains} | {len(measures) - 1}
        self._default_meter = _most_common_meter(measures)
        self._pickup_meter = self._meter_of(0)  # of the pickup
        self._barlines = [Fraction(0)]  # barlines up to the one at the end of the bar under way
        self._position = -self._pickup_length()
        for number in range(len(measures)):
            self._place_measure(number)

    @property
    def first_meter(self) -> Meter:
        """The meter that the melody begins with: that of its pickup, else of its first bar."""
        return self._pickup_meter if self.onsets[0] < 0 else self.meters[0]

    def changes(self) -> tuple[MeterChange, ...]:
        """The bars in which another meter begins."""
        meters = pairwise([self.first_meter, *self.meters])
        return tuple(MeterChange(bar, new) for bar, (old, new) in enumerate(meters) if new != old)

    def sections(self) -> tuple[int, ...]:
        """The bars that begin, or follow a pickup that begins, behind a double bar or repeat."""
        sections = {0}
        for measure, place in zip(self.measures, self.onsets, strict=True):
            if measure.starts_section and not measure.endings:
                sections.add(self._bar_from(place))
        return tuple(sorted(bar for bar in sections if bar < len(self.meters)))

    def repeats(self, first_note: Fraction) -> Iterator[Repeat]:
        """The strains as bars; one shorter than a bar is left out."""
        for strain in self.repeated:
            # The silence before a pickup is no part of a melody.
            start = max(self.onsets[strain.start], min(first_note, Fraction(0)))
            end = self._end(strain.end)
            first, last = self._bar_from(start), self._bar_from(end)
            ending = second = None
            if strain.first_ending is not None:
                ending = self._bar_from(self.onsets[strain.first_ending])
            if strain.second_ending_end is not None:
                second = self._bar_from(self._end(strain.second_ending_end))
            if first < last:
                yield Repeat(
                    first,
                    last,
                    ending,
                    second,
                    self._barlines[first] - start,
                    self._barlines[last] - end,
                )

    def _bar_from(self, place: Fraction) -> int:
        """The bar that begins at a place or next behind it."""
        return bisect_left(self._barlines, place)

    def _end(self, number: int) -> Fraction:
        """Where the measure before this one ends."""
        return self.onsets[number - 1] + self.measures[number - 1].length

    def _meter_of(self, number: int) -> Meter:
        return self.measures[number].meter or self._default_meter

    def _pickup_length(self) -> Fraction:
        """Length of the measures before the first downbeat, where they make no full bar."""
        pickup = Fraction(0)
        for number, measure in enumerate(self.measures):
            full = pickup + measure.length > self._pickup_meter.bar_length
            if full or self._meter_of(number) != self._pickup_meter:
                return pickup % self._pickup_meter.bar_length
            pickup += measure.length
        return Fraction(0)  # not even one bar: it begins on the downbeat

    def _place_measure(self, number: int) -> None:
        """Find the place of a measure, and open the bars that it needs."""
        length = self.measures[number].length
        room = self._barlines[-1] - self._position
        if not self._fits(number, room):
            self._position += room
            self._open_bars(number)
            room = self._barlines[-1] - self._position
        pickup = number in self._starts and number not in self._ends
        if pickup and length < room and not self._is_completed(number):
            self._position += room - length  # it stands before its barline
        self.onsets.append(self._position)
        self._position += length

    def _open_bars(self, number: int) -> None:
        """Open bars for a measure: of its meter, or one of its own length."""
        meter, length = self._meter_of(number), self.measures[number].length
        full, rest = divmod(length, meter.bar_length)
        own = None
        if rest and (full or not self._may_be_short(number)):
            own = meter_of_length(length if full == 1 else rest, meter)
        meters = [meter] * int(full + bool(rest))
        if own:
            meters = [own] if full <= 1 else [*meters[:-1], own]
        for opened in meters:
            self.meters.append(opened)
            self._barlines.append(self._barlines[-1] + opened.bar_length)

    def _fits(self, number: int, room: Fraction) -> bool:
        """Whether a measure belongs in what is left of the bar under way."""
        meter = self.meters[-1] if self.meters else self._pickup_meter
        return (
            self.measures[number].length <= room
            and self._meter_of(number) == meter
            and not (number and self._begins_ending(number))
        )

    def _may_be_short(self, number: int) -> bool:
        """Whether a measure of less than a bar may lie in a full one."""
        return number in self._ends or number in self._starts or self._is_completed(number)

    def _is_completed(self, number: int) -> bool:
        """Whether a measure and the next one make a bar together."""
        after = number + 1
        if after == len(self.measures) or self._begins_ending(after):
            return False
        meter = self._meter_of(number)
        together = self.measures[number].length + self.measures[after].length
        return together == meter.bar_length and self._meter_of(after) == meter

    def _begins_ending(self, number: int) -> bool:
        return self.measures[number].endings not in ((), self.measures[number - 1].endings)


def _most_common_meter(measures: tuple[AbcMeasure, ...]) -> Meter:
    """The meter in which most measures of free meter would be full."""
    lengths = Counter(measure.length for measure in measures if measure.meter is None)
    for length, _ in lengths.most_common(1):
        return (length <= MAX_FREE_BAR and meter_of_length(length, DEFAULT_METER)) or DEFAULT_METER
    return DEFAULT_METER


def _notes(measures: tuple[AbcMeasure, ...], places: list[Fraction]) -> list[Note]:
    """Put the notes of the measures in their places; ties hold only where nothing lies between."""
    notes: list[Note] = []
    run: list[AbcMeasure] = []
    start = end = Fraction(0)
    for measure, place in zip(measures, places, strict=True):
        if run and place != end:
            notes.extend(_notes_of_run(run, start))
            run = []
        if not run:
            start = end = place
        run.append(measure)
        end += measure.length
    notes.extend(_notes_of_run(run, start))
    return notes


def _notes_of_run(run: list[AbcMeasure], start: Fraction) -> list[Note]:
    return [
        Note(start + event.onset, event.duration, event.pitch)
        for event in merge_ties(run)
        if event.pitch is not None
    ]
