"""From the bars of one meter to the bars of another, so that beats stay beats.

Where both bars have as many beats, beat goes to beat: 12/8 becomes 4/4 with triplets. A jig's two
beats become the four of a reel: of three eighths the first becomes a quarter. A bar of 3/4 becomes
one of 4/4 when its first beat lasts twice as long. See docs/decisions.md#meters.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise

from mst_core.music import Meter

_HALF = Fraction(1, 2)


@lru_cache(maxsize=256)
def time_map(old: Meter, new: Meter) -> Callable[[Fraction], Fraction]:
    """The function that moves times when each bar of one meter becomes a bar of another.

    Args:
        old: the meter of the times that go in.
        new: the meter of the times that come out.

    Returns:
        A strictly increasing, piecewise linear function; barlines go to barlines.
    """
    anchors = _anchor_points(old, new)

    def move(time: Fraction) -> Fraction:
        bar, inside = divmod(time, old.bar_length)
        for (a, c), (b, d) in pairwise(anchors):
            if inside < b:
                return bar * new.bar_length + c + (inside - a) * (d - c) / (b - a)
        raise AssertionError("a time lies in a bar")

    return move


@lru_cache(maxsize=256)
def tempo_ratio(old: Meter, new: Meter) -> Fraction:
    """Return the new tempo over the old one, both in quarter notes, that keeps the beat's speed.

    A bar of as many beats, or of two beats for each one, lasts as long as before: in 4/4 a quarter
    note is then as long as the dotted quarter of 12/8 was. Where a bar gains or loses a beat, the
    beats stay as long as they were.

    Args:
        old: the meter that a bar had.
        new: the meter that it gets.
    """
    old_beats, new_beats = old.bar_length / old.beat_length, new.bar_length / new.beat_length
    if old.bar_length != new.bar_length and {old_beats, new_beats} == {Fraction(3), Fraction(4)}:
        return new.beat_length / old.beat_length
    return new.bar_length / old.bar_length


def _anchor_points(old: Meter, new: Meter) -> Sequence[tuple[Fraction, Fraction]]:
    """Pairs of times in the old and the new bar; between two pairs the map is linear."""
    if old.bar_length == new.bar_length:
        return [(Fraction(0), Fraction(0)), (old.bar_length, new.bar_length)]
    old_beats, new_beats = old.bar_length / old.beat_length, new.bar_length / new.beat_length
    if old.is_compound and not new.is_compound and new_beats == 2 * old_beats:
        return _beat_anchors(
            int(old_beats), old.beat_length, 2 * new.beat_length, Fraction(1, 3), _HALF
        )
    if new.is_compound and not old.is_compound and old_beats == 2 * new_beats:
        return _beat_anchors(
            int(new_beats), 2 * old.beat_length, new.beat_length, _HALF, Fraction(1, 3)
        )
    if old_beats == 3 and new_beats == 4:
        return _pair_times((0, 1, 2, 3), old.beat_length, (0, 2, 3, 4), new.beat_length)
    if old_beats == 4 and new_beats == 3:
        return _pair_times((0, 2, 3, 4), old.beat_length, (0, 1, 2, 3), new.beat_length)
    return [(Fraction(0), Fraction(0)), (old.bar_length, new.bar_length)]


def _beat_anchors(
    beats: int, old: Fraction, new: Fraction, old_share: Fraction, new_share: Fraction
) -> list[tuple[Fraction, Fraction]]:
    """Anchors at each beat, and within each at one share of the old and another of the new beat."""
    anchors = [(Fraction(0), Fraction(0))]
    for beat in range(beats):
        anchors += [
            ((beat + old_share) * old, (beat + new_share) * new),
            ((beat + 1) * old, (beat + 1) * new),
        ]
    return anchors


def _pair_times(
    old_beats: Sequence[int], old: Fraction, new_beats: Sequence[int], new: Fraction
) -> list[tuple[Fraction, Fraction]]:
    """Anchors at the given beats of both bars; ``old`` and ``new`` are lengths of a beat."""
    return [(a * old, b * new) for a, b in zip(old_beats, new_beats, strict=True)]
