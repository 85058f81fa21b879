"""Anticipations: first notes of bars that begin an eighth early, over the barline.

Soloists begin one bar in four so. A class of bars may lead when that breaks nothing of the form:
none of its bars begins a phrase or ends the tune, and the bars before them are always followed by
this class, so that they end an eighth earlier wherever they are (docs/decisions.md#anticipation).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from mst_core.music import TICKS_PER_QUARTER
from mst_core.statistics.style_statistics import MeterStatistics
from mst_core.transfer.bar_classes import BarClass
from mst_core.transfer.change_path import Alternatives
from mst_core.transfer.config import TransferConfig
from mst_core.transfer.rhythm_interpolation import RhythmPattern
from mst_core.transfer.structure import MeterSection

LEAD = Fraction(1, 2)
"""Quarter notes: how much earlier a note begins."""


@dataclass(frozen=True, slots=True)
class Anticipation:
    """A class of bars that may begin an eighth early, and the classes before it."""

    leading: int
    """Index of the class."""
    before: tuple[int, ...]
    """Indices of the classes whose bars stand before its bars; they end an eighth earlier."""


def anticipated_share(statistics: MeterStatistics, bar_ticks: int) -> float:
    """Compute the share of bars that are begun an eighth early.

    Args:
        statistics: of a style in one meter.
        bar_ticks: length of the bar, in ticks.
    """
    lead = int(LEAD * TICKS_PER_QUARTER)
    early = sum(
        rhythm.notes
        for rhythm in statistics.rhythm_counts
        if rhythm.position == bar_ticks - lead and rhythm.duration > lead
    )
    return early / max(1, statistics.n_bars)


def possible_anticipations(
    sections: Sequence[MeterSection], classes: Sequence[BarClass], phrase_starts: frozenset[int]
) -> list[Anticipation]:
    """Find the classes of bars that may begin early.

    Args:
        sections: of the tune.
        classes: its classes of bars that change.
        phrase_starts: bars where phrases begin, counted from 0.

    Returns:
        One for each such class.
    """
    class_of = {group.index: i for i, each in enumerate(classes) for group in each.groups}
    before: dict[int, set[int | None]] = {}
    after: dict[int, set[object]] = {i: set() for i in range(len(classes))}
    for section in sections:
        followers = (*section.groups[1:], None)
        for group, following in zip(section.groups, followers, strict=True):
            own = class_of.get(group.index) if group.notes else None
            next_class = class_of.get(following.index) if following and following.notes else None
            if own is not None and following is not None and next_class is not None:
                first_pitch = following.notes[0].pitch - group.notes[0].pitch
                after[own].add((next_class, first_pitch))
            elif own is not None:
                after[own].add(None)
            if next_class is not None:
                before.setdefault(next_class, set()).add(own)
    ending = class_of.get(max((group.index for s in sections for group in s.groups), default=0))
    openings = {class_of.get(section.groups[0].index) for section in sections if section.groups}
    found = []
    for index, each in enumerate(classes):
        stands = index == ending or index in openings or len(each.own) < 2
        if stands or any(group.first_bar in phrase_starts for group in each.groups):
            continue
        earlier = [other for other in before.get(index, {None}) if other is not None]
        if len(earlier) != len(before.get(index, {None})):
            continue
        # Every bar before it is followed by this class alone, with the same step to its first note.
        if all(
            len(after[other]) == 1 and len(classes[other].own) > 1 and other != index
            for other in earlier
        ):
            found.append(Anticipation(index, tuple(sorted(earlier))))
    return found


def select_anticipations(
    values: NDArray[np.int64],
    classes: Sequence[BarClass],
    chosen: list[RhythmPattern],
    possible: Sequence[Anticipation],
    similarity: Callable[[NDArray[np.int64]], float],
    most_bars: float,
    config: TransferConfig = TransferConfig(),
    on_step: Callable[[], None] = lambda: None,
) -> list[Anticipation]:
    """Select the anticipations with which a whole draft is most similar to the target.

    Args:
        values: the ids (N,) of the whole draft; those of the selected anticipations are put in.
        classes: of bars.
        chosen: the rhythm of each class; a class before an early bar may get another that ends
            early enough.
        possible: what may be selected.
        similarity: of the ids of a whole draft (N,) to the target.
        most_bars: bars that may begin early.
        config: how many are weighed before each step, and how short the note before one may be.
        on_step: called before each step of the search.

    Returns:
        The selected ones; no class is in two of them as the one before.
    """
    selected: list[Anticipation] = []
    left = most_bars
    waiting = [each for each in possible if chosen[each.leading][0][0] == 0]
    tries = max(config.min_tries, config.max_weighed_notes // max(1, len(values)))
    while waiting:
        on_step()
        best: tuple[float, Anticipation, dict[int, RhythmPattern]] | None = None
        n_weighed = 0
        for each in waiting:
            if n_weighed == tries:
                break
            if len(classes[each.leading].groups) > left + 0.5:
                continue
            rhythms = {
                other: rhythm
                for other in each.before
                if (rhythm := _ending_early(classes[other], chosen[other], config)) is not None
            }
            if len(rhythms) < len(each.before):
                continue
            n_weighed += 1
            trial = values.copy()
            _put(trial, classes, chosen, each, rhythms, selected)
            found = similarity(trial)
            if best is None or found > best[0]:
                best = found, each, rhythms
        if best is None:
            break
        _, each, rhythms = best
        _put(values, classes, chosen, each, rhythms, selected)
        for other, rhythm in rhythms.items():
            chosen[other] = rhythm
        selected.append(each)
        left -= len(classes[each.leading].groups)
        waiting.remove(each)
    return selected


def _ending_early(
    bar_class: BarClass, rhythm: RhythmPattern, config: TransferConfig
) -> RhythmPattern | None:
    """The rhythm, or the draft most like it, whose last note leaves room for an early one."""
    latest = bar_class.length - LEAD - config.min_anticipated
    if rhythm[-1][0] <= latest:
        return rhythm
    if bar_class.ends_tune:
        return None
    fitting = [
        draft
        for draft in bar_class.drafts
        if draft[-1][0] <= latest and (draft[0][0] == 0 or rhythm[0][0] != 0)
    ]
    return max(
        fitting,
        key=lambda draft: sum(a == b for a, b in zip(draft, rhythm, strict=True)),
        default=None,
    )


def shortened(rhythm: RhythmPattern, length: Fraction) -> RhythmPattern:
    """A rhythm whose last note ends an eighth before the end of its bar.

    Args:
        rhythm: whose last note begins before then.
        length: of the bar, in quarter notes.
    """
    onset, duration = rhythm[-1]
    return (*rhythm[:-1], (onset, min(duration, length - LEAD - onset)))


def led(rhythm: RhythmPattern) -> RhythmPattern:
    """A rhythm whose first note begins an eighth before its bar."""
    return ((-LEAD, rhythm[0][1] + LEAD), *rhythm[1:])


def _put(
    values: NDArray[np.int64],
    classes: Sequence[BarClass],
    chosen: Sequence[RhythmPattern],
    each: Anticipation,
    rhythms: dict[int, RhythmPattern],
    selected: Sequence[Anticipation],
) -> None:
    """Write the ids of one more anticipation into a whole draft."""
    early = {other.leading for other in selected}
    first = classes[each.leading]
    values[first.notes[:, 0]] = first.ids(led(chosen[each.leading]))[0]
    for other, rhythm in rhythms.items():
        bar_class = classes[other]
        ids = bar_class.ids(shortened(rhythm, bar_class.length))
        keep = 1 if other in early else 0
        values[bar_class.notes[:, keep:]] = ids[keep:]


def anticipation_pieces(
    selected: Sequence[Anticipation],
    classes: Sequence[BarClass],
    chosen: Sequence[RhythmPattern],
    pieces: Sequence[Alternatives],
) -> list[Alternatives]:
    """The last steps of the change path: each lets one class of bars begin early.

    Args:
        selected: what begins early.
        classes: of bars.
        chosen: the rhythm of each class.
        pieces: that lead to these rhythms; those of the same notes come first.

    Returns:
        One piece for each anticipation.
    """
    found = []
    for each in selected:
        first = classes[each.leading]
        rhythm = chosen[each.leading]
        places = [first.notes[:, 0]]
        old = [np.full(len(first.groups), first.ids(rhythm)[0])]
        new = [np.full(len(first.groups), first.ids(led(rhythm))[0])]
        for other in each.before:
            bar_class = classes[other]
            places.append(bar_class.notes[:, -1])
            for ids, one in (
                (old, chosen[other]),
                (new, shortened(chosen[other], bar_class.length)),
            ):
                ids.append(np.full(len(bar_class.groups), bar_class.ids(one)[-1]))
        notes = np.concatenate(places)
        touched = set(notes.tolist())
        found.append(
            Alternatives(
                notes,
                (np.concatenate(old), np.concatenate(new)),
                tuple(i for i, p in enumerate(pieces) if not touched.isdisjoint(p.notes.flat)),
            )
        )
    return found
