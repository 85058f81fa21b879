"""Gives a file that was recorded without a click the beats, bars and tempo of its player."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from statistics import median

from mst_core.music import Meter
from mst_core.reading.midi.beat_notes import (
    beat_quarters,
    move_part,
    to_beat_notes,
    to_top_line,
)
from mst_core.reading.midi.beat_tracking import steady_beats, track_beats
from mst_core.reading.midi.downbeats import weigh_downbeats
from mst_core.reading.midi.meter_finding import COMPOUND, find_bars, has_triple_beats
from mst_core.reading.midi.parts import MidiScore
from mst_core.reading.midi.tempo_map import TempoMap

TRACKED_TICKS = 960
"""Ticks per quarter of a file whose beats were tracked."""
_CHORD_SPREAD_S = 0.035
"""Seconds within which onsets are one chord."""
_TEMPO_TOLERANCE_S = 0.015
"""Seconds by which a beat may be off a constant tempo that stands for several beats."""
_SAME_TEMPO = 0.07
"""By which the tempo of a player may be off that of the file, to be meant as the same."""
_MAX_SPAN = 64
"""Beats of one tempo at most."""
_LOW_PITCH = 52
_DEFAULT_TEMPO = 120.0


def retime_by_player(score: MidiScore, melody: int, tempo_map: TempoMap) -> tuple[MidiScore, str]:
    """Give a file the beats, the bars and the tempo of its player.

    Args:
        score: the file.
        melody: index of the part that is the melody.
        tempo_map: of the file.

    Returns:
        The file in `TRACKED_TICKS`, and a sentence that says so.
    """
    meter = score.meters[0][1] if score.meters else None
    beat_length = beat_quarters(meter)
    times, accents = _chords(score, tempo_map)
    period, trust = _named_beat(score, tempo_map, beat_length)
    beats = track_beats(
        times,
        accents,
        named_period=period,
        named_weight=trust,
        division=None if meter in (None, Meter(4, 4)) else 3 if meter.is_compound else 2,
    )

    def beat_of_second(second: float) -> float:
        index = min(max(0, bisect_right(beats, second) - 1), len(beats) - 2)
        return index + (second - beats[index]) / (beats[index + 1] - beats[index])

    def beat_of(tick: int) -> float:
        return beat_of_second(tempo_map.seconds(tick))

    named = int(meter.bar_length / beat_length) if meter else None
    is_default = meter is None or meter == Meter(4, 4)
    notes = to_beat_notes(score, beat_of)
    division = 4
    if is_default and has_triple_beats(notes):
        beat_length, division = 1.5, 3
        beats[:] = steady_beats(beats, times, accents, division=3)
        notes = to_beat_notes(score, beat_of)
        guess = find_bars(notes, config=COMPOUND)
        meter = Meter(3 * guess.beats, 8)
    else:
        guess = find_bars(notes, named=named, certain=not is_default)
        meter = Meter(guess.beats, 4) if is_default else meter
        division = 3 if meter and meter.is_compound else 4
    pairs = [after - beat for beat, after in pairwise(beats)]
    line = to_top_line(score.parts[melody], beat_of)
    bar = guess.beats * beat_length * score.ticks_per_quarter
    evidence = weigh_downbeats(
        line,
        notes,
        beats=guess.beats,
        division=division,
        place_in_file=score.parts[melody].notes[0].onset % bar / bar * guess.beats
        if named == guess.beats
        else None,
        keeps_tempo=period is not None
        and trust > 1
        and abs(median(pairs) / period - 1) < _SAME_TEMPO,
    )
    downbeat = evidence.index(max(evidence)) / division
    shift = (guess.beats - downbeat) % guess.beats
    quarters = beat_length

    def moved(tick: int) -> int:
        return round((beat_of(tick) + shift) * quarters * TRACKED_TICKS)

    tempos = [
        (
            round((number + shift) * quarters * TRACKED_TICKS),
            round(60e6 / round(60 * quarters / period, 2)),  # a tempo of few digits
        )
        for number, period in _tempo_spans(beats)
    ]
    if tempos[0][0] > 0:
        tempos[0] = (0, tempos[0][1])
    slowest, fastest = min(t for _, t in tempos), max(t for _, t in tempos)
    retimed = replace(
        score,
        ticks_per_quarter=TRACKED_TICKS,
        parts=tuple(move_part(part, moved) for part in score.parts),
        tempos=tuple(tempos),
        meters=((0, meter),) if meter else (),
        keys=tuple((max(0, moved(tick)) if tick else 0, key) for tick, key in score.keys),
    )
    return retimed, (
        "It was recorded without a click: the beats were found from the notes "
        f"({60e6 / fastest:.0f} to {60e6 / slowest:.0f} quarter notes a minute), and so were "
        f"the bars of {meter}."
    )


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


def _named_beat(
    score: MidiScore, tempo_map: TempoMap, beat_length: float
) -> tuple[float | None, float]:
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
                or last - first >= _MAX_SPAN
            ):
                break
            last += 1
        spans.append((first, (beats[last] - beats[first]) / (last - first)))
        first = last
    return spans
