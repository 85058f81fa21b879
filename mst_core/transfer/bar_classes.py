"""Classes of bars of a given tune: what each can choose from, and the way to what it chose."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

import numpy as np

from mst_core.corpora.tunes import to_ticks
from mst_core.music import TICKS_PER_QUARTER, Meter
from mst_core.transfer import rhythm_interpolation
from mst_core.transfer.change_path import Alternatives, Choice, IntArray
from mst_core.transfer.log_odds import BigramKey
from mst_core.transfer.mashup import reference_rhythms
from mst_core.transfer.meter_map import time_map
from mst_core.transfer.rhythm_interpolation import RhythmPattern
from mst_core.transfer.rhythm_similarity import RhythmIndex, SectionTarget
from mst_core.transfer.structure import BarGroup, MeterSection
from mst_core.transfer.target import RhythmTarget


@dataclass(frozen=True, slots=True)
class SectionDrafts:
    """A passage, its own rhythms in the new meter, and the drafts of its classes."""

    index: int
    section: MeterSection
    meter: Meter
    rhythms: tuple[RhythmPattern, ...]
    members: Mapping[object, list[int]]
    """The units of each class, by their places in the passage."""
    drafts: Sequence[Mapping[object, RhythmPattern]]

    @property
    def bar_ticks(self) -> int:
        """Ticks."""
        return int(self.meter.bar_length * TICKS_PER_QUARTER)

    def start_position(self, unit: BarGroup) -> int:
        """The place in the bar where a unit begins, in ticks."""
        if unit.first >= 0:
            return 0
        return self.bar_ticks + to_ticks(
            time_map(self.section.meter, self.meter)(-self.section.pickup)
        )

    def rhythm_ids(
        self,
        book: RhythmIndex,
        unit: BarGroup,
        rhythm: RhythmPattern,
        first: int = 0,
        end: Fraction | None = None,
    ) -> IntArray:
        """The book's numbers of a unit's notes from ``first`` on, to the unit's end if None."""
        if end is None:
            move = time_map(self.section.meter, self.meter)
            end = move(unit.end - self.section.start) - move(unit.start - self.section.start)
        return book.ids(
            self.index, self.bar_ticks, self.start_position(unit), rhythm, first == 0, end
        )

    def similarity_target(self, target: RhythmTarget, notes: int) -> SectionTarget:
        """What the passage is held against, for so many notes of the tune."""
        own = [note for unit in self.section.groups for note in unit.notes]
        values, turns = target.profiles(self.meter)
        return SectionTarget(
            len(own) / max(1, notes),
            values,
            turns,
            target.meter_statistics(self.meter).duration_entropy,
            target.log_odds(self.meter, self._own_bigrams()),
        )

    def _own_bigrams(self) -> list[BigramKey]:
        """What follows what in the passage as it is, rests left out."""
        stood = [
            ((self.start_position(unit) + to_ticks(onset)) % self.bar_ticks, to_ticks(duration))
            for unit, rhythm in zip(self.section.groups, self.rhythms, strict=True)
            for onset, duration in rhythm
        ]
        return [(place, ticks, 0, after, 0) for (place, ticks), (_, after) in pairwise(stood)]

    def bar_classes(self, book: RhythmIndex, target: RhythmTarget) -> list[BarClass]:
        """What is decided together, with what each can choose from."""
        found = []
        for shape, places in self.members.items():
            units = tuple(self.section.groups[place] for place in places)
            drafts = [draft[shape] for draft in self.drafts]
            if target.reference_tune is not None and units[0].first >= 0:
                notes = len(units[0].notes)
                drafts += reference_rhythms(
                    target.reference_tune, self.meter, units[0].bars, notes, target.grid
                )
            found.append(BarClass(self, units, self.rhythms[places[0]], tuple(drafts), book))
        return found


class BarClass:
    """Units that are the same music, and their drafts."""

    def __init__(
        self,
        section_drafts: SectionDrafts,
        groups: tuple[BarGroup, ...],
        own: RhythmPattern,
        drafts: tuple[RhythmPattern, ...],
        rhythm_index: RhythmIndex,
    ) -> None:
        self._section_drafts, self._groups, self._own, self._drafts = (
            section_drafts,
            groups,
            own,
            drafts,
        )
        starts = np.array([unit.index for unit in groups], dtype=np.int64)
        self.alternatives = Choice(
            starts[:, None] + np.arange(len(own)),
            tuple(section_drafts.rhythm_ids(rhythm_index, groups[0], draft) for draft in drafts),
        )

    def change_pieces(
        self, pick: int, book: RhythmIndex, target: RhythmTarget
    ) -> list[Alternatives]:
        """The changes that lead from the class's own rhythm to the chosen draft."""
        writing, unit = self._section_drafts, self._groups[0]
        begin, bar = writing.start_position(unit), writing.bar_ticks
        places = target.meter_model(writing.meter).lattice.positions
        known = {note for rhythm in (self._own, self._drafts[pick]) for note in rhythm}

        def usual(onset: Fraction, duration: Fraction, rest: bool) -> bool:
            if not rest and (onset, duration) in known:
                return True
            there = places.get((begin + to_ticks(onset)) % bar)
            if there is None:
                return False
            return to_ticks(duration) in (there.rests if rest else there.notes)

        found = []
        for first, behind in rhythm_interpolation.differing_pieces(self._own, self._drafts[pick]):
            end = self._own[behind][0] if behind < len(self._own) else None
            steps = rhythm_interpolation.intermediate_rhythms(
                self._own[first:behind], self._drafts[pick][first:behind], usual
            )
            found.append(
                Alternatives(
                    self.alternatives.notes[:, first:behind],
                    tuple(
                        np.broadcast_to(
                            writing.rhythm_ids(book, unit, step, first, end),
                            (len(self._groups), behind - first),
                        )
                        for step in steps
                    ),
                )
            )
        return found


def rhythms_in_meter(passage: MeterSection, meter: Meter) -> tuple[RhythmPattern, ...]:
    """The units' own rhythms in the bars of a meter, on the grid that can be written."""
    if meter == passage.meter:
        return tuple(
            tuple((note.onset - unit.start, note.duration) for note in unit.notes)
            for unit in passage.groups
        )
    move = time_map(passage.meter, meter)
    rhythms = []
    for unit in passage.groups:
        start = move(unit.start - passage.start)
        exact = [
            (move(note.onset - passage.start) - start, move(note.end - passage.start) - start)
            for note in unit.notes
        ]
        snapped = [(_snap(onset), _snap(end)) for onset, end in exact]
        fits = all(onset < end for onset, end in snapped)
        rhythms.append(tuple((a, b - a) for a, b in (snapped if fits else exact)))
    return tuple(rhythms)


def _snap(time: Fraction) -> Fraction:
    return Fraction(to_ticks(time), TICKS_PER_QUARTER)
