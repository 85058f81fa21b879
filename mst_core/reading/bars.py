"""Lays the written measures of ABC and MusicXML into bars. One set of rules for both.

Measures that make one bar together, as before and after a repeat sign, are one bar again; an ending
that begins inside a bar gets the beginning of that bar, so that every pass has whole bars. At a
repeat sign, and at the end, a measure shorter than its meter is filled with silence, since nobody
writes those rests. Any other measure that does not fit its meter is a bar of a meter of its own.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil

from mst_core.errors import TooLong
from mst_core.music import Meter, Repeat
from mst_core.reading.measures import BarLayout, Placement, WrittenMeasure, meter_of_length
from mst_core.reading.repeated_sections import find_repeated_sections
from mst_core.reading.written_meters import ROUNDING, find_meters, round_to_bars

STEP = Fraction(1, 2)
"""A length that no meter has is filled up to a multiple of this, in quarter notes."""
MAX_COPIES = 64
"""Most measures that are written out in a second place."""


@dataclass(slots=True)
class _Group:
    """Measures that make one bar together; `parts` are (measure, quarter notes from its start)."""

    parts: list[tuple[int, Fraction]]
    total: Fraction
    """Quarter notes."""
    meter: Meter

    @property
    def first(self) -> int:
        """The first measure."""
        return self.parts[0][0]

    @property
    def last(self) -> int:
        """The last measure."""
        return self.parts[-1][0]


def lay_out_bars(measures: Sequence[WrittenMeasure], *, max_bars: int) -> BarLayout:
    """Place the measures of a file in bars.

    Args:
        measures: At least one measure, in the order of the file.
        max_bars: Most bars.

    Returns:
        The places of the measures, and the bars with their meters, sections and repeats.

    Raises:
        TooLong: when there are more than ``max_bars`` bars.
    """
    return _BarWriter(measures, max_bars).layout()


class _BarWriter:
    """Groups measures into bars and places the groups, one after the other."""

    def __init__(self, measures: Sequence[WrittenMeasure], max_bars: int) -> None:
        self._measures = measures
        self._max_bars = max_bars
        self._sections, self._unusual = find_repeated_sections(measures)
        self._meters_of, self._misnamed = find_meters(measures)
        self._lengths = [
            round_to_bars(each.length or meter.bar_length, each.last_onset, meter)
            for each, meter in zip(measures, self._meters_of, strict=True)
        ]
        self._starts = {each.start for each in self._sections} - {0}
        self._ends = {len(measures) - 1}
        self._ends |= {index for index, each in enumerate(measures) if each.closes_repeat}
        self._ends |= {each.second_ending - 1 for each in self._sections if each.second_ending}
        self._copies = self._split_endings = 0
        self._begun: list[tuple[int, Fraction]] = []  # parts of the bar before an ending in it
        self._begun_length = Fraction(0)
        self._is_later = False  # whether a later ending has begun there too
        self._groups: list[_Group] = []
        for index in range(len(measures)):
            self._add_measure(index)
        self._placements: list[Placement] = []
        self._meters: list[Meter] = []
        self._barlines = [Fraction(0)]
        self._own_meters = 0
        self._filled: list[int] = []  # bars that were filled up, counted from 1
        for number, group in enumerate(self._groups):
            self._place(group, first=number == 0)
        first_places: dict[int, Placement] = {}  # of a measure; a copy comes later
        for placement in self._placements:
            first_places.setdefault(placement.measure, placement)
        places = [first_places[index] for index in range(len(measures))]
        self._onsets = [each.onset for each in places]
        self._ends_at = [each.onset + each.length for each in places]

    def layout(self) -> BarLayout:
        """The finished layout."""
        repeats = tuple(self._repeats())
        pickup = self._placements[0].onset < 0
        return BarLayout(
            placements=tuple(self._placements),
            onsets=tuple(self._onsets),
            meters=tuple(self._meters),
            first_meter=self._groups[0].meter if pickup else self._meters[0],
            barlines=tuple(self._barlines),
            sections=self._section_bars(repeats),
            repeats=repeats,
            warnings=tuple(self._warnings(len(repeats))),
        )

    # From measures to groups

    def _add_measure(self, index: int) -> None:
        """Add a measure to the bar that is not full, or begin another one."""
        measure, length, meter = self._measures[index], self._lengths[index], self._meters_of[index]
        if self._begun and self._repeats_beginning(index):
            copied = [*self._begun, (index, self._begun_length)]
            self._groups.append(_Group(copied, self._begun_length + length, meter))
            self._copies += len(self._begun)
            self._is_later = True
            return
        if self._begun and self._is_after_endings(index):
            self._begun = []
        self._make_room(index)
        gap = self._gap_before(index)
        if gap is None:
            self._groups.append(_Group([(index, Fraction(0))], length, meter))
            return
        group = self._groups[-1]
        if measure.ending:
            self._begin_ending(group)
        group.parts.append((index, group.total + gap))
        group.total += gap + length

    def _begin_ending(self, group: _Group) -> None:
        """Keep the parts of the bar in which a first ending begins, for the later endings."""
        parts: list[tuple[int, Fraction]] = []
        for part in reversed(group.parts):
            if self._measures[part[0]].closes_repeat:
                break
            parts.append(part)
            if self._measures[part[0]].opens_repeat:
                break
        if parts:
            start = parts[-1][1]
            self._begun = [(measure, offset - start) for measure, offset in reversed(parts)]
            self._begun_length = group.total - start
            self._is_later = False
            self._split_endings += 1

    def _is_after_endings(self, index: int) -> bool:
        """Whether the endings that began inside a bar are over before a measure."""
        measure, before = self._measures[index], self._measures[index - 1]
        if measure.ending:
            return 1 in measure.ending
        stops = before.closes_repeat or before.double_after or before.ending_stops
        return stops or measure.opens_repeat

    def _repeats_beginning(self, index: int) -> bool:
        """Whether a measure goes on where the bar of the first ending began."""
        measure, meter = self._measures[index], self._meters_of[index]
        later = _begins_later_ending(measure)
        after = self._measures[index - 1].closes_repeat and not (
            self._is_later or measure.ending or measure.opens_repeat
        )
        if not (later or after) or meter != self._meters_of[self._begun[0][0]]:
            return False
        total = self._begun_length + self._lengths[index]
        fits = total % meter.bar_length == 0 or (later and total < meter.bar_length)
        return fits and self._copies + len(self._begun) <= MAX_COPIES

    def _make_room(self, index: int) -> None:
        """Let a pickup take the place of a rest that fills the bar before it.

        The rest stands for the end of a section that is followed by no pickup.
        """
        length, meter = self._lengths[index], self._meters_of[index]
        if not self._groups or index in self._ends or index + 1 == len(self._measures):
            return
        measure, group = self._measures[index], self._groups[-1]
        before = self._measures[index - 1]
        double = before.closes_repeat or before.double_after or measure.double_before
        rest = self._lengths[index - 1] - before.sounding
        pickup = double and 2 * length < meter.bar_length == self._lengths[index + 1]
        full = group.total == group.meter.bar_length and group.meter == meter
        if pickup and full and not measure.ending and before.sounding > 0 and rest >= length:
            self._lengths[index - 1] -= length
            group.total -= length

    def _gap_before(self, index: int) -> Fraction | None:
        """Silence between the bar that is not full and a measure in it; None where it has none."""
        measure = self._measures[index]
        if not self._groups or _begins_later_ending(measure):
            return None
        group, meter = self._groups[-1], self._meters_of[index]
        total = group.total + self._lengths[index]
        total = round_to_bars(total, group.total + measure.last_onset, meter)
        if group.meter != meter or group.total % meter.bar_length == 0:
            return None
        if total > meter.bar_length:
            # Several bars without the lines between them, of which a pickup completes the last.
            completes = group.last in self._ends and total % meter.bar_length == 0
            return Fraction(0) if completes and self._lengths[index] < meter.bar_length else None
        if index == 1 and self._is_pickup_of(measure):
            return None
        if total == meter.bar_length:
            return Fraction(0)
        if measure.ending:
            # After a short ending the pickup of the section completes the bar.
            return Fraction(0) if index in self._ends and group.last not in self._ends else None
        if group.last in self._ends and len(self._groups) > 1:
            # A pickup ends at the barline.
            return meter.bar_length - total if index not in self._ends else None
        return Fraction(0) if measure.continues_bar else None

    def _is_pickup_of(self, second: WrittenMeasure) -> bool:
        """Whether the first measure is a pickup, though it makes a bar with the second one."""
        first = self._measures[0]
        double = first.closes_repeat or first.double_after or second.double_before
        double = double or second.opens_repeat or bool(second.ending)
        return first.is_pickup or (not double and second.closes_repeat and len(self._measures) > 2)

    # From groups to bars

    def _place(self, group: _Group, *, first: bool) -> None:
        """Find the onsets of a group, and open the bars that it needs."""
        bar = group.meter.bar_length
        start = self._barlines[-1]
        is_pickup = group.total < bar or (self._measures[0].is_pickup and group.total == bar)
        if first and is_pickup and len(self._groups) > 1:
            self._put(group, -group.total, group.total)
            return
        meters = self._bars_of(group)
        if len(self._meters) + len(meters) > self._max_bars:
            raise TooLong(f"more than {self._max_bars} bars", f"{self._max_bars} bars")
        for meter in meters:
            self._barlines.append(self._barlines[-1] + meter.bar_length)
        self._meters.extend(meters)
        room = self._barlines[-1] - start
        if group.total < room and group.first in self._starts and group.last not in self._ends:
            start += room - group.total
        self._put(group, start, room)

    def _put(self, group: _Group, start: Fraction, room: Fraction) -> None:
        """Place the measures of a group from an onset on, in ``room`` quarter notes."""
        for measure, offset in group.parts:
            length = min(self._lengths[measure], room - offset)
            self._placements.append(Placement(measure, start + offset, length))

    def _bars_of(self, group: _Group) -> list[Meter]:
        """The meters of the bars that a group makes."""
        meter = group.meter
        last_onset = group.parts[-1][1] + self._measures[group.last].last_onset
        total = round_to_bars(group.total, last_onset, meter)
        full, rest = divmod(total, meter.bar_length)
        full = min(full, self._max_bars + 1)
        if not rest:
            return [meter] * full
        if not full and (group.last in self._ends or group.first in self._starts):
            return [meter]
        if group.last in self._ends and 2 * rest > meter.bar_length:
            return [meter] * (full + 1)
        length = total if full < 2 else rest
        own = meter_of_length(length, meter)
        if own is None:
            nearest = round(length / STEP) * STEP
            is_near = abs(nearest - length) <= ROUNDING and nearest > last_onset - total + length
            own = meter_of_length(nearest if is_near else ceil(length / STEP) * STEP, meter)
            self._filled.append(len(self._meters) + max(1, full))
        if own is None:
            return [meter] * (full + 1)
        self._own_meters += own != meter
        return [own] if full < 2 else [*[meter] * full, own]

    # Sections and repeats

    def _repeats(self) -> Iterator[Repeat]:
        """The repeated sections in bars; one shorter than a bar is left out."""
        for section in self._sections:
            start, end = self._onsets[section.start], self._ends_at[section.end - 1]
            first, last = self._bar_from(start), self._bar_from(end)
            ending = second = None
            if section.first_ending is not None:
                ending = max(0, self._bar_from(self._onsets[section.first_ending], inside=True))
            if section.second_ending is not None:
                second = self._bar_from(self._ends_at[section.second_ending - 1])
            if not (first <= (first if ending is None else ending) < last):
                continue
            if second is not None and second <= last:
                continue
            lead_in, lead_out = self._barlines[first] - start, self._barlines[last] - end
            if section.end == len(self._onsets) or self._onsets[section.end] >= end + lead_out:
                # Only silence fills the bar: the pickup of the repetition replaces it, and no more.
                lead_out = min(lead_out, lead_in)
            yield Repeat(first, last, ending, second, lead_in, lead_out)

    def _bar_from(self, onset: Fraction, *, inside: bool = False) -> int:
        """The first bar that begins at an onset or after it, or the one with the onset inside."""
        if inside:
            return bisect_right(self._barlines, onset) - 1
        return bisect_left(self._barlines, onset)

    def _section_bars(self, repeats: Sequence[Repeat]) -> tuple[int, ...]:
        """The bars after double barlines, repeat signs and repeats, and at rehearsal marks.

        A section that begins inside a bar has its pickup there and is counted from the next
        barline. None begins in an ending, whose bracket is often drawn over its first measure only.
        """
        sections = {0}
        before = WrittenMeasure(Fraction(0), None)
        for measure, onset in zip(self._measures, self._onsets, strict=True):
            double = before.closes_repeat or before.double_after or measure.double_before
            double = (double or before.ending_stops) and not _begins_later_ending(measure)
            if double or measure.opens_section or measure.opens_repeat:
                sections.add(self._bar_from(onset))
            before = measure
        for section in self._sections:
            # Also before a second ending that has no first one.
            if section.first_ending is None and section.end < len(self._measures):
                sections.add(self._bar_from(self._onsets[section.end]))
        for repeat in repeats:
            if repeat.first_ending is not None:
                sections.difference_update(
                    range(repeat.first_ending + 1, repeat.second_ending or repeat.end)
                )
        return tuple(sorted(bar for bar in sections if bar < len(self._meters)))

    def _warnings(self, n_repeats: int) -> Iterator[str]:
        """Name what was assumed or added."""
        for written, taken in self._misnamed.items():
            yield f"The meter {written} is written, but the measures are as long as {taken}."
        if self._own_meters:
            yield (
                "1 bar is longer or shorter than its meter; it has a meter of its own."
                if self._own_meters == 1
                else f"{self._own_meters} bars are longer or shorter than their meter; they have"
                " meters of their own."
            )
        if self._filled:
            yield (
                f"Bar {self._filled[0]} has a length that no meter has; it was rounded."
                if len(self._filled) == 1
                else f"{len(self._filled)} bars have lengths that no meter has; they were rounded."
            )
        if self._copies:
            yield (
                "An ending begins inside a bar; the beginning of that bar is written out in each"
                " ending."
            )
        unusual = self._unusual + len(self._sections) - n_repeats
        if unusual:
            yield (
                "One repeat is more than twice the same with two endings; it is not played again."
                if unusual == 1
                else f"{unusual} repeats are more than twice the same with two endings; they are"
                " not played again."
            )


def _begins_later_ending(measure: WrittenMeasure) -> bool:
    """Whether a second or later ending begins with a measure."""
    return bool(measure.ending) and 1 not in measure.ending
