"""Phrase repetition and cadences of corpus tunes, and passages of a given number of bars."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from mst_core.corpora.tunes import CorpusTune, TuneEvent

MIN_PHRASE_NOTES = 4
"""Phrases of fewer notes are not counted as repeated."""


def notes_of_bars(tune: CorpusTune) -> list[tuple[tuple[int, int, int], ...]]:
    """Return the notes of each full bar as (ticks after the barline, duration, MIDI number)."""
    bars: list[list[tuple[int, int, int]]] = [[] for _ in tune.barlines]
    bar = -1
    for event in tune.events:
        while bar + 1 < len(bars) and tune.barlines[bar + 1] <= event.onset:
            bar += 1
        if bar >= 0 and event.pitch is not None:
            bars[bar].append((event.onset - tune.barlines[bar], event.duration, event.pitch))
    return [tuple(notes) for notes in bars]


def has_exact_repeat(tune: CorpusTune, n_bars: int) -> bool:
    """Whether a phrase of ``n_bars`` bars occurs twice, note for note, without overlap.

    Args:
        tune: a corpus tune; rests and the pickup are left out.
        n_bars: length of the phrase in bars, at least 1.
    """
    bars = notes_of_bars(tune)
    first_seen: dict[tuple[tuple[tuple[int, int, int], ...], ...], int] = {}
    for first in range(len(bars) - n_bars + 1):
        phrase = tuple(bars[first : first + n_bars])
        if sum(map(len, phrase)) < MIN_PHRASE_NOTES:
            continue
        if first - first_seen.setdefault(phrase, first) >= n_bars:
            return True
    return False


def has_varied_return(tune: CorpusTune, phrase_bars: int = 4) -> bool:
    """Whether the first bars of two phrases share at least three of four notes.

    Phrases begin at every ``phrase_bars`` bars; notes are equal in onset, duration and pitch.

    Args:
        tune: a corpus tune; rests and the pickup are left out.
        phrase_bars: length of a phrase in bars.
    """
    bars = notes_of_bars(tune)
    openings = [set(bars[first]) for first in range(0, len(bars), phrase_bars)]
    return any(
        min(len(one), len(other)) > 1 and len(one & other) >= 0.75 * max(len(one), len(other))
        for index, one in enumerate(openings)
        for other in openings[:index]
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


def passages(tunes: Sequence[CorpusTune], n_bars: int, wanted: int) -> list[CorpusTune]:
    """Return the tunes of ``n_bars`` bars or, where fewer than ``wanted``, windows of all tunes.

    Args:
        tunes: corpus tunes.
        n_bars: length of each passage in bars.
        wanted: how many tunes of that length are enough.

    Returns:
        Whole tunes, or consecutive windows that do not overlap and have events.
    """
    whole = [tune for tune in tunes if len(tune.barlines) == n_bars]
    if len(whole) >= wanted:
        return whole
    return [
        window
        for tune in tunes
        for first in range(0, len(tune.barlines) - n_bars + 1, n_bars)
        if (window := cut_passage(tune, first, n_bars)).events
    ]


def cut_passage(tune: CorpusTune, first: int, n_bars: int) -> CorpusTune:
    """Return the events that begin in ``n_bars`` bars from bar ``first``, moved to bar 0.

    Args:
        tune: a corpus tune.
        first: index of the first bar, from 0; it must be there.
        n_bars: number of bars; the last note may last beyond them.
    """
    start = tune.barlines[first]
    lines = tune.barlines[first : first + n_bars]
    after = first + n_bars
    end = tune.barlines[after] if after < len(tune.barlines) else lines[-1] + tune.bar_ticks
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
