"""A given tune gets another rhythm: every pitch stays, every bar sums exactly, the form stays.

The duration network of the target writes drafts over the tune's pitches, class of bars by class of
bars (see `drafts`). For each class the draft is taken with which the whole tune's rhythm lies
nearest to the target's: sampled, then chosen by profile, since the likeliest rhythm is bland and
the one that a classifier likes best is alien. A ladder of partial changes then leads there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from mst_core.errors import NoSuchTune
from mst_core.music import Melody, Meter, MeterChange, Note
from mst_core.transfer.bar_classes import SectionDrafts, rhythms_in_meter
from mst_core.transfer.change_path import ChangePath, PathStep, build_path, select_drafts
from mst_core.transfer.meter_map import time_map
from mst_core.transfer.rhythm_drafts import DraftWriter
from mst_core.transfer.rhythm_similarity import RhythmIndex, RhythmSimilarity
from mst_core.transfer.structure import (
    MeterSection,
    phrase_starts,
    split_by_meter,
    split_duplicates,
)
from mst_core.transfer.target import ONCE, RhythmTarget, augment, augmentation_for, augmented_bars

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
    similarity: float
    """Of its rhythm to the target's: 1 is alike."""
    unplayable: int
    """Units that the target could not play and that stay as they were, the empty ones left out."""


@dataclass(frozen=True, slots=True)
class RhythmPath:
    """All versions of a tune on its way to another rhythm."""

    source: Melody
    path: ChangePath
    unplayable: int
    _sections: tuple[tuple[MeterSection, Meter], ...]
    _times: tuple[tuple[Fraction, Fraction], ...]
    """For each value of a note its onset from the start of its unit, and its duration."""
    scale: Fraction = ONCE
    """How much longer the note values were while they were changed (see `density`)."""

    def at(self, strength: float, *, stay: bool = False) -> Rerhythmed:
        """The version of a strength, from 0 to 1; with ``stay``, 0 is the tune in its old meter."""
        if strength == 0 and stay:
            return Rerhythmed(self.source, 0.0, self.path.steps[0].similarity, self.unplayable)
        rung = self.path.at(strength)
        return Rerhythmed(self._melody(rung), rung.changed, rung.similarity, self.unplayable)

    def _melody(self, rung: PathStep) -> Melody:
        notes: list[Note] = []
        changes: list[MeterChange] = []
        now = Fraction(0)
        for passage, meter in self._sections:
            move = time_map(passage.meter, meter)
            if passage.first and meter != (changes[-1].meter if changes else self._sections[0][1]):
                changes.append(MeterChange(passage.first, meter))
            for unit in passage.groups:
                start = now + move(unit.start - passage.start)
                for note, value in zip(unit.notes, rung.values[unit.index :], strict=False):
                    onset, duration = self._times[value]
                    notes.append(Note(start + onset, duration, note.pitch))
            now += passage.bars * meter.bar_length
        notes = [Note(n.onset / self.scale, n.duration / self.scale, n.pitch) for n in notes]
        return replace(
            self.source,
            notes=tuple(notes),
            meter=self._sections[0][1],
            meter_changes=tuple(changes),
        )


def build_rhythm_path(
    melody: Melody,
    target: RhythmTarget,
    *,
    seed: int,
    meter: Meter | None = None,
    keep: frozenset[int] = frozenset(),
    tell: Callable[[float], None] = lambda share: None,
) -> RhythmPath:
    """Find the versions of a tune on its way to the rhythm of a target.

    ``keep`` holds bars, counted from 0, that stay as they are. With another ``meter`` every bar
    becomes a bar of that meter; bars that stay are stretched to it.

    Raises:
        NoSuchTune: when the target has rhythms for hardly any of its bars.
    """
    scale = ONCE if meter else augmentation_for(melody, target)
    source, melody, keep = melody, augment(melody, scale), augmented_bars(keep, scale)
    target = target.at_tempo(source.tempo * float(scale))
    if scale > 1:  # then the shortest values must still be on the grid when they are halved
        target = target.on_coarser_grid()
    passages = split_by_meter(melody)
    keep |= split_duplicates(melody, passages)
    book = RhythmIndex()
    meters = tuple(meter or target.meter_for(passage.meter) for passage in passages)
    starts = phrase_starts(melody)
    targets = list(target.with_wider_coverage())
    kept = 0
    writings: list[SectionDrafts] = []
    for number, (passage, wanted) in enumerate(zip(passages, meters, strict=True)):
        own = rhythms_in_meter(passage, wanted)
        for wide in targets:
            drafting = DraftWriter(passage, wide, wanted, own, keep, starts)
            if drafting.unplayable <= FEW_KEPT * len(passage.groups):
                break
        drafts = drafting.write(
            (seed, number),
            lambda done, at=number: tell((at + done) / len(passages)),  # type: ignore[misc]
        )
        kept += drafting.unplayable
        writings.append(SectionDrafts(number, passage, wanted, own, drafting.classes, drafts))
    if kept > MOST_KEPT * sum(bool(u.notes) for passage in passages for u in passage.groups):
        raise NoSuchTune(f"{target.name} has no rhythm for most of these bars")
    own_values = np.zeros(len(melody.notes), dtype=np.int64)
    for writing in writings:
        for unit, rhythm in zip(writing.section.groups, writing.rhythms, strict=True):
            own_values[unit.index : unit.index + len(rhythm)] = writing.rhythm_ids(
                book, unit, rhythm
            )
    classes = [each for writing in writings for each in writing.bar_classes(book, target)]
    standards = [writing.similarity_target(target, len(melody.notes)) for writing in writings]
    closeness = RhythmSimilarity(book, standards, own_values)
    picks = select_drafts(
        own_values, [each.alternatives for each in classes], closeness.of_whole_draft
    )
    stretches = [
        stretch
        for each, pick in zip(classes, picks, strict=True)
        for stretch in each.change_pieces(pick, book, target)
    ]
    return RhythmPath(
        source,
        build_path(own_values, stretches, closeness),
        kept,
        tuple(zip(passages, meters, strict=True)),
        tuple(book.times),
        scale,
    )


def rerhythm(
    melody: Melody,
    target: RhythmTarget,
    *,
    seed: int,
    strength: float,
    meter: Meter | None = None,
    keep: frozenset[int] = frozenset(),
    tell: Callable[[float], None] = lambda share: None,
) -> Rerhythmed:
    """Give a tune the rhythm of a target, as far as the strength says. See `build_rhythm_path`."""
    if strength == 0 and meter is None:
        return Rerhythmed(
            melody, 0.0, 0.0, 0
        )  # the original, also where the target lacks its meter
    ladder = build_rhythm_path(melody, target, seed=seed, meter=meter, keep=keep, tell=tell)
    return ladder.at(strength)
