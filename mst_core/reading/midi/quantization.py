"""Quantizes a melody: onsets and ends in ticks become notes on the grid of notation.

Notated music keeps its times. The onsets of a performance are moved to sixteenths or triplets,
whichever is nearer, one beat at a time; the beats are those of the file, none are estimated. Then
each end is placed: at the next onset where the gap before it is small.

A step is one unit of the grid, 1/24 of a quarter note; a tick is a unit of the file.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import groupby, pairwise
from statistics import fmean, median

from mst_core.music import MIDI_TICKS_PER_QUARTER, TICKS_PER_QUARTER, Note
from mst_core.reading.midi.bars import BarLines
from mst_core.reading.midi.notes import MidiNote

_FINE_RESOLUTION = 192
"""Ticks per quarter from which a tick more or less is rounding; from 960 on, 1/480 quarter is."""
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
_SWING_RANGE = (0.57, 0.72)  # share of the beat that a swung first eighth lasts
_MIN_SWUNG_BEATS = 8


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
    dropped_ornaments: int
    """How many notes had no position of their own and were left out."""
    swing: float | None
    """Share of the beat that a first eighth lasted, where swing was straightened."""


@dataclass(frozen=True, slots=True)
class _TimedNote:
    """A note of the melody before quantization; times in quarters."""

    onset: Fraction
    end: Fraction
    pitch: int
    step: int | None
    """The step of its onset; None off the grid."""


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
        The quantized notes; ornaments without a position of their own are left out.
    """
    timed = [
        _TimedNote(
            Fraction(each.onset, ticks_per_quarter),
            Fraction(each.end, ticks_per_quarter),
            each.pitch,
            to_step(each.onset, ticks_per_quarter),
        )
        for each in melody
    ]
    performed = is_performance(melody, ticks_per_quarter)
    swing = _swing_ratio(timed, bars) if performed else None
    expected = _TIMING_DEVIATION_S * tempo / 60
    penalty = max(1.0, (tempo / _UNPENALIZED_TEMPO) ** 2)
    steps = _quantize_onsets(timed, bars, performed, _BeatQuantizer(expected, penalty, swing))
    if performed:
        # Again, with the deviation measured from this player.
        spread = fmean(abs(each) for each in _shifts(timed, steps))
        deviation = min(expected, max(expected / 8, 1.25 * spread))
        steps = _quantize_onsets(timed, bars, performed, _BeatQuantizer(deviation, penalty, swing))
    kept = _without_ornaments(timed, steps)
    ends_inferred = performed or _is_clipped(melody)
    notes = []
    for index, next_onset, next_step in _with_next_onset(timed, steps, kept, bars):
        end = None if ends_inferred else to_step(melody[index].end, ticks_per_quarter)
        notes.append(_quantized_note(timed[index], steps[index], end, next_onset, next_step))
    all_shifts = _shifts(timed, steps)
    shifts = [abs(all_shifts[index]) for index in kept]
    shifts = [shift for shift in shifts if shift > _NEGLIGIBLE_SHIFT]
    return QuantizedMelody(
        notes=tuple(notes),
        performed=performed,
        shifted_notes=len(shifts),
        max_shift=max(shifts, default=0.0),
        fits_poorly=performed and sum(shifts) / len(kept) > _POOR_FIT_SHIFT,
        dropped_ornaments=len(timed) - len(kept),
        swing=swing,
    )


def to_step(tick: int, ticks_per_quarter: int) -> int | None:
    """Return the step of the grid that a tick stands for.

    Where a triplet is no whole number of ticks, programs round; some end a note one tick early.

    Args:
        tick: from the start of the file.
        ticks_per_quarter: of the file.

    Returns:
        Steps from the start of the file, or None if the tick is off the grid by more than rounding.
    """
    slack = TICKS_PER_QUARTER - 1 if ticks_per_quarter % TICKS_PER_QUARTER else 0
    if ticks_per_quarter >= _FINE_RESOLUTION:
        slack = TICKS_PER_QUARTER * max(1, ticks_per_quarter // MIDI_TICKS_PER_QUARTER)
    step = round(Fraction(tick * TICKS_PER_QUARTER, ticks_per_quarter))
    return step if abs(tick * TICKS_PER_QUARTER - step * ticks_per_quarter) <= slack else None


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
    timed: list[_TimedNote], bars: BarLines, performed: bool, quantizer: _BeatQuantizer
) -> list[int]:
    """A step for each onset. Notated beats that are on the grid stay as they are."""
    steps: list[int] = []
    for start, length, beat in _beats(timed, bars):
        beat_steps = [each.step for each in beat if each.step is not None]
        if performed or len(beat_steps) < len(beat):
            beat_steps = quantizer.steps([each.onset - start for each in beat], start, length)
        steps.extend(beat_steps)
    return steps


def _beats(
    timed: list[_TimedNote], bars: BarLines
) -> Iterator[tuple[Fraction, Fraction, list[_TimedNote]]]:
    """Yield the notes of each quarter: its onset, its length (less at a barline), its notes."""

    def bar_and_quarter(each: _TimedNote) -> tuple[int, int]:
        bar = bars.bar_at(each.onset + _ANTICIPATION)
        return bar, int((each.onset + _ANTICIPATION - bars.onset(bar)) // 1)

    for (bar, quarter), beat in groupby(timed, key=bar_and_quarter):
        start = bars.onset(bar) + quarter
        yield start, min(Fraction(1), bars.onset(bar + 1) - start), list(beat)


def _shifts(timed: list[_TimedNote], steps: list[int]) -> list[float]:
    """How far each onset was moved, in quarters; below 0 for earlier."""
    return [
        0.0 if each.step == step else float(Fraction(step, TICKS_PER_QUARTER) - each.onset)
        for each, step in zip(timed, steps, strict=True)
    ]


@dataclass(frozen=True, slots=True)
class _BeatQuantizer:
    """Finds the positions of the onsets of one beat with the least total cost."""

    deviation: float
    """Expected distance of an onset from its position, in quarters (standard deviation)."""
    short_note_penalty: float
    """Factor on the costs of short notes, 1 or more."""
    swing: float | None
    """Share of the beat that a first eighth lasts; None for straight playing."""

    def steps(self, onsets: list[Fraction], start: Fraction, length: Fraction) -> list[int]:
        """Return steps from the start of the file for onsets in quarters from the beat's start."""
        positions = [float(each) for each in onsets]
        if self.swing and len(positions) <= 2:
            positions = [_straighten(each, self.swing) for each in positions]
        _, best = min(
            (self._fit(positions, division, float(length)) for division in _DIVISION_COSTS),
            key=lambda fit: fit[0],
        )
        return [round((start + each) * TICKS_PER_QUARTER) for each in best]

    def _fit(
        self, positions: list[float], division: int, length: float
    ) -> tuple[float, list[Fraction]]:
        """The cost of a division of the beat, and the slot of each onset in quarters."""
        slots = [Fraction(slot, division) for slot in range(division + 1)]
        slots = [each for each in slots if each <= length]
        cost, chosen = _DIVISION_COSTS[division] * self.short_note_penalty, list[Fraction]()
        for position in positions:
            onset_cost, slot = min((self._onset_cost(position, each), each) for each in slots)
            collides = chosen and chosen[-1] >= slot
            cost += onset_cost + (_COLLISION_COST * self.short_note_penalty if collides else 0)
            chosen.append(slot)
        return cost, chosen

    def _onset_cost(self, position: float, slot: Fraction) -> float:
        offbeat = _OFFBEAT_COST * self.short_note_penalty if slot.denominator in (4, 8) else 0.0
        return ((position - float(slot)) / self.deviation) ** 2 / 2 + offbeat


def _swing_ratio(timed: list[_TimedNote], bars: BarLines) -> float | None:
    """Share of a beat that the first of two eighths lasts; None unless most beats swing alike."""
    ratios = [
        float(beat[1].onset - start)
        for start, length, beat in _beats(timed, bars)
        if len(beat) == 2 and length == 1 and beat[0].onset - start < Fraction(1, 10)
    ]
    ratios = [each for each in ratios if 0.4 < each < 0.85]
    if len(ratios) < _MIN_SWUNG_BEATS:
        return None
    ratio = median(ratios)
    is_steady = sum(abs(each - ratio) < 0.1 for each in ratios) > 0.7 * len(ratios)
    return ratio if is_steady and _SWING_RANGE[0] <= ratio <= _SWING_RANGE[1] else None


def _straighten(position: float, swing: float) -> float:
    """Map a position in a swung beat (0 to 1) to the same beat played straight."""
    return position / swing / 2 if position < swing else 1 - (1 - position) / (1 - swing) / 2


def _without_ornaments(timed: list[_TimedNote], steps: list[int]) -> list[int]:
    """Indices of the notes that remain: of several at one step the longest."""
    kept: list[int] = []
    for index, step in enumerate(steps):
        duration = timed[index].end - timed[index].onset
        rivals = [each for each in kept[-2:] if steps[each] >= step]
        if any(timed[each].end - timed[each].onset > duration for each in rivals):
            continue
        kept[len(kept) - len(rivals) :] = [index]
    return kept


def _is_clipped(melody: Sequence[MidiNote]) -> bool:
    """Whether nearly every note ends a little early, as programs play notated music."""
    gaps = [(after.onset - note.end, after.onset - note.onset) for note, after in pairwise(melody)]
    small = sum(0 < gap < between / 4 for gap, between in gaps)
    return len(gaps) >= 8 and small >= 0.9 * len(gaps)


def _with_next_onset(
    timed: list[_TimedNote], steps: list[int], kept: list[int], bars: BarLines
) -> Iterator[tuple[int, Fraction, int]]:
    """Yield each index with the next onset in quarters and its step; the last with its barline."""
    for index, following in pairwise(kept):
        yield index, timed[following].onset, steps[following]
    last = kept[-1]
    end = max(timed[last].end, Fraction(steps[last] + 1, TICKS_PER_QUARTER))
    bar = bars.bar_at(end)
    barline = end if bars.onset(bar) == end else bars.onset(bar + 1)
    yield last, barline, round(barline * TICKS_PER_QUARTER)


def _quantized_note(
    timed: _TimedNote, step: int, end: int | None, next_onset: Fraction, next_step: int
) -> Note:
    """The note from ``step`` to step ``end``; without a usable end, to one that is inferred."""
    if end is None or end <= step:
        end = _inferred_end(timed, step, next_onset, next_step)
    end = min(end, next_step)  # rounding may move an end past the next onset
    return Note(
        Fraction(step, TICKS_PER_QUARTER), Fraction(end - step, TICKS_PER_QUARTER), timed.pitch
    )


def _inferred_end(timed: _TimedNote, step: int, next_onset: Fraction, next_step: int) -> int:
    """The step where a performed note ends: the next onset, or a sixteenth or triplet eighth."""
    gap, between = next_onset - timed.end, next_onset - timed.onset
    if gap < Fraction(1, 4) or gap < between / 3:
        return next_step
    exact = step + (timed.end - timed.onset) * TICKS_PER_QUARTER
    near = round(exact)
    plain = (each for each in range(near - 6, near + 13) if each % 6 == 0 or each % 8 == 0)
    end = min((each for each in plain if each > step), key=lambda each: abs(each - exact))
    return min(end, next_step)
