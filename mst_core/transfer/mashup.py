"""Two given tunes in one: the pitches of the first on the very rhythm of the second.

The first tune gives its pitches, every one in its order, and its form: bars, sections, repeats.
The second gives meter, tempo and its bars, one for each bar of the first. Bars that are the same
music in the first tune take the same bar of the second, so that both forms can be heard; the others
follow the second's order as far as their numbers of notes allow. Where those differ, weak onsets
are left out or long notes struck again.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from mst_core.errors import NoSuchTune
from mst_core.music import TICKS_PER_QUARTER, Melody, Meter, Note, Repeat
from mst_core.transfer.rhythm_interpolation import RhythmPattern
from mst_core.transfer.structure import full_bars

PHRASE = 4
"""Bars."""
STRIKE_AGAIN = 1.0
"""Cost of a note that the second tune has not, in the choice of its bars."""
LEAVE_OUT = 0.6
"""Cost of a note of the second tune that finds no pitch."""
JUMP = 1.5
"""Cost of a bar that does not follow the one before it in the second tune."""
MISPLACED = 1.0
"""Cost of a bar from another place of the phrase."""
SHORTEST = Fraction(1, 8)
"""Quarter notes; nothing is struck again more quickly."""


@dataclass(frozen=True, slots=True)
class CombinedTune:
    """What became of two tunes."""

    melody: Melody
    lent: int
    """How many different bars the second tune gave."""
    adapted: float
    """Share of the notes that stand in a bar whose rhythm had to be fitted to their number."""


def combine(pitch_tune: Melody, rhythm_tune: Melody) -> CombinedTune:
    """Join the pitches of one tune and the rhythm of another.

    Raises:
        NoSuchTune: when the second has no bars that the notes of the first fit into.
    """
    meter = rhythm_tune.meter
    lent = bar_rhythms(rhythm_tune, meter)
    bars = full_bars(pitch_tune)
    first_of: dict[object, int] = {}
    class_of = [first_of.setdefault(bar.class_key, index) for index, bar in enumerate(bars)]
    fresh = [index for index, first in enumerate(class_of) if first == index and bars[index].notes]
    if not any(lent):
        raise NoSuchTune("the second tune has no whole bar with notes")
    chosen = _align_bars([len(bars[index].notes) for index in fresh], fresh, lent)
    fitted = {
        index: adapt_note_count(lent[bar], len(bars[index].notes), meter)
        for index, bar in zip(fresh, chosen, strict=True)
    }
    notes = _pickup(pitch_tune, rhythm_tune)
    bent = 0
    for index, bar in enumerate(bars):
        if not bar.notes:
            continue
        rhythm = fitted[class_of[index]]
        own = lent[chosen[fresh.index(class_of[index])]]
        bent += len(own) != len(rhythm) and len(rhythm)
        notes += [
            Note(index * meter.bar_length + onset, duration, note.pitch)
            for (onset, duration), note in zip(rhythm, bar.notes, strict=True)
        ]
    melody = Melody(
        tuple(notes),
        meter,
        pitch_tune.key,
        rhythm_tune.tempo,
        pitch_tune.bar_count,
        pitch_tune.sections,
        repeats=_repeats(pitch_tune, meter),
    )
    return CombinedTune(melody, len(set(chosen)), bent / max(1, len(notes)))


def bar_rhythms(melody: Melody, meter: Meter) -> list[RhythmPattern]:
    """The rhythm of each bar; what a note holds over a barline is cut off there."""
    found = []
    for bar in full_bars(melody):
        whole = bar.end - bar.start == meter.bar_length
        found.append(
            tuple(
                (note.onset - bar.start, min(note.end, bar.end) - note.onset) for note in bar.notes
            )
            if whole
            else ()
        )
    return found


def _align_bars(
    note_counts: Sequence[int], positions: Sequence[int], rhythms: Sequence[RhythmPattern]
) -> list[int]:
    """The bar of the second tune for each new bar of the first, by dynamic programming.

    ``wanted`` are numbers of notes, ``places`` the bars where they stand in the first tune.
    """
    count = np.array([len(rhythm) for rhythm in rhythms])
    bars = np.arange(len(rhythms))
    follows = np.full((len(rhythms), len(rhythms)), JUMP)  # [before, after]
    follows[bars, (bars + 1) % len(rhythms)] = 0
    cost = np.zeros(len(rhythms))
    ways: list[np.ndarray[tuple[int], np.dtype[np.int64]]] = []
    for step, (notes, place) in enumerate(zip(note_counts, positions, strict=True)):
        missing = notes - count
        fit = np.where(missing > 0, STRIKE_AGAIN * missing, -LEAVE_OUT * missing).astype(float)
        fit += MISPLACED * ((bars - place) % PHRASE != 0)
        fit[count == 0] = np.inf
        if step and positions[step - 1] == place - 1:
            joined = cost[:, None] + follows
        else:  # behind a bar that has its rhythm already anything may come
            joined = np.broadcast_to(cost[:, None], follows.shape)
        ways.append(np.argmin(joined, axis=0))
        cost = joined.min(axis=0) + fit
    best = [int(np.argmin(cost))] if note_counts else []
    for way in reversed(ways[1:]):
        best.append(int(way[best[-1]]))
    return best[::-1]


def adapt_note_count(rhythm: RhythmPattern, notes: int, meter: Meter) -> RhythmPattern:
    """The same bar with another number of notes: weak onsets go, long notes are struck again.

    Raises:
        NoSuchTune: when its notes would become too short.
    """
    fitted = list(rhythm)
    while len(fitted) > notes:
        weakest = max(
            range(1, len(fitted)), key=lambda i: (_metrical_level(fitted[i][0], meter), i)
        )
        onset = fitted[weakest - 1][0]
        end = sum(fitted[weakest])
        fitted[weakest - 1 : weakest + 1] = [(onset, end - onset)]
    while len(fitted) < notes:
        longest = max(range(len(fitted)), key=lambda i: (fitted[i][1], -i))
        onset, duration = fitted[longest]
        # A dotted note gives two parts and one, any other two halves.
        first = duration * (Fraction(2, 3) if duration.numerator % 3 == 0 else Fraction(1, 2))
        first = Fraction(
            math.ceil(first * TICKS_PER_QUARTER), TICKS_PER_QUARTER
        )  # a half may lie between two ticks
        if duration - first < SHORTEST:
            raise NoSuchTune(f"a bar of the first tune has {notes} notes, too many for the second")
        fitted[longest : longest + 1] = [(onset, first), (onset + first, duration - first)]
    return tuple(fitted)


def _metrical_level(onset: Fraction, meter: Meter) -> int:
    """How little an onset weighs in its bar: 0 for a beat; 1, 2, 3 for its finer parts."""
    part = meter.beat_length
    for level, parts in enumerate((1, 3 if meter.is_compound else 2, 2, 2)):
        part /= parts
        if onset % part == 0:
            return level
    return 4


def _pickup(pitch_tune: Melody, rhythm_tune: Melody) -> list[Note]:
    """The first tune's pickup, in the second's rhythm where it has a pickup too."""
    pitches = [note.pitch for note in pitch_tune.notes if note.onset < 0]
    if not pitches:
        return []
    own = [note for note in rhythm_tune.notes if note.onset < 0]
    start = min(pitch_tune.pickup, rhythm_tune.meter.bar_length)
    rhythm: RhythmPattern = ((Fraction(0), start),)
    if own:
        start = rhythm_tune.pickup
        rhythm = tuple((n.onset + start, min(n.end, Fraction(0)) - n.onset) for n in own)
    return [
        Note(onset - start, duration, pitch)
        for (onset, duration), pitch in zip(
            adapt_note_count(rhythm, len(pitches), rhythm_tune.meter), pitches, strict=True
        )
    ]


def _repeats(pitch_tune: Melody, meter: Meter) -> tuple[Repeat, ...]:
    """The first tune's repeats; strains that began within a bar of another meter begin with it."""
    if meter.bar_length == pitch_tune.meter.bar_length and not pitch_tune.meter_changes:
        return pitch_tune.repeats
    return tuple(
        replace(repeat, lead_in=Fraction(0), lead_out=Fraction(0)) for repeat in pitch_tune.repeats
    )


# Bars that one target tune lends: its own rhythms, for bars with about as many notes.

MOST_LENT = 60
"""Rhythms for one class of bars."""
MOST_FITTED = 4
"""Notes that a lent bar may have more or fewer."""


def reference_rhythms(
    lender: Melody, meter: Meter, bars: int, notes: int, grain: int = 1
) -> list[RhythmPattern]:
    """The lender's rhythms of so many bars with so many notes; the best fitting first.

    None when it stands in bars of another length; only those in whole multiples of ``grain`` ticks.
    """
    if lender.meter.bar_length != meter.bar_length or lender.meter_changes:
        return []
    single = bar_rhythms(lender, lender.meter)
    found: dict[RhythmPattern, int] = {}
    for first in range(len(single) - bars + 1):
        joined = tuple(
            (onset + place * meter.bar_length, duration)
            for place, rhythm in enumerate(single[first : first + bars])
            for onset, duration in rhythm
        )
        off = abs(len(joined) - notes)
        if not joined or off > MOST_FITTED:
            continue
        try:
            fitted = adapt_note_count(joined, notes, meter)
        except NoSuchTune:
            continue
        if all(
            (time * TICKS_PER_QUARTER / grain).denominator == 1 for note in fitted for time in note
        ):
            found[fitted] = min(off, found.get(fitted, off))
    ranked = sorted(found, key=lambda rhythm: found[rhythm])
    return ranked[:MOST_LENT]
