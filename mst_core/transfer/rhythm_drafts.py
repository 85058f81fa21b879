"""Rhythm drafts: sampled from the target's duration network over the pitches of a given tune.

Every bar group keeps its pitches and its length; the groups of one class are written once. Only the
rhythms of a draft are kept. Which draft a class takes is decided later, over the whole tune
(`change_path.select_drafts`).
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


class DraftWriter:
    """Writes the drafts of one section of a tune."""

    def __init__(
        self,
        section: MeterSection,
        target: RhythmTarget,
        meter: Meter,
        own: Sequence[RhythmPattern],
        keep: frozenset[int],
        phrase_starts: frozenset[int] = frozenset(),
    ) -> None:
        """Decide for each bar group whether it is written, copied from its class, or stays.

        Args:
            section: that is written.
            target: whose network writes, and whose rhythms are allowed.
            meter: the new meter.
            own: the groups' own rhythms in the new meter.
            keep: bars, counted from 0, that stay as they are.
            phrase_starts: bars where phrases begin; one that begins with a note still will.
        """
        self.section = section
        self.classes: dict[tuple[object, ...], list[int]] = {}
        """The bar groups that are decided together, by their indices in the section."""
        self.unplayable = 0
        """Number of groups for which the target has no rhythm with as many notes."""
        self._target = target
        self._meter_model = target.meter_model(meter)
        self._bar_ticks = self._meter_model.lattice.bar_ticks
        move = time_map(section.meter, meter)
        self._pickup = to_ticks(-move(-section.pickup))
        self._phrase_starts = phrase_starts
        self._required_onsets: set[int] = set()
        self._spans: list[FormSpan] = []
        self._fixed: list[tuple[TuneEvent, ...] | None] = []
        for group, rhythm in zip(section.groups, own, strict=True):
            length = move(group.end - section.start) - move(group.start - section.start)
            self._add(group, rhythm, to_ticks(length), keep)

    def _add(self, group: BarGroup, own: RhythmPattern, length: int, keep: frozenset[int]) -> None:
        """Add a group of ``length`` ticks: copied, written or fixed."""
        span = FormSpan(
            group.first_bar - self.section.first_bar if group.first_bar >= 0 else -1,
            group.bar_count,
        )
        is_free = bool(group.notes) and not any(
            bar in keep for bar in range(group.first_bar, group.first_bar + group.bar_count)
        )
        fixed: tuple[TuneEvent, ...] | None = None
        index = len(self._spans)
        if is_free and (known := self.classes.get(group.class_key)):
            span = replace(span, copies=self._spans[known[0]].first_bar)
            known.append(index)
        elif is_free and (cadence := self._ends_in_cadence(span, group)) is not None:
            span = replace(span, cadence=cadence)
            self.classes[group.class_key] = [index]
        else:
            self.unplayable += is_free
            fixed = _to_events(group, own, length)
        if fixed is None and group.first_bar in self._phrase_starts and own[0][0] == 0:
            written = self.classes[group.class_key][0]  # this group, or the first of its class
            first_bar = (span if written == index else self._spans[written]).first_bar
            self._required_onsets.add(first_bar * self._bar_ticks)
        self._spans.append(span)
        self._fixed.append(fixed)

    def _ends_in_cadence(self, span: FormSpan, group: BarGroup) -> bool | None:
        """Whether the group's new rhythm ends in a cadence; None when no rhythm fits its notes."""
        start = max(span.first_bar * self._bar_ticks, -self._pickup)
        end = (span.first_bar + span.bar_count) * self._bar_ticks
        may_end = group.ends_with_long_note and span.first_bar >= 0
        for cadence in (True, False) if may_end else (False,):
            length = end - start - cadence * (self._bar_ticks - self._meter_model.final_onset)
            counts = self._meter_model.lattice.reachable_counts(length, start % self._bar_ticks)
            if (counts[0] << cadence) >> len(group.notes) & 1:
                return cadence
        return None

    def write(
        self, seed: tuple[int, ...], on_progress: Callable[[float], None]
    ) -> list[dict[tuple[object, ...], RhythmPattern]]:
        """Write the drafts.

        Args:
            seed: of the random numbers.
            on_progress: called with the share done, 0 to 1.

        Returns:
            For each draft the rhythm of every class.
        """
        if not self.classes:
            return []
        groups, target, config = self.section.groups, self._target, self._target.config
        constraints = WritingConstraints(
            header=TuneHeader.regular(self._meter_model.meter, target.key, self.section.bar_count),
            key=target.key,
            plan=FormPlan("", (0,), self.section.bar_count, tuple(self._spans)),
            lattice=self._meter_model.lattice,
            vocabulary=target.style.model.vocabulary,
            lowest_pitch=0,
            highest_pitch=127,
            note_counts=tuple(1 << len(group.notes) for group in groups),
            final_onset=self._meter_model.final_onset,
            given_pitches=tuple(tuple(note.pitch for note in group.notes) for group in groups),
            fixed_rhythms=tuple(self._fixed),
            required_onsets=frozenset(self._required_onsets),
            pickup=self._pickup,
            duration_prior=target.duration_prior(self._meter_model.meter),
            top_p=1.0,
        )
        n_notes = sum(len(group.notes) for group in groups)
        affordable = config.max_rhythm_draft_events // (n_notes + 1)
        n_drafts = max(config.min_rhythm_drafts, min(config.rhythm_drafts, affordable))
        writers = write_candidates(
            constraints,
            target.style.model,
            seed,
            on_progress,
            n_drafts,
            config.draft_temperatures,
        )
        found = []
        for writer in writers:
            draft: dict[tuple[object, ...], RhythmPattern] = {}
            for key, (first, *_) in self.classes.items():
                span = self._spans[first]
                start, end = constraints.start(span), constraints.end(span)
                draft[key] = tuple(
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
    """A bar group of ``length`` ticks as events on the grid, with rests in the gaps."""
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
