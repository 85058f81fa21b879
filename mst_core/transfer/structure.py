"""The structure of a given tune: units of bars, and which of them are the same music.

A unit is one bar, or bars that a note ties together; the pickup is a unit of its own. Units with
the same rhythm and the same steps from their first note, transposed or not, belong to one class:
what is decided for one of them holds for all.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from mst_core.music import Melody, Meter, Note

ClassKey = tuple[object, ...]
PHRASE = 4
"""Bars."""


@dataclass(frozen=True, slots=True)
class BarGroup:
    """Bars that are rewritten together. Times in quarter notes from the tune's first downbeat."""

    first: int
    """Its first bar, counted from 0; -1 is the pickup."""
    bars: int
    start: Fraction
    end: Fraction
    notes: tuple[Note, ...]
    index: int
    """The index in the melody of its first note."""

    @property
    def class_key(self) -> ClassKey:
        """What it has in common with the other units of its class."""
        if not self.notes:
            return (self.first < 0, self.end - self.start)
        lowest = self.notes[0].pitch
        return (
            self.first < 0,
            self.end - self.start,
            *((n.onset - self.start, n.duration, n.pitch - lowest) for n in self.notes),
        )

    @property
    def ends_with_long_note(self) -> bool:
        """Whether it comes to rest: its last note is long and reaches its end."""
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
    """A part of a tune in one meter."""

    meter: Meter
    first: int
    """Its first bar in the tune."""
    bars: int
    start: Fraction
    """Onset of its first full bar."""
    pickup: Fraction
    groups: tuple[BarGroup, ...]


def split_by_meter(melody: Melody) -> tuple[MeterSection, ...]:
    """Cut a tune where its meter changes, and each passage into units."""
    lines = melody.barlines
    edges = sorted(
        {
            0,
            melody.bar_count,
            *(c.bar for c in melody.meter_changes if 0 < c.bar < melody.bar_count),
        }
    )
    passages = []
    for first, behind in pairwise(edges):
        pickup = melody.pickup if first == 0 else Fraction(0)
        units = _bar_groups(melody, first, behind, pickup)
        meter = melody.meter_at(first)
        passages.append(MeterSection(meter, first, behind - first, lines[first], pickup, units))
    return tuple(passages)


def _bar_groups(melody: Melody, first: int, end_bar: int, pickup: Fraction) -> tuple[BarGroup, ...]:
    lines = list(melody.barlines[first : end_bar + 1])
    bars = list(range(first, end_bar + 1))
    if pickup:
        lines, bars = [-pickup, *lines], [-1, *bars]
    onsets = [note.onset for note in melody.notes]
    held = {
        line for line in lines[1:-1] if _is_held_over(melody.notes, bisect_left(onsets, line), line)
    }
    units: list[BarGroup] = []
    begin = 0
    for place in range(1, len(lines)):
        if lines[place] in held:
            continue
        start, end = lines[begin], lines[place]
        index, behind_last = bisect_left(onsets, start), bisect_left(onsets, end)
        notes = melody.notes[index:behind_last]
        index = index if notes else 0
        units.append(BarGroup(bars[begin], bars[place] - bars[begin], start, end, notes, index))
        begin = place
    return tuple(units)


def _is_held_over(notes: Sequence[Note], note_after: int, line: Fraction) -> bool:
    """Whether the last note before a line, that before ``behind``, is held over it."""
    return note_after > 0 and line < notes[note_after - 1].end


def full_bars(melody: Melody) -> tuple[BarGroup, ...]:
    """Every full bar with the notes that begin in it, whatever they are tied to."""
    lines = melody.barlines
    begun = 0
    bars: list[BarGroup] = []
    for index, (start, end) in enumerate(pairwise(lines)):
        begun = next(
            (i for i in range(begun, len(melody.notes)) if melody.notes[i].onset >= start),
            len(melody.notes),
        )
        behind = next(
            (i for i in range(begun, len(melody.notes)) if melody.notes[i].onset >= end),
            len(melody.notes),
        )
        bars.append(BarGroup(index, 1, start, end, melody.notes[begun:behind], begun))
        begun = behind
    return tuple(bars)


def count_kept_repeats(before: Melody, after: Melody) -> tuple[int, int]:
    """How many bars come again note for note in a tune, and how many of them still do."""
    first_of: dict[ClassKey, int] = {}
    again = kept = 0
    then, now = full_bars(before), full_bars(after)
    for index, bar in enumerate(then):
        first = first_of.setdefault(_bar_content(bar), index)
        if bar.notes and first < index:
            again += 1
            kept += _bar_content(now[index]) == _bar_content(now[first])
    return again, kept


def phrase_starts(melody: Melody) -> frozenset[int]:
    """The bars where sections begin; without any, every fourth bar."""
    if len(melody.sections) > 1:
        return frozenset(melody.sections)
    return frozenset(range(0, melody.bar_count, PHRASE))


def split_duplicates(melody: Melody, sections: Sequence[MeterSection]) -> frozenset[int]:
    """Bars that are the same note for note, but stand in units that are not.

    A note that is held over the barline joins a bar to its neighbour. Were such a unit changed by
    itself, the bar would no longer be the same as its equal elsewhere.
    """
    role_of: dict[int, object] = {}
    for passage in sections:
        for unit in passage.groups:
            for bar in range(unit.first, unit.first + unit.bars):
                role_of[bar] = (passage.first, unit.class_key, bar - unit.first)
    roles: dict[ClassKey, set[object]] = {}
    equals: dict[ClassKey, set[int]] = {}
    for index, whole in enumerate(full_bars(melody)):
        if whole.notes:
            roles.setdefault(_bar_content(whole), set()).add(role_of.get(index))
            equals.setdefault(_bar_content(whole), set()).add(index)
    return frozenset(i for name, places in equals.items() if len(roles[name]) > 1 for i in places)


def _bar_content(bar: BarGroup) -> ClassKey:
    return tuple((note.onset - bar.start, note.duration, note.pitch) for note in bar.notes)
