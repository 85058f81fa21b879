"""Moves the notes of a file onto its beats, where they are late as a whole or keep no click.

Three things may be wrong with the times of a file. All notes may be late by the same time, from a
slow interface or silence at the start: the delay is taken out. They may be in tempo but begin
anywhere: the bars are placed anew. Or they may be recorded without a click: the beats are tracked,
and the file's time becomes that of the player. What is in time is returned as it is.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mst_core.music import Meter
from mst_core.reading.midi.bars import COMMON_TIME
from mst_core.reading.midi.grid_fit import GridFit, exact_delay, fit_grid, misfit
from mst_core.reading.midi.notes import MidiNote
from mst_core.reading.midi.parts import MidiPart, MidiScore
from mst_core.reading.midi.quantization import is_performance
from mst_core.reading.midi.tempo_map import TempoMap

if TYPE_CHECKING:
    from mst_core.reading.midi.meter_finding import BeatNote

_TRACKED_TICKS = 960
"""Ticks per quarter of a file whose beats were tracked."""
_EXACT_REACH = 8
"""A delay of written notes is at most a quarter divided by this."""
_SMALL_DELAY = 0.14
"""Quarters up to which a delay moves notes, not bars."""
_LEAST_DELAY = 0.02
"""Quarters from which a delay of a performance is taken out."""
_CLEARLY_BETTER = 0.85
"""Misfit of the tracked beats, against those of the file, from which they are believed."""
_CLEARLY_OTHER_BARS = 2.0
"""Evidence for other bars, beyond that for those of the file, from which they are placed anew."""
_FEW_ONSETS = 24
"""A part with fewer onsets is never said to keep no click."""
_CHORD_SPREAD_S = 0.035
"""Seconds within which onsets are one chord."""
_TEMPO_TOLERANCE_S = 0.015
"""Seconds by which a beat may be off a constant tempo that stands for several beats."""
_LOW_PITCH = 52
_DEFAULT_TEMPO = 120.0


@dataclass(frozen=True, slots=True)
class Retiming:
    """A file whose notes are on its beats."""

    score: MidiScore
    tracked: bool = False
    """Whether its beats were found from the notes."""
    bars_placed: bool = False
    """Whether its barlines were found from the notes."""
    warnings: tuple[str, ...] = ()


def retime(score: MidiScore, melody: int, tempo_map: TempoMap) -> Retiming:
    """Move the notes of a file onto its beats.

    Args:
        score: the file.
        melody: index of the part that is the melody.
        tempo_map: of the file.

    Returns:
        The file in time.
    """
    notes = score.parts[melody].notes
    ticks = score.ticks_per_quarter
    delay = exact_delay(_onsets(notes), ticks, ticks // _EXACT_REACH)
    if delay:
        return _without_delay(score, melody, delay, tempo_map)
    if not is_performance(notes, ticks):
        return Retiming(score)
    fit = _fit(notes, ticks)
    if not fit.keeps_time and len(_onsets(notes)) >= _FEW_ONSETS and not _has_click(score, melody):
        tracked = _tracked(score, tempo_map)
        found = misfit(note.onset / _TRACKED_TICKS for note in tracked.score.parts[melody].notes)
        given = misfit(note.onset / ticks - fit.delay for note in notes)
        if not fit.may_keep_time or found < _CLEARLY_BETTER * given:
            return tracked
    if not fit.may_keep_time:
        return Retiming(score)
    delay = round(fit.delay * ticks)
    if abs(fit.delay) > _SMALL_DELAY:
        if _parts_in_time(score, melody, delay):
            return Retiming(score)
        return _with_new_bars(score, delay) or Retiming(score)
    if _begins_anywhere(score, delay) and not _has_written_part(score):
        return _with_new_bars(score, delay, unless_from=delay) or Retiming(score)
    if abs(fit.delay) < _LEAST_DELAY:
        return Retiming(score)
    return _without_delay(score, melody, delay, tempo_map)


def _begins_anywhere(score: MidiScore, delay: int) -> bool:
    """Whether the first note is neither near a barline nor within the beat before one."""
    meter = score.meters[0][1] if score.meters else COMMON_TIME
    if len(score.meters) > 1:
        return False
    bar = float(meter.bar_length) * score.ticks_per_quarter
    beat = float(meter.beat_length) * score.ticks_per_quarter
    first = min(part.notes[0].onset for part in score.parts)
    late = (first - delay + beat / 8) % bar - beat / 8
    return beat / 8 < late < bar - 1.1 * beat


def _onsets(notes: Sequence[MidiNote]) -> list[int]:
    """The onsets of a part, each once, in order."""
    return sorted({note.onset for note in notes})


def _fit(notes: Sequence[MidiNote], ticks_per_quarter: int) -> GridFit:
    """How the onsets of a part lie on the grid."""
    onsets = _onsets(notes)
    following = [*onsets[1:], max(note.end for note in notes)]
    return fit_grid(
        (onset / ticks_per_quarter for onset in onsets),
        (
            max(0, after - onset) / ticks_per_quarter
            for onset, after in zip(onsets, following, strict=True)
        ),
    )


def _has_click(score: MidiScore, melody: int) -> bool:
    """Whether another part keeps to the beats of the file."""
    return any(
        len(_onsets(part.notes)) >= _FEW_ONSETS
        and (
            not is_performance(part.notes, score.ticks_per_quarter)
            or _fit(part.notes, score.ticks_per_quarter).keeps_time
        )
        for index, part in enumerate(score.parts)
        if index != melody
    )


def _has_written_part(score: MidiScore) -> bool:
    """Whether a part is notated, so that the bars of the file are meant."""
    return any(
        len(_onsets(part.notes)) >= _FEW_ONSETS
        and not is_performance(part.notes, score.ticks_per_quarter)
        for part in score.parts
    )


def _parts_in_time(score: MidiScore, melody: int, delay: int) -> list[MidiPart]:
    """The parts that do not share a delay of the melody, if they are most of the others' notes.

    Where they are not, nothing is in time: the melody has a delay with all others.
    """
    ticks = score.ticks_per_quarter

    def is_in_time(part: MidiPart) -> bool:
        if not is_performance(part.notes, ticks):
            # A delay of a few steps of the grid is on the grid too.
            return abs(exact_delay(_onsets(part.notes), ticks, ticks // _EXACT_REACH)) < delay / 2
        fit = _fit(part.notes, ticks)
        return fit.may_keep_time and abs(fit.delay * ticks) < delay / 3

    delay = abs(delay)
    others = [part for index, part in enumerate(score.parts) if index != melody]
    in_time = [part for part in others if is_in_time(part)]
    return in_time if 2 * _count_notes(in_time) > _count_notes(others) else []


def _without_delay(score: MidiScore, melody: int, delay: int, tempo_map: TempoMap) -> Retiming:
    """Take a delay out of the melody, and out of the parts that share it."""
    ticks = score.ticks_per_quarter
    in_time = _parts_in_time(score, melody, delay)
    parts = [
        part
        if any(part is each for each in in_time)
        else _moved_part(part, lambda tick: tick - delay)
        for part in score.parts
    ]
    start = score.parts[melody].notes[0].onset
    per_quarter = tempo_map.seconds(start + ticks) - tempo_map.seconds(start)
    milliseconds = abs(delay) / ticks * per_quarter * 1000
    subject = "The notes of the melody" if in_time else "All notes"
    return Retiming(
        replace(score, parts=tuple(parts)),
        warnings=(
            (
                f"{subject} come {'late' if delay > 0 else 'early'} by "
                f"{milliseconds:.0f} milliseconds; they were moved onto the beats.",
            )
            if milliseconds >= 1
            else ()
        ),
    )


def _count_notes(parts: Sequence[MidiPart]) -> int:
    """Notes of all these parts."""
    return sum(len(part.notes) for part in parts)


def _moved_part(part: MidiPart, moved: Callable[[int], int]) -> MidiPart:
    """A part whose times are mapped."""
    return replace(
        part,
        notes=tuple(
            note._replace(onset=onset, end=max(onset + 1, moved(note.end)))
            for note in part.notes
            for onset in (moved(note.onset),)
        ),
        end=max(0, moved(part.end)),
        controls=tuple((moved(each[0]), *each[1:]) for each in part.controls),
    )


def _with_new_bars(
    score: MidiScore, delay: int, *, unless_from: int | None = None
) -> Retiming | None:
    """Place the bars of a file that keeps its tempo but begins anywhere.

    ``delay`` is the tick of a beat. With ``unless_from``, the tick of a barline of the file, the
    bars are placed only where that is clearly better.
    """
    from mst_core.reading.midi.meter_finding import BarGuess, find_bars

    ticks = score.ticks_per_quarter
    meter = score.meters[0][1] if score.meters else None
    beat = _beat_length(meter) * ticks
    named = round(float(meter.bar_length) * ticks / beat) if meter else None

    def guess(origin: float, first: int | None = None) -> BarGuess:
        """The bars whose beats are whole beats from ``origin``, a beat before any note."""
        notes = _beat_notes(score, lambda tick: (tick - origin) / beat)
        return find_bars(notes, named=named, certain=meter is not None, first=first)

    # In a compound meter the beat may begin on each of three eighths.
    origins = [
        delay % beat - beat + shift
        for shift in ((0.0,) if beat == ticks else (0.0, beat / 3, -beat / 3))
    ]
    guesses = {origin: guess(origin) for origin in origins}
    origin = max(guesses, key=lambda each: guesses[each].evidence)
    best = guesses[origin]
    bar = best.beats * beat
    if unless_from is not None:
        start = unless_from - bar
        if best.evidence - guess(start, 0).evidence < _CLEARLY_OTHER_BARS:
            return None
    # The first note is in the first bar, or so little before it that it is meant to be.
    first = min(part.notes[0].onset for part in score.parts) + beat / 8
    downbeat = origin + best.first * beat
    shift = -round(downbeat + (first - downbeat) // bar * bar)
    parts = tuple(_moved_part(part, lambda tick: tick + shift) for part in score.parts)
    meters = score.meters[:1] if meter else ((0, Meter(best.beats, 4)),)
    tempos = ((max(0, tick + shift if tick else 0), tempo) for tick, tempo in score.tempos)
    keys = ((max(0, tick + shift if tick else 0), key) for tick, key in score.keys)
    return Retiming(
        replace(score, parts=parts, meters=tuple(meters), tempos=tuple(tempos), keys=tuple(keys)),
        bars_placed=True,
        warnings=(
            "It keeps the tempo of the file, but not its bars; they were placed by the notes.",
        ),
    )


def _beat_notes(score: MidiScore, beat_of: Callable[[int], float]) -> list[BeatNote]:
    """All pitched notes in beats, none before beat 0."""
    from mst_core.reading.midi.meter_finding import BeatNote

    return [
        BeatNote(max(0.0, onset), max(0.0, beat_of(note.end) - onset), note.pitch)
        for part in score.parts
        if not part.drums
        for note in part.notes
        for onset in (beat_of(note.onset),)
    ]


def _chords(score: MidiScore, tempo_map: TempoMap) -> tuple[list[float], list[float]]:
    """Seconds and accents of the notes of all parts, chords taken together."""
    found = sorted(
        (tempo_map.seconds(note.onset), tempo_map.seconds(note.end), note.pitch, part.drums)
        for part in score.parts
        for note in part.notes
    )
    times: list[float] = []
    accents: list[float] = []
    first = 0
    while first < len(found):
        last = first
        while last < len(found) and found[last][0] - found[first][0] <= _CHORD_SPREAD_S:
            last += 1
        chord = found[first:last]
        longest = max(end - onset for onset, end, _, _ in chord)
        is_low = any(pitch < _LOW_PITCH and not drums for _, _, pitch, drums in chord)
        times.append(sum(onset for onset, _, _, _ in chord) / len(chord))
        accents.append(
            1 + 0.3 * min(3, len(chord) - 1) + 0.4 * min(1.0, longest) + (0.4 if is_low else 0.0)
        )
        first = last
    return times, accents


def _tracked(score: MidiScore, tempo_map: TempoMap) -> Retiming:
    """Give a file the beats, the bars and the tempo of its player."""
    from mst_core.reading.midi.beat_tracking import track_beats
    from mst_core.reading.midi.meter_finding import COMPOUND, find_bars, has_triple_beats

    meter = score.meters[0][1] if score.meters else None
    beat_length = _beat_length(meter)
    times, accents = _chords(score, tempo_map)
    period, trust = _hint(score, tempo_map, beat_length)
    beats = track_beats(
        times,
        accents,
        hinted_period=period,
        hint_weight=trust,
        division=None if meter in (None, Meter(4, 4)) else 3 if meter.is_compound else 2,
    )

    def beat_of_second(second: float) -> float:
        index = min(max(0, bisect_right(beats, second) - 1), len(beats) - 2)
        return index + (second - beats[index]) / (beats[index + 1] - beats[index])

    def beat_of(tick: int) -> float:
        return beat_of_second(tempo_map.seconds(tick))

    named = int(meter.bar_length / beat_length) if meter else None
    is_default = meter is None or meter == Meter(4, 4)
    notes = _beat_notes(score, beat_of)
    if is_default and has_triple_beats(notes):
        beat_length = 1.5
        guess = find_bars(notes, config=COMPOUND)
        meter = Meter(3 * guess.beats, 8)
    else:
        guess = find_bars(notes, named=named, certain=not is_default)
        meter = Meter(guess.beats, 4) if is_default else meter
    shift = (guess.beats - guess.first) % guess.beats
    quarters = beat_length

    def moved(tick: int) -> int:
        return round((beat_of(tick) + shift) * quarters * _TRACKED_TICKS)

    tempos = [
        (
            round((number + shift) * quarters * _TRACKED_TICKS),
            round(60e6 / round(60 * quarters / period, 2)),  # a tempo of few digits
        )
        for number, period in _tempo_spans(beats)
    ]
    if tempos[0][0] > 0:
        tempos[0] = (0, tempos[0][1])
    slowest, fastest = min(t for _, t in tempos), max(t for _, t in tempos)
    return Retiming(
        replace(
            score,
            ticks_per_quarter=_TRACKED_TICKS,
            parts=tuple(_moved_part(part, moved) for part in score.parts),
            tempos=tuple(tempos),
            meters=((0, meter),) if meter else (),
            keys=tuple((max(0, moved(tick)) if tick else 0, key) for tick, key in score.keys),
        ),
        tracked=True,
        bars_placed=True,
        warnings=(
            "It was recorded without a click: the beats were found from the notes "
            f"({60e6 / fastest:.0f} to {60e6 / slowest:.0f} quarters a minute), and so were "
            f"the bars of {meter}.",
        ),
    )


def _beat_length(meter: Meter | None) -> float:
    """Quarters of the beat that is tracked."""
    if meter is None or meter.denominator <= 4:
        return 1.0
    return float(meter.beat_length)


def _hint(score: MidiScore, tempo_map: TempoMap, beat_length: float) -> tuple[float | None, float]:
    """Seconds of a beat as the file names it, None where it does not; and how far to trust it."""
    start = min(part.notes[0].onset for part in score.parts)
    end = max(note.end for part in score.parts for note in part.notes)
    tempo = tempo_map.main_tempo(start, end)
    if not tempo_map.is_specified:
        return None, 0.0
    # Many recorders write their default, whatever is played.
    return 60 / tempo * beat_length, 1.0 if tempo == _DEFAULT_TEMPO else 4.0


def _tempo_spans(beats: Sequence[float]) -> list[tuple[int, float]]:
    """Beats from which a constant period holds, and that period in seconds."""
    spans: list[tuple[int, float]] = []
    first = 0
    while first < len(beats) - 1:
        last = first + 1
        while last + 1 < len(beats):
            period = (beats[last + 1] - beats[first]) / (last + 1 - first)
            if (
                any(
                    abs(beats[first] + (each - first) * period - beats[each]) > _TEMPO_TOLERANCE_S
                    for each in range(first + 1, last + 1)
                )
                or last - first >= 64
            ):
                break
            last += 1
        spans.append((first, (beats[last] - beats[first]) / (last - first)))
        first = last
    return spans
