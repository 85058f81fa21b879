"""Drafts: what the target's duration network would write over a passage of a given tune.

Every unit of bars keeps its pitches and its length. Units of one class are written once. Of each
draft only the rhythms are kept; which draft a class takes is decided later, over the whole tune.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction

from mst_core.corpora.tunes import TuneEvent, to_ticks
from mst_core.generation.candidates import write_candidates
from mst_core.generation.form import FormPlan, FormSpan
from mst_core.generation.melody_writer import WritingConstraints
from mst_core.music import TICKS_PER_QUARTER, Meter
from mst_core.networks.context import TuneHeader
from mst_core.transfer.meter_map import time_map
from mst_core.transfer.rhythm_interpolation import RhythmPattern
from mst_core.transfer.structure import BarGroup, MeterSection
from mst_core.transfer.target import RhythmTarget

DRAFTS = 24
FEWEST_DRAFTS = 3
MOST_EVENTS = 12_000
"""Of all drafts together: a long tune gets fewer, so that it does not hold up the others."""
HEATS = (0.8, 1.0, 1.15)
"""Temperatures of the drafts in turn: calm ones and lively ones to choose from."""


class DraftWriter:
    """One passage while the target writes over it."""

    def __init__(
        self,
        section: MeterSection,
        target: RhythmTarget,
        meter: Meter,
        own: Sequence[RhythmPattern],
        keep: frozenset[int],
        phrase_starts: frozenset[int] = frozenset(),
    ) -> None:
        """``own`` are the units' own rhythms in the new ``meter``.

        ``starts`` are the bars where phrases begin: one that begins with a note still does.
        """
        self.section = section
        self.classes: dict[object, list[int]] = {}
        """Units that are decided together, by what they have in common."""
        self.unplayable = 0
        """Units that the target could not play."""
        self._target = target
        self._meter_model = target.meter_model(meter)
        self._bar = self._meter_model.lattice.bar_ticks
        move = time_map(section.meter, meter)
        self._pickup = to_ticks(-move(-section.pickup))
        self._phrase_starts = phrase_starts
        self._required_onsets: set[int] = set()
        self._spans: list[FormSpan] = []
        self._fixed: list[tuple[TuneEvent, ...] | None] = []
        for unit, rhythm in zip(section.groups, own, strict=True):
            length = move(unit.end - section.start) - move(unit.start - section.start)
            self._add(unit, rhythm, to_ticks(length), keep)

    def _add(self, group: BarGroup, own: RhythmPattern, length: int, keep: frozenset[int]) -> None:
        span = FormSpan(group.first - self.section.first if group.first >= 0 else -1, group.bars)
        locked = any(bar in keep for bar in range(group.first, group.first + group.bars))
        fixed: tuple[TuneEvent, ...] | None = None
        place = len(self._spans)
        if group.notes and not locked and (known := self.classes.get(group.class_key)):
            span = replace(span, copies=self._spans[known[0]].first_bar)
            known.append(place)
        elif (
            group.notes
            and not locked
            and (closes := self._ends_in_cadence(span, group)) is not None
        ):
            span = replace(span, cadence=closes)
            self.classes[group.class_key] = [place]
        else:
            self.unplayable += bool(group.notes) and not locked
            fixed = _to_events(group, own, length)
        if fixed is None and group.first in self._phrase_starts and own[0][0] == 0:
            written = self.classes[group.class_key][0]  # here, or where its class stands first
            self._required_onsets.add(
                (span if written == place else self._spans[written]).first_bar * self._bar
            )
        self._spans.append(span)
        self._fixed.append(fixed)

    def _ends_in_cadence(self, span: FormSpan, group: BarGroup) -> bool | None:
        """Whether the unit's new rhythm ends in a cadence; None when no rhythm fits its notes."""
        start = max(span.first_bar * self._bar, -self._pickup)
        end = (span.first_bar + span.bar_count) * self._bar
        for closes in (
            (True, False) if group.ends_with_long_note and span.first_bar >= 0 else (False,)
        ):
            length = end - start - closes * (self._bar - self._meter_model.final_onset)
            ways = (
                self._meter_model.lattice.reachable_counts(length, start % self._bar)[0] << closes
            )
            if ways >> len(group.notes) & 1:
                return closes
        return None

    def write(
        self, seed: tuple[int, ...], on_progress: Callable[[float], None]
    ) -> list[dict[object, RhythmPattern]]:
        """Write the drafts: for each of them the rhythm of every class."""
        if not self.classes:
            return []
        units = self.section.groups
        frame = WritingConstraints(
            header=TuneHeader.regular(self._meter_model.meter, self._target.key, self.section.bars),
            key=self._target.key,
            plan=FormPlan("", (0,), self.section.bars, tuple(self._spans)),
            lattice=self._meter_model.lattice,
            vocabulary=self._target.model.vocabulary,
            lowest_pitch=0,
            highest_pitch=127,
            note_counts=tuple(1 << len(unit.notes) for unit in units),
            final_onset=self._meter_model.final_onset,
            given_pitches=tuple(tuple(note.pitch for note in unit.notes) for unit in units),
            fixed_rhythms=tuple(self._fixed),
            required_onsets=frozenset(self._required_onsets),
            pickup=self._pickup,
            duration_prior=self._target.duration_prior(self._meter_model.meter),
            top_p=1.0,
        )
        notes = sum(len(unit.notes) for unit in units)
        number = max(FEWEST_DRAFTS, min(DRAFTS, MOST_EVENTS // (notes + 1)))
        writers = write_candidates(frame, self._target.model, seed, on_progress, number, HEATS)
        found = []
        for writer in writers:
            draft: dict[object, RhythmPattern] = {}
            for shape, (first, *_) in self.classes.items():
                start, end = frame.start(self._spans[first]), frame.end(self._spans[first])
                draft[shape] = tuple(
                    (
                        Fraction(event.onset - start, TICKS_PER_QUARTER),
                        Fraction(event.duration, TICKS_PER_QUARTER),
                    )
                    for event in writer.state.events
                    if event.pitch is not None and start <= event.onset < end
                )
            found.append(draft)
        return found


def _to_events(group: BarGroup, rhythm: RhythmPattern, length: int) -> tuple[TuneEvent, ...]:
    """A unit in a rhythm on the networks' grid, for them to hear; rests fill the gaps."""
    events: list[TuneEvent] = []
    now = 0
    for note, (begin, duration) in zip(group.notes, rhythm, strict=True):
        onset = max(now, to_ticks(begin))
        ticks = min(max(1, to_ticks(duration)), length - onset)
        if ticks <= 0:
            break
        if onset > now:
            events.append(TuneEvent(None, now, onset - now))
        events.append(TuneEvent(note.pitch, onset, ticks))
        now = onset + ticks
    if now < length:
        events.append(TuneEvent(None, now, length - now))
    return tuple(events)
