"""Classes of equal bars of a given tune: the rhythms that each can get, and the steps to one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from mst_core.corpora.tunes import to_ticks
from mst_core.music import TICKS_PER_QUARTER, Meter
from mst_core.transfer.bar_rhythms import keep_last_note, reference_rhythms
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
        for key, members in self.members.items():
            groups = tuple(self.section.groups[member] for member in members)
            own = self.rhythms[members[0]]
            drafts = [draft[key] for draft in self.drafts]
            if target.reference_tune is not None and groups[0].first_bar >= 0:
                drafts += reference_rhythms(
                    target.reference_tune,
                    self.meter,
                    groups[0].bar_count,
                    len(groups[0].notes),
                    target.grid,
                    target.config,
                    on_barline=own[0][0] == 0,
                )
            if any(group.index + len(group.notes) == n_notes for group in groups):
                drafts = keep_last_note(own, drafts)
            found.append(BarClass(self, groups, own, tuple(drafts)))
        return found


class BarClass:
    """Bar groups that are the same music and get the same rhythm, and the drafts of it."""

    def __init__(
        self,
        section_drafts: SectionDrafts,
        groups: tuple[BarGroup, ...],
        own: RhythmPattern,
        drafts: tuple[RhythmPattern, ...],
    ) -> None:
        """Give every note of every draft an id.

        Args:
            section_drafts: the section that the groups belong to.
            groups: the P groups of the class.
            own: their rhythm as it is, of M notes, in the new meter.
            drafts: rhythms of M notes that they can get.
        """
        self._section, self._groups = section_drafts, groups
        self._own, self._drafts = own, drafts
        starts = np.array([group.index for group in groups], dtype=np.int64)
        self.alternatives = Alternatives(
            starts[:, None] + np.arange(len(own)),
            tuple(section_drafts.rhythm_ids(groups[0], draft) for draft in drafts),
        )
        """The notes (P, M) of the class, and their ids (M,) in each draft."""

    def change_pieces(self, pick: int) -> list[Alternatives]:
        """The pieces of the class that change independently on the way to a draft.

        Args:
            pick: index of the draft.

        Returns:
            For each piece its notes, and their ids from the class's own rhythm to the draft.
        """
        section, group, config = self._section, self._groups[0], self._section.target.config
        start, bar = section.start_position(group), section.bar_ticks
        positions = section.target.meter_model(section.meter).lattice.positions
        new = self._drafts[pick]
        known = {note for rhythm in (self._own, new) for note in rhythm}

        def is_idiomatic(onset: Fraction, duration: Fraction, is_rest: bool) -> bool:
            if not is_rest and (onset, duration) in known:
                return True
            allowed = positions.get((start + to_ticks(onset)) % bar)
            if allowed is None:
                return False
            return to_ticks(duration) in (allowed.rests if is_rest else allowed.notes)

        found = []
        for first, after in differing_pieces(self._own, new):
            end = self._own[after][0] if after < len(self._own) else None
            rhythms = intermediate_rhythms(
                self._own[first:after], new[first:after], is_idiomatic, config
            )
            shape = len(self._groups), after - first
            found.append(
                Alternatives(
                    self.alternatives.notes[:, first:after],
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
