"""Which bars of a tune return: the pattern of its form, bar by bar, as composing plans it.

A pattern is a word of sixteen signs, one a bar. ``.`` is a new bar. A digit of base 32 is a bar
that came before: below 16 that bar again, note for note; from 16 on the bar of that number minus
16, varied. A bar begins as long before its barline as the tune's pickup is, for there phrases
begin.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from mst_core.corpora.tunes import CorpusTune

PATTERN_BARS = 16
PHRASE_BARS = 4
MIN_VARIATION_OVERLAP = 0.6
"""So many of the notes at the same place make a bar a variation of another one."""
MIN_NOTES = 3
"""A bar of fewer notes is like too many others."""

BarNotes = tuple[tuple[int, int, int | None], ...]


def count_repetition_patterns(tunes: Iterable[CorpusTune]) -> dict[str, int]:
    """Count the patterns of the first sixteen bars of tunes that have as many, commonest first."""
    patterns = Counter(pattern for tune in tunes if (pattern := repetition_pattern(tune)))
    return dict(sorted(patterns.items(), key=lambda entry: (-entry[1], entry[0])))


def repetition_pattern(tune: CorpusTune) -> str | None:
    """The pattern of a tune's first sixteen bars; None for fewer bars or uneven ones."""
    bar = tune.bar_ticks
    if tune.barlines[:PATTERN_BARS] != tuple(range(0, PATTERN_BARS * bar, bar)) or not tune.events:
        return None
    pickup = -min(tune.events[0].onset, 0)
    bars: list[BarNotes] = [
        tuple(
            (event.onset - line, event.duration, event.pitch)
            for event in tune.events
            if line <= event.onset + pickup < line + bar
        )
        for line in tune.barlines[:PATTERN_BARS]
    ]
    return "".join(_symbol(bars, number) for number in range(PATTERN_BARS))


def _symbol(bars: list[BarNotes], number: int) -> str:
    here = bars[number]
    if len(here) < MIN_NOTES:
        return "."
    if here in bars[:number]:
        return _digit(bars.index(here))
    alike = {
        other: _overlap(here, bars[other])
        for other in range(number - 2, -1, -1)
        if (number - other) % 2 == 0
    }
    nearest = max(alike, key=lambda other: alike[other], default=None)
    if nearest is None or alike[nearest] < MIN_VARIATION_OVERLAP:
        return "."
    return _digit(nearest + PATTERN_BARS)


def _overlap(one: BarNotes, other: BarNotes) -> float:
    mine, yours = ({(place, pitch) for place, _, pitch in bar} for bar in (one, other))
    return len(mine & yours) / max(len(mine), len(yours), 1)


def _digit(value: int) -> str:
    return "0123456789abcdefghijklmnopqrstuv"[value]


def parse_symbol(sign: str) -> tuple[int, bool] | None:
    """The bar that a sign returns to and whether it is varied; None for a new bar."""
    if sign == ".":
        return None
    value = int(sign, 2 * PATTERN_BARS)
    return value % PATTERN_BARS, value >= PATTERN_BARS


def section_letters(pattern: str) -> str:
    """The letters of a pattern's phrases, such as AABC: a phrase that begins as one before it."""
    letters = ""
    for first in range(0, PATTERN_BARS, PHRASE_BARS):
        source = parse_symbol(pattern[first])
        if source is not None and source[0] % PHRASE_BARS == 0:
            letters += letters[source[0] // PHRASE_BARS]
        else:
            letters += chr(ord(max(letters)) + 1) if letters else "A"
    return letters
