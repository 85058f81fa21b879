"""From the bars of one meter to the bars of another: beats to beats, so that it sounds meant.

Where both have as many beats, beat goes to beat: 12/8 becomes 4/4 with triplets. A jig's two beats
become the four of a reel as its dancers would step them: of three eighths the first becomes a
quarter. A waltz's bar becomes one of 4/4 when its first beat lasts twice as long.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import pairwise

from mst_core.music import Meter

TimeMap = Callable[[Fraction], Fraction]
"""From a time in one tune to a time in another, both in quarter notes from the first downbeat."""
_HALF = Fraction(1, 2)


def time_map(old: Meter, new: Meter) -> TimeMap:
    """How times move when each bar of one meter becomes a bar of another."""
    corners = _anchor_points(old, new)

    def move(time: Fraction) -> Fraction:
        bar, inside = divmod(time, old.bar_length)
        for (a, c), (b, d) in pairwise(corners):
            if inside < b:
                return bar * new.bar_length + c + (inside - a) * (d - c) / (b - a)
        raise AssertionError("a time lies in a bar")

    return move


def _anchor_points(old: Meter, new: Meter) -> Sequence[tuple[Fraction, Fraction]]:
    """Times within the bar that belong together; between them time runs evenly."""
    if old.bar_length == new.bar_length:
        return [(Fraction(0), Fraction(0)), (old.bar_length, new.bar_length)]
    beats, wanted = old.bar_length / old.beat_length, new.bar_length / new.beat_length
    if old.is_compound and not new.is_compound and wanted == 2 * beats:
        return _beat_anchors(
            int(beats), old.beat_length, 2 * new.beat_length, Fraction(1, 3), _HALF
        )
    if new.is_compound and not old.is_compound and beats == 2 * wanted:
        return _beat_anchors(
            int(wanted), 2 * old.beat_length, new.beat_length, _HALF, Fraction(1, 3)
        )
    if beats == 3 and wanted == 4:
        return _pair_times((0, 1, 2, 3), old.beat_length, (0, 2, 3, 4), new.beat_length)
    if beats == 4 and wanted == 3:
        return _pair_times((0, 2, 3, 4), old.beat_length, (0, 1, 2, 3), new.beat_length)
    return [(Fraction(0), Fraction(0)), (old.bar_length, new.bar_length)]


def _beat_anchors(
    count: int, old: Fraction, new: Fraction, before: Fraction, after: Fraction
) -> list[tuple[Fraction, Fraction]]:
    """So many beats, each with a corner at one share of the old beat and another of the new."""
    corners = [(Fraction(0), Fraction(0))]
    for beat in range(count):
        corners += [
            ((beat + before) * old, (beat + after) * new),
            ((beat + 1) * old, (beat + 1) * new),
        ]
    return corners


def _pair_times(
    olds: Sequence[int], old: Fraction, news: Sequence[int], new: Fraction
) -> list[tuple[Fraction, Fraction]]:
    return [(a * old, b * new) for a, b in zip(olds, news, strict=True)]
