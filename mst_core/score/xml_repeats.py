"""The repeats of a score that are played twice, with or without two endings, as bars."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from fractions import Fraction

from mst_core.music import Repeat
from mst_core.reading.musicxml.elements import BarSigns


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
