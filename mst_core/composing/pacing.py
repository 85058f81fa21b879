"""How far notes may move when a tune gets another rhythm: as little as the style allows.

Left to itself a network dawdles through a phrase and crams what is left into its last bar. So notes
stay in their bar where the style can play as many there, and else in the fewest bars together.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from mst_core.generation.form import Plan, Span
from mst_core.generation.rhythm_lattice import Counts


def cut_to_units(plan: Plan, notes: Sequence[int], counts: Callable[[Span], Counts]) -> Plan:
    """Cut the new spans of a plan to units of one bar, or of as few as can take their notes.

    ``notes`` gives the number of notes of each bar, ``counts`` the numbers that a span can hold. A
    span that no cut suits stays whole.
    """
    spans: list[Span] = []
    for span in plan.spans:
        spans += [span] if span.source is not None else _units(span, notes, counts)
    return replace(plan, spans=tuple(spans))


def _units(span: Span, notes: Sequence[int], counts: Callable[[Span], Counts]) -> list[Span]:
    def fits(unit: Span) -> bool:
        total = sum(notes[unit.first : unit.first + unit.bars])
        return bool(counts(unit) >> total & 1)

    def unit(first: int, behind: int) -> Span:
        last = behind == span.first + span.bars
        return Span(first, behind - first, None, span.closes and last, span.home and last)

    # From the end to the start, so that the cadence gets a unit first; best[b] are the units that
    # cover the bars from b on, as many as possible.
    end = span.first + span.bars
    best: dict[int, list[Span]] = {end: []}
    for first in range(end - 1, span.first - 1, -1):
        choices = [
            [unit(first, behind), *best[behind]]
            for behind in range(first + 1, end + 1)
            if behind in best and fits(unit(first, behind))
        ]
        if choices:
            best[first] = max(choices, key=len)
    return best.get(span.first, [span])
