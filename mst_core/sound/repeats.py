"""Plays the repeats that the score draws, with their endings.

The notes are performed once, as they are written; then the spans between the signs are put one
after the other, so that a section sounds the same both times.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import TypeVar

from mst_core.music import TICKS_PER_QUARTER, ControlEvent, Melody, Meter
from mst_core.notation.repeat_signs import find_repeat_signs
from mst_core.reading.parsed_score import Limits
from mst_core.sound.performance import Performance, PlayedNote
from mst_core.sound.playback_clock import PlaybackClock

T = TypeVar("T")
_NEAR_S = 1e-6
Span = tuple[Fraction, Fraction]
"""Start and end of a passage, in quarter notes from the first downbeat."""


def list_spans(melody: Melody) -> list[Span]:
    """Return the passages of a melody in the order in which its repeat signs have them played.

    Args:
        melody: the melody, each repeat written once.

    Returns:
        Start and end of each passage; the first one alone where nothing is repeated, or where the
        repeats would last longer than a score may.
    """
    start, end = -melody.pickup, melody.length
    if not melody.repeats:
        return [(start, end)]
    spans = [*_follow_signs(melody, start, end)]
    seconds = sum(melody.seconds_at(last) - melody.seconds_at(first) for first, last in spans)
    return spans if seconds <= Limits().seconds else [(start, end)]


def played_seconds(melody: Melody) -> float:
    """Return the duration with all repeats, in seconds.

    Args:
        melody: the melody, each repeat written once.
    """
    return sum(
        melody.seconds_at(last) - melody.seconds_at(first) for first, last in list_spans(melody)
    )


def play_repeats(
    melody: Melody, voices: Sequence[Performance], clock: PlaybackClock
) -> tuple[Performance, ...]:
    """Return performances with the repeats of their melody.

    Args:
        melody: the melody, each repeat written once.
        voices: the performances of the melody and its parts, without repeats.
        clock: that they were played by.
    """
    spans = list_spans(melody)
    if len(spans) == 1:
        return tuple(voices)
    times = [(clock.seconds_at(first), clock.seconds_at(last)) for first, last in spans]
    times[0] = -math.inf, times[0][1]
    times[-1] = times[-1][0], math.inf
    return tuple(_repeat(voice, times) for voice in voices)


def _follow_signs(melody: Melody, start: Fraction, end: Fraction) -> Iterator[Span]:
    """Yield the passages between the signs as they are drawn."""
    ticks = [
        (round(note.onset * TICKS_PER_QUARTER), round(note.end * TICKS_PER_QUARTER))
        for note in melody.notes
    ]
    lines = [round(line * TICKS_PER_QUARTER) for line in melody.barlines]
    signs = find_repeat_signs(melody, lines, ticks)
    first = [ticks[0][0] if ticks else 0] * signs.starts_with_repeat
    starts = [*first, *sorted(signs.repeat_starts)]
    now = start
    for begin, stop in zip(starts, sorted(signs.repeat_ends), strict=False):
        repeat_start = max(start, Fraction(begin, TICKS_PER_QUARTER))
        repeat_end = Fraction(stop, TICKS_PER_QUARTER)
        first_ending = [at for at, _, number in signs.endings if number == 1 and begin < at < stop]
        second_ending = [at for at, _, number in signs.endings if number == 2 and at >= stop]
        if not now <= repeat_start < repeat_end:
            continue
        yield now, repeat_end
        if first_ending and second_ending:
            yield repeat_start, Fraction(first_ending[0], TICKS_PER_QUARTER)
            now = Fraction(min(second_ending), TICKS_PER_QUARTER)
        else:
            yield repeat_start, repeat_end
            now = repeat_end
    if now < end or now == start:
        yield now, end


def _repeat(voice: Performance, times: Sequence[tuple[float, float]]) -> Performance:
    """Return a performance whose passages, in seconds, come one after the other."""
    notes: list[PlayedNote] = []
    grace_notes: list[PlayedNote] = []
    controls: list[tuple[float, ControlEvent]] = []
    meters, tempos = list(voice.meter_changes), list(voice.tempo_changes)
    new_meters: list[tuple[float, Meter]] = []
    new_tempos: list[tuple[float, float]] = []
    starts = [note.start for note in voice.notes]
    now = before = 0.0  # where a passage begins, and where the one before it ended in the score
    for first, last in times:
        begin = 0.0 if first == -math.inf else first
        shift = now - begin
        jumps = first not in (-math.inf, before)
        notes += _moved(_cut(voice.notes, first, last), shift)
        grace_notes += _moved(
            (
                grace
                for grace in voice.grace_notes
                if first - _NEAR_S <= _next_start(starts, grace) < last - _NEAR_S
            ),
            shift,
        )
        controls += _states_at(voice.controls, first, now) if jumps else []
        controls += [
            (time + shift, event) for time, event in voice.controls if first <= time < last
        ]
        if jumps:
            new_meters.append((now, _value_at(meters, first, voice.meter)))
            new_tempos.append((now, _value_at(tempos, first, voice.tempo)))
        after = first + _NEAR_S if jumps else first - _NEAR_S
        end = last - _NEAR_S
        new_meters += [(time + shift, meter) for time, meter in meters if after < time < end]
        new_tempos += [(time + shift, tempo) for time, tempo in tempos if after < time < end]
        now += (voice.seconds if last == math.inf else last) - begin
        before = last
    return replace(
        voice,
        notes=tuple(notes),
        grace_notes=tuple(grace_notes),
        controls=tuple(controls),
        seconds=now,
        meter_changes=tuple(new_meters) if meters else (),
        tempo_changes=tuple(new_tempos) if tempos else (),
    )


def _cut(notes: Iterable[PlayedNote], first: float, last: float) -> Iterator[PlayedNote]:
    """Yield the notes that begin in a passage, none of them longer than it."""
    for note in notes:
        if first - _NEAR_S <= note.start < last - _NEAR_S:
            yield replace(note, duration=min(note.duration, last - note.start))


def _moved(notes: Iterable[PlayedNote], seconds: float) -> Iterator[PlayedNote]:
    """Yield the notes later by some seconds."""
    for note in notes:
        yield replace(note, start=note.start + seconds) if seconds else note


def _next_start(starts: Sequence[float], grace: PlayedNote) -> float:
    """The start of the note that a grace note leads to."""
    at = bisect_left(starts, grace.end - _NEAR_S)
    return starts[min(at, len(starts) - 1)]


def _states_at(
    controls: Iterable[tuple[float, ControlEvent]], time: float, now: float
) -> list[tuple[float, ControlEvent]]:
    """What every controller of a voice is set to before a time, as events at ``now``."""
    states: dict[tuple[str, int], ControlEvent] = {}
    for second, event in controls:
        if second < time:
            key = (event.kind, event.number if event.kind == "control" else 0)
            states.pop(key, None)
            states[key] = event
    return [(now, event) for event in states.values()]


def _value_at(changes: Sequence[tuple[float, T]], time: float, first: T) -> T:
    """The value that holds at a time."""
    value = first
    for second, changed in changes:
        if second > time + _NEAR_S:
            break
        value = changed
    return value
