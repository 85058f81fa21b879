"""Augmentation: a tune in doubled note values, for styles with fewer notes a bar.

A solo in sixteenths has no counterpart in a reel's bars, but it has one in two of them, played
twice as fast. So such a tune is transferred in doubled note values and then halved again: its bars
and its length stay. The reverse, two bars joined to one, would let equal bars become different.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from mst_core.music import Melody, Note
from mst_core.transfer.target import RhythmTarget

UNSCALED, DOUBLED = Fraction(1), Fraction(2)
"""Factors of the note values."""


def augmentation_for(melody: Melody, target: RhythmTarget) -> Fraction:
    """The factor by which a tune's note values should be multiplied for a target.

    Args:
        melody: the given tune.
        target: with the numbers of notes a bar that are usual in its style.

    Returns:
        `DOUBLED` for a tune with more notes a bar than the style has, else `UNSCALED`; always
        `UNSCALED` where the tune changes its meter or the target has another.
    """
    config = target.config
    if melody.meter_changes or target.meter_for(melody.meter) != melody.meter:
        return UNSCALED
    low, _, high = target.meter_model(melody.meter).statistics.notes_per_bar
    sounding = {note.onset // melody.meter.bar_length for note in melody.notes if note.onset >= 0}
    notes = len(melody.notes) / max(1, len(sounding))
    if notes > config.dense * high and notes / 2 > config.sparse * low:
        return DOUBLED
    return UNSCALED


def augment(melody: Melody, factor: Fraction) -> Melody:
    """A tune with all note values multiplied by a factor.

    Args:
        melody: the given tune.
        factor: `UNSCALED` or `DOUBLED`.

    Returns:
        The same meter with ``factor`` times as many bars.
    """
    if factor == UNSCALED:
        return melody

    def scale_bar(bar: int) -> int:
        return int(bar * factor)

    def scale_optional(bar: int | None) -> int | None:
        return None if bar is None else scale_bar(bar)

    return replace(
        melody,
        notes=tuple(Note(n.onset * factor, n.duration * factor, n.pitch) for n in melody.notes),
        bar_count=scale_bar(melody.bar_count),
        sections=tuple(map(scale_bar, melody.sections)),
        repeats=tuple(
            replace(
                repeat,
                start=scale_bar(repeat.start),
                end=scale_bar(repeat.end),
                first_ending=scale_optional(repeat.first_ending),
                second_ending=scale_optional(repeat.second_ending),
                lead_in=repeat.lead_in * factor,
                lead_out=repeat.lead_out * factor,
            )
            for repeat in melody.repeats
        ),
    )


def augmented_bars(bars: frozenset[int], factor: Fraction) -> frozenset[int]:
    """The bars of the augmented tune that come from the given bars of a tune.

    Args:
        bars: of the tune, counted from 0.
        factor: of the note values, 1 or 2.

    Returns:
        Bars of the augmented tune, counted from 0; ``factor`` times as many.
    """
    return frozenset(int(bar * factor) + part for bar in bars for part in range(int(factor)))
