"""Patterns of repetition: which bars of a tune repeat which, as the generator plans its form.

A pattern is a text of sixteen symbols, one a bar. ``.`` is a new bar. A digit of base 32 refers to
an earlier bar: below 16 it repeats that bar exactly; from 16 on it varies the bar of that number
minus 16. Bars are shifted forward by the tune's pickup, because phrases begin there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from mst_core.corpora.tunes import CorpusTune
from mst_core.statistics.config import StatisticsConfig

PATTERN_BARS = 16
PHRASE_BARS = 4


def count_repetition_patterns(
    tunes: Iterable[CorpusTune], config: StatisticsConfig = StatisticsConfig()
) -> dict[str, int]:
    """Count the patterns of the tunes that have one, the most frequent first.

    Args:
        tunes: of a corpus.
        config: what counts as a repeated or a varied bar.
    """
    patterns = Counter(pattern for tune in tunes if (pattern := repetition_pattern(tune, config)))
    return dict(sorted(patterns.items(), key=lambda entry: (-entry[1], entry[0])))


def repetition_pattern(
    tune: CorpusTune, config: StatisticsConfig = StatisticsConfig()
) -> str | None:
    """Describe a tune's first sixteen bars; None for fewer bars or bars of unequal length.

    Args:
        tune: a corpus tune.
        config: what counts as a repeated or a varied bar.
    """
    bar = tune.bar_ticks
    if tune.barlines[:PATTERN_BARS] != tuple(range(0, PATTERN_BARS * bar, bar)) or not tune.events:
        return None
    pickup = -min(tune.events[0].onset, 0)
    # (onset from the barline in ticks, duration in ticks, MIDI pitch or None) of each event.
    bars: list[Sequence[tuple[int, int, int | None]]] = [
        tuple(
            (event.onset - line, event.duration, event.pitch)
            for event in tune.events
            if line <= event.onset + pickup < line + bar
        )
        for line in tune.barlines[:PATTERN_BARS]
    ]
    return "".join(_symbol(bars, index, config) for index in range(PATTERN_BARS))


def _symbol(
    bars: list[Sequence[tuple[int, int, int | None]]], index: int, config: StatisticsConfig
) -> str:
    """Compare a bar with the earlier ones; a variation is at an even distance."""
    here = bars[index]
    if len(here) < config.min_bar_notes:
        return "."
    if here in bars[:index]:
        return _digit(bars.index(here))
    overlaps = {other: _overlap(here, bars[other]) for other in range(index - 2, -1, -2)}
    nearest = max(overlaps, key=lambda other: overlaps[other], default=None)
    if nearest is None or overlaps[nearest] < config.min_variation_overlap:
        return "."
    return _digit(nearest + PATTERN_BARS)


def _overlap(
    one: Sequence[tuple[int, int, int | None]], other: Sequence[tuple[int, int, int | None]]
) -> float:
    """Share of (onset, pitch) pairs in common, 0 to 1."""
    mine, yours = ({(onset, pitch) for onset, _, pitch in bar} for bar in (one, other))
    return len(mine & yours) / max(len(mine), len(yours), 1)


def _digit(value: int) -> str:
    return "0123456789abcdefghijklmnopqrstuv"[value]


def parse_symbol(symbol: str) -> tuple[int, bool] | None:
    """Return the index of the repeated bar and whether it is varied; None for a new bar."""
    if symbol == ".":
        return None
    value = int(symbol, 2 * PATTERN_BARS)
    return value % PATTERN_BARS, value >= PATTERN_BARS


def section_letters(pattern: str) -> str:
    """Name the four-bar phrases of a pattern by letters, as AABC; a repeat has the same letter."""
    letters = ""
    for first in range(0, PATTERN_BARS, PHRASE_BARS):
        source = parse_symbol(pattern[first])
        if source is not None and source[0] % PHRASE_BARS == 0:
            letters += letters[source[0] // PHRASE_BARS]
        else:
            letters += chr(ord(max(letters)) + 1) if letters else "A"
    return letters
