"""A given tune gets another rhythm: every pitch stays, every bar sums exactly, the form stays.

The duration network of the target style writes over the tune's pitches, unit by unit (see
`structure`), and decides once for all units of a class. Candidates are sampled under these
constraints; the one whose rhythm lies nearest to the target's is kept. The strength then takes as
many of its changed classes as it allows, always in the same order, so that a stronger change holds
every weaker one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from mst_core.composing.choice import rhythm_distance
from mst_core.composing.form import Plan, Span
from mst_core.composing.generation import CANDIDATES, write_candidates
from mst_core.composing.line_writer import Frame
from mst_core.composing.structure import Passage, Unit, find_passages
from mst_core.composing.target import Target
from mst_core.errors import NoSuchTune
from mst_core.music import Melody, Meter, MeterChange, Note
from mst_core.networks.context import Heading
from mst_core.networks.corpus import TICKS, Event, to_ticks

MOST_EVENTS = 6000
"""Of all candidates together: a long tune gets fewer, so that it does not hold up the others."""

Rhythm = tuple[tuple[Fraction, Fraction], ...]
"""Onset from the start of a unit, and duration, of each note; in quarter notes."""


@dataclass(frozen=True, slots=True)
class Rerhythmed:
    """A tune in its new rhythm, note for note the old pitches."""

    melody: Melody
    changed: float
    """Share of the notes whose onset in its bar or whose duration is another."""
    kept: int
    """Units that the target could not play and that stay as they were, the empty ones left out."""


def rerhythm(
    melody: Melody,
    target: Target,
    *,
    seed: int,
    strength: float,
    meter: Meter | None = None,
    keep: frozenset[int] = frozenset(),
    tell: Callable[[float], None] = lambda share: None,
) -> Rerhythmed:
    """Give a tune the rhythm of a target.

    ``keep`` holds bars, counted from 0, that stay as they are. With another ``meter`` every bar
    becomes a bar of that meter; bars that stay are stretched to it.

    Raises:
        NoSuchTune: when the target has rhythms for hardly any of its bars.
    """
    if strength == 0 and meter is None:
        return Rerhythmed(melody, 0.0, 0)  # the original, also where the target lacks its meter
    passages = find_passages(melody)
    rhythms: dict[int, Rhythm] = {}
    stretched: dict[int, Fraction] = {}
    kept = 0
    for number, passage in enumerate(passages):
        wanted = target.meter_for(passage.meter if meter is None else meter)
        scale = wanted.bar / passage.meter.bar
        written = _Writing(passage, target, wanted, scale, keep)
        found = written.write(
            (seed, number),
            lambda done, at=number: tell((at + done) / len(passages)),  # type: ignore[misc]
        )
        kept += written.refused
        rhythms |= written.choose_classes(found, strength)
        stretched |= {unit.first: scale for unit in passage.units}
    units = [unit for passage in passages for unit in passage.units]
    if kept > 0.5 * sum(bool(unit.notes) for unit in units) and strength > 0:
        raise NoSuchTune(f"{target.name} has no rhythm for most of these bars")
    return _assemble(melody, passages, rhythms, target, meter, kept)


class _Writing:
    """One passage while it gets its rhythm."""

    def __init__(
        self, passage: Passage, target: Target, meter: Meter, scale: Fraction, keep: frozenset[int]
    ) -> None:
        self.passage = passage
        self.target = target
        self.ground = target.ground(meter)
        self.scale = scale
        self.refused = 0
        self._bar = self.ground.lattice.bar
        self._pickup = to_ticks(passage.pickup * scale)
        self.spans: list[Span] = []
        self.rhythms: list[tuple[Event, ...] | None] = []
        self._classes: dict[object, int] = {}
        self.free: list[int] = []
        """The units that are written anew, first of their class each."""
        for unit in passage.units:
            self._add(unit, keep)

    def _add(self, unit: Unit, keep: frozenset[int]) -> None:
        span = Span(unit.first - self.passage.first if unit.first >= 0 else -1, unit.bars)
        locked = any(bar in keep for bar in range(unit.first, unit.first + unit.bars))
        rhythm: tuple[Event, ...] | None = None
        shape = (unit.shape, unit.rests_at_its_end)
        if unit.notes and not locked and shape in self._classes:
            span = replace(span, source=self._classes[shape])
        elif unit.notes and not locked and (closes := self._closing(span, unit)) is not None:
            span = replace(span, closes=closes)
            self._classes[shape] = span.first
            self.free.append(len(self.spans))
        else:
            self.refused += bool(unit.notes) and not locked
            rhythm = self._as_it_was(unit)
        self.spans.append(span)
        self.rhythms.append(rhythm)

    def _closing(self, span: Span, unit: Unit) -> bool | None:
        """Whether the unit's new rhythm ends in a cadence; None when no rhythm fits its notes."""
        start = max(span.first * self._bar, -self._pickup)
        end = (span.first + span.bars) * self._bar
        for closes in (True, False) if unit.rests_at_its_end and span.first >= 0 else (False,):
            length = end - start - closes * (self._bar - self.ground.ending)
            ways = self.ground.lattice.ways(length, start % self._bar)[0] << closes
            if ways >> len(unit.notes) & 1:
                return closes
        return None

    def _as_it_was(self, unit: Unit) -> tuple[Event, ...]:
        """A unit's own rhythm on the networks' grid, for them to hear; rests fill the gaps."""
        length = to_ticks((unit.end - unit.start) * self.scale)
        events, now = [], 0
        for note in unit.notes:
            onset = max(now, to_ticks((note.onset - unit.start) * self.scale))
            ticks = min(max(1, to_ticks(note.duration * self.scale)), length - onset)
            if ticks <= 0:
                break
            if onset > now:
                events.append(Event(None, now, onset - now))
            events.append(Event(note.pitch, onset, ticks))
            now = onset + ticks
        if now < length:
            events.append(Event(None, now, length - now))
        return tuple(events)

    def write(self, seed: tuple[int, ...], tell: Callable[[float], None]) -> dict[int, Rhythm]:
        """Write candidates and return the chosen one's rhythm of every unit, by first bar."""
        own = {unit.first: _scaled(unit, self.scale) for unit in self.passage.units}
        if not self.free:
            return own
        frame = Frame(
            heading=Heading.plain(self.ground.meter, self.target.key, self.passage.bars),
            key=self.target.key,
            plan=Plan("", (0,), self.passage.bars, tuple(self.spans)),
            lattice=self.ground.lattice,
            durations=self.target.pair.durations,
            lowest=0,
            highest=127,
            counts=tuple(1 << len(unit.notes) for unit in self.passage.units),
            ending=self.ground.ending,
            pitches=tuple(tuple(n.pitch for n in unit.notes) for unit in self.passage.units),
            rhythms=tuple(self.rhythms),
            pickup=self._pickup,
            taste=self.target.taste(self.ground.meter),
            heat=0.9,
            nucleus=1.0,
        )
        notes = sum(len(unit.notes) for unit in self.passage.units)
        candidates = write_candidates(
            frame, self.target.pair, seed, tell, max(2, min(CANDIDATES, MOST_EVENTS // (notes + 1)))
        )
        habits = self.target.habits(self.ground.meter)
        best = min(
            candidates,
            key=lambda writer: rhythm_distance(writer.line.events, habits, self._bar),
        )
        for span, unit, fixed in zip(self.spans, self.passage.units, self.rhythms, strict=True):
            if fixed is None:
                start, end = frame.start(span), frame.end(span)
                own[unit.first] = tuple(
                    (Fraction(e.onset - start, TICKS), Fraction(e.duration, TICKS))
                    for e in best.line.events
                    if e.pitch is not None and start <= e.onset < end
                )
        return own

    def choose_classes(self, found: Mapping[int, Rhythm], strength: float) -> dict[int, Rhythm]:
        """Take so many classes of changed units as the strength allows, in a fixed order."""
        own = {unit.first: _scaled(unit, self.scale) for unit in self.passage.units}
        classes: dict[object, list[Unit]] = {}
        for unit in self.passage.units:
            if found[unit.first] != own[unit.first]:
                classes.setdefault((unit.shape, found[unit.first]), []).append(unit)
        weights = {
            name: sum(
                a != b for u in units for a, b in zip(found[u.first], own[u.first], strict=True)
            )
            for name, units in classes.items()
        }
        # Light classes first, so that a heavy one does not stand in the way of all others; among
        # equals the spread-out order of a permutation, so that a half change is not the first half.
        order = np.random.default_rng(len(classes)).permutation(len(classes))
        names = sorted([list(classes)[place] for place in order], key=lambda name: weights[name])
        allowed, spent, chosen = strength * sum(weights.values()), 0, dict(own)
        for name in names:
            spent += weights[name]
            if spent > allowed + 1e-9:
                break
            chosen |= {unit.first: found[unit.first] for unit in classes[name]}
        return chosen


def _scaled(unit: Unit, scale: Fraction) -> Rhythm:
    """A unit's own rhythm, stretched to bars of another length on the grid that can be written."""
    own = tuple((note.onset - unit.start, note.duration) for note in unit.notes)
    if scale == 1:
        return own
    exact = tuple((onset * scale, (onset + duration) * scale) for onset, duration in own)
    snapped = tuple((_snap(onset), _snap(end) - _snap(onset)) for onset, end in exact)
    if all(duration > 0 for _, duration in snapped):
        return snapped
    return tuple((onset, end - onset) for onset, end in exact)


def _snap(time: Fraction) -> Fraction:
    return Fraction(to_ticks(time), TICKS)


def _assemble(
    melody: Melody, passages: tuple[Passage, ...], rhythms: Mapping[int, Rhythm],
    target: Target, meter: Meter | None, kept: int,
) -> Rerhythmed:  # fmt: skip
    notes: list[Note] = []
    changes: list[MeterChange] = []
    now, changed = Fraction(0), 0
    first_meter = melody.meter
    for passage in passages:
        wanted = target.meter_for(passage.meter if meter is None else meter)
        scale = wanted.bar / passage.meter.bar
        if passage.first == 0:
            first_meter = wanted
        elif wanted != (changes[-1].meter if changes else first_meter):
            changes.append(MeterChange(passage.first, wanted))
        for unit in passage.units:
            start = now + (unit.start - passage.start) * scale
            for note, (onset, duration) in zip(unit.notes, rhythms[unit.first], strict=True):
                notes.append(Note(start + onset, duration, note.pitch))
                changed += (onset, duration) != (note.onset - unit.start, note.duration)
        now += passage.bars * wanted.bar
    new = replace(melody, notes=tuple(notes), meter=first_meter, changes=tuple(changes))
    return Rerhythmed(new, changed / max(1, len(notes)), kept)
