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
from mst_core.reading.musicxml.elements import MAX_METER_NUMBER, XmlBarlines

# The repeats of a score that are played twice, with or without two endings, as bars.


def find_repeats(
    signs: Sequence[XmlBarlines], onsets: Sequence[Fraction], barlines: Sequence[Fraction]
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
        plain = sign.play_count == 2 and (first is None or signs[first].ending == (1,))
        again = behind is not None and signs[behind - 1].closes
        opens, closes = (bisect_left(barlines, onsets[each]) for each in (start, end))
        if plain and not again and opens < closes:
            repeats.append(
                Repeat(
                    start=opens,
                    end=closes,
                    first_ending=None if first is None else bisect_left(barlines, onsets[first]),
                    second_ending=None if behind is None else bisect_left(barlines, onsets[behind]),
                    lead_in=barlines[opens] - onsets[start],
                    lead_out=barlines[closes] - onsets[end],
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


def _second_ending(signs: Sequence[XmlBarlines], begin: int) -> int | None:
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


DEFAULT_METER = Meter(4, 4)
_MAX_BARS_OF_MEASURE = 100_000  # bars of one measure; more than any limit allows


@dataclass(frozen=True, slots=True)
class XmlScoreMeasure:
    """A measure of the whole score: all its parts together."""

    length: Fraction
    """Quarter notes up to where the last of its parts comes; 0 where nothing is written."""
    meter: Meter | None
    barlines: XmlBarlines
    implicit: bool
    """Whether it is not counted."""
    opens_section: bool
    starts_with_rest: bool
    """Whether the melody's part is silent on its downbeat."""


@dataclass(frozen=True, slots=True)
class XmlBarLayout:
    """Where measures and bars stand."""

    measure_onsets: tuple[Fraction, ...]
    """The onset of each measure of the file, in quarter notes from the first downbeat."""
    meters: tuple[Meter, ...]
    """The meter of each full bar."""
    sections: tuple[int, ...]
    repeats: tuple[Repeat, ...]
    warnings: tuple[str, ...]

    @property
    def changes(self) -> tuple[MeterChange, ...]:
        """Where another meter begins than that of the bar before."""
        return tuple(
            MeterChange(bar, self.meters[bar])
            for bar in range(1, len(self.meters))
            if self.meters[bar] != self.meters[bar - 1]
        )


def lay_out_bars(measures: Sequence[XmlScoreMeasure], *, max_bars: int) -> XmlBarLayout:
    """Lay at least one measure on a grid of bars.

    Raises:
        TooLong: when that makes more than ``most`` bars.
    """
    free = _most_common_meter(measures)
    places: list[Fraction] = []
    meters: list[Meter] = []
    barlines = [Fraction(0)]
    filled: list[int] = []
    groups = _group_split_bars(measures, free)
    place = Fraction(0)
    for number, group in enumerate(groups):
        meter = measures[group[0]].meter or free
        lengths = [measures[each].length or meter.bar_length for each in group]
        whole = sum(lengths, Fraction(0))
        last = number + 1 == len(groups)
        pickup = number == 0 and not last and _is_pickup(measures[0], whole, meter)
        place = -whole if pickup else barlines[-1]
        for length in lengths:
            places.append(place)
            place += length
        if pickup:
            continue
        bars = [meter] if last and whole < meter.bar_length else _bars_of_length(whole, meter)
        if len(meters) + len(bars) > max_bars:
            raise TooLong(f"more than {max_bars} bars", f"{max_bars} bars")
        for each in bars:
            barlines.append(barlines[-1] + each.bar_length)
        meters.extend(bars)
        if place < barlines[-1] and not last:
            filled.append(len(meters))
    places.append(place)
    repeats, remarks = find_repeats([each.barlines for each in measures], places, barlines)
    if filled:
        remarks.append(
            f"Bar {filled[0]} has a length that no meter has; it was filled up with silence."
            if len(filled) == 1
            else f"{len(filled)} bars have lengths that no meter has; they were filled up with"
            " silence."
        )
    return XmlBarLayout(
        measure_onsets=tuple(places[:-1]),
        meters=tuple(meters),
        sections=_sections(measures, places, barlines, repeats),
        repeats=repeats,
        warnings=tuple(remarks),
    )


def _most_common_meter(measures: Sequence[XmlScoreMeasure]) -> Meter:
    """The meter for measures without a signature: that of their most common length."""
    lengths = Counter(each.length for each in measures if each.length and each.meter is None)
    for length, _ in lengths.most_common(1):
        return _meter_of_length(length, DEFAULT_METER) or DEFAULT_METER
    return DEFAULT_METER


def _group_split_bars(measures: Sequence[XmlScoreMeasure], free: Meter) -> list[list[int]]:
    """Bring together the measures, by number, that are one bar cut in two."""
    groups: list[list[int]] = []
    for number, measure in enumerate(measures):
        if groups and len(groups[-1]) == 1 and _is_split_bar(measures[number - 1], measure, free):
            groups[-1].append(number)
        else:
            groups.append([number])
    return groups


def _is_split_bar(before: XmlScoreMeasure, behind: XmlScoreMeasure, free: Meter) -> bool:
    """Whether two measures are the two parts of one bar.

    What goes on with an ending does not make a bar with what stands before: endings begin with
    a bar of their own.
    """
    if not before.length or not behind.length or before.meter != behind.meter:
        return False
    if behind.barlines.ending or before.length + behind.length != (before.meter or free).bar_length:
        return False
    signs = before.barlines.closes or before.barlines.double_behind or behind.barlines.double_before
    return signs or behind.barlines.opens or behind.implicit


def _is_pickup(first: XmlScoreMeasure, length: Fraction, meter: Meter) -> bool:
    """Whether the first measure comes before the first bar.

    One that is not counted may be filled up with rests to the length of a bar.
    """
    return length < meter.bar_length or (
        length == meter.bar_length
        and first.implicit
        and first.starts_with_rest
        and first.length > 0
    )


def _meter_of_length(length: Fraction, like: Meter) -> Meter | None:
    """The meter of a length in quarter notes, in the unit of ``like`` or a finer one."""
    if length == like.bar_length:
        return like
    for unit in (1, 2, 4, 8, 16, 32):
        count = length * unit / 4
        if unit >= like.denominator and count.denominator == 1 and 1 <= count <= MAX_METER_NUMBER:
            return Meter(int(count), unit)
    return None


def _bars_of_length(length: Fraction, meter: Meter) -> list[Meter]:
    """The meters of the bars that a measure makes: one, or if no meter is so long, several."""
    odd = _meter_of_length(length, meter)
    if odd:
        return [odd]
    whole, rest = divmod(length, meter.bar_length)
    bars = [meter] * min(whole, _MAX_BARS_OF_MEASURE)
    if rest:
        bars.append(_meter_of_length(rest, meter) or meter)
    return bars


def _sections(
    measures: Sequence[XmlScoreMeasure],
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
        before = measures[number - 1].barlines if number else XmlBarlines()
        double = before.closes or before.double_behind or measure.barlines.double_before
        double = double or before.ending_stops
        later_ending = bool(measure.barlines.ending) and 1 not in measure.barlines.ending
        if measure.opens_section or measure.barlines.opens or (double and not later_ending):
            sections.add(bisect_left(barlines, places[number]))
    for repeat in repeats:
        if repeat.first_ending is not None:
            behind = repeat.second_ending or repeat.end
            sections -= {*range(repeat.first_ending + 1, behind)}
        else:
            sections.add(repeat.end)  # also where an ending that has no first one follows
    return tuple(sorted(bar for bar in sections if bar < len(barlines) - 1))
