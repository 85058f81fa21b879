"""Tunes whose notes stand closer together, or farther apart, than a style ever plays them.

A solo in sixteenths has no place in a reel's bars, but it has in two of them, played twice as fast;
and the long notes of an air fill a reel's bar two bars at a time. So such a tune is written in note
values twice or half as long, changed, and brought back: its bars and its length stay.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from mst_core.composing.target import Target
from mst_core.music import Melody, Note
from mst_core.networks.corpus import TICKS

DENSE = 1.1
"""How much more notes a bar than the style's liveliest tunes are too many."""
SPARSE = 0.7
"""How much fewer than its calmest are too few."""
TWICE, HALF = Fraction(2), Fraction(1, 2)
ONCE = Fraction(1)


def fitting_scale(melody: Melody, target: Target) -> Fraction:
    """How long a tune's note values should be for the target: 2, 1 or 1/2 times as they are."""
    if melody.changes or target.meter_for(melody.meter) != melody.meter:
        return ONCE
    low, _, high = target.ground(melody.meter).habits.notes_a_bar
    sounding = {note.onset // melody.meter.bar for note in melody.notes if note.onset >= 0}
    notes = len(melody.notes) / max(1, len(sounding))
    if notes > DENSE * high and notes / 2 > SPARSE * low:
        return TWICE
    if notes < SPARSE * low and 2 * notes < DENSE * high and _in_pairs(melody):
        return HALF
    return ONCE


def _in_pairs(melody: Melody) -> bool:
    """Whether bars can be taken in pairs: sections of even lengths, notes that can be halved."""
    edges = [melody.bars, *melody.sections]
    for repeat in melody.repeats:
        edges += [repeat.start, repeat.end]
        edges += [bar for bar in (repeat.first_ending, repeat.second_ending) if bar is not None]
    on_grid = all(
        (time * TICKS / 2).denominator == 1
        for note in melody.notes
        for time in (note.onset, note.end)
    )
    return on_grid and all(edge % 2 == 0 for edge in edges)


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
    if scale == TWICE:
        return frozenset(half for bar in bars for half in (2 * bar, 2 * bar + 1))
    return frozenset(int(bar * scale) for bar in bars)
