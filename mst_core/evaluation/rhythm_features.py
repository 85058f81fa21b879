"""Rhythm sequences: position in the bar, duration and note-or-rest of each event, no pitches.

Rhythm transfer keeps all pitches, so they carry no information about it. Times are ticks, 24 a
quarter note.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mst_core.corpora.tunes import CorpusTune, to_ticks
from mst_core.music import Melody, Meter


class RhythmEvent(NamedTuple):
    """A note or a rest."""

    position: int
    """Ticks after the barline before it; in a pickup, after where that barline would be."""
    duration: int
    """Ticks."""
    is_note: bool
    """False for a rest."""


def bar_kind(meter: Meter) -> str:
    """Return the bar length in ticks, ``c`` for dotted beats: ``96`` is 4/4, ``72c`` is 6/8."""
    return f"{to_ticks(meter.bar_length)}{'c' if meter.is_compound else ''}"


@dataclass(frozen=True)
class RhythmSequence:
    """The rhythm of a tune; rests before the first and after the last note are left out."""

    bar_kind: str
    events: tuple[RhythmEvent, ...]
    bars: int

    @classmethod
    def from_melody(cls, melody: Melody) -> RhythmSequence:
        """Return the rhythm of a melody."""
        lines = [to_ticks(line) for line in melody.barlines]
        spans = [(to_ticks(note.onset), to_ticks(note.end)) for note in melody.notes]
        return cls._from_spans(melody.meter, lines[:-1] or [0], spans)

    @classmethod
    def from_corpus(cls, tune: CorpusTune) -> RhythmSequence:
        """Return the rhythm of a corpus tune; consecutive rests become one."""
        spans = [(e.onset, e.onset + e.duration) for e in tune.events if e.pitch is not None]
        return cls._from_spans(tune.meter, tune.barlines or (0,), spans)

    @classmethod
    def _from_spans(
        cls, meter: Meter, barlines: Sequence[int], spans: Iterable[tuple[int, int]]
    ) -> RhythmSequence:
        """Build the sequence from (onset, end) of each note in ticks; gaps become rests."""
        bar = to_ticks(meter.bar_length)

        def position(tick: int) -> int:
            index = bisect_right(barlines, tick) - 1
            return tick - barlines[index] if index >= 0 else (tick - barlines[0]) % bar

        events: list[RhythmEvent] = []
        now: int | None = None
        for onset, end in spans:
            if end <= onset:
                continue  # shorter than a tick
            if now is not None and onset > now:
                events.append(RhythmEvent(position(now), onset - now, False))
            events.append(RhythmEvent(position(onset), end - onset, True))
            now = end
        return cls(bar_kind(meter), tuple(events), len(barlines))

    @cached_property
    def notes(self) -> tuple[RhythmEvent, ...]:
        """The events that are notes."""
        return tuple(event for event in self.events if event.is_note)

    @property
    def density(self) -> float:
        """Notes a bar."""
        return len(self.notes) / max(1, self.bars)

    @property
    def step_codes(self) -> NDArray[np.uint64]:
        """Notes as integers of (position, duration), ``(N,)``: see `statistics.shared_runs`."""
        return np.array(
            [note.position << 20 | note.duration for note in self.notes], dtype=np.uint64
        )

    def windows(self, notes: int) -> list[RhythmSequence]:
        """Return consecutive windows of ``notes`` notes, without an incomplete last one."""
        return [
            RhythmSequence(self.bar_kind, self.notes[start : start + notes], self.bars)
            for start in range(0, len(self.notes) - notes + 1, notes)
        ]


def position_durations(rhythms: Iterable[RhythmSequence]) -> Counter[tuple[int, int]]:
    """Count (position in the bar, duration) of the notes of all rhythms, both in ticks."""
    return Counter((note.position, note.duration) for rhythm in rhythms for note in rhythm.notes)


def jensen_shannon(one: Counter[Any], other: Counter[Any]) -> float:
    """Compute the Jensen-Shannon divergence of two counts in bits: 0 equal, 1 disjoint.

    Args:
        one: how often each feature occurs.
        other: the same of another rhythm or style.

    Returns:
        0 to 1; 1 also when one of them is empty.
    """
    keys = list(one.keys() | other.keys())
    if not one.total() or not other.total():
        return 1.0
    p = np.array([one[key] for key in keys]) / one.total()
    q = np.array([other[key] for key in keys]) / other.total()
    middle = (p + q) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        halves = [np.nansum(np.where(x > 0, x * np.log2(x / middle), 0.0)) for x in (p, q)]
    return float(sum(halves) / 2)
