"""A given tune gets another rhythm: every pitch stays, every bar sums exactly, the form stays.

The duration network of the target writes drafts over the tune's pitches, class of bars by class of
bars (see `drafts`). For each class the draft is taken with which the whole tune's rhythm lies
nearest to the target's: sampled, then chosen by profile, since the likeliest rhythm is bland and
the one that a classifier likes best is alien. A ladder of partial changes then leads there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise

import numpy as np

from mst_core.composing import morph
from mst_core.composing.choosing import Choice, choose
from mst_core.composing.density import ONCE, fitting_scale, scaled, scaled_bars
from mst_core.composing.drafts import Drafting
from mst_core.composing.ladder import Ladder, Rung, Stretch, Values, climb
from mst_core.composing.lending import lent_rhythms
from mst_core.composing.likeness import Book, Likeness, Standard
from mst_core.composing.meters import time_map
from mst_core.composing.morph import Rhythm
from mst_core.composing.odds import Turn
from mst_core.composing.structure import Passage, Unit, find_passages
from mst_core.composing.target import Target
from mst_core.errors import NoSuchTune
from mst_core.music import Melody, Meter, MeterChange, Note
from mst_core.networks.corpus import TICKS, to_ticks

FEW_KEPT = 0.1
"""Share of its bars that may stay as they are before the style's rarer rhythms are asked."""
MOST_KEPT = 0.5
"""Share of a tune's bars that a target may be unable to play."""


@dataclass(frozen=True, slots=True)
class Rerhythmed:
    """A tune in its new rhythm, note for note the old pitches."""

    melody: Melody
    changed: float
    """Share of the notes whose onset in its bar or whose duration is another."""
    closeness: float
    """Of its rhythm to the target's: 1 is alike."""
    kept: int
    """Units that the target could not play and that stay as they were, the empty ones left out."""


@dataclass(frozen=True, slots=True)
class RhythmLadder:
    """All versions of a tune on its way to another rhythm."""

    source: Melody
    ladder: Ladder
    kept: int
    _passages: tuple[tuple[Passage, Meter], ...]
    _table: tuple[tuple[Fraction, Fraction], ...]
    """For each value of a note its onset from the start of its unit, and its duration."""
    scale: Fraction = ONCE
    """How much longer the note values were while they were changed (see `density`)."""

    def at(self, strength: float, *, stay: bool = False) -> Rerhythmed:
        """The version of a strength, from 0 to 1; with ``stay``, 0 is the tune in its old meter."""
        if strength == 0 and stay:
            return Rerhythmed(self.source, 0.0, self.ladder.rungs[0].closeness, self.kept)
        rung = self.ladder.at(strength)
        return Rerhythmed(self._melody(rung), rung.changed, rung.closeness, self.kept)

    def _melody(self, rung: Rung) -> Melody:
        notes: list[Note] = []
        changes: list[MeterChange] = []
        now = Fraction(0)
        for passage, meter in self._passages:
            move = time_map(passage.meter, meter)
            if passage.first and meter != (changes[-1].meter if changes else self._passages[0][1]):
                changes.append(MeterChange(passage.first, meter))
            for unit in passage.units:
                start = now + move(unit.start - passage.start)
                for note, value in zip(unit.notes, rung.values[unit.index :], strict=False):
                    onset, duration = self._table[value]
                    notes.append(Note(start + onset, duration, note.pitch))
            now += passage.bars * meter.bar
        notes = [Note(n.onset / self.scale, n.duration / self.scale, n.pitch) for n in notes]
        return replace(
            self.source,
            notes=tuple(notes),
            meter=self._passages[0][1],
            changes=tuple(changes),
        )


def build_ladder(
    melody: Melody,
    target: Target,
    *,
    seed: int,
    meter: Meter | None = None,
    keep: frozenset[int] = frozenset(),
    tell: Callable[[float], None] = lambda share: None,
) -> RhythmLadder:
    """Find the versions of a tune on its way to the rhythm of a target.

    ``keep`` holds bars, counted from 0, that stay as they are. With another ``meter`` every bar
    becomes a bar of that meter; bars that stay are stretched to it.

    Raises:
        NoSuchTune: when the target has rhythms for hardly any of its bars.
    """
    scale = ONCE if meter else fitting_scale(melody, target)
    source, melody, keep = melody, scaled(melody, scale), scaled_bars(keep, scale)
    if scale > 1:  # then the shortest values must still be on the grid when they are halved
        target = target.coarser()
    passages = find_passages(melody)
    book = Book()
    meters = tuple(target.meter_for(passage.meter if meter is None else meter)
                   for passage in passages)  # fmt: skip
    kept = 0
    writings: list[_Writing] = []
    for number, (passage, wanted) in enumerate(zip(passages, meters, strict=True)):
        own = _own_rhythms(passage, wanted)
        for wide in target.wider():
            drafting = Drafting(passage, wide, wanted, own, keep)
            if drafting.refused <= FEW_KEPT * len(passage.units):
                break
        drafts = drafting.write(
            (seed, number),
            lambda done, at=number: tell((at + done) / len(passages)),  # type: ignore[misc]
        )
        kept += drafting.refused
        writings.append(_Writing(number, passage, wanted, own, drafting.classes, drafts))
    if kept > MOST_KEPT * sum(bool(u.notes) for passage in passages for u in passage.units):
        raise NoSuchTune(f"{target.name} has no rhythm for most of these bars")
    own_values = np.zeros(len(melody.notes), dtype=np.int64)
    for writing in writings:
        for unit, rhythm in zip(writing.passage.units, writing.own, strict=True):
            own_values[unit.index : unit.index + len(rhythm)] = writing.numbers(book, unit, rhythm)
    classes = [each for writing in writings for each in writing.classes(book, target)]
    standards = [writing.weigh(target, len(melody.notes)) for writing in writings]
    closeness = Likeness(book, standards, own_values)
    picks = choose(own_values, [each.choice for each in classes], closeness.as_whole)
    stretches = [
        stretch for each, pick in zip(classes, picks, strict=True)
        for stretch in each.stretches(pick, book, target)
    ]  # fmt: skip
    return RhythmLadder(
        source,
        climb(own_values, stretches, closeness),
        kept,
        tuple(zip(passages, meters, strict=True)),
        tuple(book.table),
        scale,
    )


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
    """Give a tune the rhythm of a target, as far as the strength says. See `build_ladder`."""
    if strength == 0 and meter is None:
        return Rerhythmed(
            melody, 0.0, 0.0, 0
        )  # the original, also where the target lacks its meter
    ladder = build_ladder(melody, target, seed=seed, meter=meter, keep=keep, tell=tell)
    return ladder.at(strength)


@dataclass(frozen=True, slots=True)
class _Writing:
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

    def classes(self, book: Book, target: Target) -> list[_Class]:
        """What is decided together, with what each can choose from."""
        found = []
        for shape, places in self.members.items():
            units = tuple(self.passage.units[place] for place in places)
            drafts = [draft[shape] for draft in self.drafts]
            if target.lender is not None and units[0].first >= 0:
                notes = len(units[0].notes)
                drafts += lent_rhythms(target.lender, self.meter, units[0].bars, notes)
            found.append(_Class(self, units, self.own[places[0]], tuple(drafts), book))
        return found


class _Class:
    """Units that are the same music, and their drafts."""

    def __init__(
        self,
        writing: _Writing,
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
        for first, behind in morph.cut(self._own, self._drafts[pick]):
            end = self._own[behind][0] if behind < len(self._own) else None
            steps = morph.steps(self._own[first:behind], self._drafts[pick][first:behind], usual)
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


def _own_rhythms(passage: Passage, meter: Meter) -> tuple[Rhythm, ...]:
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
