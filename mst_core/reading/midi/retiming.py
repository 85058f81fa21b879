"""Moves the notes of a file onto its beats, where they are late as a whole or keep no click.

Three things may be wrong with the times of a file. All notes may be late by the same time, from a
slow interface or silence at the start: the delay is taken out. They may be in tempo but begin
anywhere: the bars are placed anew. Or they may be recorded without a click: the beats are tracked,
and the file's time becomes that of the player. What is in time is returned as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from mst_core.music import Meter
from mst_core.reading.midi.beat_notes import (
    beat_quarters,
    move_part,
    to_beat_notes,
    to_top_line,
)
from mst_core.reading.midi.grid_fit import GridFit, exact_delay, fit_grid, misfit, share_in_time
from mst_core.reading.midi.notes import MidiNote
from mst_core.reading.midi.parts import MidiPart, MidiScore
from mst_core.reading.midi.quantization import is_performance
from mst_core.reading.midi.tempo_map import TempoMap

_SMALL_DELAY = 0.14
"""Quarters up to which a delay moves notes, not bars."""
_LEAST_DELAY = 0.02
"""Quarters from which a delay of a performance is taken out."""
_CLEARLY_BETTER = 0.85
"""Misfit of the tracked beats, against those of the file, from which they are believed."""
_FEW_ONSETS = 24
"""A part with fewer onsets is never said to keep no click."""


@dataclass(frozen=True, slots=True)
class Retiming:
    """A file whose notes are on its beats."""

    score: MidiScore
    tracked: bool = False
    """Whether its beats were found from the notes."""
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
    everything = [note.onset for part in score.parts if not part.drums for note in part.notes]
    delay = exact_delay(_onsets(notes), everything, ticks)
    # Bars of sixteenths begin anywhere in a quarter.
    if delay and all(meter.denominator <= 8 for _, meter in score.meters):
        return _without_delay(score, melody, delay, tempo_map)
    if not is_performance(notes, ticks):
        return Retiming(score)
    fit = _fit(notes, ticks)
    if not fit.keeps_time and len(_onsets(notes)) >= _FEW_ONSETS and not _has_click(score, melody):
        from mst_core.reading.midi.clickless import TRACKED_TICKS, retime_by_player

        tracked, warning = retime_by_player(score, melody, tempo_map)
        found = misfit(note.onset / TRACKED_TICKS for note in tracked.parts[melody].notes)
        given = misfit(note.onset / ticks - fit.delay for note in notes)
        if not fit.may_keep_time or found < _CLEARLY_BETTER * given:
            return Retiming(tracked, tracked=True, warnings=(warning,))
    if not fit.may_keep_time:
        return Retiming(score)
    delay = round(fit.delay * ticks)
    if abs(fit.delay) > _SMALL_DELAY:
        if _parts_in_time(score, melody, delay):
            return Retiming(score)
        return _with_new_bars(score, melody, delay)
    if abs(fit.delay) < _LEAST_DELAY:
        return Retiming(score)
    return _without_delay(score, melody, delay, tempo_map)


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


def _parts_in_time(score: MidiScore, melody: int, delay: int) -> list[MidiPart]:
    """The parts that do not share a delay of the melody, if they are most of the others' notes.

    Where they are not, nothing is in time: the melody has a delay with all others.
    """
    ticks = score.ticks_per_quarter

    def is_in_time(part: MidiPart) -> bool:
        onsets = _onsets(part.notes)
        if not is_performance(part.notes, ticks):
            # A delay of a few steps of the grid is on the grid too.
            return share_in_time(onsets, ticks, 0) >= share_in_time(onsets, ticks, delay)
        fit = _fit(part.notes, ticks)
        return fit.may_keep_time and abs(fit.delay * ticks) < abs(delay) / 3

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
        else move_part(part, lambda tick: tick - delay)
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


def _with_new_bars(score: MidiScore, melody: int, delay: int) -> Retiming:
    """Place the bars of a file that keeps its tempo but begins anywhere.

    ``delay`` is the tick of a beat.
    """
    from mst_core.reading.midi.downbeats import weigh_downbeats
    from mst_core.reading.midi.meter_finding import find_bars

    ticks = score.ticks_per_quarter
    meter = score.meters[0][1] if score.meters else None
    beat = beat_quarters(meter) * ticks
    origin = delay % ticks - ticks

    def beat_of(tick: int) -> float:
        return (tick - origin) / beat

    notes = to_beat_notes(score, beat_of)
    beats = round(float(meter.bar_length) * ticks / beat) if meter else find_bars(notes).beats
    division = 3 if meter and meter.is_compound else 2
    line = to_top_line(score.parts[melody], beat_of)
    evidence = weigh_downbeats(line, notes, beats=beats, division=division)
    place = evidence.index(max(evidence))
    # The first note is in the first bar, or so little before it that it is meant to be.
    bar = beats * beat
    first = min(part.notes[0].onset for part in score.parts) + beat / 8
    downbeat = origin + place / division * beat
    shift = -round(downbeat + (first - downbeat) // bar * bar)
    parts = tuple(move_part(part, lambda tick: tick + shift) for part in score.parts)
    meters = score.meters[:1] if meter else ((0, Meter(beats, 4)),)
    tempos = ((max(0, tick + shift if tick else 0), tempo) for tick, tempo in score.tempos)
    keys = ((max(0, tick + shift if tick else 0), key) for tick, key in score.keys)
    return Retiming(
        replace(score, parts=parts, meters=tuple(meters), tempos=tuple(tempos), keys=tuple(keys)),
        warnings=(
            "It keeps the tempo of the file, but not its bars; they were placed by the notes.",
        ),
    )
