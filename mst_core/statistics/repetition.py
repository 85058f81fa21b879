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

BARS = 16
PHRASE = 4
VARIED = 0.6
"""So many of the notes at the same place make a bar a variation of another one."""
FEWEST_NOTES = 3
"""A bar of fewer notes is like too many others."""

Bar = tuple[tuple[int, int, int | None], ...]


def observe_returns(tunes: Iterable[CorpusTune]) -> dict[str, int]:
    """Count the patterns of the first sixteen bars of tunes that have as many, commonest first."""
    patterns = Counter(pattern for tune in tunes if (pattern := pattern_of(tune)))
    return dict(sorted(patterns.items(), key=lambda entry: (-entry[1], entry[0])))


def pattern_of(tune: CorpusTune) -> str | None:
    """The pattern of a tune's first sixteen bars; None for fewer bars or uneven ones."""
    bar = tune.bar_ticks
    if tune.barlines[:BARS] != tuple(range(0, BARS * bar, bar)) or not tune.events:
        return None
    pickup = -min(tune.events[0].onset, 0)
    bars: list[Bar] = [
        tuple(
            (event.onset - line, event.duration, event.pitch)
            for event in tune.events
            if line <= event.onset + pickup < line + bar
        )
        for line in tune.barlines[:BARS]
    ]
    return "".join(_sign(bars, number) for number in range(BARS))


def _sign(bars: list[Bar], number: int) -> str:
    here = bars[number]
    if len(here) < FEWEST_NOTES:
        return "."
    if here in bars[:number]:
        return _digit(bars.index(here))
    alike = {
        other: _likeness(here, bars[other])
        for other in range(number - 2, -1, -1)
        if (number - other) % 2 == 0
    }
    nearest = max(alike, key=lambda other: alike[other], default=None)
    if nearest is None or alike[nearest] < VARIED:
        return "."
    return _digit(nearest + BARS)


def _likeness(one: Bar, other: Bar) -> float:
    mine, yours = ({(place, pitch) for place, _, pitch in bar} for bar in (one, other))
    return len(mine & yours) / max(len(mine), len(yours), 1)


def _digit(value: int) -> str:
    return "0123456789abcdefghijklmnopqrstuv"[value]


def source_of(sign: str) -> tuple[int, bool] | None:
    """The bar that a sign returns to and whether it is varied; None for a new bar."""
    if sign == ".":
        return None
    value = int(sign, 2 * BARS)
    return value % BARS, value >= BARS


def form_of(pattern: str) -> str:
    """The letters of a pattern's phrases, such as AABC: a phrase that begins as one before it."""
    letters = ""
    for first in range(0, BARS, PHRASE):
        source = source_of(pattern[first])
        if source is not None and source[0] % PHRASE == 0:
            letters += letters[source[0] // PHRASE]
        else:
            letters += chr(ord(max(letters)) + 1) if letters else "A"
    return letters
