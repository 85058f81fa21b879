"""Quantizes a melody: onsets and ends in ticks become notes on the grid of notation.

Notated music keeps its times. The onsets of a performance are moved to sixteenths or triplets,
whichever is nearer, one beat at a time; swing is written straight. Notes too quick to be written
become grace notes of the note after them; longer runs of them are named, for another part.

A step is one unit of the grid, 1/24 of a quarter note; a tick is a unit of the file.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import groupby
from statistics import fmean

from mst_core.music import TICKS_PER_QUARTER, GraceNotes, Note
from mst_core.reading.midi.bars import BarLines
from mst_core.reading.midi.note_ends import (
    TimedNote,
    ends_are_written,
    is_clipped,
    place_ends,
    to_step,
)
from mst_core.reading.midi.notes import MidiNote
from mst_core.reading.midi.swing import find_swing, straighten

_FINE_RESOLUTION = 192
"""Ticks per quarter from which being on the grid is no accident."""
_ON_GRID_SHARE = 0.7  # of the onsets from which a melody is notated music, with ornaments
_DIVISION_COSTS = {4: 0.0, 3: 2.0, 8: 5.0, 6: 6.0}
"""Parts into which a beat may be divided, and the cost of each; the cheapest division is taken."""
_OFFBEAT_COST = 1.0  # of an onset on an odd sixteenth or thirty-second
_COLLISION_COST = 8.0  # of two onsets at the same position
_TIMING_DEVIATION_S = 0.02  # expected distance of a player's onset from the grid, in seconds
_UNPENALIZED_TEMPO = 100.0  # quarters per minute up to which short notes cost nothing extra
_ANTICIPATION = Fraction(1, 16)  # quarters by which an onset may precede its beat
_NEGLIGIBLE_SHIFT = 0.005  # quarters; a clock without thirds rounds triplets by as much
_POOR_FIT_SHIFT = 0.045  # mean shift in quarters; of random onsets it would be 1/16
_QUICK_S = 0.065
"""Seconds between two onsets below which the first may be a grace note."""
_QUICK_RATIO = 2.5
"""How much longer the note must be that follows a grace note."""
_MAX_QUICK_SHARE = 0.4
_MAX_GRACE_NOTES = 4
"""Before one note."""


@dataclass(frozen=True, slots=True)
class QuantizedMelody:
    """The notes on the grid, and how they differ from those of the file."""

    notes: tuple[Note, ...]
    """Times in quarter notes from the start of the file."""
    performed: bool
    """Whether it was a performance rather than notated music."""
    shifted_notes: int
    """How many onsets were moved."""
    max_shift: float
    """The largest move, in quarters."""
    fits_poorly: bool
    """Whether the mean move is almost that of random onsets."""
    grace_notes: tuple[GraceNotes, ...]
    """Notes too quick to be written, before the notes that they adorn."""
    long_runs: tuple[MidiNote, ...]
    """Notes too quick to be written that are too many for grace notes, in order."""
    swing: float | None
    """Share of the beat that a first eighth lasted, where swing was straightened."""
    loose_ends: bool
    """Whether its onsets are written but its ends are as played, and were moved."""


def quantize(
    melody: Sequence[MidiNote], *, ticks_per_quarter: int, bars: BarLines, tempo: float
) -> QuantizedMelody:
    """Quantize a melody.

    Args:
        melody: one note or more that do not overlap, in order.
        ticks_per_quarter: of the file.
        bars: of the file.
        tempo: quarters per minute; short notes are less likely in a fast performance.

    Returns:
        The quantized notes, and what is too quick to be one of them.
    """
    timed = [
        TimedNote(
            Fraction(each.onset, ticks_per_quarter),
            Fraction(each.end, ticks_per_quarter),
            each.pitch,
            to_step(each.onset, ticks_per_quarter),
        )
        for each in melody
    ]
    performed = is_performance(melody, ticks_per_quarter)
    quick = _quick_notes(timed, 60 / tempo) if performed else set[int]()
    plain = [each for index, each in enumerate(timed) if index not in quick]
    steps, misfits, swing = _place_onsets(plain, bars, performed, tempo)
    placed = iter(zip(steps, misfits, strict=True))
    # A quick note has the place of the note after it, and is the shorter of the two.
    all_steps, all_misfits = [0] * len(timed), [0.0] * len(timed)
    for index in range(len(timed)):
        if index not in quick:
            all_steps[index], all_misfits[index] = next(placed)
    following = all_steps[max(index for index in range(len(timed)) if index not in quick)]
    for index in reversed(range(len(timed))):
        if index in quick:
            all_steps[index] = following
        following = all_steps[index]
    kept = [index for index in _without_ornaments(timed, all_steps) if index not in quick]
    is_written = not performed and ends_are_written(melody, ticks_per_quarter)
    notes = place_ends(
        timed,
        all_steps,
        kept,
        bars,
        written_ends=[to_step(each.end, ticks_per_quarter) for each in melody]
        if is_written
        else None,
    )
    shifts = [abs(all_misfits[index]) for index in kept]
    shifts = [shift for shift in shifts if shift > _NEGLIGIBLE_SHIFT]
    grace_notes, long_runs = _grace_notes(timed, kept)
    return QuantizedMelody(
        notes=tuple(notes),
        performed=performed,
        shifted_notes=len(shifts),
        max_shift=max(shifts, default=0.0),
        fits_poorly=performed and sum(shifts) / len(kept) > _POOR_FIT_SHIFT,
        grace_notes=grace_notes,
        long_runs=tuple(melody[index] for index in long_runs),
        swing=swing,
        loose_ends=not performed and not is_written and not is_clipped(melody),
    )


def _place_onsets(
    timed: list[TimedNote], bars: BarLines, performed: bool, tempo: float
) -> tuple[list[int], list[float], float | None]:
    """The step of each onset, how far each was from it in quarters, and the swing."""
    swing = None
    if performed:
        beats = _beats(timed, bars)
        swing = find_swing(
            [
                [float(each.onset - start) for each in beat]
                for start, length, beat in beats
                if length == 1
            ]
        )
    expected = _TIMING_DEVIATION_S * tempo / 60
    penalty = max(1.0, (tempo / _UNPENALIZED_TEMPO) ** 2)
    quantizer = _BeatQuantizer(expected, penalty, swing)
    steps, misfits = _quantize_onsets(timed, bars, performed, quantizer)
    if performed:
        # Again, with the deviation measured from this player.
        spread = fmean(abs(each) for each in misfits)
        deviation = min(expected, max(expected / 8, 1.25 * spread))
        quantizer = _BeatQuantizer(deviation, penalty, swing)
        steps, misfits = _quantize_onsets(timed, bars, performed, quantizer)
    return steps, misfits, swing


def _quick_notes(timed: Sequence[TimedNote], seconds_per_quarter: float) -> set[int]:
    """Indices of the notes of a performance that only lead into a longer one.

    The last note is never one.
    """
    quick: set[int] = set()
    for index in reversed(range(len(timed) - 1)):
        note, after = timed[index], timed[index + 1]
        between = float(after.onset - note.onset) * seconds_per_quarter
        sounding = float(note.end - note.onset) * seconds_per_quarter
        main = next(each for each in range(index + 1, len(timed)) if each not in quick)
        if main - index > _MAX_GRACE_NOTES:
            continue
        room = (timed[main + 1].onset if main + 1 < len(timed) else timed[main].end) - (
            timed[main].onset
        )
        if (
            between < _QUICK_S
            and sounding < _QUICK_S * 1.3
            and float(room) * seconds_per_quarter > _QUICK_RATIO * between
            and float(room) * seconds_per_quarter > _QUICK_S * 1.5
        ):
            quick.add(index)
    # Where most notes are as quick, that is the music and no ornament.
    return quick if len(quick) <= _MAX_QUICK_SHARE * len(timed) else set()


def _grace_notes(
    timed: Sequence[TimedNote], kept: Sequence[int]
) -> tuple[tuple[GraceNotes, ...], list[int]]:
    """The notes between those that are kept: as grace notes of the next one, or as long runs."""
    graces: list[GraceNotes] = []
    long_runs: list[int] = []
    start = 0
    for number, index in enumerate([*kept, len(timed)]):
        between = list(range(start, index))
        start = index + 1
        if not between:
            continue
        if len(between) <= _MAX_GRACE_NOTES and index < len(timed):
            graces.append(GraceNotes(number, tuple(timed[each].pitch for each in between)))
        else:
            long_runs.extend(between)
    return tuple(graces), long_runs


def is_performance(notes: Sequence[MidiNote], ticks_per_quarter: int) -> bool:
    """Return whether less than `_ON_GRID_SHARE` of the onsets are on the grid.

    Args:
        notes: of one part, one or more.
        ticks_per_quarter: of the file.
    """
    steps = [to_step(each.onset, ticks_per_quarter) for each in notes]
    if ticks_per_quarter < _FINE_RESOLUTION:
        # At so low a resolution every tick is near a step: only common positions count.
        steps = [step if step is not None and _is_common_position(step) else None for step in steps]
    return sum(step is not None for step in steps) < _ON_GRID_SHARE * len(steps)


def _is_common_position(step: int) -> bool:
    """Whether a step is a multiple of a thirty-second or of a triplet sixteenth."""
    return step % 3 == 0 or step % 4 == 0


def _quantize_onsets(
    timed: list[TimedNote], bars: BarLines, performed: bool, quantizer: _BeatQuantizer
) -> tuple[list[int], list[float]]:
    """A step for each onset, and its distance from there; written beats stay as they are."""
    steps: list[int] = []
    misfits: list[float] = []
    for start, length, beat in _beats(timed, bars):
        beat_steps = [each.step for each in beat if each.step is not None]
        if performed or len(beat_steps) < len(beat):
            found = quantizer.steps([each.onset - start for each in beat], start, length)
            steps.extend(step for step, _ in found)
            misfits.extend(
                0.0 if each.step == step else misfit
                for each, (step, misfit) in zip(beat, found, strict=True)
            )
        else:
            steps.extend(beat_steps)
            misfits.extend(0.0 for _ in beat)
    return steps, misfits


def _beats(
    timed: list[TimedNote], bars: BarLines
) -> Iterator[tuple[Fraction, Fraction, list[TimedNote]]]:
    """Yield the notes of each quarter: its onset, its length (less at a barline), its notes."""

    def bar_and_quarter(each: TimedNote) -> tuple[int, int]:
        bar = bars.bar_at(each.onset + _ANTICIPATION)
        return bar, int((each.onset + _ANTICIPATION - bars.onset(bar)) // 1)

    for (bar, quarter), beat in groupby(timed, key=bar_and_quarter):
        start = bars.onset(bar) + quarter
        yield start, min(Fraction(1), bars.onset(bar + 1) - start), list(beat)


@dataclass(frozen=True, slots=True)
class _BeatQuantizer:
    """Finds the positions of the onsets of one beat with the least total cost."""

    deviation: float
    """Expected distance of an onset from its position, in quarters (standard deviation)."""
    short_note_penalty: float
    """Factor on the costs of short notes, 1 or more."""
    swing: float | None
    """Share of the beat that a first eighth lasts; None for straight playing."""

    def steps(
        self, onsets: list[Fraction], start: Fraction, length: Fraction
    ) -> list[tuple[int, float]]:
        """Steps from the start of the file, and quarters that each onset is away from its own.

        ``onsets`` are quarters from the start of the beat. A swung onset is away from where it
        would be in steady swing.
        """
        positions = [float(each) for each in onsets]
        if self.swing and len(positions) <= 2:
            positions = [straighten(each, self.swing) for each in positions]
        room = float(length) * TICKS_PER_QUARTER
        _, best = min(
            (self._fit(positions, division, room) for division in _DIVISION_COSTS),
            key=lambda fit: fit[0],
        )
        first = start * TICKS_PER_QUARTER
        return [
            (round(first + step), step / TICKS_PER_QUARTER - position)
            for step, position in zip(best, positions, strict=True)
        ]

    def _fit(self, positions: list[float], division: int, room: float) -> tuple[float, list[int]]:
        """The cost of a division of the beat, and the step of each onset within the beat."""
        unit = TICKS_PER_QUARTER // division
        steps = [step for step in range(0, TICKS_PER_QUARTER + 1, unit) if step <= room]
        cost, chosen = _DIVISION_COSTS[division] * self.short_note_penalty, list[int]()
        for position in positions:
            onset_cost, step = min((self._onset_cost(position, each), each) for each in steps)
            collides = chosen and chosen[-1] >= step
            cost += onset_cost + (_COLLISION_COST * self.short_note_penalty if collides else 0)
            chosen.append(step)
        return cost, chosen

    def _onset_cost(self, position: float, step: int) -> float:
        is_odd = step % 3 == 0 and step % (TICKS_PER_QUARTER // 2) != 0
        offbeat = _OFFBEAT_COST * self.short_note_penalty if is_odd else 0.0
        return ((position - step / TICKS_PER_QUARTER) / self.deviation) ** 2 / 2 + offbeat


def _without_ornaments(timed: list[TimedNote], steps: list[int]) -> list[int]:
    """Indices of the notes that remain: of several at one step the longest."""
    kept: list[int] = []
    for index, step in enumerate(steps):
        duration = timed[index].end - timed[index].onset
        rivals = [each for each in kept[-2:] if steps[each] >= step]
        if any(timed[each].end - timed[each].onset > duration for each in rivals):
            continue
        kept[len(kept) - len(rivals) :] = [index]
    return kept
