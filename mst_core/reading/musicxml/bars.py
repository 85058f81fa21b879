"""Lays the measures of a MusicXML score into bars, and finds its repeats and sections.

A bar that a repeat sign cuts in two measures is one bar again. A measure of an unusual length
becomes a bar of its own meter. No time is added or removed, so that every note stays where the file
has it; only the last bar, and a measure of a length that no meter has, are filled with silence.
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
from mst_core.reading.musicxml.part import XmlMeasure

DEFAULT_METER = Meter(4, 4)
_MAX_BARS_OF_MEASURE = 100_000  # more than any limit allows


@dataclass(frozen=True, slots=True)
class XmlBarLayout:
    """Where the measures and bars of a score are."""

    measure_onsets: tuple[Fraction, ...]
    """Onset of each measure of the file, in quarter notes from the first downbeat."""
    meters: tuple[Meter, ...]
    """The meter of each full bar."""
    sections: tuple[int, ...]
    """The first bar of each section."""
    repeats: tuple[Repeat, ...]
    warnings: tuple[str, ...]

    @property
    def meter_changes(self) -> tuple[MeterChange, ...]:
        """The bars in which another meter begins."""
        return tuple(
            MeterChange(bar, self.meters[bar])
            for bar in range(1, len(self.meters))
            if self.meters[bar] != self.meters[bar - 1]
        )


def lay_out_bars(measures: Sequence[XmlMeasure], *, max_bars: int) -> XmlBarLayout:
    """Place the measures of a score in bars.

    Args:
        measures: At least one measure of the whole score, with the notes of its melody part.
        max_bars: Most bars.

    Returns:
        The onsets of the measures, and the bars with their meters, sections and repeats.

    Raises:
        TooLong: when there are more than ``max_bars`` bars.
    """
    default_meter = _most_common_meter(measures)
    onsets: list[Fraction] = []
    meters: list[Meter] = []
    barlines = [Fraction(0)]
    filled: list[int] = []  # bars that are filled with silence, counted from 1
    groups = _group_split_bars(measures, default_meter)
    position = Fraction(0)
    for number, group in enumerate(groups):
        meter = measures[group[0]].meter or default_meter
        lengths = [measures[index].length or meter.bar_length for index in group]
        total = sum(lengths, Fraction(0))
        last = number + 1 == len(groups)
        pickup = number == 0 and not last and _is_pickup(measures[0], total, meter)
        position = -total if pickup else barlines[-1]
        for length in lengths:
            onsets.append(position)
            position += length
        if pickup:
            continue
        bars = [meter] if last and total < meter.bar_length else _bars_of_length(total, meter)
        if len(meters) + len(bars) > max_bars:
            raise TooLong(f"more than {max_bars} bars", f"{max_bars} bars")
        for bar in bars:
            barlines.append(barlines[-1] + bar.bar_length)
        meters.extend(bars)
        if position < barlines[-1] and not last:
            filled.append(len(meters))
    onsets.append(position)
    repeats, warnings = find_repeats([each.barlines for each in measures], onsets, barlines)
    if filled:
        warnings.append(
            f"Bar {filled[0]} has a length that no meter has; it was filled up with silence."
            if len(filled) == 1
            else f"{len(filled)} bars have lengths that no meter has; they were filled up with"
            " silence."
        )
    return XmlBarLayout(
        measure_onsets=tuple(onsets[:-1]),
        meters=tuple(meters),
        sections=_sections(measures, onsets, barlines, repeats),
        repeats=repeats,
        warnings=tuple(warnings),
    )


def find_repeats(
    repeat_signs: Sequence[XmlBarlines],
    onsets: Sequence[Fraction],
    barlines: Sequence[Fraction],
) -> tuple[tuple[Repeat, ...], list[str]]:
    """Find the sections that are played twice, with one ending or with a first and a second one.

    A closing sign without an opening one goes back to the end of the repeat before it, or to the
    first note.

    Args:
        repeat_signs: The barlines of each measure, length M.
        onsets: Onset of each measure and, last, the end of the music, in quarter notes from the
            first downbeat, length M + 1.
        barlines: Onset of each bar and the last barline, in quarter notes from the first downbeat.

    Returns:
        The repeats in order, and a warning where there are repeats of other kinds.
    """
    repeats: list[Repeat] = []
    unusual = 0
    start = 0  # the measure where the repeated section begins
    first_ending: int | None = None  # the measure where its first ending begins
    index = 0
    while index < len(repeat_signs):
        lines = repeat_signs[index]
        if lines.opens_repeat:
            start, first_ending = index, None
        if lines.ending and 1 in lines.ending:
            first_ending = index
            unusual += lines.ending != (1,)
        if not lines.closes_repeat:
            index += 1
            continue
        end = index + 1
        second_end = _second_ending_end(repeat_signs, end) if first_ending is not None else None
        one_first_ending = first_ending is None or repeat_signs[first_ending].ending == (1,)
        plays_on = second_end is not None and repeat_signs[second_end - 1].closes_repeat
        first_bar, end_bar = (bisect_left(barlines, onsets[each]) for each in (start, end))
        plain = lines.play_count == 2 and one_first_ending and not plays_on
        if plain and first_bar < end_bar:
            repeats.append(
                Repeat(
                    start=first_bar,
                    end=end_bar,
                    first_ending=None
                    if first_ending is None
                    else bisect_left(barlines, onsets[first_ending]),
                    second_ending=None
                    if second_end is None
                    else bisect_left(barlines, onsets[second_end]),
                    lead_in=barlines[first_bar] - onsets[start],
                    lead_out=barlines[end_bar] - onsets[end],
                )
            )
        else:
            unusual += one_first_ending  # another first ending is counted already
        index = start = second_end or end
        first_ending = None
    warnings = []
    if unusual:
        warnings.append(
            "One repeat is more than twice the same with two endings; it is not played again."
            if unusual == 1
            else f"{unusual} repeats are more than twice the same with two endings; they are not"
            " played again."
        )
    return tuple(repeats), warnings


def _second_ending_end(repeat_signs: Sequence[XmlBarlines], start: int) -> int | None:
    """The first measure after the second ending at ``start``; None where no second one begins."""
    if start >= len(repeat_signs) or repeat_signs[start].ending != (2,):
        return None
    for index in range(start, len(repeat_signs)):
        lines = repeat_signs[index]
        if index > start and (lines.ending or lines.opens_repeat):
            return index
        if lines.ending_stops or lines.closes_repeat or lines.double_after:
            return index + 1
    return start + 1


def _most_common_meter(measures: Sequence[XmlMeasure]) -> Meter:
    """The meter for measures without a time signature: that of their most common length."""
    lengths = Counter(each.length for each in measures if each.length and each.meter is None)
    for length, _ in lengths.most_common(1):
        return _meter_of_length(length, DEFAULT_METER) or DEFAULT_METER
    return DEFAULT_METER


def _group_split_bars(measures: Sequence[XmlMeasure], default_meter: Meter) -> list[list[int]]:
    """Group the indices of the measures: two where they are the halves of one bar, else one."""
    groups: list[list[int]] = []
    for index, measure in enumerate(measures):
        before = measures[index - 1]
        if groups and len(groups[-1]) == 1 and _is_split_bar(before, measure, default_meter):
            groups[-1].append(index)
        else:
            groups.append([index])
    return groups


def _is_split_bar(before: XmlMeasure, after: XmlMeasure, default_meter: Meter) -> bool:
    """Whether two measures are the parts of one bar. An ending always begins a bar of its own."""
    if not before.length or not after.length or before.meter != after.meter:
        return False
    bar_length = (before.meter or default_meter).bar_length
    if after.barlines.ending or before.length + after.length != bar_length:
        return False
    left, right = before.barlines, after.barlines
    double = left.closes_repeat or left.double_after or right.double_before or right.opens_repeat
    return double or after.implicit


def _is_pickup(first: XmlMeasure, length: Fraction, meter: Meter) -> bool:
    """Whether the first measure is a pickup: short, or implicit and filled up with rests before."""
    starts_with_rest = all(note.onset > 0 for note in first.notes)
    return length < meter.bar_length or (
        length == meter.bar_length and first.implicit and starts_with_rest and first.length > 0
    )


def _meter_of_length(length: Fraction, like: Meter) -> Meter | None:
    """Find the meter whose bar has a length in quarter notes, in the beat of ``like`` or less."""
    if length == like.bar_length:
        return like
    for unit in (1, 2, 4, 8, 16, 32):
        beats = length * unit / 4
        if unit >= like.denominator and beats.denominator == 1 and 1 <= beats <= MAX_METER_NUMBER:
            return Meter(int(beats), unit)
    return None


def _bars_of_length(length: Fraction, meter: Meter) -> list[Meter]:
    """The meters of the bars that a measure makes: one, or several where no meter is so long."""
    own = _meter_of_length(length, meter)
    if own:
        return [own]
    whole, rest = divmod(length, meter.bar_length)
    bars = [meter] * min(whole, _MAX_BARS_OF_MEASURE)
    if rest:
        bars.append(_meter_of_length(rest, meter) or meter)
    return bars


def _sections(
    measures: Sequence[XmlMeasure],
    onsets: Sequence[Fraction],
    barlines: Sequence[Fraction],
    repeats: Sequence[Repeat],
) -> tuple[int, ...]:
    """The bars after double barlines, repeat signs and repeats, and at rehearsal marks.

    A section that begins within a bar has its pickup there and is counted from the next barline.
    None begins within an ending, whose bracket is often drawn over its first measure alone.
    """
    sections = {0}
    for index, measure in enumerate(measures):
        before = measures[index - 1].barlines if index else XmlBarlines()
        double = before.closes_repeat or before.double_after or measure.barlines.double_before
        double = double or before.ending_stops
        later_ending = bool(measure.barlines.ending) and 1 not in measure.barlines.ending
        if measure.opens_section or measure.barlines.opens_repeat or (double and not later_ending):
            sections.add(bisect_left(barlines, onsets[index]))
    for repeat in repeats:
        if repeat.first_ending is not None:
            end = repeat.second_ending or repeat.end
            sections -= {*range(repeat.first_ending + 1, end)}
        else:
            sections.add(repeat.end)  # also before a second ending that has no first one
    return tuple(sorted(bar for bar in sections if bar < len(barlines) - 1))
