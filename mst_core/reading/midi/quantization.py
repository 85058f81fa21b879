"""A line as it was played becomes a line as it is written.

Written music stays as it is, to the tick. A performance is moved to sixteenths or triplets, a beat
at a time, whichever lies nearer; the beats are those of the file: none are looked for. Onsets come
first; a note then lasts to the next onset where the gap between them is small.
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

STEPS_PER_QUARTER = TICKS_PER_QUARTER
"""Steps of the finest grid in a quarter."""
_FINE_RESOLUTION = 192
"""Ticks a quarter from which one tick more or less does not matter; of finer clocks, 1/480."""
_ON_GRID_SHARE = 0.7  # of the onsets on the grid: then it is a score, with ornaments
_DIVISION_COSTS = {4: 0.0, 3: 2.0, 8: 5.0, 6: 6.0}  # of a beat, and what each must gain to be taken
_ODD_SLOT, _COLLISION = 1.0, 8.0
_TIMING_DEVIATION_S = 0.02  # seconds by which a player's onsets lie off the beat
_UNPENALIZED_TEMPO = 100.0  # quarters a minute up to which sixteenths are nothing special
_ANTICIPATION = Fraction(1, 16)  # quarters by which an onset before a beat still belongs to it
_NEGLIGIBLE_SHIFT = 0.005  # quarters: what a clock without thirds makes of a triplet is no move
_POOR_FIT_SHIFT = 0.045  # mean move in quarters; onsets at random would come to 1/16
_SWING_RANGE = (0.57, 0.72)  # share of the beat that a swung first eighth takes
_MIN_SWUNG_BEATS = 8


@dataclass(frozen=True, slots=True)
class QuantizedMelody:
    """Written notes, in quarters from the start of the file, and what was done to them."""

    notes: tuple[Note, ...]
    performed: bool
    shifted_notes: int
    """Notes whose onset was moved."""
    max_shift: float
    """The largest move, in quarters."""
    fits_poorly: bool
    """Whether the beats of the file hardly fit the notes."""
    dropped_ornaments: int
    """Ornaments too quick to be written."""
    swing: float | None
    """The share of the beat that a first eighth took, where that was made straight."""


@dataclass(frozen=True, slots=True)
class _TimedNote:
    """A note of the line; times in quarters."""

    onset: Fraction
    end: Fraction
    pitch: int
    step: int | None
    """The step of its onset, where that lies on the finest grid."""


def quantize(
    line: Sequence[MidiNote], *, ticks_a_quarter: int, bars: BarLines, tempo: float
) -> QuantizedMelody:
    """Write a line down. ``tempo`` is in quarters a minute; ``line`` holds a note or more."""
    played = [
        _TimedNote(
            Fraction(each.onset, ticks_a_quarter),
            Fraction(each.end, ticks_a_quarter),
            each.pitch,
            to_step(each.onset, ticks_a_quarter),
        )
        for each in line
    ]
    performed = is_performance(line, ticks_a_quarter)
    swing = _swing_ratio(played, bars) if performed else None
    expected = _TIMING_DEVIATION_S * tempo / 60
    haste = max(1.0, (tempo / _UNPENALIZED_TEMPO) ** 2)
    steps = _fit_beats(played, bars, performed, _BeatQuantizer(expected, haste, swing))
    if performed:
        # Once more, knowing how steady this player is.
        spread = fmean(abs(each) for each in _shifts(played, steps))
        steady = min(expected, max(expected / 8, 1.25 * spread))
        steps = _fit_beats(played, bars, performed, _BeatQuantizer(steady, haste, swing))
    kept = _without_ornaments(played, steps)
    clipped = performed or _is_clipped(line)
    notes = []
    for place, following, next_step in _with_following(played, steps, kept, bars):
        end = None if clipped else to_step(line[place].end, ticks_a_quarter)
        notes.append(_written_note(played[place], steps[place], end, following, next_step))
    every = _shifts(played, steps)
    moves = [abs(every[place]) for place in kept if abs(every[place]) > _NEGLIGIBLE_SHIFT]
    return QuantizedMelody(
        notes=tuple(notes),
        performed=performed,
        shifted_notes=len(moves),
        max_shift=max(moves, default=0.0),
        fits_poorly=performed and sum(moves) / len(kept) > _POOR_FIT_SHIFT,
        dropped_ornaments=len(played) - len(kept),
        swing=swing,
    )


def _fit_beats(
    played: list[_TimedNote], bars: BarLines, performed: bool, fit: _BeatQuantizer
) -> list[int]:
    """A step for each onset. What is written stays, but for beats that do not fit the grid."""
    steps: list[int] = []
    for start, room, beat in _beats(played, bars):
        written = [each.step for each in beat if each.step is not None]
        if performed or len(written) < len(beat):
            written = fit.steps([each.onset - start for each in beat], start, room)
        steps.extend(written)
    return steps


def _shifts(played: list[_TimedNote], steps: list[int]) -> list[float]:
    """How far each onset was moved, in quarters."""
    return [
        0.0 if each.step == step else float(Fraction(step, STEPS_PER_QUARTER) - each.onset)
        for each, step in zip(played, steps, strict=True)
    ]


def to_step(tick: int, ticks_a_quarter: int) -> int | None:
    """The step of the finest grid that a tick stands for, if any.

    Where triplets are no whole ticks, programs round; some end a note one tick early.
    """
    slack = STEPS_PER_QUARTER - 1 if ticks_a_quarter % STEPS_PER_QUARTER else 0
    if ticks_a_quarter >= _FINE_RESOLUTION:
        slack = STEPS_PER_QUARTER * max(1, ticks_a_quarter // MIDI_TICKS_PER_QUARTER)
    step = round(Fraction(tick * STEPS_PER_QUARTER, ticks_a_quarter))
    return step if abs(tick * STEPS_PER_QUARTER - step * ticks_a_quarter) <= slack else None


def is_performance(line: Sequence[MidiNote], ticks_per_quarter: int) -> bool:
    """Whether the onsets lie off the grid, as those of a player do."""
    steps = [to_step(each.onset, ticks_per_quarter) for each in line]
    if ticks_per_quarter < _FINE_RESOLUTION:
        # On so coarse a clock every tick is near a step: only common places count.
        steps = [step if step is not None and _is_common_position(step) else None for step in steps]
    return sum(step is not None for step in steps) < _ON_GRID_SHARE * len(steps)


def _is_common_position(step: int) -> bool:
    """Whether 32nds or triplets of eighths and sixteenths come here."""
    return step % 3 == 0 or step % 4 == 0


def _beats(
    played: list[_TimedNote], bars: BarLines
) -> Iterator[tuple[Fraction, Fraction, list[_TimedNote]]]:
    """The notes a quarter at a time: its onset, its length, its notes."""

    def place(each: _TimedNote) -> tuple[int, int]:
        bar = bars.bar_at(each.onset + _ANTICIPATION)
        return bar, int((each.onset + _ANTICIPATION - bars.onset(bar)) // 1)

    for (bar, quarter), beat in groupby(played, key=place):
        start = bars.onset(bar) + quarter
        yield start, min(Fraction(1), bars.onset(bar + 1) - start), list(beat)


@dataclass(frozen=True, slots=True)
class _BeatQuantizer:
    """How onsets of one beat find their places."""

    deviation: float
    """Quarters by which onsets are expected to lie off."""
    short_note_penalty: float
    """How much less likely short notes are at this tempo."""
    swing: float | None

    def steps(self, onsets: list[Fraction], start: Fraction, room: Fraction) -> list[int]:
        """The steps, from the start of the file, of onsets given from the start of the beat."""
        places = [float(each) for each in onsets]
        if self.swing and len(places) <= 2:
            places = [_straighten(each, self.swing) for each in places]
        _, best = min(
            (self._fit(places, division, float(room)) for division in _DIVISION_COSTS),
            key=lambda fit: fit[0],
        )
        return [round((start + each) * STEPS_PER_QUARTER) for each in best]

    def _fit(self, places: list[float], division: int, room: float) -> tuple[float, list[Fraction]]:
        """What a division costs, and the slots it gives, in quarters of the beat."""
        choices = [Fraction(slot, division) for slot in range(division + 1)]
        choices = [each for each in choices if each <= room]
        cost, slots = _DIVISION_COSTS[division] * self.short_note_penalty, list[Fraction]()
        for place in places:
            price, slot = min((self._onset_cost(place, each), each) for each in choices)
            cost += price + (
                _COLLISION * self.short_note_penalty if slots and slots[-1] >= slot else 0
            )
            slots.append(slot)
        return cost, slots

    def _onset_cost(self, place: float, slot: Fraction) -> float:
        odd = _ODD_SLOT * self.short_note_penalty if slot.denominator in (4, 8) else 0.0
        return ((place - float(slot)) / self.deviation) ** 2 / 2 + odd


def _swing_ratio(played: list[_TimedNote], bars: BarLines) -> float | None:
    """The share of a beat that the first of two eighths takes, where the line swings clearly."""
    seconds = [
        float(beat[1].onset - start)
        for start, room, beat in _beats(played, bars)
        if len(beat) == 2 and room == 1 and beat[0].onset - start < Fraction(1, 10)
    ]
    seconds = [each for each in seconds if 0.4 < each < 0.85]
    if len(seconds) < _MIN_SWUNG_BEATS:
        return None
    share = median(seconds)
    steady = sum(abs(each - share) < 0.1 for each in seconds) > 0.7 * len(seconds)
    return share if steady and _SWING_RANGE[0] <= share <= _SWING_RANGE[1] else None


def _straighten(place: float, swing: float) -> float:
    """A place in a swung beat, in the same beat played straight."""
    return place / swing / 2 if place < swing else 1 - (1 - place) / (1 - swing) / 2


def _without_ornaments(played: list[_TimedNote], steps: list[int]) -> list[int]:
    """Which notes have a place of their own; of two in one place the longer stays."""
    kept: list[int] = []
    for place, step in enumerate(steps):
        duration = played[place].end - played[place].onset
        rivals = [each for each in kept[-2:] if steps[each] >= step]
        if any(played[each].end - played[each].onset > duration for each in rivals):
            continue
        kept[len(kept) - len(rivals) :] = [place]
    return kept


def _is_clipped(line: Sequence[MidiNote]) -> bool:
    """Whether every note ends a little early, as programs play written music."""
    gaps = [(after.onset - note.end, after.onset - note.onset) for note, after in pairwise(line)]
    small = sum(0 < gap < between / 4 for gap, between in gaps)
    return len(gaps) >= 8 and small >= 0.9 * len(gaps)


def _with_following(
    played: list[_TimedNote], steps: list[int], kept: list[int], bars: BarLines
) -> Iterator[tuple[int, Fraction, int]]:
    """Each place with the next onset, as played and as written; the last with its barline."""
    for place, following in pairwise(kept):
        yield place, played[following].onset, steps[following]
    last = kept[-1]
    end = max(played[last].end, Fraction(steps[last] + 1, STEPS_PER_QUARTER))
    bar = bars.bar_at(end)
    barline = end if bars.onset(bar) == end else bars.onset(bar + 1)
    yield last, barline, round(barline * STEPS_PER_QUARTER)


def _written_note(
    played: _TimedNote, step: int, end: int | None, following: Fraction, next_step: int
) -> Note:
    """``end`` is as written, or None for a note that was played: then its end is found."""
    if end is None or end <= step:
        end = _inferred_end(played, step, following, next_step)
    end = min(end, next_step)  # one that ends and one that begins may be rounded past each other
    return Note(
        Fraction(step, STEPS_PER_QUARTER), Fraction(end - step, STEPS_PER_QUARTER), played.pitch
    )


def _inferred_end(played: _TimedNote, step: int, following: Fraction, next_step: int) -> int:
    """Where a note ends that was played: at the next onset, or on a plain fraction of a beat."""
    gap, between = following - played.end, following - played.onset
    if gap < Fraction(1, 4) or gap < between / 3:
        return next_step
    sounding = step + (played.end - played.onset) * STEPS_PER_QUARTER
    near = round(sounding)
    plain = (each for each in range(near - 6, near + 13) if each % 6 == 0 or each % 8 == 0)
    end = min((each for each in plain if each > step), key=lambda each: abs(each - sounding))
    return min(end, next_step)
