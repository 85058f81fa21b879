"""Classes of bars of a given tune: what each can choose from, and the way to what it chose."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

import numpy as np

from mst_core.corpora.tunes import TICKS, to_ticks
from mst_core.music import Meter
from mst_core.transfer import rhythm_interpolation
from mst_core.transfer.change_path import Choice, Stretch, Values
from mst_core.transfer.log_odds import Turn
from mst_core.transfer.mashup import lent_rhythms
from mst_core.transfer.meter_map import time_map
from mst_core.transfer.rhythm_interpolation import Rhythm
from mst_core.transfer.rhythm_similarity import Book, Standard
from mst_core.transfer.structure import Passage, Unit
from mst_core.transfer.target import Target


@dataclass(frozen=True, slots=True)
class Writing:
    """A passage, its own rhythms in the new meter, and the drafts of its classes."""

    number: int
    passage: Passage
    meter: Meter
    own: tuple[Rhythm, ...]
    members: Mapping[object, list[int]]
    """The units of each class, by their places in the passage."""
    drafts: Sequence[Mapping[object, Rhythm]]

    @property
    def bar(self) -> int:
        """Ticks."""
        return int(self.meter.bar * TICKS)

    def begin(self, unit: Unit) -> int:
        """The place in the bar where a unit begins, in ticks."""
        if unit.first >= 0:
            return 0
        return self.bar + to_ticks(time_map(self.passage.meter, self.meter)(-self.passage.pickup))

    def numbers(
        self, book: Book, unit: Unit, rhythm: Rhythm, first: int = 0, end: Fraction | None = None
    ) -> Values:
        """The book's numbers of a unit's notes from ``first`` on, to the unit's end if None."""
        if end is None:
            move = time_map(self.passage.meter, self.meter)
            end = move(unit.end - self.passage.start) - move(unit.start - self.passage.start)
        return book.numbers(self.number, self.bar, self.begin(unit), rhythm, first == 0, end)

    def weigh(self, target: Target, notes: int) -> Standard:
        """What the passage is held against, for so many notes of the tune."""
        own = [note for unit in self.passage.units for note in unit.notes]
        values, turns = target.profiles(self.meter)
        return Standard(
            len(own) / max(1, notes),
            values,
            turns,
            target.habits(self.meter).variety,
            target.odds(self.meter, self._turns()),
        )

    def _turns(self) -> list[Turn]:
        """What follows what in the passage as it is, rests left out."""
        stood = [
            ((self.begin(unit) + to_ticks(onset)) % self.bar, to_ticks(duration))
            for unit, rhythm in zip(self.passage.units, self.own, strict=True)
            for onset, duration in rhythm
        ]
        return [(place, ticks, 0, after, 0) for (place, ticks), (_, after) in pairwise(stood)]

    def classes(self, book: Book, target: Target) -> list[BarClass]:
        """What is decided together, with what each can choose from."""
        found = []
        for shape, places in self.members.items():
            units = tuple(self.passage.units[place] for place in places)
            drafts = [draft[shape] for draft in self.drafts]
            if target.lender is not None and units[0].first >= 0:
                notes = len(units[0].notes)
                drafts += lent_rhythms(
                    target.lender, self.meter, units[0].bars, notes, target.grain
                )
            found.append(BarClass(self, units, self.own[places[0]], tuple(drafts), book))
        return found


class BarClass:
    """Units that are the same music, and their drafts."""

    def __init__(
        self,
        writing: Writing,
        units: tuple[Unit, ...],
        own: Rhythm,
        drafts: tuple[Rhythm, ...],
        book: Book,
    ) -> None:
        self._writing, self._units, self._own, self._drafts = writing, units, own, drafts
        starts = np.array([unit.index for unit in units], dtype=np.int64)
        self.choice = Choice(
            starts[:, None] + np.arange(len(own)),
            tuple(writing.numbers(book, units[0], draft) for draft in drafts),
        )

    def stretches(self, pick: int, book: Book, target: Target) -> list[Stretch]:
        """The changes that lead from the class's own rhythm to the chosen draft."""
        writing, unit = self._writing, self._units[0]
        begin, bar = writing.begin(unit), writing.bar
        places = target.ground(writing.meter).lattice.places
        known = {note for rhythm in (self._own, self._drafts[pick]) for note in rhythm}

        def usual(onset: Fraction, duration: Fraction, rest: bool) -> bool:
            if not rest and (onset, duration) in known:
                return True
            there = places.get((begin + to_ticks(onset)) % bar)
            if there is None:
                return False
            return to_ticks(duration) in (there.rests if rest else there.notes)

        found = []
        for first, behind in rhythm_interpolation.cut(self._own, self._drafts[pick]):
            end = self._own[behind][0] if behind < len(self._own) else None
            steps = rhythm_interpolation.steps(
                self._own[first:behind], self._drafts[pick][first:behind], usual
            )
            found.append(
                Stretch(
                    self.choice.notes[:, first:behind],
                    tuple(
                        np.broadcast_to(
                            writing.numbers(book, unit, step, first, end),
                            (len(self._units), behind - first),
                        )
                        for step in steps
                    ),
                )
            )
        return found


def own_rhythms(passage: Passage, meter: Meter) -> tuple[Rhythm, ...]:
    """The units' own rhythms in the bars of a meter, on the grid that can be written."""
    if meter == passage.meter:
        return tuple(
            tuple((note.onset - unit.start, note.duration) for note in unit.notes)
            for unit in passage.units
        )
    move = time_map(passage.meter, meter)
    rhythms = []
    for unit in passage.units:
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
    return Fraction(to_ticks(time), TICKS)
