"""Plays the repeats that the score draws, with their endings.

The notes are performed once, as they are written; then the spans between the signs are put one
after the other, so that a section sounds the same both times.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import TypeVar

from mst_core.music import TICKS_PER_QUARTER, ControlEvent, Melody, Meter, Part
from mst_core.notation.repeat_signs import find_repeat_signs
from mst_core.reading.parsed_score import Limits
from mst_core.sound.performance import Performance, PlayedNote
from mst_core.sound.playback_clock import STRAIGHT, PlaybackClock

T = TypeVar("T")
_NEAR_S = 1e-6


def list_spans(melody: Melody) -> list[tuple[Fraction, Fraction, Fraction]]:
    """Return the passages of a melody in the order in which its repeat signs have them played.

    Args:
        melody: the melody, each repeat written once.

    Returns:
        Start and end of each passage in quarter notes from the first downbeat, and how long to rest
        after it; the first one alone where nothing is repeated, or where the repeats would last
        longer than a score may.
    """
    start, end = -melody.pickup, melody.length
    whole = [(start, end, Fraction(0))]
    if not melody.repeats:
        return whole
    spans = [*_follow_signs(melody, start, end)]
    return spans if _add_up(melody, spans) <= Limits().seconds else whole


def played_seconds(melody: Melody, parts: Sequence[Part] = (), *, repeats: bool = True) -> float:
    """Return the duration of what is played, in seconds.

    Args:
        melody: the melody, each repeat written once.
        parts: accompanying parts, which may begin before it and end after it.
        repeats: whether its repeats are played.
    """
    start, end = -melody.pickup, melody.length
    notes = [note for part in parts for note in part.notes]
    first = min([start, *(note.onset for note in notes)])
    last = max([end, *(note.onset + note.duration for note in notes)])
    no_rest = Fraction(0)
    spans = list_spans(melody) if repeats else [(start, end, no_rest)]
    return _add_up(melody, [(first, start, no_rest), *spans, (end, last, no_rest)])


def _add_up(melody: Melody, spans: Sequence[tuple[Fraction, Fraction, Fraction]]) -> float:
    """The seconds of all passages together, by the tempo map."""
    clock = PlaybackClock.of(melody, STRAIGHT, 0.0)
    return sum(
        clock.seconds_at(last + rest) - clock.seconds_at(first) for first, last, rest in spans
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
    times = [
        (
            clock.seconds_at(first),
            clock.seconds_at(last),
            clock.seconds_at(last + rest) - clock.seconds_at(last),
        )
        for first, last, rest in spans
    ]
    times[0] = -math.inf, *times[0][1:]
    times[-1] = times[-1][0], math.inf, 0.0
    return tuple(_repeat(voice, times) for voice in voices)


def _follow_signs(
    melody: Melody, start: Fraction, end: Fraction
) -> Iterator[tuple[Fraction, Fraction, Fraction]]:
    """Yield the passages between the signs as they are drawn.

    The beat goes on where a section goes back. One that ends inside a bar and begins at a barline,
    or with a shorter pickup, rests for the beats between; one that ends with a whole bar gives way
    to its pickup, where no note begins in that time.
    """
    ticks = [
        (round(note.onset * TICKS_PER_QUARTER), round(note.end * TICKS_PER_QUARTER))
        for note in melody.notes
    ]
    lines = [round(line * TICKS_PER_QUARTER) for line in melody.barlines]
    signs = find_repeat_signs(melody, lines, ticks)
    first = [ticks[0][0] if ticks else 0] * signs.starts_with_repeat
    starts = [*first, *sorted(signs.repeat_starts)]
    no_rest = Fraction(0)
    now = start
    for begin, stop in zip(starts, sorted(signs.repeat_ends), strict=False):
        repeat_start = max(start, Fraction(begin, TICKS_PER_QUARTER))
        repeat_end = Fraction(stop, TICKS_PER_QUARTER)
        first_ending = [at for at, _, number in signs.endings if number == 1 and begin < at < stop]
        second_ending = [at for at, _, number in signs.endings if number == 2 and at >= stop]
        if not now <= repeat_start < repeat_end:
            continue
        missing = _to_barline(lines, stop) - _to_barline(lines, begin)
        rest, early = max(0, missing), max(0, -missing)
        before = bisect_left(ticks, (stop,)) - 1  # the last note before the sign
        if before < 0 or ticks[before][0] >= stop - early:
            early = 0
        left = repeat_end - Fraction(early, TICKS_PER_QUARTER)
        yield now, left, Fraction(rest, TICKS_PER_QUARTER)
        if first_ending and second_ending:
            yield repeat_start, Fraction(first_ending[0], TICKS_PER_QUARTER), no_rest
            now = Fraction(min(second_ending), TICKS_PER_QUARTER)
        else:
            yield repeat_start, repeat_end, no_rest
            now = repeat_end
    if now < end or now == start:
        yield now, end, no_rest


def _to_barline(lines: Sequence[int], tick: int) -> int:
    """Ticks from a place to the barline after it; 0 at a barline."""
    return lines[min(bisect_left(lines, tick), len(lines) - 1)] - tick


def _repeat(voice: Performance, times: Sequence[tuple[float, float, float]]) -> Performance:
    """Return a performance whose passages, in seconds with the rest after, come in a row."""
    notes: list[PlayedNote] = []
    grace_notes: list[PlayedNote] = []
    controls: list[tuple[float, ControlEvent]] = []
    meters: list[tuple[float, Meter]] = []
    tempos: list[tuple[float, float]] = []
    starts = [note.start for note in voice.notes]
    graces = [(_next_start(starts, grace), grace) for grace in voice.grace_notes]
    now = before = 0.0  # where a passage begins, and where the one before it ended in the score
    for first, last, rest in times:
        begin = 0.0 if first == -math.inf else first
        shift = now - begin
        low, high = first - _NEAR_S, last - _NEAR_S
        for note in voice.notes[bisect_left(starts, low) : bisect_left(starts, high)]:
            # A note that is held over the sign ends there.
            length = min(note.duration, last - note.start)
            notes.append(replace(note, start=note.start + shift, duration=length))
        for _, grace in _between(graces, low, high):
            grace_notes.append(replace(grace, start=grace.start + shift))
        if first not in (-math.inf, before):  # it goes back: all is as it was the first time
            controls += _states_at(voice.controls, first, now)
            meters.append((now, _value_at(voice.meter_changes, first, voice.meter)))
            tempos.append((now, _value_at(voice.tempo_changes, first, voice.tempo)))
            low = first + _NEAR_S
        controls += [(time + shift, event) for time, event in _between(voice.controls, first, last)]
        meters += [(time + shift, new) for time, new in _between(voice.meter_changes, low, high)]
        tempos += [(time + shift, new) for time, new in _between(voice.tempo_changes, low, high)]
        now += (voice.seconds if last == math.inf else last) - begin + rest
        before = last
    return replace(
        voice,
        notes=tuple(notes),
        grace_notes=tuple(grace_notes),
        controls=tuple(controls),
        seconds=now,
        meter_changes=tuple(meters) if voice.meter_changes else (),
        tempo_changes=tuple(tempos) if voice.tempo_changes else (),
    )


def _between(
    events: Sequence[tuple[float, T]], first: float, last: float
) -> Sequence[tuple[float, T]]:
    """The events, rising by time, from one second to before another."""
    start = bisect_left(events, first, key=_time_of)
    return events[start : bisect_left(events, last, key=_time_of)]


def _time_of(event: tuple[float, object]) -> float:
    return event[0]


def _next_start(starts: Sequence[float], grace: PlayedNote) -> float:
    """The start of the note that a grace note leads to."""
    at = bisect_left(starts, grace.end - _NEAR_S)
    return starts[min(at, len(starts) - 1)]


def _states_at(
    controls: Sequence[tuple[float, ControlEvent]], time: float, now: float
) -> list[tuple[float, ControlEvent]]:
    """What every controller of a voice is set to before a time, as events at ``now``."""
    states: dict[tuple[str, int], ControlEvent] = {}
    for _, event in _between(controls, -math.inf, time):
        key = (event.kind, event.number if event.kind == "control" else 0)
        states.pop(key, None)
        states[key] = event
    return [(now, event) for event in states.values()]


def _value_at(changes: Sequence[tuple[float, T]], time: float, first: T) -> T:
    """The value that holds at a time."""
    at = bisect_right(changes, time + _NEAR_S, key=_time_of)
    return changes[at - 1][1] if at else first
