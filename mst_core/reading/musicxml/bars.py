"""From the measures of a MusicXML score to the bars of a melody.

A bar that a repeat sign cuts in two is one bar again. A measure of an odd length makes a bar of
its own meter. No time is put in and none left out, so that every note stands where the file has
it; only the last bar is filled up, and a measure of a length that no meter has.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from mst_core.errors import TooLong
from mst_core.music import Meter, MeterChange, Repeat
from mst_core.reading.musicxml.elements import LONGEST_TIMES, BarSigns

# The repeats of a score that are played twice, with or without two endings, as bars.


def find_repeats(
    signs: Sequence[BarSigns], places: Sequence[Fraction], barlines: Sequence[Fraction]
) -> tuple[tuple[Repeat, ...], list[str]]:
    """Find the plain repeats of some measures, and remark on what is more than that.

    ``places`` holds the onset of each measure and, last, the end of the music; ``barlines`` those
    of all bars and the last barline. A repeat sign with no beginning goes back to the end of the
    repeat before it, or to the first note.
    """
    repeats: list[Repeat] = []
    odd = 0
    start = 0  # the measure where the strain begins
    first: int | None = None  # the measure where its first ending begins
    number = 0
    while number < len(signs):
        sign = signs[number]
        if sign.opens:
            start, first = number, None
        if sign.ending and 1 in sign.ending:
            first = number
            odd += sign.ending != (1,)
        if not sign.closes:
            number += 1
            continue
        end = number + 1
        behind = _second_ending(signs, end) if first is not None else None
        plain = sign.times == 2 and (first is None or signs[first].ending == (1,))
        again = behind is not None and signs[behind - 1].closes
        opens, closes = (bisect_left(barlines, places[each]) for each in (start, end))
        if plain and not again and opens < closes:
            repeats.append(
                Repeat(
                    start=opens,
                    end=closes,
                    first_ending=None if first is None else bisect_left(barlines, places[first]),
                    second_ending=None if behind is None else bisect_left(barlines, places[behind]),
                    lead_in=barlines[opens] - places[start],
                    lead_out=barlines[closes] - places[end],
                )
            )
        else:
            odd += first is None or signs[first].ending == (1,)
        number = start = behind or end
        first = None
    remarks = []
    if odd:
        remarks.append(
            "One repeat is more than twice the same with two endings; it is not played again."
            if odd == 1
            else f"{odd} repeats are more than twice the same with two endings; they are not"
            " played again."
        )
    return tuple(repeats), remarks


def _second_ending(signs: Sequence[BarSigns], begin: int) -> int | None:
    """The measure behind the second ending that begins at ``begin``; None where none does."""
    if begin >= len(signs) or signs[begin].ending != (2,):
        return None
    for number in range(begin, len(signs)):
        sign = signs[number]
        if number > begin and (sign.ending or sign.opens):
            return number
        if sign.ending_stops or sign.closes or sign.double_behind:
            return number + 1
    return begin + 1


COMMON_TIME = Meter(4, 4)
_MOST_CUT = 100_000  # bars of one measure; more than any limit allows


@dataclass(frozen=True, slots=True)
class Measure:
    """A measure of the whole score: all its parts together."""

    length: Fraction
    """Quarter notes up to where the last of its parts comes; 0 where nothing is written."""
    meter: Meter | None
    signs: BarSigns
    implicit: bool
    """Whether it is not counted."""
    opens_section: bool
    rests_first: bool
    """Whether the melody's part is silent on its downbeat."""


@dataclass(frozen=True, slots=True)
class Grid:
    """Where measures and bars stand."""

    starts: tuple[Fraction, ...]
    """The onset of each measure of the file, in quarter notes from the first downbeat."""
    meters: tuple[Meter, ...]
    """The meter of each full bar."""
    sections: tuple[int, ...]
    repeats: tuple[Repeat, ...]
    remarks: tuple[str, ...]

    @property
    def changes(self) -> tuple[MeterChange, ...]:
        """Where another meter begins than that of the bar before."""
        return tuple(
            MeterChange(bar, self.meters[bar])
            for bar in range(1, len(self.meters))
            if self.meters[bar] != self.meters[bar - 1]
        )


def lay_bars(measures: Sequence[Measure], *, most: int) -> Grid:
    """Lay at least one measure on a grid of bars.

    Raises:
        TooLong: when that makes more than ``most`` bars.
    """
    free = _usual_meter(measures)
    places: list[Fraction] = []
    meters: list[Meter] = []
    barlines = [Fraction(0)]
    filled: list[int] = []
    groups = _group(measures, free)
    place = Fraction(0)
    for number, group in enumerate(groups):
        meter = measures[group[0]].meter or free
        lengths = [measures[each].length or meter.bar for each in group]
        whole = sum(lengths, Fraction(0))
        last = number + 1 == len(groups)
        pickup = number == 0 and not last and _is_pickup(measures[0], whole, meter)
        place = -whole if pickup else barlines[-1]
        for length in lengths:
            places.append(place)
            place += length
        if pickup:
            continue
        bars = [meter] if last and whole < meter.bar else _bars(whole, meter)
        if len(meters) + len(bars) > most:
            raise TooLong(f"more than {most} bars", f"{most} bars")
        for each in bars:
            barlines.append(barlines[-1] + each.bar)
        meters.extend(bars)
        if place < barlines[-1] and not last:
            filled.append(len(meters))
    places.append(place)
    repeats, remarks = find_repeats([each.signs for each in measures], places, barlines)
    if filled:
        remarks.append(
            f"Bar {filled[0]} has a length that no meter has; it was filled up with silence."
            if len(filled) == 1
            else f"{len(filled)} bars have lengths that no meter has; they were filled up with"
            " silence."
        )
    return Grid(
        starts=tuple(places[:-1]),
        meters=tuple(meters),
        sections=_sections(measures, places, barlines, repeats),
        repeats=repeats,
        remarks=tuple(remarks),
    )


def _usual_meter(measures: Sequence[Measure]) -> Meter:
    """The meter for measures without a signature: that of their most common length."""
    lengths = Counter(each.length for each in measures if each.length and each.meter is None)
    for length, _ in lengths.most_common(1):
        return _meter_of(length, COMMON_TIME) or COMMON_TIME
    return COMMON_TIME


def _group(measures: Sequence[Measure], free: Meter) -> list[list[int]]:
    """Bring together the measures, by number, that are one bar cut in two."""
    groups: list[list[int]] = []
    for number, measure in enumerate(measures):
        if groups and len(groups[-1]) == 1 and _is_cut(measures[number - 1], measure, free):
            groups[-1].append(number)
        else:
            groups.append([number])
    return groups


def _is_cut(before: Measure, behind: Measure, free: Meter) -> bool:
    """Whether two measures are the two parts of one bar.

    What goes on with an ending does not make a bar with what stands before: endings begin with
    a bar of their own.
    """
    if not before.length or not behind.length or before.meter != behind.meter:
        return False
    if behind.signs.ending or before.length + behind.length != (before.meter or free).bar:
        return False
    signs = before.signs.closes or before.signs.double_behind or behind.signs.double_before
    return signs or behind.signs.opens or behind.implicit


def _is_pickup(first: Measure, length: Fraction, meter: Meter) -> bool:
    """Whether the first measure comes before the first bar.

    One that is not counted may be filled up with rests to the length of a bar.
    """
    return length < meter.bar or (
        length == meter.bar and first.implicit and first.rests_first and first.length > 0
    )


def _meter_of(length: Fraction, like: Meter) -> Meter | None:
    """The meter of a length in quarter notes, in the unit of ``like`` or a finer one."""
    if length == like.bar:
        return like
    for unit in (1, 2, 4, 8, 16, 32):
        count = length * unit / 4
        if unit >= like.denominator and count.denominator == 1 and 1 <= count <= LONGEST_TIMES:
            return Meter(int(count), unit)
    return None


def _bars(length: Fraction, meter: Meter) -> list[Meter]:
    """The meters of the bars that a measure makes: one, or if no meter is so long, several."""
    odd = _meter_of(length, meter)
    if odd:
        return [odd]
    whole, rest = divmod(length, meter.bar)
    bars = [meter] * min(whole, _MOST_CUT)
    if rest:
        bars.append(_meter_of(rest, meter) or meter)
    return bars


def _sections(
    measures: Sequence[Measure],
    places: Sequence[Fraction],
    barlines: Sequence[Fraction],
    repeats: Sequence[Repeat],
) -> tuple[int, ...]:
    """The bars behind double barlines, repeat signs and whole strains, and at rehearsal marks.

    A section that begins within a bar has its pickup there, and is counted from the next barline.
    None begins within an ending, whose bracket is often drawn over its first measure alone.
    """
    sections = {0}
    for number, measure in enumerate(measures):
        before = measures[number - 1].signs if number else BarSigns()
        double = before.closes or before.double_behind or measure.signs.double_before
        double = double or before.ending_stops
        later_ending = bool(measure.signs.ending) and 1 not in measure.signs.ending
        if measure.opens_section or measure.signs.opens or (double and not later_ending):
            sections.add(bisect_left(barlines, places[number]))
    for repeat in repeats:
        if repeat.first_ending is not None:
            behind = repeat.second_ending or repeat.end
            sections -= {*range(repeat.first_ending + 1, behind)}
        else:
            sections.add(repeat.end)  # also where an ending that has no first one follows
    return tuple(sorted(bar for bar in sections if bar < len(barlines) - 1))
