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
    AbcTune,
    Measure,
    Strain,
    expand_repeats,
    find_strains,
    merge_ties,
)

DEFAULT_TEMPO = 110.0
FREE_METER = Meter(4, 4)
LONGEST_FREE = 8
"""Quarter notes of a measure that free meter may be read from."""
_DENOMINATORS = (4, 8, 16, 32, 2, 1)


def lay_bars(tune: AbcTune, *, expand: bool, notes: int) -> Melody:
    """Make a melody of a tune: as it is played with its repeats where ``expand``, else as written.

    Raises:
        NoMelody: when fewer than two notes sound.
        TooLong: when the repeats make more than ``notes`` notes.
    """
    measures = expand_repeats(tune.measures, notes) if expand else tune.measures
    if not measures:  # all of them in endings that no pass reaches
        raise NoMelody("this ABC tune")
    page = _Page(measures, () if expand else find_strains(measures))
    melody = _notes(measures, page.places)
    if len(melody) < 2:
        raise NoMelody("this ABC tune")
    return Melody(
        notes=tuple(melody),
        meter=page.first_meter,
        key=tune.key,
        tempo=tune.tempo or DEFAULT_TEMPO,
        bars=len(page.meters),
        sections=page.sections(),
        changes=page.changes(),
        repeats=tuple(page.repeats(melody[0].onset)),
    )


def bar_meter(length: Fraction, like: Meter) -> Meter | None:
    """Return a meter whose bar has this length; None where no meter says it."""
    for denominator in (like.denominator, *_DENOMINATORS):
        beats = length * denominator / 4
        if beats.denominator == 1 and 1 <= beats <= 32:
            return Meter(int(beats), denominator)
    return None


class _Page:
    """Lays measures into bars, one after the other. ``places`` are their onsets."""

    def __init__(self, measures: tuple[Measure, ...], strains: tuple[Strain, ...]) -> None:
        self.measures = measures
        self.strains = strains
        self.places: list[Fraction] = []
        self.meters: list[Meter] = []
        """One for each full bar."""
        self._starts = {strain.start for strain in strains} - {0}
        self._ends = {strain.end - 1 for strain in strains} | {len(measures) - 1}
        self._free = _free_meter(measures)
        self._meter = self._meter_of(0)  # of the pickup
        self._lines = [Fraction(0)]  # barlines up to the one at the end of the bar under way
        self._place = -self._pickup()
        for number in range(len(measures)):
            self._lay(number)

    @property
    def first_meter(self) -> Meter:
        """The meter that the melody begins with: that of its pickup, else of its first bar."""
        return self._meter if self.places[0] < 0 else self.meters[0]

    def changes(self) -> tuple[MeterChange, ...]:
        """The bars in which another meter begins."""
        meters = pairwise([self.first_meter, *self.meters])
        return tuple(MeterChange(bar, new) for bar, (old, new) in enumerate(meters) if new != old)

    def sections(self) -> tuple[int, ...]:
        """The bars that begin, or follow a pickup that begins, behind a double bar or repeat."""
        sections = {0}
        for measure, place in zip(self.measures, self.places, strict=True):
            if measure.starts_section and not measure.endings:
                sections.add(self._bar_from(place))
        return tuple(sorted(bar for bar in sections if bar < len(self.meters)))

    def repeats(self, first_note: Fraction) -> Iterator[Repeat]:
        """The strains as bars; one shorter than a bar is left out."""
        for strain in self.strains:
            # The silence before a pickup is no part of a melody.
            start = max(self.places[strain.start], min(first_note, Fraction(0)))
            end = self._end(strain.end)
            first, last = self._bar_from(start), self._bar_from(end)
            ending = second = None
            if strain.ending is not None:
                ending = self._bar_from(self.places[strain.ending])
            if strain.second is not None:
                second = self._bar_from(self._end(strain.second))
            if first < last:
                yield Repeat(
                    first, last, ending, second, self._lines[first] - start, self._lines[last] - end
                )

    def _bar_from(self, place: Fraction) -> int:
        """The bar that begins at a place or next behind it."""
        return bisect_left(self._lines, place)

    def _end(self, number: int) -> Fraction:
        """Where the measure before this one ends."""
        return self.places[number - 1] + self.measures[number - 1].length

    def _meter_of(self, number: int) -> Meter:
        return self.measures[number].meter or self._free

    def _pickup(self) -> Fraction:
        """Length of the measures before the first downbeat, where they make no full bar."""
        pickup = Fraction(0)
        for number, measure in enumerate(self.measures):
            full = pickup + measure.length > self._meter.bar
            if full or self._meter_of(number) != self._meter:
                return pickup % self._meter.bar
            pickup += measure.length
        return Fraction(0)  # not even one bar: it begins on the downbeat

    def _lay(self, number: int) -> None:
        """Find the place of a measure, and open the bars that it needs."""
        length = self.measures[number].length
        room = self._lines[-1] - self._place
        if not self._goes_on(number, room):
            self._place += room
            self._open(number)
            room = self._lines[-1] - self._place
        pickup = number in self._starts and number not in self._ends
        if pickup and length < room and not self._completed(number):
            self._place += room - length  # it stands before its barline
        self.places.append(self._place)
        self._place += length

    def _open(self, number: int) -> None:
        """Open bars for a measure: of its meter, or one of its own length."""
        meter, length = self._meter_of(number), self.measures[number].length
        full, rest = divmod(length, meter.bar)
        own = None
        if rest and (full or not self._may_be_short(number)):
            own = bar_meter(length if full == 1 else rest, meter)
        meters = [meter] * int(full + bool(rest))
        if own:
            meters = [own] if full <= 1 else [*meters[:-1], own]
        for opened in meters:
            self.meters.append(opened)
            self._lines.append(self._lines[-1] + opened.bar)

    def _goes_on(self, number: int, room: Fraction) -> bool:
        """Whether a measure belongs in what is left of the bar under way."""
        meter = self.meters[-1] if self.meters else self._meter
        return (
            self.measures[number].length <= room
            and self._meter_of(number) == meter
            and not (number and self._begins_ending(number))
        )

    def _may_be_short(self, number: int) -> bool:
        """Whether a measure of less than a bar may lie in a full one."""
        return number in self._ends or number in self._starts or self._completed(number)

    def _completed(self, number: int) -> bool:
        """Whether a measure and the next one make a bar together."""
        after = number + 1
        if after == len(self.measures) or self._begins_ending(after):
            return False
        meter = self._meter_of(number)
        together = self.measures[number].length + self.measures[after].length
        return together == meter.bar and self._meter_of(after) == meter

    def _begins_ending(self, number: int) -> bool:
        return self.measures[number].endings not in ((), self.measures[number - 1].endings)


def _free_meter(measures: tuple[Measure, ...]) -> Meter:
    """The meter in which most measures of free meter would be full."""
    lengths = Counter(measure.length for measure in measures if measure.meter is None)
    for length, _ in lengths.most_common(1):
        return (length <= LONGEST_FREE and bar_meter(length, FREE_METER)) or FREE_METER
    return FREE_METER


def _notes(measures: tuple[Measure, ...], places: list[Fraction]) -> list[Note]:
    """Put the notes of the measures in their places; ties hold only where nothing lies between."""
    notes: list[Note] = []
    run: list[Measure] = []
    start = end = Fraction(0)
    for measure, place in zip(measures, places, strict=True):
        if run and place != end:
            notes.extend(_sounding(run, start))
            run = []
        if not run:
            start = end = place
        run.append(measure)
        end += measure.length
    notes.extend(_sounding(run, start))
    return notes


def _sounding(run: list[Measure], start: Fraction) -> list[Note]:
    return [
        Note(start + event.onset, event.duration, event.pitch)
        for event in merge_ties(run)
        if event.pitch is not None
    ]
