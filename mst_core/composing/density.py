"""Tunes whose notes stand closer together than a style ever plays them.

A solo in sixteenths has no place in a reel's bars, but it has in two of them, played twice as fast.
So such a tune is written in note values twice as long, changed, and brought back: its bars and its
length stay. The other way round two bars would become one, and equal bars could part.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from mst_core.music import Melody, Note
from mst_core.transfer.target import Target

DENSE = 1.1
"""How much more notes a bar than the style's liveliest tunes are too many."""
SPARSE = 0.7
"""How much fewer than its calmest are too few."""
ONCE, TWICE = Fraction(1), Fraction(2)


def fitting_scale(melody: Melody, target: Target) -> Fraction:
    """How long a tune's note values should be for the target: as they are, or twice as long."""
    if melody.changes or target.meter_for(melody.meter) != melody.meter:
        return ONCE
    low, _, high = target.ground(melody.meter).habits.notes_a_bar
    sounding = {note.onset // melody.meter.bar for note in melody.notes if note.onset >= 0}
    notes = len(melody.notes) / max(1, len(sounding))
    if notes > DENSE * high and notes / 2 > SPARSE * low:
        return TWICE
    return ONCE


def scaled(melody: Melody, scale: Fraction) -> Melody:
    """A tune in longer or shorter note values, its bars as many times as many."""
    if scale == ONCE:
        return melody

    def bars(bar: int) -> int:
        return int(bar * scale)

    def maybe(bar: int | None) -> int | None:
        return None if bar is None else bars(bar)

    return replace(
        melody,
        notes=tuple(Note(n.onset * scale, n.duration * scale, n.pitch) for n in melody.notes),
        bars=bars(melody.bars),
        sections=tuple(map(bars, melody.sections)),
        repeats=tuple(
            replace(
                repeat,
                start=bars(repeat.start),
                end=bars(repeat.end),
                first_ending=maybe(repeat.first_ending),
                second_ending=maybe(repeat.second_ending),
                lead_in=repeat.lead_in * scale,
                lead_out=repeat.lead_out * scale,
            )
            for repeat in melody.repeats
        ),
    )


def scaled_bars(bars: frozenset[int], scale: Fraction) -> frozenset[int]:
    """The same bars of the scaled tune."""
    return frozenset(int(bar * scale) + part for bar in bars for part in range(int(scale)))
