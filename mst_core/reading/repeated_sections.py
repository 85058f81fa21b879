"""Finds the sections of written measures that are played twice, and those that are played more.

`Repeat` counts measures here, not bars: `mst_core.reading.bars` makes bars of them.
"""

from __future__ import annotations

from collections.abc import Sequence

from mst_core.music import Repeat
from mst_core.reading.measures import WrittenMeasure


def find_repeated_sections(
    measures: Sequence[WrittenMeasure],
) -> tuple[tuple[Repeat, ...], int]:
    """Find the sections that are played twice, with one ending or with a first and a second one.

    A closing sign without an opening one goes back to the end of the repeat before it, or to the
    beginning. A closing sign after the last of several endings repeats nothing: it only opens what
    follows.

    Args:
        measures: The measures of a file in their order.

    Returns:
        The sections in order, which do not overlap, with indices of measures; and how many more
        are repeated in another way: more than twice, or with other endings.
    """
    sections: list[Repeat] = []
    unusual = 0
    start = 0  # where the repeated section begins
    first_ending: int | None = None
    index = 0
    while index < len(measures):
        measure = measures[index]
        if measure.opens_repeat:
            start, first_ending = index, None
        if measure.ending and (first_ending is None or 1 in measure.ending):
            first_ending = index
        index += 1
        if not measure.closes_repeat:
            continue
        end = index
        passes: list[tuple[int, ...]] = []  # of the endings after the sign
        if first_ending is not None:
            while index < len(measures) and _goes_on(measures[index], passes):
                passes.append(measures[index].ending)
                index = _end_of_ending(measures, index)
        plain = (
            measure.play_count == 2
            and (first_ending is None or measures[first_ending].ending == (1,))
            and passes in ([], [(2,)])
        )
        if plain:
            sections.append(Repeat(start, end, first_ending, index if passes else None))
        else:
            unusual += 1
        start, first_ending = index, None
    return tuple(sections), unusual


def _goes_on(measure: WrittenMeasure, passes: Sequence[tuple[int, ...]]) -> bool:
    """Whether a measure begins one more ending of a section, after endings for ``passes``."""
    return bool(measure.ending) and min(measure.ending) > max((1, *(max(each) for each in passes)))


def _end_of_ending(measures: Sequence[WrittenMeasure], start: int) -> int:
    """The first measure after the ending that begins at ``start``.

    An ending whose end is not marked is as long as its first measure.
    """
    for index in range(start, len(measures)):
        measure = measures[index]
        if index > start and (measure.ending or measure.opens_repeat):
            return index
        if measure.ending_stops or measure.closes_repeat or measure.double_after:
            return index + 1
    return start + 1
