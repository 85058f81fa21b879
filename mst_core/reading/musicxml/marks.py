"""Places what stands beside the notes on the time of the melody: tempos, keys, chords, controls."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import pairwise

from mst_core.music import ChordSymbol, ControlEvent, KeyChange, TempoChange
from mst_core.reading.grid import nearest_place
from mst_core.reading.measures import BarLayout
from mst_core.reading.musicxml.part import XmlPart

_MIN_MAIN_SHARE = 1 / 4
"""Share of the music that a tempo must hold to be the main one, else it is the median tempo."""


def place_tempos(parts: Sequence[XmlPart], layout: BarLayout) -> tuple[TempoChange, ...]:
    """Compute the tempo map of a score.

    Args:
        parts: All parts; of several marks at one onset the first part's holds.
        layout: The bars in which the measures are placed.

    Returns:
        The tempo marks without those that change nothing.
    """
    marks: dict[Fraction, float] = {}
    for part in parts:
        # Of several marks of one part at one onset the last one holds.
        for onset, tempo in dict(layout.place([each.tempos for each in part.measures])).items():
            marks.setdefault(nearest_place(onset), tempo)
    tempos: list[TempoChange] = []
    for onset in sorted(marks):
        if not tempos or tempos[-1].tempo != marks[onset]:
            tempos.append(TempoChange(onset, marks[onset]))
    return tuple(tempos)


def main_tempo(tempos: Sequence[TempoChange], start: Fraction, end: Fraction) -> float:
    """Return the tempo that holds for most of the music, the first of several.

    Args:
        tempos: The tempo map, at least one entry.
        start: Onset of the first note, in quarter notes from the first downbeat.
        end: Onset of the last barline.

    Returns:
        Quarter notes per minute; the median where no tempo holds for long.
    """
    held: defaultdict[float, Fraction] = defaultdict(Fraction)
    edges = [start, *(change.onset for change in tempos[1:]), max(start, end)]
    for change, (begins, ends) in zip(tempos, pairwise(edges), strict=True):
        held[change.tempo] += max(Fraction(0), min(ends, end) - max(begins, start))
    longest, total = max(held.values()), sum(held.values())
    if longest >= _MIN_MAIN_SHARE * total:
        return next(tempo for tempo, length in held.items() if length == longest)
    passed = Fraction(0)
    for tempo in sorted(held):
        passed += held[tempo]
        if 2 * passed >= total:
            break
    return tempo


def place_keys(part: XmlPart, layout: BarLayout) -> tuple[KeyChange, ...]:
    """Find the bars in which another key begins.

    Args:
        part: The part with the melody.
        layout: The bars in which the measures are placed.

    Returns:
        The changes after the first key, rising by bar.
    """
    changes: dict[int, KeyChange] = {}
    key = part.key
    for placement in layout.placements:
        own = (
            part.measures[placement.measure].key if placement.measure < len(part.measures) else None
        )
        if own is not None and own != key:
            key, bar = own, layout.bar_at(placement.onset)
            changes[bar] = KeyChange(bar, own)
    return tuple(changes[bar] for bar in sorted(changes) if bar < len(layout.meters))


def place_chords(
    parts: Sequence[XmlPart], first: XmlPart, layout: BarLayout
) -> tuple[ChordSymbol, ...]:
    """Find the chord symbols of a score.

    Args:
        parts: All parts.
        first: The part whose symbols are taken; where it has none, the first part that has some.
        layout: The bars in which the measures are placed.

    Returns:
        The symbols rising by onset; of several at one onset the last.
    """
    for part in (first, *parts):
        placed = layout.place([each.chords for each in part.measures])
        chords = {nearest_place(onset): text for onset, text in placed}
        if chords:
            within = sorted(onset for onset in chords if onset < layout.barlines[-1])
            return tuple(ChordSymbol(onset, chords[onset]) for onset in within)
    return ()


def place_controls(part: XmlPart, layout: BarLayout) -> Iterator[ControlEvent]:
    """Place the programs, controllers and pedals of a part.

    Args:
        part: The part.
        layout: The bars in which the measures are placed.

    Yields:
        Its controls, rising by onset.
    """
    begin = min(Fraction(0), layout.onsets[0])
    for control in part.controls:
        yield ControlEvent(begin, control.kind, control.number, control.value)
    items = [[(each.onset, each) for each in measure.controls] for measure in part.measures]
    for onset, control in sorted(layout.place(items), key=lambda each: each[0]):
        yield ControlEvent(nearest_place(onset), control.kind, control.number, control.value)
