"""Chooses the tempo marks of a score: one at the beginning, others where the tempo changes.

A written score has a few changes, or round ones, and each is marked where it is. A performance has
one a beat: there a mark stands only at barlines, where the mean of several bars leaves the last
mark by more than a player's freedom.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from mst_core.music import Melody, TempoChange

_FEW_CHANGES = 4
_MOST_CHANGES = 0.1
"""Tempo changes, and further ones a bar, up to which a tempo map is a written one."""
_MOST_WRITTEN = 1.0
"""Round tempo changes a bar up to which it is one."""
_ROUND_SHARE = 0.7
"""Share of whole numbers among the tempos of a written tempo map."""
_ROUND_WITHIN = 0.02
"""Beats a minute that a whole number may be off, as MIDI files round it."""
_FREEDOM = 0.12
"""Relative change of tempo that a performance needs for a mark."""
_SPAN = 4
"""Bars over which the tempo of a performance is averaged."""


def mark_tempos(melody: Melody) -> tuple[TempoChange, ...]:
    """Choose the tempo marks of a melody.

    Args:
        melody: the melody with its tempo map.

    Returns:
        The marks, rising by onset; the first one stands at the beginning, whatever its onset.
    """
    if not melody.tempo_changes or not melody.bar_count:
        return (TempoChange(Fraction(0), melody.tempo),)
    if _is_written(melody):
        return melody.tempo_changes
    lines = melody.barlines
    times = _list_seconds(melody, lines)
    marks: list[TempoChange] = []
    for bar in range(melody.bar_count):
        end = min(melody.bar_count, bar + _SPAN)
        tempo = float(lines[end] - lines[bar]) * 60 / (times[end] - times[bar])
        if not marks or abs(tempo - marks[-1].tempo) > _FREEDOM * marks[-1].tempo:
            marks.append(TempoChange(lines[bar], tempo))
    return tuple(marks)


def _is_written(melody: Melody) -> bool:
    """Whether a tempo map was written by a person, and not played."""
    changes, bars = melody.tempo_changes, melody.bar_count
    if len(changes) <= _FEW_CHANGES + _MOST_CHANGES * bars:
        return True
    if len(changes) > _MOST_WRITTEN * bars:
        return False
    beats = [change.tempo / float(melody.meter.beat_length) for change in changes]
    n_round = sum(
        min(abs(each - round(each)) for each in (beat, change.tempo)) <= _ROUND_WITHIN
        for beat, change in zip(beats, changes, strict=True)
    )
    return n_round >= _ROUND_SHARE * len(changes)


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
