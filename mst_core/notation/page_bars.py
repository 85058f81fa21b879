"""Fits laid-out bars to a page: joins silent ones, and divides those that are too long for a line.

A file keeps the bars as they are; on a page, rows of rests say little and take much room, and the
notes of a cadenza would run into each other.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import groupby, pairwise

from mst_core.notation.layout import WrittenBar

_FEWEST_JOINED = 4
"""Silent bars in a row from which on they are drawn as one."""
_MOST_NOTES = 40
"""Notes and rests of a bar that is drawn in one piece."""
_PIECE_NOTES = 16
"""Fewest notes and rests of a piece."""


def fit_bars_to_page(bars: Sequence[WrittenBar]) -> list[WrittenBar]:
    """Join silent bars and divide long ones.

    Args:
        bars: the bars of a melody.

    Returns:
        The bars to draw. Of four and more silent ones in a row, the first stands for all; a bar
        with a sign of its own, such as a repeat or a chord symbol, is not joined. A bar of many
        notes is several pieces without a barline between them.
    """
    fitted: list[WrittenBar] = []
    for is_silent, members in groupby(bars, key=_is_plain_rest):
        run = list(members)
        if is_silent and len(run) >= _FEWEST_JOINED:
            barline = run[-1].right_barline
            fitted.append(replace(run[0], silent_bars=len(run), right_barline=barline))
        else:
            for bar in run:
                fitted += _divide(bar)
    return fitted


def _is_plain_rest(bar: WrittenBar) -> bool:
    """Whether a bar is silent and bears no sign."""
    signs = (
        bar.starts_section or bar.starts_repeat or bar.ends_repeat or bar.ending,
        bar.changes_meter or bar.changes_key or bar.chords or bar.tempos,
    )
    return bar.is_empty and bar.is_complete and bar.number > 0 and not any(signs)


def _divide(bar: WrittenBar) -> Iterator[WrittenBar]:
    """Yield the pieces of a bar; one unless it has many notes."""
    if len(bar.notes) <= _MOST_NOTES or bar.is_empty:
        yield bar
        return
    cuts = [0]
    for index, (before, note) in enumerate(pairwise(bar.notes), start=1):
        # Between beat groups, beams and triplets.
        is_free = (
            before.beat_group != note.beat_group
            and (note.beam is None or before.beam != note.beam)
            and (note.triplet is None or before.triplet != note.triplet)
        )
        if is_free and index - cuts[-1] >= _PIECE_NOTES <= len(bar.notes) - index:
            cuts.append(index)
    for start, end in pairwise([*cuts, len(bar.notes)]):
        is_first, is_last = start == 0, end == len(bar.notes)
        begin = bar.notes[start].onset
        stop = bar.notes[end].onset if not is_last else begin + bar.length
        notes = bar.notes[start:end]
        yield replace(
            bar,
            notes=notes,
            length=sum((note.duration for note in notes), Fraction(0)),
            starts_section=bar.starts_section and is_first,
            starts_repeat=bar.starts_repeat and is_first,
            starts_ending=bar.starts_ending and is_first,
            changes_meter=bar.changes_meter and is_first,
            changes_key=bar.changes_key and is_first,
            tempos=tuple(mark for mark in bar.tempos if begin <= mark[0] < stop),
            chords=tuple(chord for chord in bar.chords if begin <= chord[0] < stop),
            ends_repeat=bar.ends_repeat and is_last,
            ends_ending=bar.ends_ending and is_last,
            right_barline=bar.right_barline if is_last else "none",
            continues_bar=not is_first,
        )
