"""Classes of equal bars of a given tune: the rhythms that each can get, and the steps to one."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from mst_core.corpora.tunes import to_ticks
from mst_core.music import TICKS_PER_QUARTER, Meter
from mst_core.transfer.bar_rhythms import keep_last_note, reference_rhythms, style_rhythms
from mst_core.transfer.change_path import Alternatives
from mst_core.transfer.log_odds import BigramKey
from mst_core.transfer.meter_map import time_map
from mst_core.transfer.rhythm_interpolation import (
    RhythmPattern,
    differing_pieces,
    intermediate_rhythms,
)
from mst_core.transfer.rhythm_similarity import RhythmIndex, SectionTarget
from mst_core.transfer.structure import BarGroup, MeterSection
from mst_core.transfer.target import RhythmTarget


@dataclass(frozen=True, slots=True)
class SectionDrafts:
    """A section of a tune, its own rhythms in the new meter, and the drafts of its classes."""

    index: int
    """Index of the section in the tune."""
    section: MeterSection
    meter: Meter
    """The meter that the section gets."""
    target: RhythmTarget
    rhythm_index: RhythmIndex
    rhythms: tuple[RhythmPattern, ...]
    """The rhythm of each bar group as it is, moved to the new meter."""
    members: Mapping[tuple[object, ...], list[int]]
    """The bar groups of each class, by their indices in the section."""
    drafts: Sequence[Mapping[tuple[object, ...], RhythmPattern]]
    """For each draft the rhythm of each class."""
    seed: tuple[int, ...]
    """Of the choice among the style's whole-bar rhythms."""

    @property
    def bar_ticks(self) -> int:
        """Length of a bar of the new meter, in ticks."""
        return int(self.meter.bar_length * TICKS_PER_QUARTER)

    def start_position(self, group: BarGroup) -> int:
        """The position in the bar where a group begins, in ticks: 0, but for the pickup."""
        if group.first_bar >= 0:
            return 0
        move = time_map(self.section.meter, self.meter)
        return self.bar_ticks + to_ticks(move(-self.section.pickup))

    def rhythm_ids(
        self, group: BarGroup, rhythm: RhythmPattern, first: int = 0, end: Fraction | None = None
    ) -> NDArray[np.int64]:
        """The ids of M notes of a group, (M,).

        Args:
            group: that the notes belong to.
            rhythm: onsets and durations of the notes.
            first: index in the group of the first of them.
            end: onset of the note after them; None for the end of the group.
        """
        if end is None:
            move = time_map(self.section.meter, self.meter)
            end = move(group.end - self.section.start) - move(group.start - self.section.start)
        start = self.start_position(group)
        return self.rhythm_index.ids(self.index, self.bar_ticks, start, rhythm, first == 0, end)

    def similarity_target(self, n_notes: int) -> SectionTarget:
        """What the section's rhythm is compared with, in a tune of ``n_notes`` notes."""
        own = sum(len(group.notes) for group in self.section.groups)
        durations, bigrams = self.target.profiles(self.meter)
        return SectionTarget(
            own / max(1, n_notes),
            durations,
            bigrams,
            self.target.meter_statistics(self.meter).duration_entropy,
            self.target.log_odds(self.meter, self._own_bigrams()),
        )

    def _own_bigrams(self) -> list[BigramKey]:
        """The bigrams of the section as it is, rests left out."""
        events = [
            ((self.start_position(group) + to_ticks(onset)) % self.bar_ticks, to_ticks(duration))
            for group, rhythm in zip(self.section.groups, self.rhythms, strict=True)
            for onset, duration in rhythm
        ]
        return [
            (position, ticks, 0, after, 0) for (position, ticks), (_, after) in pairwise(events)
        ]

    def bar_classes(self, n_notes: int) -> list[BarClass]:
        """The classes of the section, with the drafts and the target tune's bars for each.

        Args:
            n_notes: notes of the tune; the last one keeps its onset and duration.
        """
        found = []
        target = self.target
        model = target.meter_model(self.meter)
        rng = np.random.default_rng((*self.seed, self.index))
        affordable = target.config.max_rhythm_draft_events // max(1, n_notes)
        for key, members in self.members.items():
            groups = tuple(self.section.groups[member] for member in members)
            own = self.rhythms[members[0]]
            drafts = [draft[key] for draft in self.drafts]
            if (
                target.reference_tune is None
                and groups[0].bar_count == 1
                and groups[0].first_bar >= 0
            ):
                drafts += style_rhythms(
                    model.statistics.bar_rhythms,
                    len(groups[0].notes),
                    self.bar_ticks,
                    rng,
                    max_rhythms=min(target.config.max_style_rhythms, affordable),
                    grid=target.grid,
                    min_duration=target.min_duration,
                )
            elif target.reference_tune is not None and groups[0].first_bar >= 0:
                drafts += reference_rhythms(
                    target.reference_tune,
                    self.meter,
                    groups[0].bar_count,
                    len(groups[0].notes),
                    target.grid,
                    target.config,
                    on_barline=own[0][0] == 0,
                )
            ends_tune = any(group.index + len(group.notes) == n_notes for group in groups)
            if ends_tune:
                drafts = keep_last_note(own, drafts)
            found.append(BarClass(self, groups, own, tuple(drafts), ends_tune=ends_tune))
        return found


class BarClass:
    """Bar groups that are the same music and get the same rhythm, and the drafts of it."""

    def __init__(
        self,
        section_drafts: SectionDrafts,
        groups: tuple[BarGroup, ...],
        own: RhythmPattern,
        drafts: tuple[RhythmPattern, ...],
        *,
        ends_tune: bool = False,
    ) -> None:
        """Give every note of every draft an id.

        Args:
            section_drafts: the section that the groups belong to.
            groups: the P groups of the class.
            own: their rhythm as it is, of M notes, in the new meter.
            drafts: rhythms of M notes that they can get.
            ends_tune: whether one of the groups has the tune's last note.
        """
        self._section, self.groups, self.ends_tune = section_drafts, groups, ends_tune
        self.own, self.drafts = own, drafts
        starts = np.array([group.index for group in groups], dtype=np.int64)
        self.notes: NDArray[np.int64] = starts[:, None] + np.arange(len(own))
        """Indices in the tune of the notes of each group, (P, M)."""

    @property
    def shared_rhythm_share(self) -> float:
        """How often bars of the target with as many notes have the same rhythm, 0 to 1."""
        target = self._section.target
        if target.reference_tune is not None:
            return 0.0
        return target.meter_statistics(self._section.meter).shared_rhythm_share or 0.0

    @property
    def length(self) -> Fraction:
        """Length of each group in the new meter, in quarter notes."""
        group, move = self.groups[0], time_map(self._section.section.meter, self._section.meter)
        start = self._section.section.start
        return move(group.end - start) - move(group.start - start)

    @property
    def pool_key(self) -> Hashable:
        """Classes with the same key can have one rhythm: as long, with as many notes, as open."""
        group = self.groups[0]
        return (
            self._section.index,
            group.first_bar < 0,
            group.end - group.start,
            len(self.own),
            group.ends_with_long_note,
            self.ends_tune and group.index,
        )

    @property
    def pitch_key(self) -> Hashable:
        """Length and intervals; classes with the same key differ in their rhythm only."""
        group = self.groups[0]
        return group.end - group.start, *(n.pitch - group.notes[0].pitch for n in group.notes)

    def ids(self, rhythm: RhythmPattern) -> NDArray[np.int64]:
        """The ids (M,) of the notes of each group in a rhythm."""
        return self._section.rhythm_ids(self.groups[0], rhythm)

    def change_pieces(self, new: RhythmPattern, n_notes: int) -> list[Alternatives]:
        """The pieces of the class that change independently on the way to a rhythm.

        Args:
            new: with as many notes as the class has.
            n_notes: of the tune; a step should change a small share of them.

        Returns:
            For each piece its notes, and their ids from the class's own rhythm to the new one.
        """
        section, group, config = self._section, self.groups[0], self._section.target.config
        start, bar = section.start_position(group), section.bar_ticks
        positions = section.target.meter_model(section.meter).lattice.positions
        known = {note for rhythm in (self.own, new) for note in rhythm}

        def is_idiomatic(onset: Fraction, duration: Fraction, is_rest: bool) -> bool:
            if not is_rest and (onset, duration) in known:
                return True
            allowed = positions.get((start + to_ticks(onset)) % bar)
            if allowed is None:
                return False
            return to_ticks(duration) in (allowed.rests if is_rest else allowed.notes)

        max_notes = int(config.max_step * n_notes) // len(self.groups)
        found = []
        for first, after in differing_pieces(self.own, new):
            end = self.own[after][0] if after < len(self.own) else None
            rhythms = intermediate_rhythms(
                self.own[first:after], new[first:after], is_idiomatic, config, max_notes
            )
            shape = len(self.groups), after - first
            found.append(
                Alternatives(
                    self.notes[:, first:after],
                    tuple(
                        np.broadcast_to(section.rhythm_ids(group, rhythm, first, end), shape)
                        for rhythm in rhythms
                    ),
                )
            )
        return found


def rhythms_in_meter(section: MeterSection, meter: Meter) -> tuple[RhythmPattern, ...]:
    """The rhythms of a section's bar groups in the bars of another meter, on the grid.

    Args:
        section: with the groups' own rhythms.
        meter: the new meter.

    Returns:
        One rhythm a group. Where rounding to the grid would make a note empty, the group keeps the
        exact times.
    """
    if meter == section.meter:
        return tuple(
            tuple((note.onset - group.start, note.duration) for note in group.notes)
            for group in section.groups
        )
    move = time_map(section.meter, meter)
    rhythms = []
    for group in section.groups:
        start = move(group.start - section.start)
        exact = [
            (move(note.onset - section.start) - start, move(note.end - section.start) - start)
            for note in group.notes
        ]
        rounded = [(_to_grid(onset), _to_grid(end)) for onset, end in exact]
        fits = all(onset < end for onset, end in rounded)
        rhythms.append(tuple((a, b - a) for a, b in (rounded if fits else exact)))
    return tuple(rhythms)


def _to_grid(time: Fraction) -> Fraction:
    """A time in quarter notes, rounded to the grid."""
    return Fraction(to_ticks(time), TICKS_PER_QUARTER)
