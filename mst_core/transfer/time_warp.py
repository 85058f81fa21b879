"""The time-warp from the bars of a given tune to those of its transfer: barlines go to barlines.

One value moves all that a melody carries beside its notes: accompanying parts, tempos, chord
symbols, controllers. Beats keep their length (`meter_map.tempo_ratio`), so a 12/8 ballad that
becomes 4/4 lasts as long as before.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise

from mst_core.music import (
    TICKS_PER_QUARTER,
    ChordSymbol,
    ControlEvent,
    Melody,
    Meter,
    Part,
    TempoChange,
)
from mst_core.transfer.meter_map import tempo_ratio, time_map


@dataclass(frozen=True, slots=True)
class TimeWarp:
    """For each bar of a tune its old and its new meter. Times are quarter notes."""

    old_lines: tuple[Fraction, ...]
    """Barlines of the given tune, the final one last."""
    new_lines: tuple[Fraction, ...]
    """Barlines of the changed tune, as many."""
    meters: tuple[tuple[Meter, Meter], ...]
    """Old and new meter of each bar."""

    @classmethod
    def between(cls, before: Melody, after: Melody) -> TimeWarp:
        """The warp from a tune to the same tune in other meters.

        Args:
            before: the given tune.
            after: the changed tune, with as many bars.
        """
        meters = tuple(zip(_meters(before), _meters(after), strict=True))
        return cls(before.barlines, after.barlines, meters)

    @property
    def is_identity(self) -> bool:
        """Whether every bar keeps its meter."""
        return all(old.same_bar(new) for old, new in self.meters)

    def move(self, time: Fraction) -> Fraction:
        """Return where a time goes; before the first bar and after the last the map goes on.

        Args:
            time: quarter notes from the first downbeat of the given tune.
        """
        bar = self._bar_at(time)
        old, new = self.meters[bar]
        return self.new_lines[bar] + time_map(old, new)(time - self.old_lines[bar])

    def move_parts(self, parts: Iterable[Part]) -> tuple[Part, ...]:
        """Return accompanying parts with their notes and controllers moved.

        Args:
            parts: of the given tune.
        """
        if self.is_identity:
            return tuple(parts)
        return tuple(
            replace(
                part,
                notes=tuple(
                    replace(
                        note,
                        onset=self.move(note.onset),
                        duration=self.move(note.onset + note.duration) - self.move(note.onset),
                    )
                    for note in part.notes
                ),
                controls=self.move_controls(part.controls),
            )
            for part in parts
        )

    def move_controls(self, controls: Iterable[ControlEvent]) -> tuple[ControlEvent, ...]:
        """Return programs, controllers and bends, moved.

        Args:
            controls: of the given tune.
        """
        return tuple(replace(event, onset=self.move(event.onset)) for event in controls)

    def move_chords(self, chords: Iterable[ChordSymbol]) -> tuple[ChordSymbol, ...]:
        """Return chord symbols, moved to the nearest places of the grid.

        Args:
            chords: of the given tune.
        """
        return tuple(replace(chord, onset=_to_grid(self.move(chord.onset))) for chord in chords)

    def retime(self, before: Melody, after: Melody) -> Melody:
        """Return the changed tune with the tempo and the chord symbols that the warp gives it.

        Args:
            before: the given tune.
            after: the changed tune; its notes and meters stay.
        """
        if self.is_identity:
            return after
        lengths: dict[Fraction, Fraction] = defaultdict(Fraction)
        for bar, (start, end) in enumerate(pairwise(self.old_lines)):
            lengths[self._ratio(bar)] += end - start
        main = max(lengths, key=lambda ratio: lengths[ratio], default=self._ratio(0))
        changes = before.tempo_changes
        if not changes and len(lengths) > 1:
            changes = (TempoChange(Fraction(0), before.tempo),)
        return replace(
            after,
            tempo=before.tempo * float(main),
            tempo_changes=self._move_tempos(changes),
            chords=self.move_chords(before.chords),
        )

    def _move_tempos(self, changes: tuple[TempoChange, ...]) -> tuple[TempoChange, ...]:
        """The tempo map, with a change wherever the length of a beat in quarter notes changes."""
        if not changes:
            return ()
        times = {change.onset: change.tempo for change in changes}
        bars = range(len(self.meters))
        edges = [bar for bar in bars if bar and self._ratio(bar) != self._ratio(bar - 1)]
        onsets = sorted({*times, *(self.old_lines[bar] for bar in edges)})
        moved: list[TempoChange] = []
        tempo = changes[0].tempo
        for onset in onsets:
            tempo = times.get(onset, tempo)
            new = TempoChange(self.move(onset), tempo * float(self._ratio(self._bar_at(onset))))
            if not moved or moved[-1].tempo != new.tempo:
                moved.append(new)
        return tuple(moved)

    def _bar_at(self, time: Fraction) -> int:
        """The bar that holds a time; the first for times before it, the last for those after."""
        return min(max(bisect_right(self.old_lines, time) - 1, 0), len(self.meters) - 1)

    def _ratio(self, bar: int) -> Fraction:
        """The new tempo over the old one in a bar."""
        return tempo_ratio(*self.meters[bar])


def _meters(melody: Melody) -> list[Meter]:
    """The meter of each bar of a tune."""
    changed = {change.bar: change.meter for change in melody.meter_changes}
    meters: list[Meter] = []
    meter = melody.meter
    for bar in range(max(1, melody.bar_count)):
        meter = changed.get(bar, meter)
        meters.append(meter)
    return meters


def _to_grid(time: Fraction) -> Fraction:
    """The nearest time on the grid of notes."""
    return Fraction(round(time * TICKS_PER_QUARTER), TICKS_PER_QUARTER)
