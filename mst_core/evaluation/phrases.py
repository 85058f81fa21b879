"""The form of tunes as an ear finds it: phrases that return, and where tunes come to rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from mst_core.corpora.tunes import CorpusTune, TuneEvent

BarContent = tuple[tuple[int, int, int], ...]
"""What begins in a bar: onset from the barline, duration and pitch, of each note."""
MIN_PHRASE_NOTES = 4
"""A phrase of fewer notes is too plain for its return to be heard."""


def bars_of(tune: CorpusTune) -> list[BarContent]:
    """The notes of each full bar; a pickup belongs to none."""
    bars: list[list[tuple[int, int, int]]] = [[] for _ in tune.barlines]
    bar = -1
    for event in tune.events:
        while bar + 1 < len(bars) and tune.barlines[bar + 1] <= event.onset:
            bar += 1
        if bar >= 0 and event.pitch is not None:
            bars[bar].append((event.onset - tune.barlines[bar], event.duration, event.pitch))
    return [tuple(notes) for notes in bars]


def repeats(tune: CorpusTune, length: int) -> bool:
    """Whether a phrase of so many bars returns, note for note, behind its first end."""
    bars = bars_of(tune)
    seen: dict[tuple[BarContent, ...], int] = {}
    for first in range(len(bars) - length + 1):
        phrase = tuple(bars[first : first + length])
        if sum(map(len, phrase)) < MIN_PHRASE_NOTES:
            continue
        if first - seen.setdefault(phrase, first) >= length:
            return True
    return False


def returns(tune: CorpusTune, phrase: int = 4) -> bool:
    """Whether a phrase begins as an earlier one began: its first bar, pitches or rhythm and turns.

    Phrases begin at every fourth bar. A return counts when three notes in four of the bar are the
    same, so that a varied return is heard as one, as it is in dances and in themes.
    """
    bars = bars_of(tune)
    openings = [set(bars[first]) for first in range(0, len(bars), phrase)]
    return any(
        min(len(one), len(other)) > 1 and len(one & other) >= 0.75 * max(len(one), len(other))
        for place, one in enumerate(openings)
        for other in openings[:place]
    )


def ends_on_tonic(tune: CorpusTune) -> bool:
    """Whether the last note is the tonic and sounds in the last bar."""
    sounding = [event for event in tune.events if event.pitch is not None]
    if not sounding or tune.key is None:
        return False
    last = sounding[-1]
    return (last.pitch or 0) % 12 == tune.key.tonic and (
        last.onset + last.duration > tune.barlines[-1]
    )


def passages(tunes: Sequence[CorpusTune], bars: int, wanted: int) -> list[CorpusTune]:
    """Tunes of so many bars or, where a style has too few of them, windows of longer ones."""
    whole = [tune for tune in tunes if len(tune.barlines) == bars]
    if len(whole) >= wanted:
        return whole
    return [
        window
        for tune in tunes
        for first in range(0, len(tune.barlines) - bars + 1, bars)
        if (window := cut_passage(tune, first, bars)).events
    ]


def cut_passage(tune: CorpusTune, first: int, bars: int) -> CorpusTune:
    """The events that begin in so many bars of a tune, moved so that they begin at bar 0."""
    start = tune.barlines[first]
    lines = tune.barlines[first : first + bars]
    behind = first + bars
    end = tune.barlines[behind] if behind < len(tune.barlines) else lines[-1] + tune.bar_ticks
    return replace(
        tune,
        id=f"{tune.id}:{first}",
        events=tuple(
            TuneEvent(event.pitch, event.onset - start, event.duration)
            for event in tune.events
            if start <= event.onset < end
        ),
        barlines=tuple(line - start for line in lines),
    )
