"""Drafts: what the target's duration network would write over a passage of a given tune.

Every unit of bars keeps its pitches and its length. Units of one class are written once. Of each
draft only the rhythms are kept; which draft a class takes is decided later, over the whole tune.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction

from mst_core.corpora.tunes import TICKS, Event, to_ticks
from mst_core.generation.candidates import write_candidates
from mst_core.generation.form import Plan, Span
from mst_core.generation.melody_writer import Frame
from mst_core.music import Meter
from mst_core.networks.context import Heading
from mst_core.transfer.meter_map import time_map
from mst_core.transfer.rhythm_interpolation import Rhythm
from mst_core.transfer.structure import Passage, Unit
from mst_core.transfer.target import Target

DRAFTS = 24
FEWEST_DRAFTS = 3
MOST_EVENTS = 12_000
"""Of all drafts together: a long tune gets fewer, so that it does not hold up the others."""
HEATS = (0.8, 1.0, 1.15)
"""Temperatures of the drafts in turn: calm ones and lively ones to choose from."""


class Drafting:
    """One passage while the target writes over it."""

    def __init__(
        self,
        passage: Passage,
        target: Target,
        meter: Meter,
        own: Sequence[Rhythm],
        keep: frozenset[int],
        starts: frozenset[int] = frozenset(),
    ) -> None:
        """``own`` are the units' own rhythms in the new ``meter``.

        ``starts`` are the bars where phrases begin: one that begins with a note still does.
        """
        self.passage = passage
        self.classes: dict[object, list[int]] = {}
        """Units that are decided together, by what they have in common."""
        self.refused = 0
        """Units that the target could not play."""
        self._target = target
        self._ground = target.ground(meter)
        self._bar = self._ground.lattice.bar
        move = time_map(passage.meter, meter)
        self._pickup = to_ticks(-move(-passage.pickup))
        self._starts = starts
        self._awaited: set[int] = set()
        self._spans: list[Span] = []
        self._fixed: list[tuple[Event, ...] | None] = []
        for unit, rhythm in zip(passage.units, own, strict=True):
            length = move(unit.end - passage.start) - move(unit.start - passage.start)
            self._add(unit, rhythm, to_ticks(length), keep)

    def _add(self, unit: Unit, own: Rhythm, length: int, keep: frozenset[int]) -> None:
        span = Span(unit.first - self.passage.first if unit.first >= 0 else -1, unit.bars)
        locked = any(bar in keep for bar in range(unit.first, unit.first + unit.bars))
        fixed: tuple[Event, ...] | None = None
        place = len(self._spans)
        if unit.notes and not locked and (known := self.classes.get(unit.shape)):
            span = replace(span, source=self._spans[known[0]].first)
            known.append(place)
        elif unit.notes and not locked and (closes := self._closing(span, unit)) is not None:
            span = replace(span, closes=closes)
            self.classes[unit.shape] = [place]
        else:
            self.refused += bool(unit.notes) and not locked
            fixed = _as_events(unit, own, length)
        if fixed is None and unit.first in self._starts and own[0][0] == 0:
            written = self.classes[unit.shape][0]  # here, or where its class stands first
            self._awaited.add(
                (span if written == place else self._spans[written]).first * self._bar
            )
        self._spans.append(span)
        self._fixed.append(fixed)

    def _closing(self, span: Span, unit: Unit) -> bool | None:
        """Whether the unit's new rhythm ends in a cadence; None when no rhythm fits its notes."""
        start = max(span.first * self._bar, -self._pickup)
        end = (span.first + span.bars) * self._bar
        for closes in (True, False) if unit.rests_at_its_end and span.first >= 0 else (False,):
            length = end - start - closes * (self._bar - self._ground.ending)
            ways = self._ground.lattice.ways(length, start % self._bar)[0] << closes
            if ways >> len(unit.notes) & 1:
                return closes
        return None

    def write(
        self, seed: tuple[int, ...], tell: Callable[[float], None]
    ) -> list[dict[object, Rhythm]]:
        """Write the drafts: for each of them the rhythm of every class."""
        if not self.classes:
            return []
        units = self.passage.units
        frame = Frame(
            heading=Heading.plain(self._ground.meter, self._target.key, self.passage.bars),
            key=self._target.key,
            plan=Plan("", (0,), self.passage.bars, tuple(self._spans)),
            lattice=self._ground.lattice,
            durations=self._target.pair.durations,
            lowest=0,
            highest=127,
            counts=tuple(1 << len(unit.notes) for unit in units),
            ending=self._ground.ending,
            pitches=tuple(tuple(note.pitch for note in unit.notes) for unit in units),
            rhythms=tuple(self._fixed),
            awaited=frozenset(self._awaited),
            pickup=self._pickup,
            taste=self._target.taste(self._ground.meter),
            nucleus=1.0,
        )
        notes = sum(len(unit.notes) for unit in units)
        number = max(FEWEST_DRAFTS, min(DRAFTS, MOST_EVENTS // (notes + 1)))
        writers = write_candidates(frame, self._target.pair, seed, tell, number, HEATS)
        found = []
        for writer in writers:
            draft: dict[object, Rhythm] = {}
            for shape, (first, *_) in self.classes.items():
                start, end = frame.start(self._spans[first]), frame.end(self._spans[first])
                draft[shape] = tuple(
                    (Fraction(event.onset - start, TICKS), Fraction(event.duration, TICKS))
                    for event in writer.line.events
                    if event.pitch is not None and start <= event.onset < end
                )
            found.append(draft)
        return found


def _as_events(unit: Unit, rhythm: Rhythm, length: int) -> tuple[Event, ...]:
    """A unit in a rhythm on the networks' grid, for them to hear; rests fill the gaps."""
    events: list[Event] = []
    now = 0
    for note, (begin, duration) in zip(unit.notes, rhythm, strict=True):
        onset = max(now, to_ticks(begin))
        ticks = min(max(1, to_ticks(duration)), length - onset)
        if ticks <= 0:
            break
        if onset > now:
            events.append(Event(None, now, onset - now))
        events.append(Event(note.pitch, onset, ticks))
        now = onset + ticks
    if now < length:
        events.append(Event(None, now, length - now))
    return tuple(events)
