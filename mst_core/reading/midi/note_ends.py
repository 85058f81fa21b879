"""Places the ends of quantized notes: as they are written, or as the player meant them.

Players and programs end notes early, for the sake of articulation: the written duration is then a
guess. A note lasts to the next one where the gap is small, else to the next plain place.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple

from mst_core.music import MIDI_TICKS_PER_QUARTER, TICKS_PER_QUARTER, Note
from mst_core.reading.midi.bars import BarLines
from mst_core.reading.midi.notes import MidiNote

_FINE_RESOLUTION = 192
"""Ticks per quarter from which a tick more or less is rounding; from 960 on, 1/480 quarter is."""
_EIGHTH, _TRIPLET = TICKS_PER_QUARTER // 2, TICKS_PER_QUARTER // 3
_SMALL_GAP = Fraction(1, 4)
"""Quarters of silence before the next note that are articulation."""
_SMALL_SHARE = Fraction(2, 5)
"""Of the time to the next note; silence up to this share of it is articulation, of long notes up
to a third."""
_PHRASE_GAP = Fraction(3, 4)
"""Quarters of silence up to which that share holds."""
_OVERHANG = Fraction(1, 16)
"""Quarters by which a note may last beyond a place that is its end."""
_WRITTEN_SHARE, _PLAIN_SHARE = 0.95, 0.7
"""Shares of ends on any step, and on plain ones, from which ends are as written."""
_FEW_NOTES = 8


class TimedNote(NamedTuple):
    """A note of the melody before quantization; times in quarters."""

    onset: Fraction
    end: Fraction
    pitch: int
    step: int | None
    """The step of its onset; None off the grid."""


def to_step(tick: int, ticks_per_quarter: int) -> int | None:
    """Return the step of the grid that a tick stands for.

    Where a triplet is no whole number of ticks, programs round; some end a note one tick early.

    Args:
        tick: from the start of the file.
        ticks_per_quarter: of the file.

    Returns:
        Steps from the start of the file, or None if the tick is off the grid by more than rounding.
    """
    slack = TICKS_PER_QUARTER - 1 if ticks_per_quarter % TICKS_PER_QUARTER else 0
    if ticks_per_quarter >= _FINE_RESOLUTION:
        slack = TICKS_PER_QUARTER * max(1, ticks_per_quarter // MIDI_TICKS_PER_QUARTER)
    step = round(Fraction(tick * TICKS_PER_QUARTER, ticks_per_quarter))
    return step if abs(tick * TICKS_PER_QUARTER - step * ticks_per_quarter) <= slack else None


def ends_are_written(melody: Sequence[MidiNote], ticks_per_quarter: int) -> bool:
    """Return whether the ends of notes are those of a score, not of a player.

    Args:
        melody: one note or more that do not overlap, in order.
        ticks_per_quarter: of the file.
    """
    if len(melody) < _FEW_NOTES:
        return True
    steps = [to_step(each.end, ticks_per_quarter) for each in melody]
    if ticks_per_quarter >= _FINE_RESOLUTION:
        written = sum(step is not None for step in steps)
        if written >= _WRITTEN_SHARE * len(steps):
            return not is_clipped(melody)
    following: list[int | None] = [each.onset for each in melody[1:]]
    plain = sum(
        note.end == after or (step is not None and (step % 6 == 0 or step % 8 == 0))
        for note, step, after in zip(melody, steps, [*following, None], strict=True)
    )
    return plain >= _PLAIN_SHARE * len(melody) and not is_clipped(melody)


def is_clipped(melody: Sequence[MidiNote]) -> bool:
    """Return whether nearly every note ends a little early, as programs play notated music."""
    gaps = [(after.onset - note.end, after.onset - note.onset) for note, after in pairwise(melody)]
    small = sum(0 < gap < between / 4 for gap, between in gaps)
    return len(gaps) >= _FEW_NOTES and small >= 0.9 * len(gaps)


def place_ends(
    timed: Sequence[TimedNote],
    steps: Sequence[int],
    kept: Sequence[int],
    bars: BarLines,
    *,
    written_ends: Sequence[int | None] | None,
) -> list[Note]:
    """Make notes whose onsets are steps of the grid.

    Args:
        timed: all notes of the melody.
        steps: the step of each onset.
        kept: indices of the notes that remain, rising.
        bars: of the file.
        written_ends: the step of each end, None off the grid; None to infer all.

    Returns:
        The notes, times in quarters from the start of the file.
    """
    notes = []
    overhang = Fraction(0) if written_ends else _OVERHANG
    for index, next_onset, next_step in _with_next_onset(timed, steps, kept, bars, overhang):
        end = written_ends[index] if written_ends else None
        step = steps[index]
        if end is None or end <= step:
            end = _inferred_end(timed[index], step, next_onset, next_step)
        end = min(end, next_step)  # rounding may move an end past the next onset
        notes.append(
            Note(
                Fraction(step, TICKS_PER_QUARTER),
                Fraction(end - step, TICKS_PER_QUARTER),
                timed[index].pitch,
            )
        )
    return notes


def _with_next_onset(
    timed: Sequence[TimedNote],
    steps: Sequence[int],
    kept: Sequence[int],
    bars: BarLines,
    overhang: Fraction,
) -> Iterator[tuple[int, Fraction, int]]:
    """Yield each index with the next onset in quarters and its step; the last with its barline."""
    for index, following in pairwise(kept):
        yield index, timed[following].onset, steps[following]
    last = kept[-1]
    # A last note as played may ring a little beyond its barline.
    end = max(timed[last].end - overhang, Fraction(steps[last] + 1, TICKS_PER_QUARTER))
    bar = bars.bar_at(end)
    barline = end if bars.onset(bar) == end else bars.onset(bar + 1)
    yield last, barline, round(barline * TICKS_PER_QUARTER)


def _inferred_end(timed: TimedNote, step: int, next_onset: Fraction, next_step: int) -> int:
    """The step where a note ends whose end is as played: the next onset, or a plain place."""
    gap, between = next_onset - timed.end, next_onset - timed.onset
    if gap < max(_SMALL_GAP, between / 3, min(between * _SMALL_SHARE, _PHRASE_GAP)):
        return next_step
    is_triplet = step % _TRIPLET == 0 and (step % 6 or (next_step % 6 and not next_step % _TRIPLET))
    unit = _TRIPLET if is_triplet else _EIGHTH
    last = step + (timed.end - timed.onset - _OVERHANG) * TICKS_PER_QUARTER
    end = -(-int(last + 1) // unit) * unit
    while end <= step:
        end += unit
    return min(end, next_step)
