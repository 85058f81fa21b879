"""The rhythms of a tune's bars, adapted to other numbers of notes.

Used by mashups, and for a target tune's own bars among the drafts
(docs/decisions.md#bars-of-the-target-tune).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from mst_core.errors import NoSuchTune
from mst_core.music import TICKS_PER_QUARTER, Melody, Meter
from mst_core.statistics.bar_rhythms import BarRhythm
from mst_core.transfer.config import TransferConfig
from mst_core.transfer.rhythm_interpolation import RhythmPattern
from mst_core.transfer.structure import split_into_bars


def bar_rhythms(melody: Melody, meter: Meter) -> list[RhythmPattern]:
    """The rhythm of each full bar of a tune; notes are cut at the barline.

    Args:
        melody: the tune.
        meter: of the bars that are wanted; a bar of another length has the empty rhythm.
    """
    return [
        tuple((note.onset - bar.start, min(note.end, bar.end) - note.onset) for note in bar.notes)
        if bar.end - bar.start == meter.bar_length
        else ()
        for bar in split_into_bars(melody)
    ]


def adapt_note_count(
    rhythm: RhythmPattern, n_notes: int, meter: Meter, config: TransferConfig = TransferConfig()
) -> RhythmPattern:
    """The rhythm of a bar with another number of notes.

    Surplus notes are joined to the note before them, metrically weak ones first. Missing ones are
    made by splitting the longest notes.

    Args:
        rhythm: of one bar or more, with at least one note.
        n_notes: that the result has, at least 1.
        meter: of the bars.
        config: the shortest note that a split may leave.

    Raises:
        NoSuchTune: when a note would become too short.
    """
    adapted = list(rhythm)
    while len(adapted) > n_notes:
        weakest = max(
            range(1, len(adapted)), key=lambda i: (_metrical_level(adapted[i][0], meter), i)
        )
        onset = adapted[weakest - 1][0]
        end = sum(adapted[weakest])
        adapted[weakest - 1 : weakest + 1] = [(onset, end - onset)]
    while len(adapted) < n_notes:
        longest = max(range(len(adapted)), key=lambda i: (adapted[i][1], -i))
        onset, duration = adapted[longest]
        # A dotted note is split two to one, any other in halves.
        first = duration * (Fraction(2, 3) if duration.numerator % 3 == 0 else Fraction(1, 2))
        first = Fraction(math.ceil(first * TICKS_PER_QUARTER), TICKS_PER_QUARTER)
        if duration - first < config.min_split:
            raise NoSuchTune(
                f"a bar of the first tune has {n_notes} notes, too many for the second"
            )
        adapted[longest : longest + 1] = [(onset, first), (onset + first, duration - first)]
    return tuple(adapted)


def _metrical_level(onset: Fraction, meter: Meter) -> int:
    """How weak an onset is in its bar: 0 on a beat, 1 to 3 on its finer divisions, else 4."""
    part = meter.beat_length
    for level, parts in enumerate((1, 3 if meter.is_compound else 2, 2, 2)):
        part /= parts
        if onset % part == 0:
            return level
    return 4


def _is_written(note: tuple[Fraction, Fraction]) -> bool:
    """Whether onset and duration are multiples of a 32nd note, or of a part of a triplet."""
    return all(12 % time.denominator == 0 or 8 % time.denominator == 0 for time in note)


def keep_last_note(own: RhythmPattern, drafts: Sequence[RhythmPattern]) -> list[RhythmPattern]:
    """Give the drafts of a tune's last bar the last note that it has, so that it ends as it did.

    Args:
        own: the rhythm of the bar as it is, of M notes.
        drafts: rhythms of M notes.

    Returns:
        Each draft with the last note of ``own``. Where its other notes leave no room for that, as
        many of its last notes as necessary are those of ``own``. Different ones only, at least one.
    """
    kept = []
    for draft in drafts or [own]:
        n_own = next(
            count
            for count in range(1, len(own) + 1)
            if count == len(own) or sum(draft[-count - 1]) <= own[-count][0]
        )
        kept.append((*draft[: len(own) - n_own], *own[len(own) - n_own :]))
    return list(dict.fromkeys(kept))


def style_rhythms(
    counted: Sequence[tuple[int, BarRhythm]],
    n_notes: int,
    bar_ticks: int,
    rng: np.random.Generator,
    *,
    max_rhythms: int,
    grid: int = 1,
    min_duration: int = 1,
) -> list[RhythmPattern]:
    """Draw whole-bar rhythms with a number of notes, as a style's players wrote them.

    Args:
        counted: number of bars and rhythm, in ticks, of `MeterStatistics`.
        n_notes: notes of each rhythm.
        bar_ticks: length of the bar, in ticks.
        rng: each rhythm is drawn once, the commoner the likelier.
        max_rhythms: that are drawn.
        grid: ticks; only rhythms in whole multiples of it are taken.
        min_duration: shortest note, in ticks.

    Returns:
        Different rhythms; none where the style has none with as many notes, or counted bars of
        another length.
    """
    if max((rhythm[-2] + rhythm[-1] for _, rhythm in counted), default=0) != bar_ticks:
        return []
    usable = [
        (count, rhythm)
        for count, rhythm in counted
        if len(rhythm) == 2 * n_notes
        and min(rhythm[1::2]) >= min_duration
        and all(time % grid == 0 for time in rhythm)
    ]
    if not usable:
        return []
    weights = np.array([count for count, _ in usable], dtype=np.float64)
    size = min(len(usable), max_rhythms)
    drawn = rng.choice(len(usable), size, replace=False, p=weights / weights.sum())
    return [
        tuple(
            (Fraction(onset, TICKS_PER_QUARTER), Fraction(ticks, TICKS_PER_QUARTER))
            for onset, ticks in zip(usable[index][1][::2], usable[index][1][1::2], strict=True)
        )
        for index in sorted(drawn.tolist())
    ]


def reference_rhythms(
    reference_tune: Melody,
    meter: Meter,
    n_bars: int,
    n_notes: int,
    grid: int = 1,
    config: TransferConfig = TransferConfig(),
    *,
    on_barline: bool = False,
) -> list[RhythmPattern]:
    """The rhythms of a target tune's bars, adapted to a number of notes.

    Args:
        reference_tune: the target tune.
        meter: that the result is in.
        n_bars: consecutive bars of each rhythm.
        n_notes: notes of each rhythm.
        grid: ticks; only rhythms in whole multiples of it are taken.
        config: how many rhythms, and by how many notes they may be adapted.
        on_barline: whether only those that begin with a note, not with a rest, are taken.

    Returns:
        The rhythms that needed the fewest notes added or dropped first; none where the tune's bars
        have another length.
    """
    if reference_tune.meter.bar_length != meter.bar_length or reference_tune.meter_changes:
        return []
    bars = bar_rhythms(reference_tune, reference_tune.meter)
    found: dict[RhythmPattern, int] = {}
    for first in range(len(bars) - n_bars + 1):
        joined = tuple(
            (onset + offset * meter.bar_length, duration)
            for offset, rhythm in enumerate(bars[first : first + n_bars])
            for onset, duration in rhythm
        )
        difference = abs(len(joined) - n_notes)
        if not joined or difference > config.max_note_count_change:
            continue
        if on_barline and joined[0][0] > 0:
            continue
        try:
            adapted = adapt_note_count(joined, n_notes, meter, config)
        except NoSuchTune:
            continue
        on_grid = all(
            (time * TICKS_PER_QUARTER / grid).denominator == 1 for note in adapted for time in note
        )
        # A note that was split may leave a part of a triplet that nobody writes.
        if on_grid and (adapted == joined or all(map(_is_written, adapted))):
            found[adapted] = min(difference, found.get(adapted, difference))
    ranked = sorted(found, key=lambda rhythm: found[rhythm])
    return ranked[: config.max_reference_rhythms]
