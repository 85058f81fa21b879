"""The structure of a given tune: groups of bars, and which groups are the same music.

A bar group is one bar, or the bars that a tied note joins; the pickup is a group of its own. Groups
with the same rhythm and the same intervals from their first note, transposed or not, form one
class: whatever is decided for one of them holds for all (docs/decisions.md#classes-of-bars).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise

from mst_core.errors import TooLong
from mst_core.music import Melody, Meter, Note
from mst_core.reading.parsed_score import Limits

PHRASE_BARS = 4
"""Length of a phrase in a tune that has no sections."""


@dataclass(frozen=True, slots=True)
class BarGroup:
    """Bars that are rewritten together. Times are quarter notes from the tune's first downbeat."""

    first_bar: int
    """Counted from 0; -1 is the pickup."""
    bar_count: int
    """Number of bars, at least 1."""
    start: Fraction
    end: Fraction
    notes: tuple[Note, ...]
    """The notes that begin in it."""
    index: int
    """Index in the melody of its first note; 0 where it has none."""

    @property
    def class_key(self) -> tuple[object, ...]:
        """Length, rhythm and intervals from the first note; pickups are classes of their own."""
        if not self.notes:
            return (self.first_bar < 0, self.end - self.start)
        first_pitch = self.notes[0].pitch
        return (
            self.first_bar < 0,
            self.end - self.start,
            *((n.onset - self.start, n.duration, n.pitch - first_pitch) for n in self.notes),
        )

    @property
    def ends_with_long_note(self) -> bool:
        """Whether its last note reaches its end and is a quarter note or longer.

        It must also be at least twice as long as the group's shortest note.
        """
        if not self.notes:
            return False
        last = self.notes[-1]
        return (
            last.end == self.end
            and last.duration >= 1
            and last.duration >= 2 * min(note.duration for note in self.notes)
        )


@dataclass(frozen=True, slots=True)
class MeterSection:
    """Consecutive bars of a tune in one meter. Times are quarter notes."""

    meter: Meter
    first_bar: int
    """Counted from 0, in the tune."""
    bar_count: int
    """Number of full bars."""
    start: Fraction
    """Onset of its first full bar."""
    pickup: Fraction
    """Length of the pickup; 0 in every section but the first."""
    groups: tuple[BarGroup, ...]


def split_by_meter(melody: Melody) -> tuple[MeterSection, ...]:
    """Cut a tune where its meter changes, and each section into bar groups.

    Args:
        melody: the given tune.

    Returns:
        The sections in the order of the tune; together they have all its bars and notes.
    """
    lines = melody.barlines
    edges = sorted(
        {
            0,
            melody.bar_count,
            *(c.bar for c in melody.meter_changes if 0 < c.bar < melody.bar_count),
        }
    )
    sections = []
    for first, end_bar in pairwise(edges):
        pickup = melody.pickup if first == 0 else Fraction(0)
        groups = _bar_groups(melody, first, end_bar, pickup)
        meter = melody.meter_at(first)
        sections.append(MeterSection(meter, first, end_bar - first, lines[first], pickup, groups))
    return tuple(sections)


def _bar_groups(melody: Melody, first: int, end_bar: int, pickup: Fraction) -> tuple[BarGroup, ...]:
    """The groups of the bars from ``first`` to before ``end_bar``; bars joined by a tie are one."""
    lines = list(melody.barlines[first : end_bar + 1])
    bars = list(range(first, end_bar + 1))
    if pickup:
        lines, bars = [-pickup, *lines], [-1, *bars]
    onsets = [note.onset for note in melody.notes]
    crossed = {
        line for line in lines[1:-1] if _is_held_over(melody.notes, bisect_left(onsets, line), line)
    }
    groups: list[BarGroup] = []
    begin = 0
    for place in range(1, len(lines)):
        if lines[place] in crossed:
            continue
        start, end = lines[begin], lines[place]
        index, end_index = bisect_left(onsets, start), bisect_left(onsets, end)
        notes = melody.notes[index:end_index]
        index = index if notes else 0
        groups.append(BarGroup(bars[begin], bars[place] - bars[begin], start, end, notes, index))
        begin = place
    return tuple(groups)


def _is_held_over(notes: Sequence[Note], note_after: int, line: Fraction) -> bool:
    """Whether the note before index ``note_after`` sounds across a barline."""
    return note_after > 0 and line < notes[note_after - 1].end


def split_into_bars(melody: Melody) -> tuple[BarGroup, ...]:
    """Every full bar as a group of its own, with the notes that begin in it.

    Notes may be tied over its barlines. The pickup is left out.
    """
    begun = 0
    count = len(melody.notes)
    bars: list[BarGroup] = []
    for index, (start, end) in enumerate(pairwise(melody.barlines)):
        while begun < count and melody.notes[begun].onset < start:
            begun += 1
        after = begun
        while after < count and melody.notes[after].onset < end:
            after += 1
        bars.append(BarGroup(index, 1, start, end, melody.notes[begun:after], begun))
        begun = after
    return tuple(bars)


def count_kept_repeats(before: Melody, after: Melody) -> tuple[int, int]:
    """Count the bars of a tune that repeat an earlier bar note for note, and how many still do.

    Args:
        before: the given tune.
        after: the same tune transferred, with as many bars.

    Returns:
        The number of repeated bars in ``before``, and how many of them are repeats in ``after``.
    """
    first_of: dict[tuple[object, ...], int] = {}
    repeated = kept = 0
    old_bars, new_bars = split_into_bars(before), split_into_bars(after)
    for index, bar in enumerate(old_bars):
        first = first_of.setdefault(_bar_content(bar), index)
        if bar.notes and first < index:
            repeated += 1
            kept += _bar_content(new_bars[index]) == _bar_content(new_bars[first])
    return repeated, kept


def phrase_starts(melody: Melody) -> frozenset[int]:
    """The bars, counted from 0, where sections begin; without sections every fourth bar."""
    if len(melody.sections) > 1:
        return frozenset(melody.sections)
    return frozenset(range(0, melody.bar_count, PHRASE_BARS))


def split_duplicates(melody: Melody, sections: Sequence[MeterSection]) -> frozenset[int]:
    """Bars that are equal note for note but belong to groups that are not.

    A tied note joins a bar to its neighbor. If such a group were changed by itself, the bar would
    no longer equal its duplicates elsewhere, so these bars stay as they are.

    Args:
        melody: the given tune.
        sections: its sections, of `split_by_meter`.

    Returns:
        The bars, counted from 0.
    """
    role_of: dict[int, object] = {}
    for section in sections:
        for group in section.groups:
            for bar in range(group.first_bar, group.first_bar + group.bar_count):
                role_of[bar] = (section.first_bar, group.class_key, bar - group.first_bar)
    roles: dict[tuple[object, ...], set[object]] = {}
    equals: dict[tuple[object, ...], set[int]] = {}
    for index, bar_group in enumerate(split_into_bars(melody)):
        if bar_group.notes:
            roles.setdefault(_bar_content(bar_group), set()).add(role_of.get(index))
            equals.setdefault(_bar_content(bar_group), set()).add(index)
    return frozenset(i for name, bars in equals.items() if len(roles[name]) > 1 for i in bars)


def bars_held_over_changes(melody: Melody, sections: Sequence[MeterSection]) -> frozenset[int]:
    """Bars that a held note joins over a change of meter.

    No group has two meters. With new rhythms on both sides the note would be cut at the barline,
    and a bar that it fills would fall silent, so these bars stay as they are.

    Args:
        melody: the given tune.
        sections: its sections, of `split_by_meter`.

    Returns:
        The bars of the groups on both sides of each such change, counted from 0.
    """
    onsets = [note.onset for note in melody.notes]
    held: set[int] = set()
    for before, after in pairwise(sections):
        if _is_held_over(melody.notes, bisect_left(onsets, after.start), after.start):
            for group in (before.groups[-1], after.groups[0]):
                held.update(range(group.first_bar, group.first_bar + group.bar_count))
    return frozenset(held)


def bars_with_signs(melody: Melody, groups: Sequence[BarGroup]) -> frozenset[int]:
    """Bars inside which a repeat sign stands, as in tunes with pickups, and their class.

    A rhythm of the whole bar would move notes of the pickup to the other side of the sign, into
    another repetition, so these bars stay as they are.

    Args:
        melody: the given tune.
        groups: its bar groups.

    Returns:
        The bars, counted from 0.
    """
    lines = melody.barlines
    signs = {lines[repeat.start] - repeat.lead_in for repeat in melody.repeats}
    signs |= {lines[repeat.end] - repeat.lead_out for repeat in melody.repeats}
    inside = {
        bisect_right(lines, sign) - 1 for sign in signs if sign > 0 and sign not in set(lines)
    }

    def bars_of(group: BarGroup) -> range:
        return range(group.first_bar, group.first_bar + group.bar_count)

    keys = {group.class_key for group in groups if inside.intersection(bars_of(group))}
    return frozenset(
        bar for group in groups if group.class_key in keys for bar in bars_of(group) if bar >= 0
    )


def _bar_content(bar: BarGroup) -> tuple[object, ...]:
    """Onsets from the barline, durations and pitches of a bar's notes."""
    return tuple((note.onset - bar.start, note.duration, note.pitch) for note in bar.notes)


def check_duration(seconds: float, meter: Meter) -> None:
    """Check how long a tune would last in a meter.

    Args:
        seconds: that it would last.
        meter: of its bars.

    Raises:
        TooLong: when it would last longer than a score may.
    """
    if seconds > Limits().seconds:
        raise TooLong(f"{seconds:.0f} seconds in {meter}", f"{Limits().seconds:.0f} seconds")


def split_long_pickup(melody: Melody) -> tuple[Melody, int]:
    """Return a tune whose pickup is at most a bar long, as its bar groups need it.

    Args:
        melody: the given tune; its pickup may be longer, as in doubled note values.

    Returns:
        The tune, moved by the whole bars that its pickup held, which count as bars now; and their
        number.
    """
    bar = melody.meter.bar_length
    bars = max(0, -(-melody.pickup // bar) - 1)
    if not bars:
        return melody, 0
    moved = replace(
        melody,
        notes=tuple(replace(note, onset=note.onset + bars * bar) for note in melody.notes),
        bar_count=melody.bar_count + bars,
        sections=tuple(section + bars for section in melody.sections),
        meter_changes=tuple(
            replace(change, bar=change.bar + bars) for change in melody.meter_changes
        ),
        repeats=(),
    )
    return moved, bars
