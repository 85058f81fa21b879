"""Repairs of measures and endings, for slips that writers of ABC often make."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import groupby, pairwise

from mst_core.reading.abc.tune import AbcMeasure, AbcNote

MISSING_BARLINE = Fraction(7, 4)
"""Bars that a measure holds at least where a barline is missing in it. Less is a long bar: tunes in
9/8 that are written in 6/8 have bars of 3/2."""


def fill_pairs(
    notes: list[AbcNote], doubly_short: Sequence[tuple[int, Fraction]], bar: Fraction
) -> int:
    """Read ``A>B/`` as ``A>B`` where the bar is full only so; some writers halve it twice.

    Args:
        notes: The notes of a measure; they are changed.
        doubly_short: Index and written length, in quarter notes, of each note that may be so.
        bar: Length of a bar in quarter notes.

    Returns:
        How many notes were changed.
    """
    length = sum((note.duration for note in notes), Fraction(0))
    missing = sum((written - notes[index].duration for index, written in doubly_short), Fraction(0))
    if not doubly_short or length + missing != bar:
        return 0
    for index, written in doubly_short:
        notes[index] = notes[index]._replace(duration=written)
    return len(doubly_short)


def split_at_bars(notes: Sequence[AbcNote], bar: Fraction | None) -> list[tuple[AbcNote, ...]]:
    """Divide a measure in which a barline is missing, where a note begins at each full bar.

    Args:
        notes: The notes of a measure.
        bar: Length of a bar in quarter notes; None for free meter.

    Returns:
        The notes of each bar, the last one perhaps shorter; all together where none is missing.
    """
    whole = [tuple(notes)]
    length = sum((note.duration for note in notes), Fraction(0))
    if bar is None or length < MISSING_BARLINE * bar or length % bar == 0:
        return whole
    bars: list[list[AbcNote]] = [[]]
    position = Fraction(0)
    for note in notes:
        if position == bar:
            bars.append([])
            position = Fraction(0)
        bars[-1].append(note)
        position += note.duration
        if position > bar:
            return whole
    return [tuple(each) for each in bars]


def end_second_endings(measures: Sequence[AbcMeasure]) -> tuple[AbcMeasure, ...]:
    """End a second ending without a double bar after as many measures as the first one has.

    Without a sign it would last to the end of the next part: ``|1 A4:|2 a4|B4|c4:|`` repeats
    ``B4|c4``.

    Args:
        measures: The measures of a voice, in order.

    Returns:
        The same measures; those after the second ending belong to no ending.
    """
    runs = [
        (passes, list(run))
        for passes, run in groupby(range(len(measures)), key=lambda index: measures[index].endings)
    ]
    ended = list(measures)
    for (before, first), (passes, second) in pairwise(runs):
        if (before, passes) != ((1,), (2,)) or len(second) <= len(first):
            continue
        last = measures[second[-1]]
        lasts_to_the_end = second[-1] == len(measures) - 1 and len(second) > 2 * len(first) + 1
        if not last.closes_repeat and not lasts_to_the_end:
            continue
        end = second[len(first)]
        ended[end - 1] = replace(ended[end - 1], ends_section=True)
        ended[end] = replace(ended[end], starts_section=True)
        for index in second[len(first) :]:
            ended[index] = replace(ended[index], endings=())
    return tuple(ended)


def repeat_parts(
    measures: Sequence[AbcMeasure], starts: Sequence[tuple[str, int]], order: Sequence[str]
) -> tuple[tuple[AbcMeasure, ...], bool]:
    """Put repeat signs around the parts that a P: field such as ``AABB`` has played twice.

    Args:
        measures: The measures of a voice, in order.
        starts: Name and first measure of each part, in order.
        order: The names of the parts in the order of playing.

    Returns:
        The measures; and whether they are now played in that order.
    """
    runs = [(name, len(list(run))) for name, run in groupby(order)]
    if [name for name, _ in runs] != [name for name, _ in starts]:
        return tuple(measures), False
    ends = [*(index for _, index in starts[1:]), len(measures)]
    repeated = list(measures)
    played = True
    for (_, start), end, (_, times) in zip(starts, ends, runs, strict=True):
        part = measures[start:end]
        has_signs = any(each.opens_repeat or each.closes_repeat or each.endings for each in part)
        if times == 2 and part and not has_signs:
            repeated[start] = replace(repeated[start], opens_repeat=True, starts_section=True)
            repeated[end - 1] = replace(repeated[end - 1], closes_repeat=True, ends_section=True)
        elif times > 1:
            played = played and times == 2 and has_signs
    return tuple(repeated), played
