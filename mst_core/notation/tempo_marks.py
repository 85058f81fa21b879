"""Chooses the tempo marks of a score: one at the beginning, others where the tempo changes.

A score has a few changes, and each is marked at its bar. A performance has one a beat: there a mark
stands only where the mean of several bars leaves the last mark by more than a player's freedom.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from fractions import Fraction

from mst_core.music import Melody

_FEW_CHANGES = 4
_MOST_CHANGES = 0.1
"""Tempo changes, and further ones a bar, up to which each one is marked."""
_FREEDOM = 0.12
"""Relative change of tempo that a performance needs for a mark."""
_SPAN = 4
"""Bars over which the tempo of a performance is averaged."""
_SAME = 0.004
"""Relative difference of two tempos that are the same mark."""


def mark_tempos(melody: Melody) -> dict[int, float]:
    """Choose the tempo marks of a melody.

    Args:
        melody: the melody with its tempo map.

    Returns:
        Quarter notes a minute by the index of the bar that bears the mark; the mark of bar 0 holds
        for a pickup too.
    """
    if not melody.tempo_changes or not melody.bar_count:
        return {0: melody.tempo}
    lines = melody.barlines
    if len(melody.tempo_changes) > _FEW_CHANGES + _MOST_CHANGES * melody.bar_count:
        times = _list_seconds(melody, lines)
        means = []
        for bar in range(melody.bar_count):
            end = min(melody.bar_count, bar + _SPAN)
            seconds = times[end] - times[bar]
            means.append(float(lines[end] - lines[bar]) * 60 / seconds)
        return _thin(means, _FREEDOM)
    onsets = [change.onset for change in melody.tempo_changes]
    tempos = []
    for line in lines[:-1]:
        tempos.append(melody.tempo_changes[max(0, bisect_right(onsets, line) - 1)].tempo)
    return _thin(tempos, _SAME)


def _list_seconds(melody: Melody, lines: Sequence[Fraction]) -> list[float]:
    """Return the seconds from the first barline to each, in one walk through the tempo map."""
    seconds, now, tempo = 0.0, lines[0], melody.tempo_changes[0].tempo
    listed: list[float] = []
    marks = [(change.onset, 0, change.tempo) for change in melody.tempo_changes]
    marks += [(line, 1, 0.0) for line in lines]
    for onset, is_line, value in sorted(marks):
        if onset > now:
            seconds += float(onset - now) * 60 / tempo
            now = onset
        if is_line:
            listed.append(seconds)
        else:
            tempo = value
    return listed


def _thin(tempos: list[float], freedom: float) -> dict[int, float]:
    """Return the tempos that differ from the mark before by more than a share of it."""
    marks: dict[int, float] = {}
    last = 0.0
    for bar, tempo in enumerate(tempos):
        if abs(tempo - last) > freedom * last:
            marks[bar] = last = tempo
    return marks
