"""Whole-bar rhythms of a corpus, counted, and how many of them one tune has.

A bar's rhythm is the onset and duration of each of its notes, without their pitches. A tune of few
rhythms, such as a reel, gives most bars with as many notes the same one; a solo hardly any two.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from mst_core.corpora.tunes import CorpusTune
from mst_core.statistics.config import StatisticsConfig

BarRhythm = tuple[int, ...]
"""Onset in the bar and duration of each note in turn, in ticks; twice as many numbers as notes."""


def bar_rhythms_of(tune: CorpusTune) -> list[BarRhythm | None]:
    """The rhythm of each full bar; None where a note crosses one of its barlines or none begins.

    Args:
        tune: a corpus tune; a bar of another length than its meter's has None too.
    """
    lines, bar = tune.barlines, tune.bar_ticks
    notes: list[list[int]] = [[] for _ in lines]
    ends = (*lines[1:], lines[-1] + bar)
    crossed = [end - line != bar for line, end in zip(lines, ends, strict=True)]
    for event in tune.events:
        if event.pitch is None:
            continue
        end = event.onset + event.duration
        first, last = (bisect_right(lines, at) - 1 for at in (event.onset, end - 1))
        for index in range(max(0, first), last + 1):
            crossed[index] |= first != last or end > lines[index] + bar
        if first >= 0:
            notes[first] += (event.onset - lines[first], event.duration)
    return [
        tuple(rhythm) if rhythm and not is_crossed else None
        for rhythm, is_crossed in zip(notes, crossed, strict=True)
    ]


def count_bar_rhythms(
    tunes: Sequence[CorpusTune], config: StatisticsConfig = StatisticsConfig()
) -> tuple[tuple[int, BarRhythm], ...]:
    """Count the whole-bar rhythms of tunes in one meter.

    Args:
        tunes: of one meter.
        config: in how many tunes a rhythm must occur, and how many are kept.

    Returns:
        Number of bars and rhythm, the commonest first.
    """
    bars: Counter[BarRhythm] = Counter()
    in_tunes: Counter[BarRhythm] = Counter()
    for tune in tunes:
        found = Counter(rhythm for rhythm in bar_rhythms_of(tune) if rhythm)
        bars += found
        in_tunes.update(found.keys())
    kept: Counter[int] = Counter()
    counted = []
    for rhythm, count in sorted(bars.items(), key=lambda item: (-item[1], item[0])):
        if in_tunes[rhythm] < config.min_rhythm_tunes:
            continue
        kept[len(rhythm)] += 1
        if kept[len(rhythm)] <= config.max_bar_rhythms:
            counted.append((count, rhythm))
    return tuple(counted)


def shared_rhythm_share(
    tunes: Iterable[CorpusTune], config: StatisticsConfig = StatisticsConfig()
) -> float | None:
    """Compute how often two bars of a tune with as many notes have the same rhythm.

    Args:
        tunes: of one meter.
        config: the bars of a tune that are compared, from its first one.

    Returns:
        Share of such pairs of bars, 0 to 1, mean over tunes; None where no tune has such a pair.
    """
    shares = []
    for tune in tunes:
        by_notes: dict[int, Counter[BarRhythm]] = defaultdict(Counter)
        for rhythm in bar_rhythms_of(tune)[: config.compared_bars]:
            if rhythm:
                by_notes[len(rhythm)][rhythm] += 1
        pairs = sum(n * (n - 1) for n in (each.total() for each in by_notes.values()))
        same = sum(n * (n - 1) for each in by_notes.values() for n in each.values())
        if pairs:
            shares.append(same / pairs)
    return round(sum(shares) / len(shares), 3) if shares else None
