"""A tune as the judges hear it: where in its bar each event begins, how long it is, if it sounds.

Pitches are left out on purpose: re-rhythming keeps them, so they say nothing about it. Times are
ticks of 1/24 quarter note.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from mst_core.corpora.tunes import CorpusTune, to_ticks
from mst_core.music import Melody, Meter


class RhythmEvent(NamedTuple):
    """One event."""

    position: int
    """Ticks from the barline before it; a pickup counts from the barline that is not there."""
    duration: int
    sounds: bool
    """False for a rest."""


def bar_kind(meter: Meter) -> str:
    """The length of a bar and its beats: ``96`` for 4/4 and 2/2, ``72c`` for 6/8."""
    return f"{to_ticks(meter.bar_length)}{'c' if meter.is_compound else ''}"


@dataclass(frozen=True)
class RhythmSequence:
    """A tune without its pitches; rests before the first and behind the last note are left out."""

    kind: str
    events: tuple[RhythmEvent, ...]
    bars: int

    @classmethod
    def from_melody(cls, melody: Melody) -> RhythmSequence:
        """The rhythm of a melody."""
        lines = [to_ticks(line) for line in melody.barlines]
        spans = [(to_ticks(note.onset), to_ticks(note.end)) for note in melody.notes]
        return cls._from_spans(melody.meter, lines[:-1] or [0], spans)

    @classmethod
    def from_corpus(cls, tune: CorpusTune) -> RhythmSequence:
        """The rhythm of a corpus tune; its rests are joined where they follow each other."""
        spans = [(e.onset, e.onset + e.duration) for e in tune.events if e.pitch is not None]
        return cls._from_spans(tune.meter, tune.barlines or (0,), spans)

    @classmethod
    def _from_spans(
        cls, meter: Meter, lines: Sequence[int], spans: Iterable[tuple[int, int]]
    ) -> RhythmSequence:
        bar = to_ticks(meter.bar_length)

        def place(tick: int) -> int:
            index = bisect_right(lines, tick) - 1
            return tick - lines[index] if index >= 0 else (tick - lines[0]) % bar

        strokes: list[RhythmEvent] = []
        now: int | None = None
        for onset, end in spans:
            if end <= onset:
                continue  # shorter than a tick
            if now is not None and onset > now:
                strokes.append(RhythmEvent(place(now), onset - now, False))
            strokes.append(RhythmEvent(place(onset), end - onset, True))
            now = end
        return cls(bar_kind(meter), tuple(strokes), len(lines))

    @cached_property
    def notes(self) -> tuple[RhythmEvent, ...]:
        """The strokes that sound."""
        return tuple(stroke for stroke in self.events if stroke.sounds)

    @property
    def density(self) -> float:
        """Notes a bar."""
        return len(self.notes) / max(1, self.bars)

    def windows(self, notes: int) -> list[RhythmSequence]:
        """Windows of so many notes, one behind the other; what is left over is left out."""
        return [
            RhythmSequence(self.kind, self.notes[start : start + notes], self.bars)
            for start in range(0, len(self.notes) - notes + 1, notes)
        ]


PositionDurationCounts = Counter[tuple[int, int]]
"""How often a note begins at a place of the bar and lasts so many ticks."""


def position_durations(rhythms: Iterable[RhythmSequence]) -> PositionDurationCounts:
    """Count places and durations of the notes of all of them."""
    return Counter(
        (stroke.position, stroke.duration) for rhythm in rhythms for stroke in rhythm.notes
    )


def jensen_shannon(one: Counter[Any], other: Counter[Any]) -> float:
    """The Jensen-Shannon divergence of two counts in bits: 0 alike, 1 nothing in common."""
    names = list(one.keys() | other.keys())
    if not one.total() or not other.total():
        return 1.0
    p = np.array([one[name] for name in names]) / one.total()
    q = np.array([other[name] for name in names]) / other.total()
    middle = (p + q) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        halves = [np.nansum(np.where(x > 0, x * np.log2(x / middle), 0.0)) for x in (p, q)]
    return float(sum(halves) / 2)
